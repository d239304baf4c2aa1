"""The texts of a prompt that noise edits, and edits written back into them with a measured dose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

from harness.core.items import Item, Prompt, Text
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.protection import Protection, answers_of, protected_counts, protection

PartName = Literal["question", "context", "instruction", "system", "text", "turns"]
QUESTION_AND_CONTEXT: tuple[PartName, ...] = ("question", "context")
ALL_PARTS: tuple[PartName, ...] = ("question", "context", "instruction", "system", "text", "turns")


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a prompt, its name ("question", "context[2]") and its marked strings."""

    name: str
    text: str
    protect: tuple[str, ...] = ()


class Replacement(NamedTuple):
    """Text put in place of [start, end); `cost` is the number of characters edited.

    A tuple, since dozens are made for every variant.
    """

    start: int
    end: int
    text: str
    cost: int


def parts_of(prompt: Prompt, names: Sequence[PartName] = ALL_PARTS) -> list[Part]:
    """The prompt's texts of these names, each passage and each user turn by itself.

    Example:
        >>> parts_of(Prompt(question=Text("Why?"), instruction=Text("Answer.")), ("question",))
        [Part(name='question', text='Why?', protect=())]
    """
    found: list[Part] = []
    for name in names:
        if name == "context":
            found += [
                Part(f"context[{place}]", passage.text, passage.protect)
                for place, passage in enumerate(prompt.context)
            ]
        elif name == "turns":
            found += [
                Part(f"turns[{place}]", turn.text, turn.protect)
                for place, turn in enumerate(prompt.turns)
                if turn.role == "user"
            ]
        else:
            text: Text | None = getattr(prompt, name)
            if text is not None:
                found.append(Part(name, text.text, text.protect))
    return found


def with_texts(prompt: Prompt, texts: Mapping[str, str]) -> Prompt:
    """The prompt with new texts under the names of `parts_of`; marks stay, and so do untouched parts."""
    changed: dict[str, Any] = {}
    pieces: dict[str, list[Any]] = {}
    for key, text in texts.items():
        name, bracket, place = key.partition("[")
        if not bracket:
            changed[name] = Text(text, getattr(prompt, name).protect)
            continue
        held = pieces.get(name)
        if held is None:
            held = pieces[name] = list(getattr(prompt, name))
        held[int(place[:-1])] = replace(held[int(place[:-1])], text=text)
    for name, held in pieces.items():
        changed[name] = tuple(held)
    return replace(prompt, **changed)


def replaced(text: str, replacements: Sequence[Replacement]) -> str:
    """The text with non-overlapping replacements, given in order, applied.

    Example:
        >>> replaced("cat", [Replacement(0, 1, "b", 1), Replacement(3, 3, "s", 1)])
        'bats'
    """
    pieces: list[str] = []
    done = 0
    for one in replacements:
        pieces += (text[done : one.start], one.text)
        done = one.end
    return "".join(pieces) + text[done:]


def part_rng(rng_key: str, text: str) -> Rng:
    """A generator for one text, whichever place the text stands in.

    So the noise on a passage is the same wherever a rotation before it has put the passage.
    """
    return Rng(blake2b(f"{rng_key}:{text}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest())


def shares_of_budget(budget: int, weights: Sequence[int]) -> list[int]:
    """A whole number dealt in proportion to the weights, the remainder to the largest fractions.

    Example:
        >>> shares_of_budget(3, [10, 20, 1])
        [1, 2, 0]
    """
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    shares = [budget * weight // total for weight in weights]
    fractions = sorted(
        range(len(weights)), key=lambda place: (-(budget * weights[place] % total), -weights[place], place)
    )
    for place in fractions[: budget - sum(shares)]:
        shares[place] += 1
    return shares


Sites = Callable[[str, Protection], Sequence[int]]
Rewrite = Callable[[str, int, Rng], Replacement | None]
ATTEMPTS = 4  # draws that make or break a protected word ("on" -> "no") are drawn again


def edited(
    item: Item,
    rng: Rng,
    *,
    severity: float,
    parts: Sequence[PartName],
    sites: Sites,
    rewrite: Rewrite,
    words: bool = True,
) -> Iterator[Change]:
    """The one change that edits a share of a prompt's characters, or nothing where there is none to edit.

    Args:
        item: The source.
        rng: Of this item.
        severity: Characters to edit as a share of all; above 0 at least one is.
        parts: Which texts.
        sites: Where in a text an edit may stand; protected places are told by the mask.
        rewrite: The edit at one site, or None where none is possible there.
        words: Whether number words and negations are protected too.
    """
    found = parts_of(item.prompt, parts)
    answers = answers_of(item)
    guards = [protection(part.text, (*part.protect, *answers), words=words) for part in found]
    places = [sites(part.text, guard) for part, guard in zip(found, guards, strict=True)]
    n_characters = sum(len(part.text) for part in found)
    if not any(places) or severity <= 0:
        return
    budget = max(1, int(severity * n_characters + 0.5))
    rng_key = str(rng.random())
    texts: dict[str, str] = {}
    edits: list[Edit] = []
    cost = 0
    shares = shares_of_budget(budget, [len(entry) for entry in places])
    for part, guard, entry, share in zip(found, guards, places, shares, strict=True):
        if not share or not entry:
            continue
        replacements = _sound(
            part, guard, entry, share, answers, rewrite, part_rng(rng_key, part.text), words=words
        )
        if replacements:
            texts[part.name] = replaced(part.text, replacements)
            edits += [
                Edit(part.name, part.text[one.start : one.end], one.text, one.start) for one in replacements
            ]
            cost += sum(one.cost for one in replacements)
    if edits:
        yield Change(
            item=replace(item, prompt=with_texts(item.prompt, texts)),
            level=Level(dose=round(cost / n_characters, 6)),
            edits=tuple(edits),
        )


def _sound(
    part: Part,
    guard: Protection,
    sites: Sequence[int],
    share: int,
    answers: tuple[str, ...],
    rewrite: Rewrite,
    rng: Rng,
    *,
    words: bool,
) -> list[Replacement]:
    """Edits of one text that leave every protected string as often as before; none where no draw does."""
    strings = (*part.protect, *answers)
    for _ in range(ATTEMPTS):
        replacements = _drawn(part.text, sites, share, rewrite, rng)
        after = protected_counts(replaced(part.text, replacements), strings, words=words)
        if after == guard.counts:
            return replacements
    return []


def _drawn(text: str, sites: Sequence[int], share: int, rewrite: Rewrite, rng: Rng) -> list[Replacement]:
    """Edits at random sites until `share` characters are edited, none touching another, in order of place."""
    taken: set[int] = set()
    drawn: list[Replacement] = []
    cost = 0
    # Shuffled only as far as sites are taken.
    pool, draw, size = list(sites), rng.random, len(sites)
    for first in range(size):
        other = first + int(draw() * (size - first))
        site, pool[other] = pool[other], pool[first]
        one = rewrite(text, site, rng)
        if one is None:
            continue
        # An insertion occupies its place, so that two of them never meet.
        start, end, written, edited_characters = one
        if written == text[start:end]:
            continue
        if end - start < 2:
            if start in taken:
                continue
            taken.add(start)
        else:
            if not taken.isdisjoint(range(start, end)):
                continue
            taken.update(range(start, end))
        drawn.append(one)
        cost += edited_characters
        if cost >= share:
            break
    drawn.sort()
    return drawn
