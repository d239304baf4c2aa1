"""ROUGE-2: overlap of the answer's pairs of neighbouring words (characters in Chinese) with a reference's."""

from __future__ import annotations

from harness.core.scores import Case
from harness.metrics.declare import metric
from harness.metrics.rouge import best_rouge_f1


@metric(
    direction="higher",
    bounds=(0.0, 1.0),
    shapes={"free_text", "short_answer", "conversation"},
    target={"references", "answers"},
)
def rouge_2_score(case: Case) -> float:
    """The best ROUGE-2 F1 against any reference, 0 to 1; it has no pass rule.

    rouge-score's figure without stemming; on English text the same tokens, in Chinese single characters.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> rouge_2_score(example_case(Example(output="the cat ran", references=("the cat sat",))))
        0.5

    Source:
        Lin 2004, ROUGE: a package for automatic evaluation of summaries.
    """
    return best_rouge_f1("rouge2", case)
