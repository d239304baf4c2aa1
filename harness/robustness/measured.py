"""Which measures a group of variants allows, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.robustness.answers import Answered
from harness.robustness.consistency import answer_entropy, consistency
from harness.robustness.drop import drop
from harness.robustness.estimate import Estimate, mean_estimate
from harness.robustness.flip_rate import flip_rates
from harness.robustness.format_validity import format_validity
from harness.robustness.score_sensitivity import score_sensitivity
from harness.robustness.worst_case import all_right, worst_case


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of one group.

    Attributes:
        measure: Its name; `_rate` and `drop` down is better, `score`, `consistency` and `right` up.
        step: The position, slot, length or order it speaks of, where it speaks of one.
        note: What the number must be read beside.
    """

    measure: str
    estimate: Estimate
    step: str | None = None
    note: str | None = None


Measure = Callable[[Sequence[Answered], Mapping[str, Answered]], Iterator[Line]]


def losses(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> Iterator[Line]:
    """The score before and after, and the loss in its three forms."""
    paired = changed(variants, sources)
    if not paired:
        return
    chances = [one.chance for one in paired]
    known = [chance for chance in chances if chance is not None]
    found = drop(
        [one.score for one in paired],
        [sources[one.item_id].score for one in paired],
        [one.item_id for one in paired],
        chance=known if len(known) == len(paired) else None,
    )
    yield Line("source_score", found.clean)
    yield Line("variant_score", found.changed)
    yield Line("drop", found.absolute)
    if found.corrected is not None:
        yield Line(
            "drop_above_chance", found.corrected, note=_undefined(found.corrected, "no score above chance")
        )
    yield Line("drop_rate", found.relative, note=_undefined(found.relative, "sources score 0"))


def _undefined(estimate: Estimate, reason: str) -> str | None:
    return f"undefined: {reason}" if estimate.value is None and estimate.n_scored else None


def whole_items(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> Iterator[Line]:
    """The worst variant of each item, its source among them, and whether all are right."""
    asked = _with_sources(variants, sources)
    items = [one.item_id for one in asked]
    a_piece = len(asked) / len(set(items))
    note = f"{a_piece:.3g} variants an item, source included"
    yield Line("worst_case_score", worst_case([one.score for one in asked], items), note=note)
    if any(one.right is not None for one in asked):
        yield Line("all_right", all_right([one.right for one in asked], items), note=note)
    yield Line("score_sensitivity", score_sensitivity([one.score for one in asked], items))


def agreement(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> Iterator[Line]:
    """Where the answer must stay: flips by direction and consistency by content; where it must move: how often not."""
    paired = [one for one in changed(variants, sources) if one.right is not None]
    if not paired:
        return
    moved = [one for one in paired if one.gold != sources[one.item_id].gold]
    kept = [one for one in paired if one.gold == sources[one.item_id].gold]
    if kept:
        yield from _flips(kept, sources)
    if moved:
        values = [
            None
            if one.outcome == "failed" or sources[one.item_id].outcome == "failed"
            else float(one.content is not None and one.content == sources[one.item_id].content)
            for one in moved
        ]
        items = [one.item_id for one in moved]
        yield Line(
            "unmoved_rate",
            mean_estimate(values, items),
            note="the answer stayed though the right one changed",
        )


def _flips(kept: Sequence[Answered], sources: Mapping[str, Answered]) -> Iterator[Line]:
    own = [sources[one.item_id] for one in kept]
    found = flip_rates(
        [one.content for one in kept],
        [one.right for one in kept],
        [one.content for one in own],
        [one.right for one in own],
        [one.item_id for one in kept],
    )
    yield Line("flip_rate", found.any_flip)
    yield Line("right_to_wrong_rate", found.right_to_wrong)
    yield Line("wrong_to_right_rate", found.wrong_to_right)
    yield Line("wrong_to_other_wrong_rate", found.wrong_to_other_wrong)
    asked = [one for one in _with_sources(kept, sources) if one.outcome != "failed"]
    numbers = [one.n_answers for one in asked]
    known = [number for number in numbers if number is not None]
    agreeing = consistency(
        [one.content for one in asked],
        [one.item_id for one in asked],
        n_answers=known if asked and len(known) == len(asked) else None,
    )
    yield Line("consistency", agreeing.rate, note="same content, pairs of an item's variants")
    if agreeing.corrected is not None:
        yield Line("consistency_above_chance", agreeing.corrected)
    yield Line(
        "answer_entropy", answer_entropy([one.content for one in asked], [one.item_id for one in asked])
    )


def form(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> Iterator[Line]:
    """Validity apart from accuracy, where answers are written."""
    del sources
    if all(one.kind != "generate" for one in variants):
        return
    found = format_validity(
        [one.outcome for one in variants],
        [one.score for one in variants],
        [one.item_id for one in variants],
    )
    yield Line("valid_share", found.valid)
    yield Line("score_given_valid", found.given_valid)
    yield Line("end_to_end_score", found.end_to_end)
    yield Line("no_answer_rate", found.no_answer)
    yield Line("unreadable_rate", found.unreadable)


def changed(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> list[Answered]:
    """The variants that have a source and differ from it: the unchanged level of a list of orders can lose nothing."""
    return [one for one in variants if one.item_id in sources and not _is_same(one, sources[one.item_id])]


def _with_sources(variants: Sequence[Answered], sources: Mapping[str, Answered]) -> list[Answered]:
    """The variants and the sources of their items; a source met again as an enumerated level counts once."""
    # An enumerating transform asks the unchanged item as one of its levels: the same prompt, answered once.
    again = {
        one.item_id for one in variants if one.item_id in sources and _is_same(one, sources[one.item_id])
    }
    items = {one.item_id: None for one in variants}
    return [*variants, *(sources[item] for item in items if item in sources and item not in again)]


def _is_same(one: Answered, source: Answered) -> bool:
    return one.item.prompt == source.item.prompt
