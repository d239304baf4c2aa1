"""Whether the place of an option decides: recall per slot (RStd), and the prior a model brings to each slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.core.errors import UsageError
from harness.robustness.cells import cells, denoised_deviation, step_means
from harness.robustness.estimate import Estimate, mean_estimate, same_length

MIN_GOLDS = 30
"""Gold answers that each slot needs before its recall says anything."""


@dataclass(frozen=True, slots=True)
class OptionBias:
    """Recall by the slot that the right option stands in.

    Attributes:
        recalls: One a slot: how often the right option is found there.
        picked: One a slot: how often it is picked at all.
        rstd: Standard deviation of the recalls; 0 without bias but for noise. `n_items` counts source items.
        deviation: The same without the noise.
        fewest: Gold answers of the scarcest slot; below `MIN_GOLDS` read nothing into it.
    """

    recalls: tuple[Estimate, ...]
    picked: tuple[Estimate, ...]
    rstd: Estimate
    deviation: Estimate
    fewest: int


def option_bias(
    picked: Sequence[int | None],
    gold: Sequence[int],
    items: Sequence[str],
    *,
    n_options: int,
    failed: Sequence[bool] | None = None,
    level: float = 0.95,
) -> OptionBias:
    """Recall of each slot and its standard deviation, insensitive to how often a slot is right.

    Args:
        picked: Slot of the option picked, from 0; None where none could be read, which finds nothing.
        gold: Slot of the right option.
        items: Source item of each.
        n_options: Slots.
        failed: Which answers are missing, because the system failed.
        level: Coverage of the intervals.

    Raises:
        UsageError: On unequal lengths, or a slot outside of 0 to n_options - 1.

    Example:
        >>> found = option_bias([0, 0, 0, 0], [0, 1, 0, 1], list("abcd"), n_options=2)  # always the first
        >>> [recall.value for recall in found.recalls], found.rstd.value
        ([1.0, 0.0], 0.5)

    Source: Zheng et al. 2024.
    """
    absent = [False] * len(items) if failed is None else list(failed)
    n = same_length(picked=picked, gold=gold, items=items, failed=absent)
    for slot in (*gold, *(place for place in picked if place is not None)):
        if not 0 <= slot < n_options:
            raise UsageError(f"Slot {slot} is none of the {n_options} options, 0 to {n_options - 1}.")
    hits = [
        None if is_absent else float(place == right)
        for place, right, is_absent in zip(picked, gold, absent, strict=True)
    ]
    recalls, shares = [], []
    for slot in range(n_options):
        own = [place for place in range(n) if gold[place] == slot]
        recalls.append(
            mean_estimate([hits[place] for place in own], [items[place] for place in own], level=level)
        )
        chosen = [
            None if is_absent else float(place == slot)
            for place, is_absent in zip(picked, absent, strict=True)
        ]
        shares.append(mean_estimate(chosen, items, level=level))
    found = cells(hits, items, list(gold), order=range(n_options))
    deviation = denoised_deviation(found, sample=False, level=level)
    means = step_means(found.table)
    value = None if np.isnan(means).any() else float(means.std())
    n_scored = sum(hit is not None for hit in hits)
    low, high = (None, None) if value is None else _around(value, deviation)
    return OptionBias(
        recalls=tuple(recalls),
        picked=tuple(shares),
        rstd=Estimate(value, low, high, n, n_scored, len(found.items)),
        deviation=deviation,
        fewest=min(recall.n for recall in recalls),
    )


def _around(value: float, deviation: Estimate) -> tuple[float | None, float | None]:
    """The interval of the true deviation, reached out to the value itself, which noise has raised."""
    if deviation.low is None or deviation.high is None:
        return None, None
    return min(deviation.low, value), max(deviation.high, value)


def option_prior(
    logprobs: Sequence[Sequence[float]], items: Sequence[str], *, level: float = 0.95
) -> tuple[Estimate, ...]:
    """What a model expects of each slot, whatever stands there: softmax of its mean log-probability over orders.

    Args:
        logprobs: Log-probability of each slot, one row an order, shape (n, slots). An item's orders must put every
            option into every slot equally often, as the cyclic ones do.
        items: Source item of each row.
        level: Coverage of the intervals.

    Returns:
        One estimate a slot; their values add up to 1, and each is 1 / slots without bias.

    Raises:
        UsageError: Where rows have unequal numbers of slots.

    Example:
        >>> prior = option_prior([[-0.1, -2.3], [-0.1, -2.3]], ["a", "a"])  # the first slot, whatever stands there
        >>> round(prior[0].value, 2)
        0.9

    Source: PriDe (Zheng et al. 2024).
    """
    widths = sorted({len(row) for row in logprobs})
    if len(widths) != 1 or widths[0] < 2:
        raise UsageError(f"A prior needs rows of one number of slots, at least two; got {widths}.")
    n = same_length(logprobs=logprobs, items=items)
    table = np.asarray(logprobs, dtype=np.float64)
    table = table - np.logaddexp.reduce(table, axis=1, keepdims=True)
    names = list(dict.fromkeys(items))
    labels = np.asarray(items)
    means = np.array([table[labels == name].mean(axis=0) for name in names])
    priors = np.exp(means - np.logaddexp.reduce(means, axis=1, keepdims=True))
    found = [mean_estimate(priors[:, slot], names, level=level) for slot in range(widths[0])]
    return tuple(Estimate(one.value, one.low, one.high, n, n, one.n_items) for one in found)
