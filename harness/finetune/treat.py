"""Treatments: transforms applied to a share of the training items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.core.items import Item
from harness.core.rng import rng_for
from harness.core.variants import Change
from harness.finetune.examples import Example
from harness.finetune.recipe import Recipe
from harness.transforms import Preserves, TransformSpec, specification
from harness.transforms.plan import Chain, Step, apply_chain, bind

CHAT_REASON = "a conversation has no typed parts to change"


@dataclass(frozen=True, slots=True)
class TreatmentCount:
    """What became of one treatment.

    Args:
        transform: Its transform.
        share: The share asked for.
        n_drawn: Examples it fell on.
        n_changed: Those that it changed.
        n_examples: All examples.
        rejected: (reason, count) of those it could not be applied to, the commonest first.
    """

    transform: str
    share: float
    n_drawn: int
    n_changed: int
    n_examples: int
    rejected: tuple[tuple[str, int], ...] = ()


def treated(
    recipe: Recipe, examples: Sequence[Example]
) -> tuple[tuple[Example, ...], tuple[TreatmentCount, ...]]:
    """The examples after each treatment in turn; every draw depends on the seed and the item alone.

    Raises:
        RecipeError: If a treatment changes nothing.
    """
    counts = []
    current = tuple(examples)
    for place, treatment in enumerate(recipe.shape.treatments):
        chain = bind((Step(treatment.transform, treatment.params),))
        spec = specification(treatment.transform)
        reasons: Counter[str] = Counter()
        made, n_drawn, n_changed = [], 0, 0
        for example in current:
            name = example.item.item_id if example.item is not None else example.place
            rng = rng_for(recipe.shape.seed, "treatment", place, treatment.transform, name)
            if not rng.chance(treatment.share):
                made.append(example)
                continue
            n_drawn += 1
            item, reason = _changed(example, chain, spec, seed=recipe.shape.seed, pick=rng.random())
            if reason is not None:
                reasons[reason] += 1
            n_changed += item is not None and item != example.item
            made.append(example if item is None else replace(example, item=item))
        current = tuple(made)
        count = TreatmentCount(
            treatment.transform,
            treatment.share,
            n_drawn,
            n_changed,
            len(current),
            tuple(reasons.most_common()),
        )
        if not n_changed:
            raise recipe.fault(("treatments", place), _nothing(count))
        counts.append(count)
    return current, tuple(counts)


def _changed(
    example: Example, chain: Chain, spec: TransformSpec, *, seed: int, pick: float
) -> tuple[Item | None, str | None]:
    """One of the transform's results, or why there is none."""
    if example.item is None or example.asking is None:
        return None, CHAT_REASON
    applied = apply_chain(example.item, chain, seed=seed, pool="treatment")
    if not applied.changes:
        return None, applied.rejected[0] if applied.rejected else spec.unmet
    change = applied.changes[int(pick * len(applied.changes))]
    fault = _answer_fault(example, change, spec)
    return (None, fault) if fault else (change.item, None)


def _answer_fault(example: Example, change: Change, spec: TransformSpec) -> str | None:
    """Why the changed item's answer could not be learned as right."""
    from harness.formats.faults import field_path
    from harness.suites.item_checks import item_faults

    assert example.item is not None and example.asking is not None
    if spec.preserves is Preserves.ANSWER and change.item.target != example.item.target:
        return "it changed the answer though it declares to keep it"
    before = set(item_faults(example.item, task=example.asking.task))
    faults = [fault for fault in item_faults(change.item, task=example.asking.task) if fault not in before]
    return f"the answer would be wrong: {field_path(faults[0][0])} {faults[0][1]}" if faults else None


def _nothing(count: TreatmentCount) -> str:
    told = "; ".join(f"{reason} ({n})" for reason, n in count.rejected[:3])
    if not count.n_drawn:
        return (
            f"Treatment '{count.transform}' fell on none of {count.n_examples} examples with share "
            f"{count.share:g}; raise the share, or give more rows."
        )
    return (
        f"Treatment '{count.transform}' changed nothing: it fell on {count.n_drawn} of {count.n_examples} "
        f"examples{': ' + told if told else ' and left them as they were'}. "
        "Give the rows the parts it needs (through `map`, or as items), or remove it."
    )
