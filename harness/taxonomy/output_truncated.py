"""The output was cut off at the token limit."""

from __future__ import annotations

from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.taxonomy.declare import Found, error_class
from harness.taxonomy.output_text import generation_of
from harness.taxonomy.repetition_loop import repetition_loop


@error_class(
    stage="termination",
    order=30,
    version=1,
    needs={"output", "finish_reason"},
    positives=(
        Example(output="First we add 16 and 3, which gives 19. Then we", answers=("40",), finish="length"),
        Example(output="首先，小明有三个苹果，然后他又", answers=("五",), language="zh", finish="length"),
    ),
    negatives=(
        Example(output="First we add 16 and 3, which gives", answers=("40",), finish="eos"),
        Example(output="好" * 40, answers=("五",), language="zh", finish="length"),
        Example(output="nine", answers=("nine",), finish="unknown"),
    ),
)
def output_truncated(case: Case) -> Found | None:
    """Generation stopped at the token limit and not in a loop, which is a class of its own."""
    generation = generation_of(case)
    if generation is None or generation.finish_reason != "length":
        return None
    return None if repetition_loop(case) else Found()
