"""Puts other words for those that the answer is made of, in the text it is read from and in the target alike.

Renaming a thing throughout a text renames it in every answer read from that text, whatever is asked: so the new answer
is known, as long as the question does not name the thing and nobody else in the text bears the new name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from harness.core.items import Item, Prompt, Target
from harness.core.variants import Edit
from harness.transforms.surface import PartName, parts_of, with_texts

# What is asked is worked out, not read: the answer may stand in the text by chance.
_WORKED_OUT = re.compile(
    r"\b(?:total|altogether|sum|left|remain\w*|difference|more than|less than|fewer|average|combined|times|twice|half"
    r"|how (?:old|long ago)|percent\w*|calculate|compute)\b"
    "|一共|总共|共有|还剩|剩下|相差|差多少|多多少|少多少|平均|几倍|倍|合计|计算|求"
)
_NUMERALS = "〇零一二三四五六七八九十百千万亿两半"
# What counts or measures: a Chinese digit before anything else is mostly part of a name.
_COUNTED = (
    "(?=[点个天年月日号小分公元块名人位次本张件岁层楼米周家只辆条座间种]"
    "|[页章箱瓶杯袋支把斤克吨升台盒份届组队班]|$|[，。；！？、])"
)


@lru_cache(maxsize=2048)
def word_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the words; Latin ones and numbers only whole."""
    pieces = []
    for word in sorted(words, key=lambda one: (-len(one), one)):
        if word in _NUMERALS:
            pieces.append(f"(?<![{_NUMERALS}]){word}(?![{_NUMERALS}]){_COUNTED}")
            continue
        ahead = r"(?<![A-Za-z0-9])(?<!\d[.,:/-])" if word[0].isascii() and word[0].isalnum() else ""
        behind = r"(?![A-Za-z0-9]|[.,:/-]\d)" if word[-1].isascii() and word[-1].isalnum() else ""
        pieces.append(ahead + re.escape(word) + behind)
    return re.compile("|".join(pieces))


def source_parts(prompt: Prompt) -> tuple[PartName, ...]:
    """The parts that answers are read from: the context, or the text itself where records are drawn from it."""
    if prompt.context:
        return ("context",)
    return ("question",) if prompt.output is not None and prompt.output.fields else ()


def read_from_text(item: Item) -> bool:
    """Whether the answer is read off the text, not chosen from a list, worked out, or shown by example."""
    prompt, target = item.prompt, item.target
    if target is None or not (target.answers or target.fields) or prompt.options or prompt.labels:
        return False
    asked = prompt.question.text if prompt.question is not None and prompt.context else ""
    return bool(source_parts(prompt)) and not _WORKED_OUT.search(asked)


def first_answer(item: Item) -> str:
    """The answer that stands for all, or the texts of all fields."""
    target = item.target
    assert target is not None
    if target.answers:
        return target.answers[0]
    return "\n".join(value for _, value in target.fields if isinstance(value, str))


def _elsewhere(prompt: Prompt, parts: Sequence[PartName]) -> list[str]:
    """All texts that must not speak of what is renamed."""
    names: tuple[PartName, ...] = ("question", "context", "instruction", "system", "text", "turns")
    return [part.text for part in parts_of(prompt, tuple(name for name in names if name not in parts))]


def renamed(item: Item, names: Mapping[str, str]) -> tuple[Item, tuple[Edit, ...]] | None:
    """The item with these words renamed in its text and its answers, or None where that is not sure.

    Args:
        item: One whose answer is read from a text.
        names: Old to new; a pair may change places.
    """
    parts = source_parts(item.prompt)
    old = word_pattern(tuple(sorted(names)))
    fresh = tuple(sorted(set(names.values()) - set(names)))
    texts = parts_of(item.prompt, parts)
    if any(old.search(text) for text in _elsewhere(item.prompt, parts)) or item.prompt.demonstrations:
        return None
    if fresh and any(word_pattern(fresh).search(part.text) for part in texts):
        return None
    edits: list[Edit] = []
    changed: dict[str, str] = {}
    for part in texts:
        found = list(old.finditer(part.text))
        if not found or any(old.search(marked) for marked in part.protect):
            continue
        edits += [Edit(part.name, match[0], names[match[0]], match.start()) for match in found]
        changed[part.name] = old.sub(lambda match: names[match[0]], part.text)
    target = _renamed_target(item.target, old, names)
    if (
        not changed
        or target is None
        or target == item.target
        or not _still_there(item, target, changed, names, parts)
    ):
        return None
    return replace(item, prompt=with_texts(item.prompt, changed), target=target), tuple(edits)


def _renamed_target(target: Target | None, old: re.Pattern[str], names: Mapping[str, str]) -> Target | None:
    """The target under new names; answers that do not hold an old name no longer count."""
    if target is None:
        return None

    def told(text: str) -> str:
        return old.sub(lambda match: names[match[0]], text)

    if target.fields:
        fields = tuple(
            (name, told(value) if isinstance(value, str) else value) for name, value in target.fields
        )
        return replace(target, fields=fields)
    answers = tuple(dict.fromkeys(told(answer) for answer in target.answers if old.search(answer)))
    return replace(target, answers=answers) if answers else None


def _still_there(
    item: Item,
    target: Target,
    changed: Mapping[str, str],
    names: Mapping[str, str],
    parts: Sequence[PartName],
) -> bool:
    """Whether the new answer can be read from the new text, and no accepted one besides it."""
    assert item.target is not None
    whole = "\n".join(changed.get(part.name, part.text) for part in parts_of(item.prompt, parts))
    if target.fields:
        return all(value in whole for _, value in target.fields if isinstance(value, str))
    old = word_pattern(tuple(sorted(names)))
    # A bare number is part of every quantity that holds it, the new one included.
    dropped = [
        answer
        for answer in item.target.answers
        if answer and not old.search(answer) and not any(answer in name for name in names)
    ]
    return any(answer in whole for answer in target.answers) and not any(
        word_pattern((answer,)).search(whole) for answer in dropped
    )
