"""Whether the option that is likeliest per byte of its text is the right one."""

from __future__ import annotations

from harness.core.exchange import Chosen
from harness.core.items import Target
from harness.core.scores import Case
from harness.metrics.declare import metric


def likeliest_per_byte(answer: Chosen, options: tuple[str, ...]) -> int:
    """The index of the largest log-likelihood per UTF-8 byte; the first of equals.

    Example:
        >>> from harness.core.exchange import OptionScore
        >>> likeliest_per_byte(Chosen((OptionScore(-4.0, 1), OptionScore(-6.0, 2))), ("no", "maybe"))
        1
    """
    values = [
        score.logprob_nats / max(1, len(option.encode("utf-8", "surrogatepass")))
        for score, option in zip(answer.options, options, strict=True)
    ]
    return max(range(len(values)), key=lambda index: (values[index], -index))


@metric(
    direction="higher",
    bounds=(0.0, 1.0),
    binary=True,
    pass_at=1.0,
    shapes={"multiple_choice"},
    target={"option"},
)
def normalised_accuracy(case: Case) -> float:
    """1.0 where the option with the largest log-likelihood per byte of its text is right, else 0.0.

    Removes the advantage of short options. It is lm-eval's `acc_bytes`; lm-eval's `acc_norm` divides by
    characters, which is the same for ASCII options. Not for suites that read option letters. An answer that
    was generated has nothing to normalise and is judged as read.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> case = example_case(Example(option_nats=(-4.0, -6.0), options=("no", "maybe"), option=1))
        >>> normalised_accuracy(case)
        1.0
    """
    item = case.variant.item
    target = item.target or Target()
    if isinstance(case.answer, Chosen):
        return float(likeliest_per_byte(case.answer, item.prompt.options) == target.option)
    return float(case.prediction.option == target.option)
