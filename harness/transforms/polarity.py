"""Praise and blame: which label means which, and texts whose every sentence is one plain judgement.

A text is only turned round where each of its sentences holds one known word of judgement, all on the label's side, and
no word that weighs one thing against another: then the opposite sentences mean the opposite label.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from harness.core.errors import DataError
from harness.core.items import Item, Target, Text
from harness.core.variants import Change, Edit, Level
from harness.transforms.lexicons import lexicon_lines, lexicon_path
from harness.transforms.phrases import pattern_of

Side = Literal["praise", "blame"]
_LABELS: dict[str, Side] = {
    **dict.fromkeys("positive pos good favourable favorable recommended".split(), "praise"),
    **dict.fromkeys("正面 积极 好评 正向 推荐 满意".split(), "praise"),
    **dict.fromkeys("negative neg bad unfavourable unfavorable".split(), "blame"),
    **dict.fromkeys("负面 消极 差评 负向 不推荐 不满意 不满".split(), "blame"),
}
_WEIGHING = re.compile(
    r"\b(?:but|however|although|though|yet|except|despite|if|unless|would|could|should|than|too|only|hardly|barely"
    r"|used to|less|more|almost)\b|[?？]|但|不过|可是|然而|虽然|尽管|却|除了|如果|要是|比|只是|就是|以前|曾经|才|还算",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:not|no|never|nothing|nobody|none|neither|nor|without)\b|n['’]t\b|[不没无非未别莫]", re.IGNORECASE
)
_SENTENCE = re.compile(r"[^.!。！;；\n]+[.!。！;；]?")
Turn = Callable[[str, re.Match[str], Side], str | None]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of judgement of a language, and each one's opposite."""

    praise: frozenset[str]
    blame: frozenset[str]
    opposite: dict[str, str]


def polarity_from(path: Path) -> dict[str, Words]:
    """Words of praise and blame by language.

    Raises:
        DataError: For a line of another shape, or a word on both sides, which would be its own opposite's opposite.
    """
    pairs: dict[str, list[tuple[str, str]]] = {"en": [], "zh": []}
    sides: dict[str, int] = {}
    for line, entry in lexicon_lines(path):
        language, _, rest = entry.partition(" ")
        both = tuple(word.strip() for word in rest.split("/"))
        if language not in pairs or len(both) != 2 or not all(both):
            raise DataError(f"'{entry}' is no pair; write language, praise / blame", path=path, line=line)
        for side, word in enumerate(both):
            if sides.setdefault(word, side) != side:
                raise DataError(
                    f"'{word}' stands for praise and for blame: a cycle; keep one", path=path, line=line
                )
        pairs[language].append((both[0], both[1]))
    return {
        language: Words(
            frozenset(one for one, _ in found),
            frozenset(two for _, two in found),
            {**dict(found), **{two: one for one, two in found}},
        )
        for language, found in pairs.items()
    }


@cache
def words_of(language: str) -> Words:
    """The shipped words of a language."""
    return polarity_from(lexicon_path("polarity.txt"))[language]


def _side(names: tuple[str, ...]) -> Side | None:
    return next((_LABELS[name.lower()] for name in names if name.lower() in _LABELS), None)


def judged(item: Item) -> tuple[Side, str] | None:
    """The side that the item's label is on, and the id of the label on the other; None where that is not clear."""
    target, labels = item.target, item.prompt.labels
    if target is None or target.label is None or item.prompt.question is None or item.prompt.context:
        return None
    sides = {label.id: _side((label.id, *label.names)) for label in labels}
    own = sides.get(target.label)
    others = [label for label, side in sides.items() if side is not None and side != own]
    return (own, others[0]) if own is not None and len(others) == 1 else None


def turned(item: Item, language: str, turn: Turn, *, level: str, changes_label: bool = True) -> Change | None:
    """The item with every sentence of its text turned round, and the label with it.

    Args:
        item: One with a label of praise or of blame.
        language: Of its words.
        turn: Makes the other sentence of a sentence and the place of its word of judgement, or None.
        level: The change's name.
        changes_label: Whether the other sentences mean the other label.
    """
    found = judged(item)
    if found is None:
        return None
    own, other = found
    assert item.prompt.question is not None
    text = item.prompt.question.text
    pieces: list[str] = []
    edits: list[Edit] = []
    if item.prompt.question.protect or _WEIGHING.search(text):
        return None
    for match in _SENTENCE.finditer(text):
        sentence = match[0]
        if not sentence.strip():
            pieces.append(sentence)
            continue
        held = list(judgements(sentence, language))
        written = turn(sentence, held[0], own) if len(held) == 1 else None
        if written is None or written == sentence:
            return None
        pieces.append(written)
        edits.append(Edit("question", sentence, written, match.start()))
    if not edits:
        return None
    prompt = replace(item.prompt, question=replace(item.prompt.question, text="".join(pieces)))
    target = Target(label=other) if changes_label else item.target
    moved = ((str(item.target.label), other),) if changes_label and item.target else ()
    return Change(replace(item, prompt=prompt, target=target), Level(name=level), moved, tuple(edits))


