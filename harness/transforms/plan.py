"""Which variants a suite asks for, and the variants built from its items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.core.digest import canonical_json
from harness.core.errors import TransformError
from harness.core.items import Item
from harness.core.rng import Rng, rng_for
from harness.core.variants import Change, Level, Variant, source_variant
from harness.transforms import TRANSFORMS, Pool, Preserves, TransformSpec, specification_of
from harness.transforms.declaration import POOLS
from harness.transforms.parameters import checked_params
from harness.transforms.plan_entries import Entry, Step, entries_of, step_to_json
from harness.transforms.validity import NOTHING_CHANGED, noise_fault

CHAIN_JOINER = " > "


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made of every item besides itself.

    Args:
        steps: One entry per line of `variants:`; each is a chain of at least one step.
        draws: Repeats of each entry with other random draws; empty for one each.
    """

    steps: tuple[Entry, ...] = ()
    draws: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item that a transform (or a chain, joined by " > ") gave nothing for, and why."""

    item_id: str
    transform: str
    reason: str


@dataclass(frozen=True, slots=True)
class Built:
    """The variants, `source` first for each item, and what was rejected."""

    variants: tuple[Variant, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a chain made of one item, and why it made nothing where it did not."""

    changes: tuple[Change, ...]
    rejected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Bound:
    """A step with its function found and its parameters checked."""

    spec: TransformSpec
    function: Callable[..., Iterable[Change]]
    params: Mapping[str, Any]


