"""Sentences in another pattern with the same words: passive for active, 被 for 把, the time in front, a cleft."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Literal, get_args

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between, Share
from harness.transforms.protection import Protection
from harness.transforms.sentence_rules import RULES, sentences_of
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

Pattern = Literal["voice", "fronting", "cleft"]


@transform(
    family="meaning",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no sentence of a pattern that has another",
)
def sentence_patterns(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 1.0,
    patterns: Annotated[tuple[Pattern, ...], Between(1, 3)] = get_args(Pattern),
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with sentences in another pattern: who did what to whom, and when, stays.

    Only plain sentences are rewritten, of one clause and of words whose part the rules are sure of; so most real
    texts hold few. Nothing comes from a lexicon that is split: all pools are alike.

    Args:
        severity: Characters of rewritten sentences as a share of all; 1 rewrites every one that can be.
        patterns: `voice` (active to passive; 把 to 被 and back), `fronting` (the time first, or after the
            subject), `cleft` (it was ... that; English only).
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="zh", prompt=Prompt(question=Text("小明把杯子打碎了。谁很生气？")))
        >>> [change] = sentence_patterns(item, rng_for(0))
        >>> change.item.prompt.question.text
        '杯子被小明打碎了。谁很生气？'
    """
    language = item.language.split("-")[0]

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return tuple(_rewritten(text, language, patterns))

    def rewrite(text: str, site: int, rng: Rng) -> Replacement:
        end, others = _rewritten(text, language, patterns)[site]
        return Replacement(site, end, rng.choice(others), end - site)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@lru_cache(maxsize=1024)
def _rewritten(
    text: str, language: str, patterns: tuple[Pattern, ...]
) -> dict[int, tuple[int, tuple[str, ...]]]:
    """Where a sentence begins and ends that has other patterns, and it in those."""
    rules = [rule for kind, rule in RULES[language] if kind in patterns]
    found = {}
    for start, sentence in sentences_of(text, language):
        others = tuple(dict.fromkeys(one for rule in rules if (one := rule(sentence))))
        if others:
            found[start] = (start + len(sentence), others)
    return found
