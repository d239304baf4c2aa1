"""Whether the answer is one of the accepted ones, but for width, case, punctuation and spacing."""

from __future__ import annotations

from harness.core.items import Target
from harness.core.scores import Case
from harness.metrics.declare import SCANNED_CHARACTERS, metric
from harness.metrics.normalise_answer import normalise_answer


@metric(
    direction="higher",
    bounds=(0.0, 1.0),
    binary=True,
    pass_at=1.0,
    shapes={"short_answer", "free_text", "conversation"},
    target={"answers", "references"},
)
def exact_match(case: Case) -> float:
    """1.0 where the normalised answer equals any normalised accepted answer, else 0.0.

    Normalised: NFKC (full-width to half-width), case, punctuation (Chinese included), thousands separators,
    spacing and, for English items, articles before a word. The whole answer is compared, not a part of it.
    An output of more than 65,536 characters is wrong.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> exact_match(example_case(Example(output="“ＡＢ１２”。", answers=("ab12",), language="zh")))
        1.0
    """
    item = case.variant.item
    target = item.target or Target()
    text = case.prediction.text or ""
    if len(text) > SCANNED_CHARACTERS:
        return 0.0
    given = normalise_answer(text, language=item.language)
    accepted = (*target.answers, *target.references)
    return float(any(given == normalise_answer(answer, language=item.language) for answer in accepted))