# The steps that one is drawn from; mostly it is the only one.
_Choice = tuple[_Bound, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps ready to be applied: functions found, parameters checked, names as they are stored."""

    steps: tuple[_Choice, ...]
    name: str
    family: str
    params: str


def plan_from_json(value: Any) -> Plan:
    """The `variants:` list of a suite: names, `{name: {...}}`, or `{chain: [...]}`; each may add `draws`.

    `{sweep: NAME, over: {severity: [...]}}` stands for one entry per value, `{repeat: NAME, times: n}` for a chain of
    n equal steps, and a chain's step may be `{choose: [...]}`: one of them, drawn for each item.

    Transforms and parameters are checked here, before any item is read.

    Raises:
        UnknownName: For a transform nobody registered.
        TransformError: For a wrong shape, or a parameter unknown or out of range.

    Example:
        >>> plan = plan_from_json([{"context_rotation": {"positions": [0, 1]}}, "component_order"])
        >>> [[step.transform for step in chain] for chain in plan.steps]
        [['context_rotation'], ['component_order']]
    """
    if value is None:
        return Plan()
    if not isinstance(value, list | tuple):
        raise TransformError(f"variants is {value!r}; write a list of transforms.")
    entries = []
    for place, written in enumerate(value):
        for steps, draws in entries_of(written, f"variants[{place}]"):
            try:
                bind(steps)
            except TransformError as error:
                raise TransformError(f"variants[{place}]: {error}") from error
            entries.append((steps, draws))
    return Plan(tuple(steps for steps, _ in entries), tuple(draws for _, draws in entries))


def plan_to_json(plan: Plan) -> list[Any]:
    """The reverse of `plan_from_json`."""
    written: list[Any] = []
    for steps, draws in zip(plan.steps, plan.draws or (1,) * len(plan.steps), strict=True):
        links = [step_to_json(step) for step in steps]
        entry: dict[str, Any] = (
            dict(links[0]) if len(links) == 1 and not steps[0].choices else {"chain": links}
        )
        written.append(entry if draws == 1 else {**entry, "draws": draws})
    return written


def bind(steps: Sequence[Step]) -> Chain:
    """The chain of these steps, checked.

    Raises:
        UnknownName: For a transform nobody registered.
        TransformError: For a parameter unknown or out of range, or no steps.
    """
    if not steps:
        raise TransformError("A chain has no steps; name at least one transform.")
    bound = [tuple(_bound(one) for one in step.choices or (step,)) for step in steps]
    params = [
        [dict(one.params) for one in choice] if len(choice) > 1 else dict(choice[0].params)
        for choice in bound
    ]
    return Chain(
        steps=tuple(bound),
        name=CHAIN_JOINER.join(step.name for step in steps),
        family=bound[-1][0].spec.family,
        params=canonical_json(params[0] if len(params) == 1 else params),
    )


def _bound(step: Step) -> _Bound:
    function = TRANSFORMS.get(step.transform)
    spec = specification_of(function, step.transform)
    return _Bound(spec, function, checked_params(spec, step.params))


def apply_chain(item: Item, chain: Chain, *, seed: int, pool: Pool = "challenge", draw: int = 0) -> Applied:
    """What a chain makes of one item: the same whatever other items there are.

    Raises:
        TransformError: If `pool` is none of challenge, treatment, sealed.
    """
    if pool not in POOLS:
        raise TransformError(f"No pool named {pool!r}; allowed is one of {', '.join(POOLS)}.")
    reached = [Change(item)]
    rejected: list[str] = []
    for place, choice in enumerate(chain.steps):
        made: list[Change] = []
        step, chosen = choice[0], Change(item)
        if len(choice) > 1:
            taker = rng_for(seed, item.item_id, chain.name, chain.params, draw, pool, place, "choose")
            step = taker.choice(choice)
            chosen = replace(chosen, level=Level(name=step.spec.name))
        for change in reached:
            # Every branch of a step draws alike, so that levels of an earlier step stay comparable.
            rng = rng_for(seed, item.item_id, chain.name, chain.params, draw, pool, place)
            results, reasons = _step_changes(change.item, step, rng, pool)
            made += [_joined(_joined(change, chosen) if len(choice) > 1 else change, one) for one in results]
            rejected += reasons
        reached = made
    return Applied(_distinct(reached), tuple(rejected))


def _step_changes(item: Item, step: _Bound, rng: Rng, pool: Pool) -> tuple[list[Change], list[str]]:
    spec = step.spec
    if not spec.covers(item.language):
        return [], [f"language '{item.language}' is not among {', '.join(sorted(spec.languages))}"]
    extra = {"pool": pool} if spec.takes_pool else {}
    results = list(step.function(item, rng, **extra, **step.params))
    if not results:
        return [], [spec.unmet]
    if spec.enumerates:
        return results, []
    sound, reasons = [], []
    for result in results:
        fault = noise_fault(item, result.item, spec) if spec.is_noise else _sameness(item, result.item, spec)
        if fault is None:
            sound.append(result)
        else:
            reasons.append(fault)
    return sound, reasons


def _sameness(source: Item, changed: Item, spec: TransformSpec) -> str | None:
    if changed.prompt == source.prompt and changed.target == source.target:
        return NOTHING_CHANGED
    if spec.preserves is Preserves.CHANGES and changed.target in (None, source.target):
        return "the answer is unknown or the same"
    return None


def _joined(first: Change, second: Change) -> Change:
    """Two links of a chain as one change: levels and edits together, answer maps composed."""
    one, two = first.level, second.level
    doses = [level.dose for level in (one, two) if level.dose is not None]
    names = [level.name for level in (one, two) if level.name is not None]
    return replace(
        second,
        level=Level(
            position=one.position if two.position is None else two.position,
            dose=round(sum(doses), 6) if doses else None,
            name=CHAIN_JOINER.join(names) if names else None,
        ),
        answer_map=_composed(first.answer_map, second.answer_map),
        edits=(*first.edits, *second.edits),
    )


def _composed(
    first: tuple[tuple[str, str], ...], second: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    if not first or not second:
        return first or second
    later = dict(second)
    return tuple((source, later.get(middle, middle)) for source, middle in first)


def _distinct(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Changes whose items differ; of equals the first stays."""
    if len(changes) < 2:
        return tuple(changes)
    # Items are compared by content: the id of an imported item stands for its source.
    return tuple({change.item: change for change in reversed(changes)}.values())[::-1]


def _variant(item_id: str, chain: Chain, change: Change, draw: int, pool: Pool) -> Variant:
    # The usual pool is left out, so that ids of challenge variants do not speak of it.
    params = chain.params if pool == "challenge" else canonical_json({"pool": pool, "params": chain.params})
    return Variant(
        item=change.item,
        item_id=item_id,
        transform=chain.name,
        family=chain.family,
        params=params,
        draw=draw,
        level=change.level,
        edits=change.edits,
    )


def build_variants(
    items: Sequence[Item],
    plan: Plan,
    *,
    seed: int,
    pool: Pool = "challenge",
    allow_unchanged: bool = False,
) -> Built:
    """The variants of these items: for each item `source`, then the plan's in order.

    Levels and draws that give equal items merge. Noise that equals its source, or touches protected text, is
    rejected and counted; so is an item that a transform does not apply to.

    Args:
        items: Source items.
        plan: What to make of them.
        seed: With the item's id, the chain, its parameters and the draw, it decides every random choice.
        pool: Which share of lexicons, wordings and symbols is drawn from.
        allow_unchanged: Whether an entry of the plan may change none of the items (a small subset may
            hold none it applies to).

    Raises:
        TransformError: If an entry of the plan changed none of the items, or a parameter is out of range.
    """
    chains = [bind(steps) for steps in plan.steps]
    draws = plan.draws or (1,) * len(chains)
    if len(draws) != len(chains):
        raise TransformError(
            f"The plan has {len(chains)} entries and {len(draws)} numbers of draws; give one each."
        )
    variants: dict[str, Variant] = {}
    rejected: list[Rejected] = []
    changed: Counter[int] = Counter()
    for item in items:
        source = source_variant(item)
        variants[source.variant_id] = source
        for place, (chain, n_draws) in enumerate(zip(chains, draws, strict=True)):
            seen: set[Item] = set()
            for draw in range(n_draws):
                applied = apply_chain(item, chain, seed=seed, pool=pool, draw=draw)
                rejected += [Rejected(item.item_id, chain.name, reason) for reason in applied.rejected]
                for change in applied.changes:
                    changed[place] += 1
                    if change.item in seen:
                        continue
                    seen.add(change.item)
                    variant = _variant(item.item_id, chain, change, draw, pool)
                    _keep(variants, variant)
    if items and not allow_unchanged:
        _require_changes(chains, changed, rejected, len(items))
    return Built(tuple(variants.values()), tuple(rejected))


def _keep(variants: dict[str, Variant], variant: Variant) -> None:
    """Adds a variant; a line written twice counts once, two contents under one id are a fault."""
    held = variants.setdefault(variant.variant_id, variant)
    if held.item != variant.item:
        raise TransformError(
            f"Transform '{variant.transform}' made two different variants of item {variant.item_id} on one "
            f"level {variant.level}; give each its own level."
        )


def _require_changes(
    chains: Sequence[Chain], changed: Mapping[int, int], rejected: Sequence[Rejected], n_items: int
) -> None:
    for place, chain in enumerate(chains):
        if changed.get(place):
            continue
        reasons = Counter(entry.reason for entry in rejected if entry.transform == chain.name)
        told = "; ".join(f"{reason} ({n})" for reason, n in reasons.most_common(3))
        raise TransformError(
            f"Transform '{chain.name}' changed none of {n_items} items: {told}. "
            "Remove it from `variants`, or give the items the parts it needs."
        )
