"""Drills that teach a small model to look a word up in what it has read, before it is asked questions.

Lists repeated, pairs recalled in another order, and facts told again in other words: many looked-up words a
row, where a question has one.
"""

from __future__ import annotations

from harness.core.rng import Rng
from harness.demo.row_parts import Asked, Row
from harness.demo.world.key_facts import Fact, passage
from harness.demo.world.lexicon import Language, all_words
from harness.demo.world.splits import Split

_PAIR_SIGNS = {
    "en": ((" :", ","), (" is", "."), (" =", ";")),
    "zh": (("：", "，"), ("是", "。"), ("=", "；")),
}


def _spaced(word: str, language: Language) -> str:
    return f" {word}" if language == "en" else word


def _repeated_list(rng: Rng, language: Language, hardness: float) -> Row:
    """A list of words, then the same list: every word of the second but the first can be looked up."""
    chosen = rng.sample(all_words(language), 3 + rng.integer(3 + round(4 * hardness)))
    gap, end = (",", " ;") if language == "en" else ("、", "；")
    told = gap.join(_spaced(word, language) for word in chosen).strip() + end
    first, *rest = chosen
    row = [Asked(told + _spaced(first, language) + gap, _spaced(rest[0], language), ends=False)]
    row += [Asked(gap, _spaced(word, language), ends=False) for word in rest[1:]]
    return tuple(row)


def _recalled_pairs(rng: Rng, language: Language, hardness: float) -> Row:
    """Pairs of words, then the same pairs in another order: the second word of each can be looked up."""
    n = 2 + rng.integer(2 + round(4 * hardness))
    chosen = rng.sample(all_words(language), 2 * n)
    pairs = list(zip(chosen[:n], chosen[n:], strict=True))
    sign, end = rng.choice(_PAIR_SIGNS[language])
    told = end.join(f"{_spaced(left, language)}{sign}{_spaced(right, language)}" for left, right in pairs)
    row = []
    before = told.strip() + "\n\n"
    for left, right in rng.shuffled(pairs):
        row.append(Asked(before + f"{_spaced(left, language)}{sign}", _spaced(right, language), ends=False))
        before = end
    return tuple(row)


def _told_again(fact: Fact, rng: Rng, *, before: str) -> Asked:
    """A fact in another sentence of the same order, up to and with its second word."""
    last = "{e}" if fact.template.index("{v}") < fact.template.index("{e}") else "{v}"
    alike = [told for told in fact.domain.statements if max("{e}", "{v}", key=told.index) == last]
    template = rng.choice(alike)
    start = template[: template.index(last)].format(e=fact.entity, v=fact.value)
    word = fact.entity if last == "{e}" else fact.value
    spaced = start.endswith(" ")
    return Asked(before + start.rstrip(" "), f" {word}" if spaced else word, ends=False)


def _retold_facts(rng: Rng, language: Language, split: Split, hardness: float) -> Row:
    """A passage, then its facts in another order and other words."""
    n = 1 + rng.integer(2 + round(4 * hardness))
    facts = passage(rng, language=language, split=split, n=n, invented=0.1 * hardness)
    before = "\n".join(fact.sentence for fact in facts) + "\n\n"
    row = []
    for fact in rng.shuffled(facts):
        row.append(_told_again(fact, rng, before=before))
        before = ".\n" if language == "en" else "。\n"
    return tuple(row)


def drill_row(rng: Rng, *, language: Language, split: Split, hardness: float) -> Row:
    """One drill; the harder, the longer."""
    if rng.chance(0.2):
        return _repeated_list(rng, language, hardness)
    if rng.chance(0.5):
        return _recalled_pairs(rng, language, hardness)
    return _retold_facts(rng, language, split, hardness)
