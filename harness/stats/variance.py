"""Where the doubt in a mean comes from: items, their variants, seeds or samples; and what would lessen it most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import UsageError

Source = Literal["item", "variant", "seed", "sample"]
SOURCES: tuple[Source, ...] = ("item", "variant", "seed", "sample")
_ADVICE = {
    "item": "more items",
    "variant": "more variants of each item",
    "seed": "more seeds",
    "sample": "more samples of each answer",
}


@dataclass(frozen=True, slots=True)
class Share:
    """What one source contributes.

    Attributes:
        source: Which.
        n: How many of it each mean averages over: items, variants an item, seeds, samples an answer.
        variance: Variance between them; None where there is only one, so that it cannot be seen.
        of_error: Its part of the mean's squared standard error, 0 to 1; None where it cannot be seen.
    """

    source: Source
    n: float
    variance: float | None
    of_error: float | None


@dataclass(frozen=True, slots=True)
class Attribution:
    """A mean's standard error by its sources.

    Attributes:
        shares: One a source, always four.
        error: Standard error of the mean.
        advice: What the largest part calls for, in words; None where nothing varies.
    """

    shares: tuple[Share, ...]
    error: float
    advice: str | None


def variance_attribution(
    values: ArrayLike, *, items: ArrayLike, variants: ArrayLike, seeds: ArrayLike
) -> Attribution:
    """Split the variance of scores, or of paired differences, by the method of moments.

    Seeds are crossed with items (every seed answers all of them), variants nested in items, samples in both. What
    one source cannot show, because there is one of it, is counted with the source above it.

    Args:
        values: Shape (n,), one a sample.
        items: Source item of each value.
        variants: Variant of each value.
        seeds: Run of each value.

    Raises:
        UsageError: If lengths differ, or there are fewer than two items.
    """
    array = np.asarray(values, dtype=np.float64)
    codes = [np.unique(np.asarray(labels), return_inverse=True)[1] for labels in (items, variants, seeds)]
    if array.ndim != 1 or any(code.shape != array.shape for code in codes) or not np.isfinite(array).all():
        raise UsageError("Every value needs an item, a variant and a seed, and must be finite.")
    item_codes, variant_codes, seed_codes = codes
    n_items, n_seeds = int(item_codes.max()) + 1, int(seed_codes.max()) + 1
    if n_items < 2:
        raise UsageError(f"Variance between items needs two of them, got {n_items}.")
    cells, n_samples, within = _cells(array, variant_codes, seed_codes)
    table = cells  # (variants, seeds)
    item_of = np.zeros(table.shape[0], dtype=np.intp)
    item_of[variant_codes] = item_codes
    n_variants = table.shape[0] / n_items
    by_variant, by_seed = table.mean(axis=1), table.mean(axis=0)
    rest = table - by_variant[:, None] - by_seed[None, :] + table.mean()
    # Of a cell's mean: samples and what a seed does to one variant alone.
    noise = float((rest**2).sum()) / max((table.shape[0] - 1) * (n_seeds - 1), 1) if n_seeds > 1 else None
    cell_noise = noise if noise is not None else (0.0 if within is None else within / n_samples)
    seed = None if n_seeds < 2 else max(float(by_seed.var(ddof=1)) - cell_noise / table.shape[0], 0.0)
    means = np.bincount(item_of, by_variant) / np.bincount(item_of)
    variant = None
    if n_variants > 1:
        spare = table.shape[0] - n_items
        inside = float(((by_variant - means[item_of]) ** 2).sum()) / spare
        variant = max(inside - cell_noise / n_seeds, 0.0)
    item_noise = (variant or 0.0) / n_variants + cell_noise / (n_variants * n_seeds)
    item = max(float(means.var(ddof=1)) - item_noise, 0.0)
    sample = within if noise is None else noise * n_samples
    return _attribution(
        {
            "item": (n_items, item, n_items),
            "variant": (n_variants, variant, n_items * n_variants),
            "seed": (n_seeds, seed, n_seeds),
            "sample": (n_samples, sample, n_items * n_variants * n_seeds * n_samples),
        }
    )


def _cells(
    array: NDArray[np.float64], variant_codes: NDArray[np.intp], seed_codes: NDArray[np.intp]
) -> tuple[NDArray[np.float64], float, float | None]:
    """Means of each variant and seed, samples a cell (harmonic mean), and the variance inside of cells."""
    n_seeds = int(seed_codes.max()) + 1
    cell = variant_codes * n_seeds + seed_codes
    sizes = np.bincount(cell, minlength=(int(variant_codes.max()) + 1) * n_seeds)
    if (sizes == 0).any():
        raise UsageError("Every variant needs a value of every seed; leave out what is not in all runs.")
    means = np.bincount(cell, array) / sizes
    n_samples = float(sizes.size / (1 / sizes).sum())
    spare = array.size - sizes.size
    within = None if spare == 0 else float(((array - means[cell]) ** 2).sum()) / spare
    return means.reshape(-1, n_seeds), n_samples, within


def _attribution(found: dict[Source, tuple[float, float | None, float]]) -> Attribution:
    parts = {
        source: 0.0 if variance is None else variance / count
        for source, (_, variance, count) in found.items()
    }
    total = math.fsum(parts.values())
    shares = tuple(
        Share(
            source,
            found[source][0],
            found[source][1],
            None if found[source][1] is None or total == 0 else parts[source] / total,
        )
        for source in SOURCES
    )
    return Attribution(shares, math.sqrt(total), None if total == 0 else _ADVICE[_largest(parts)])


def _largest(parts: dict[Source, float]) -> Source:
    """The source of the largest part; of equal ones the cheaper, as samples need nothing new to be written.

    New items would lessen the parts of variants and samples too, but must be found first.
    """
    return max(reversed(SOURCES), key=lambda source: parts[source])
