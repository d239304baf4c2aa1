"""Lists the options in other orders; the right one is found by its text, never by its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal

from harness.core.items import Demonstration, Item, Target
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.arrangements import arrangement_name, arrangements
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between

How = Literal["cyclic", "reverse", "all"]
# Options that speak of the others as a whole keep their place.
_ABOUT_ALL = re.compile(
    r"\b(?:all|none|any|both|neither|either)\s+(?:of\s+)?(?:the\s+)?(?:above|these|other|others|them|options|choices"
    r"|answers)\b|\b(?:all|none) (?:are|is) (?:correct|true|right)\b"
    r"|(?:以上|上述|前述)(?:各项|选项|答案|说法|几项)?(?:皆|都|均|全)|(?:以上|上述)(?:三|四|两|几)项|都(?:是|不是|对|不对)$|皆(?:是|非)$",
    re.IGNORECASE,
)
# Options that name others by letter or number stop being true when those move.
_BY_LETTER = re.compile(
    r"^\W*(?:[Bb]oth|[Ee]ither|[Nn]either|[Oo]nly|选项|只有)?\s*[(（]?[A-F][)）]?\s*"
    r"(?:,|and|or|nor|&|和|与|及|或|、)\s*[(（]?[A-F][)）]?(?![\w.])"
    r"|\([a-f]\)\s*(?:,|and|or|nor|&)\s*\([a-f]\)|\b(?:[Oo]ptions?|[Aa]nswers?)\s+\(?[A-F]\b|选项\s*[A-F]"
)


@transform(
    family="order",
    preserves=Preserves.MOVES,
    touches={"options"},
    enumerates=True,
    unmet="fewer than two options may move",
)
def option_order(
    item: Item,
    rng: Rng,
    *,
    how: How = "cyclic",
    limit: Annotated[int, Between(2, 120)] = 24,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change per order, the usual one among them; the target's index follows its option.

    Options such as "all of the above" keep their place. An item whose options name each other by letter
    ("A and C") gives nothing. Demonstrations that answer by index into the item's own options follow; those that
    bring options of their own stay. All pools are alike.

    Args:
        how: `cyclic` puts every option once on every place, `reverse` only turns the list round, `all` takes
            every order, up to `limit`.
        limit: The most orders of `all`.

    Example:
        >>> from harness.core.items import Prompt
        >>> from harness.core.rng import rng_for
        >>> prompt = Prompt(options=("red", "blue", "none of the above"))
        >>> item = Item(language="en", prompt=prompt, target=Target(option=0))
        >>> [(change.item.prompt.options[0], change.item.target.option) for change in option_order(item, rng_for(0))]
        [('red', 0), ('blue', 1)]
    """
    options = item.prompt.options
    free = [place for place, option in enumerate(options) if not _ABOUT_ALL.search(option)]
    if len(free) < 2 or any(_BY_LETTER.search(option.strip()) for option in options):
        return
    for turned in _orders(len(free), rng, how=how, limit=limit):
        order = list(range(len(options)))  # order[new place] = old place
        for place, taken in zip(free, turned, strict=True):
            order[place] = free[taken]
        yield _reordered(item, tuple(order))


def _orders(n: int, rng: Rng, *, how: How, limit: int) -> list[tuple[int, ...]]:
    usual = tuple(range(n))
    if how == "cyclic":
        return [(*usual[start:], *usual[:start]) for start in range(n)]
    if how == "reverse":
        return [usual, usual[::-1]]
    return arrangements(n, rng, limit=limit)


def _reordered(item: Item, order: tuple[int, ...]) -> Change:
    new_place = {old: new for new, old in enumerate(order)}
    prompt = item.prompt

    def moved(target: Target | None) -> Target | None:
        if target is None or target.option is None:
            return target
        return replace(target, option=new_place[target.option])

    def shown(demonstration: Demonstration) -> Demonstration:
        if demonstration.options or demonstration.answer.option is None:
            return demonstration
        return replace(
            demonstration, answer=replace(demonstration.answer, option=new_place[demonstration.answer.option])
        )

    usual = tuple(range(len(order)))
    changed = replace(
        prompt,
        options=tuple(prompt.options[old] for old in order),
        demonstrations=tuple(shown(demonstration) for demonstration in prompt.demonstrations),
    )
    return Change(
        item=replace(item, prompt=changed, target=moved(item.target)),
        level=Level(name=arrangement_name(order)),
        answer_map=tuple((str(old), str(new_place[old])) for old in usual),
        edits=(Edit("options", arrangement_name(usual), arrangement_name(order)),) if order != usual else (),
    )
