"""Words in place of others that mean the same, from a lexicon checked by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between, Share
from harness.transforms.phrases import Found, in_case_of
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited
from harness.transforms.synonym_lexicon import Sense
from harness.transforms.synonym_lexicon import synonyms as senses_of

if TYPE_CHECKING:
    from jieba import Tokenizer

_WORD = re.compile(r"(?<![A-Za-z0-9_'’-])[A-Za-z]+(?![A-Za-z0-9_'’-])(?![\u0300-\u036f\ufe00-\ufe0f\u200d])")
_NEXT = re.compile(r"\s*([A-Za-z'’]+|\S|\Z)")
_LAST_WORD = re.compile(r"([A-Za-z'’]+)([^A-Za-z'’]*)\Z")
_SENTENCE_BREAK = re.compile(r"[.!?:\n\"“(]")
# What may follow a noun that is no part of a longer name or compound.
_AFTER_NOUN = frozenset(
    """a an the of in on at for to from with by and or but that which who whose when where while as is are was were be
    has have had do does did will would can could may might must should it he she they we you i this these there if so
    than then because before after into onto over under about near between""".split()
)
_ARTICLES = frozenset(
    """the a an this that these those my your his her its our their each every some any another""".split()
)
_COMPARING = frozenset(("more", "most", "less", "least"))
_GRADING = frozenset("very so too quite really rather extremely how as such pretty fairly not".split())
_AN_ANYWAY, _A_ANYWAY = ("hour", "honest", "heir"), ("uni", "use", "eu", "one")


@transform(
    family="meaning",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no word with a synonym in this pool",
)
def synonyms(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.15,
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with words exchanged for synonyms in the same form; answers, names and numbers stay.

    The lexicon holds words of one part of speech only, or names the frame they must stand in; Chinese words are
    taken only where the segmenter sees them as words. Pairs are split between the pools.

    Args:
        severity: Characters of exchanged words as a share of all, reached with whole words.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("The movie began.")))
        >>> [change] = synonyms(item, rng_for(0), severity=1, pool="sealed")
        >>> change.item.prompt.question.text
        'The movie started.'
    """
    language = item.language.split("-")[0]
    finder = _chinese if language == "zh" else _english

    def sites(text: str, guard: Protection) -> list[int]:
        return [at for at, (end, _) in finder(text, pool).items() if not any(guard.mask[at:end])]

    def rewrite(text: str, site: int, rng: Rng) -> Replacement:
        end, others = finder(text, pool)[site]
        written = in_case_of(text[site:end], rng.choice(others))
        return Replacement(site, end, written, max(end - site, len(written)))

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@lru_cache(maxsize=1024)
def _english(text: str, pool: Pool) -> Found:
    """Words with synonyms, where the frame is right: start, end, replacements."""
    table = senses_of("en", pool)
    found = {}
    for match in _WORD.finditer(text):
        word, (start, end) = match[0], match.span()
        sense = table.get(word) or (table.get(word.lower()) if _begins_sentence(text, start) else None)
        if not sense:
            continue
        following = _NEXT.match(text, end)
        after = following[1] if following else ""
        if word[0].isupper() and after[:1].isupper():  # "Big Ben"
            continue
        before, apart = _word_before(text, start)
        others = _fitting(sense, before if apart == " " else "", after.lower())
        # "Mill street" is a name.
        named = sense.kind in ("n", "N") and apart == " " and before[:1].isupper()
        if others and not (named and not _begins_sentence(text, start - len(before) - 1)):
            found[start] = (end, others)
    return found


def _fitting(sense: Sense, before: str, after: str) -> tuple[str, ...]:
    """The replacements that the words around allow."""
    if after in sense.never_before or (sense.only_before and after not in sense.only_before):
        return ()
    nearest = before.lower()
    if sense.kind in ("n", "N") and after[:1].isalpha() and after not in _AFTER_NOUN:
        return ()
    if sense.kind == "N" and nearest not in _ARTICLES:
        return ()
    if sense.kind == "a" and nearest in _COMPARING:
        return ()
    others = sense.others
    if nearest in _GRADING or nearest.endswith(("n't", "n’t")):
        others = tuple(one for one in others if not one.startswith("very "))
    if nearest in ("a", "an"):
        others = tuple(one for one in others if _article(one) == nearest)
    return others


def _article(phrase: str) -> str:
    """ "a" or "an", as it is spoken."""
    if phrase.startswith(_AN_ANYWAY):
        return "an"
    return "an" if phrase[0] in "aeiouAEIOU" and not phrase.startswith(_A_ANYWAY) else "a"


def _word_before(text: str, start: int) -> tuple[str, str]:
    """The word before a place, and what stands between."""
    match = _LAST_WORD.search(text[max(0, start - 40) : start])
    return (match[1], match[2]) if match else ("", "")


def _begins_sentence(text: str, start: int) -> bool:
    """Whether nothing of the sentence stands before this place."""
    before = text[max(0, start - 6) : start].rstrip(" ")
    return not before or bool(_SENTENCE_BREAK.match(before[-1]))


@lru_cache(maxsize=1024)
def _chinese(text: str, pool: Pool) -> Found:
    """Words with synonyms, as the segmenter cuts the text: start, end, replacements."""
    table = senses_of("zh", pool)
    if not any(word in text for word in table):
        return {}
    return {
        start: (end, table[word].others) for word, start, end in _segmenter().tokenize(text) if word in table
    }


@cache
def _segmenter() -> Tokenizer:
    """A segmenter of our own, so that words another part of a program teaches jieba change nothing here."""
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)
    return jieba.Tokenizer()
