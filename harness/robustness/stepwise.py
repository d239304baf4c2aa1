"""Measures of variants that stand on steps: orders, slots, positions, lengths, label maps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from harness.prompting.render import option_letter
from harness.robustness.answers import Answered
from harness.robustness.effective_length import effective_length
from harness.robustness.estimate import Estimate
from harness.robustness.label_map import label_map_adherence
from harness.robustness.measured import Line
from harness.robustness.option_bias import MIN_GOLDS, option_bias, option_prior
from harness.robustness.positions import position_curve
from harness.robustness.spread import spread

LENGTH_THRESHOLD = 0.85
"""Score that a context length must reach to count as mastered, near RULER's 85.6."""


def between_steps(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> Iterator[Line]:
    """Spread over templates or orders with its null, and the deviation without noise."""
    del sources
    # A position has a curve of its own, and a dose is a scale.
    if any(one.position is not None or one.dose is not None for one in variants):
        return
    steps = _steps(variants)
    if len(set(steps)) < 2:
        return
    found = spread([one.score for one in variants], [one.item_id for one in variants], steps)
    if found.spread.value is None:
        yield Line("spread", found.spread, note="no two items were asked at every step")
        return
    assert found.null is not None and found.null_high is not None and found.p_value is not None
    yield Line(
        "spread",
        found.spread,
        note=f"{found.n_steps} steps; noise alone {found.null:.3f}, 95 % below {found.null_high:.3f}, "
        f"p {found.p_value:.3g}",
    )
    yield Line("step_deviation", found.deviation, note="standard deviation between steps, noise taken out")
    for name, value, step in (("lowest", found.lowest, found.worst), ("highest", found.highest, found.best)):
        counts = (found.spread.n, found.spread.n_scored, found.spread.n_items)
        yield Line(f"{name}_step_score", Estimate(value, None, None, *counts), step=str(step), note="picked")


def _steps(variants: Sequence[Answered]) -> list[str]:
    """Level and parameters, as far as they differ: what variants of different items have in common."""
    params_differ = len({one.params for one in variants}) > 1
    return [
        " ".join(part for part in (one.level, one.params if params_differ else None) if part)
        for one in variants
    ]


def options(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> Iterator[Line]:
    """RStd, what is picked, and the prior of each slot, where the right option changes its slot."""
    del sources
    placed = [
        one
        for one in variants
        if one.item.prompt.options and one.item.target is not None and one.item.target.option is not None
    ]
    slots: dict[str, set[int]] = {}
    for one in placed:
        assert one.item.target is not None and one.item.target.option is not None
        slots.setdefault(one.item_id, set()).add(one.item.target.option)
    if not any(len(own) > 1 for own in slots.values()):
        return
    n_options = Counter(len(one.item.prompt.options) for one in placed).most_common(1)[0][0]
    alike = [one for one in placed if len(one.item.prompt.options) == n_options]
    gold = [
        one.item.target.option
        for one in alike
        if one.item.target is not None and one.item.target.option is not None
    ]
    items = [one.item_id for one in alike]
    found = option_bias(
        [one.picked for one in alike],
        gold,
        items,
        n_options=n_options,
        failed=[one.outcome == "failed" for one in alike],
    )
    few = f"only {found.fewest} golds in a slot, {MIN_GOLDS} are needed" if found.fewest < MIN_GOLDS else None
    yield Line("option_rstd", found.rstd, note=few)
    yield Line("option_deviation", found.deviation, note="RStd with noise taken out")
    for slot in range(n_options):
        yield Line("option_recall", found.recalls[slot], step=option_letter(slot))
        yield Line("option_picked_share", found.picked[slot], step=option_letter(slot))
    yield from _prior(alike, n_options)


def _prior(alike: Sequence[Answered], n_options: int) -> Iterator[Line]:
    """Of the items whose orders put every option into every slot equally often."""
    own: dict[str, list[Answered]] = {}
    for one in alike:
        own.setdefault(one.item_id, []).append(one)
    balanced = [
        one
        for asked in own.values()
        if all(one.logprobs is not None and len(one.logprobs) == n_options for one in asked)
        and _is_balanced([one.item.prompt.options for one in asked])
        for one in asked
    ]
    rows = [one.logprobs for one in balanced if one.logprobs is not None]
    if not rows:
        return
    for slot, estimate in enumerate(option_prior(rows, [one.item_id for one in balanced])):
        yield Line(
            "option_prior", estimate, step=option_letter(slot), note=f"{1 / n_options:.3f} without bias"
        )


def _is_balanced(orders: Sequence[tuple[str, ...]]) -> bool:
    counts = [Counter(order[slot] for order in orders) for slot in range(len(orders[0]))]
    return all(count == counts[0] for count in counts)


def positions(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> Iterator[Line]:
    """The positional curve and its shape."""
    del sources
    placed = [one for one in variants if one.position is not None]
    if len({one.position for one in placed}) < 2:
        return
    found = position_curve(
        [one.score for one in placed],
        [one.item_id for one in placed],
        [one.position for one in placed if one.position is not None],
    )
    for position, estimate in zip(found.positions, found.scores, strict=True):
        yield Line("position_score", estimate, step=f"{position:g}")
    note = "no item was asked at every quarter" if found.primacy_recency.value is None else None
    yield Line("primacy_recency", found.primacy_recency, note=note)
    if found.u_null is not None:
        told = f"noise alone {found.u_null:.3f}, p {found.u_p:.3g}"
        yield Line("u_index", found.u_index, note=told)


def lengths(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> Iterator[Line]:
    """Score against context length, where the parameter or the tag `length` says what the suite fixed."""
    del sources
    measured = [(one, length) for one in variants if (length := _length(one)) is not None]
    if len({length for _, length in measured}) < 2:
        return
    found = effective_length(
        [one.score for one, _ in measured],
        [one.item_id for one, _ in measured],
        [length for _, length in measured],
        threshold=LENGTH_THRESHOLD,
    )
    for length, estimate in zip(found.lengths, found.scores, strict=True):
        yield Line("length_score", estimate, step=str(length))
    n = len(measured)
    n_scored = sum(one.n_scored for one in found.scores)
    n_items = len({one.item_id for one, _ in measured})
    value, low, high = (
        None if end is None else float(end) for end in (found.length, found.sure, found.possible)
    )
    yield Line(
        "effective_length",
        Estimate(value, low, high, n, n_scored, n_items),
        note=f"longest that scores {LENGTH_THRESHOLD:g}"
        + ("; a shorter one scores less" if found.has_gap else ""),
    )


def _length(one: Answered) -> int | None:
    params = json.loads(one.params)
    value = params.get("length") if isinstance(params, dict) else None
    value = one.item.tag("length") if value is None else value
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdigit()) else None


def label_maps(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> Iterator[Line]:
    """Accuracy under the label map shown and under the one before, where labels were renamed."""
    renamed = [one for one in variants if _is_renamed(one, sources.get(one.item_id))]
    if not renamed:
        return
    old = [_names(sources[one.item_id]) for one in renamed]
    new = [_names(one) for one in renamed]
    gold = [_gold_label(one) for one in renamed]
    found = label_map_adherence(
        [_name_said(one, was) for one, was in zip(renamed, old, strict=True)],
        [names[label] for names, label in zip(new, gold, strict=True)],
        [names[label] for names, label in zip(old, gold, strict=True)],
        [tuple(names.values()) for names in new],
        [one.item_id for one in renamed],
        failed=[one.outcome == "failed" for one in renamed],
    )
    yield Line("label_in_set_share", found.in_set)
    yield Line("new_map_score", found.new_map)
    yield Line("old_map_score", found.old_map)
    told = "memorised labels" if found.is_memorised else None
    yield Line("new_less_old_map", found.difference, note=told)


def _is_renamed(one: Answered, source: Answered | None) -> bool:
    """Whether the right label, known to both, has another name than in the source."""
    if source is None or not one.item.prompt.labels or one.item.target is None:
        return False
    label, before, after = one.item.target.label, _names(source), _names(one)
    return (
        label is not None
        and label in before
        and label in after
        and before[label].casefold() != after[label].casefold()
    )


def _names(one: Answered) -> dict[str, str]:
    return {label.id: label.names[0] for label in one.item.prompt.labels}


def _gold_label(one: Answered) -> str:
    assert one.item.target is not None and one.item.target.label is not None
    return one.item.target.label


def _name_said(one: Answered, old: Mapping[str, str]) -> str | None:
    """The name an answer says: the one read, or where none was, an old name that it consists of."""
    if one.predicted is not None:
        return _names(one).get(one.predicted, one.predicted)
    said = (one.text or "").strip().strip(".。!！\"'").casefold()
    return next((name for name in old.values() if name.casefold() == said), None)
