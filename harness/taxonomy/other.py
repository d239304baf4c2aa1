"""Wrong in a way that no other class describes."""

from __future__ import annotations

from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.taxonomy.declare import Found, error_class


@error_class(
    stage="rest",
    version=1,
    needs=set(),
    positives=(
        Example(output="the bank", answers=("the museum",)),
        Example(output="图书馆", answers=("博物馆",), language="zh"),
    ),
    negatives=(
        Example(output="", answers=("the museum",)),
        Example(output="抱歉，我无法回答这个问题。", answers=("博物馆",), language="zh"),
    ),
)
def other(case: Case) -> Found | None:
    """Holds of every wrong answer; `classify` names it only where nothing else holds.

    Its share is shown like any other: a taxonomy that hides its residue lies.
    """
    return Found()