def judgements(sentence: str, language: str) -> list[re.Match[str]]:
    """The words of judgement in a sentence."""
    words = words_of(language)
    return list(pattern_of(words.praise | words.blame).finditer(sentence))


def side_of(word: str, language: str) -> Side:
    """Which side a word of judgement is on.

    Example:
        >>> side_of("rude", "en"), side_of("好吃", "zh")
        ('blame', 'praise')
    """
    return "praise" if word.lower() in words_of(language).praise else "blame"


def is_negated(sentence: str) -> bool:
    """Whether a sentence holds any negation.

    Example:
        >>> is_negated("It isn't good."), is_negated("很好吃")
        (True, False)
    """
    return bool(_NEGATED.search(sentence))


_COPULA = re.compile(
    r"\b(?P<be>is|are|was|were) (?:(?:very|really|so|quite|extremely|truly|just) )?\Z", re.IGNORECASE
)
_NOT_COPULA = re.compile(
    r"\b(?P<be>is|are|was|were)(?: not|n['’]t) (?:(?:very|really|at all|so) )?\Z", re.IGNORECASE
)
_ZH_DEGREE = re.compile("(?P<degree>很|真|挺|特别|非常|十分|相当|确实|的确|都|也)?\\Z")


def negated(sentence: str, at: re.Match[str], language: str) -> str | None:
    """A plain judgement denied: "is not good", 不好吃. None where the sentence is no plain judgement.

    Example:
        >>> sentence = "The soup was very good."
        >>> negated(sentence, judgements(sentence, "en")[0], "en")
        'The soup was not good.'
    """
    before, after = sentence[: at.start()], sentence[at.end() :]
    if is_negated(sentence.replace("非常", "很").replace("特别", "很")):
        return None
    if language == "en":
        match = _COPULA.search(before)
        plain = re.fullmatch(r"[.!;]?\s*", after) is not None
        return f"{before[: match.start('be')]}{match['be']} not {at[0]}{after}" if match and plain else None
    match = _ZH_DEGREE.search(before)
    assert match is not None
    ahead = before[: match.start()]
    if not ahead.strip("，, ") or not re.fullmatch(r"(?:极了|啊|呢)?[。！!.；;]?", after):
        return None
    return f"{ahead}不{at[0]}{re.sub('极了|啊|呢', '', after)}"


def affirmed(sentence: str, at: re.Match[str], language: str) -> str | None:
    """A denied judgement stated: "is good" for "is not good". None for another sentence.

    Example:
        >>> affirmed("汤不好喝。", judgements("汤不好喝。", "zh")[0], "zh")
        '汤很好喝。'
    """
    before, after = sentence[: at.start()], sentence[at.end() :]
    if language == "en":
        match = _NOT_COPULA.search(before)
        if match is None or re.fullmatch(r"[.!;]?\s*", after) is None or is_negated(before[: match.start()]):
            return None
        return f"{before[: match.start()]}{match['be']} {at[0]}{after}"
    denied = re.search("(?:一点(?:儿)?[也都]|并)?不(?:太|怎么|是很)?\\Z", before)
    if denied is None or is_negated(before[: denied.start()]) or not re.fullmatch(r"[。！!.；;]?", after):
        return None
    return f"{before[: denied.start()]}很{at[0]}{after}"


def with_instruction(item: Item, told: str, language: str) -> Item:
    """The item with one more sentence of instruction."""
    prompt = item.prompt
    if prompt.instruction is None:
        order = prompt.order if "instruction" in prompt.order else ("instruction", *prompt.order)
        return replace(item, prompt=replace(prompt, instruction=Text(told), order=order))
    joiner = "" if language == "zh" else " "
    text = f"{prompt.instruction.text}{joiner}{told}"
    return replace(item, prompt=replace(prompt, instruction=replace(prompt.instruction, text=text)))
