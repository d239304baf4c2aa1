"""ROUGE by the rouge-score library with a tokenizer that reads Chinese; the three metrics call it."""

from __future__ import annotations

from harness.core.items import Target
from harness.core.scores import Case
from harness.metrics.declare import SCANNED_CHARACTERS
from harness.metrics.split_tokens import split_tokens

MOST_TOKENS = 2_048  # the longest common subsequence is quadratic


class _Tokenizer:
    """rouge-score's own keeps only a-z and 0-9, so that any Chinese text scores 0."""

    def tokenize(self, text: str) -> list[str]:
        return split_tokens(text[:SCANNED_CHARACTERS])[:MOST_TOKENS]


def rouge_f1(kind: str, reference: str, answer: str) -> float:
    """F1 of one ROUGE kind between a reference and an answer, 0 to 1.

    Only the first 2,048 tokens of each are read. Where a text is too short to have a single n-gram of the
    kind, the F1 is 1 for equal tokens and 0 otherwise.

    Args:
        kind: rouge1, rouge2 or rougeL.
        reference: The accepted text.
        answer: The text to judge.

    Example:
        >>> rouge_f1("rouge1", "北京是首都", "首都是北京"), rouge_f1("rouge2", "the cat sat", "the cat ran")
        (1.0, 0.5)
    """
    from rouge_score.rouge_scorer import RougeScorer

    tokenizer = _Tokenizer()
    least = 2 if kind == "rouge2" else 1
    gold, given = tokenizer.tokenize(reference), tokenizer.tokenize(answer)
    if min(len(gold), len(given)) < least:
        if gold or given:
            return float(gold == given)
        return float(reference.split() == answer.split())
    return float(RougeScorer([kind], tokenizer=tokenizer).score(reference, answer)[kind].fmeasure)


def best_rouge_f1(kind: str, case: Case) -> float:
    """The best F1 against any accepted text of the case."""
    target = case.variant.item.target or Target()
    answer = case.prediction.text or ""
    return max(rouge_f1(kind, reference, answer) for reference in (*target.references, *target.answers))
