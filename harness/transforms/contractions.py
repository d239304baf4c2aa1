"""English short forms for long ones (don't for do not), or long ones for short."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Literal

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between, Share
from harness.transforms.phrases import in_case_of
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

Direction = Literal["contract", "expand", "both"]
_NEGATED = {
    **{
        f"{verb} not": f"{verb}n't"
        for verb in "is are was were do does did has have had would could should".split()
    },
    "will not": "won't",
    "cannot": "can't",
    "must not": "mustn't",
}
_WITH_IS = ("it", "he", "she", "that", "there", "what", "who", "where", "here")
_JOINED = {
    "i am": "I'm",
    **{f"{one} are": f"{one}'re" for one in ("you", "we", "they")},
    **{f"{one} is": f"{one}'s" for one in _WITH_IS},
    **{f"{one} will": f"{one}'ll" for one in ("you", "we", "they", "he", "she", "it")},
    "i will": "I'll",
}
# "have" is joined only before what can be nothing but a participle: "I have a car" stays.
_HAVE = {**{f"{one} have": f"{one}'ve" for one in ("you", "we", "they")}, "i have": "I've"}
_PARTICIPLES = "been|had|seen|done|made|gone|taken|given|known|never|always|already|just"
_LONG = {**_NEGATED, **_JOINED}
_SHORT = {short.lower(): long for long, short in {**_LONG, **_HAVE}.items()}
_SUBJECTS = (
    "I|you|he|she|it|we|they|the|this|that|these|those|there|my|your|his|her|its|our|their|an?|any|some"
)
_EDGE = r"(?<![A-Za-z0-9_'’-])"
_CONTRACT = re.compile(
    rf"{_EDGE}(?:(?:{'|'.join(sorted(_NEGATED, key=len, reverse=True))})(?![A-Za-z'’-])(?! (?:{_SUBJECTS})\b)"
    rf"|(?:{'|'.join(_JOINED)})(?= [a-z])(?! (?:it|he|she|they|this|that|there)\b)"
    rf"|(?:{'|'.join(_HAVE)})(?= (?:{_PARTICIPLES})\b))",
    re.IGNORECASE | re.ASCII,
)
_BY_LENGTH = sorted((short.replace("'", "['’]") for short in _SHORT), key=len, reverse=True)
# "Don't you ...?" and "It's been" would not be English, or another word, in the long form.
_EXPAND = re.compile(
    rf"{_EDGE}(?:{'|'.join(_BY_LENGTH)})(?![A-Za-z'’-])(?! (?:{_SUBJECTS}|(?-i:[A-Z][a-z]+)|been|got|had)\b)"
    r"(?! \w+ed\b)",
    re.IGNORECASE | re.ASCII,
)


@transform(
    family="meaning",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en"},
    respells=True,
    unmet="no form that is shortened or drawn out",
)
def contractions(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 1.0,
    direction: Direction = "both",
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with long forms short and short forms long; every negation stays one.

    Nothing comes from a lexicon: all pools are alike. Forms that could be two things ("I'd") stay.

    Args:
        severity: Characters of changed forms as a share of all; 1 changes every one.
        direction: To `contract`, to `expand`, or `both` ways.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("It is late, and we don't know why.")))
        >>> [change] = contractions(item, rng_for(0))
        >>> change.item.prompt.question.text
        "It's late, and we do not know why."
    """

    def sites(text: str, guard: Protection) -> list[int]:
        return [at for at, (end, _) in _forms(text, direction).items() if not any(guard.mask[at:end])]

    def rewrite(text: str, site: int, rng: Rng) -> Replacement:
        end, written = _forms(text, direction)[site]
        return Replacement(site, end, written, end - site)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite, words=False)


@lru_cache(maxsize=1024)
def _forms(text: str, direction: Direction) -> dict[int, tuple[int, str]]:
    """Where a form begins and ends, and its other form."""
    found: dict[int, tuple[int, str]] = {}
    if direction != "expand":
        for match in _CONTRACT.finditer(text):
            short = {**_LONG, **_HAVE}[match[0].lower()]
            found[match.start()] = (match.end(), in_case_of(match[0], short))
    if direction != "contract":
        for match in _EXPAND.finditer(text):
            long = _SHORT[match[0].lower().replace("’", "'")]
            long = "I" + long[1:] if long[:2] == "i " else long
            found[match.start()] = (match.end(), in_case_of(match[0], long))
    return found
