"""Whether the right option or label was given."""

from __future__ import annotations

from harness.core.items import Target
from harness.core.scores import Case
from harness.metrics.declare import metric


@metric(
    direction="higher",
    bounds=(0.0, 1.0),
    binary=True,
    pass_at=1.0,
    shapes={"multiple_choice", "classification", "conversation"},
    target={"label", "option"},
)
def accuracy(case: Case) -> float:
    """1.0 where the option or label read is the target's, else 0.0.

    Compares indices and ids, never texts, so that renaming and reordering keep the verdict.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> accuracy(example_case(Example(output="B", options=("3", "4"), option=1)))
        1.0
    """
    target = case.variant.item.target or Target()
    prediction = case.prediction
    if target.label is not None:
        return float(prediction.label == target.label)
    return float(prediction.option == target.option)
