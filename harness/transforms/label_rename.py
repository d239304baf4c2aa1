"""Gives the classes other names: a synonym, an abstract symbol, or each other's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from harness.core.items import Demonstration, Item, Label, Prompt, Target, Text
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.declaration import POOLS, Pool, Preserves, transform
from harness.transforms.protection import protection

Names = Literal["synonym", "symbols", "swapped"]
Legend = Literal["auto", "always", "never"]
# Letters that stand for nothing; each pool has its own.
SYMBOLS: dict[Pool, str] = {"challenge": "K", "treatment": "Q", "sealed": "T"}
# How the new names are told, one wording a pool: {pairs} in the language's own list.
_LEGENDS: dict[str, dict[Pool, str]] = {
    "en": {
        "challenge": "In this task the labels are: {pairs}.",
        "treatment": "Use these label names: {pairs}.",
        "sealed": "Here each label stands for a class: {pairs}.",
    },
    "zh": {
        "challenge": "本题中的类别名称：{pairs}。",
        "treatment": "请使用以下类别名称：{pairs}。",
        "sealed": "这里每个名称代表一个类别：{pairs}。",
    },
}
_PAIR = {"en": '"{new}" means {old}', "zh": "“{new}”表示{old}"}
_BETWEEN = {"en": "; ", "zh": "；"}


@transform(
    family="labels",
    preserves=Preserves.MOVES,
    touches={"labels", "instruction", "system", "demonstrations"},
    unmet="no other label names: it needs two labels, and for synonyms names of this pool besides the first",
)
def label_rename(
    item: Item, rng: Rng, *, names: Names = "synonym", legend: Legend = "auto", pool: Pool = "challenge"
) -> Iterator[Change]:
    """One change with other names for the labels; their ids, and so the target, stay.

    The new names replace the old in the label list, in instruction and system text where they stand as words,
    and in demonstrations that answer by name. The text to classify is left alone. `answer_map` pairs the names
    shown before with those shown now.

    Args:
        names: `synonym` shows another of each label's own names (those after the first are split between the
            pools); `symbols` shows a letter and a number, shuffled, each pool its letter; `swapped` shows the
            names of other labels.
        legend: Whether the instruction says what the new names mean. `auto`: where it is needed, so for symbols
            and swapped names, unless demonstrations show every label.

    Example:
        >>> from harness.core.rng import rng_for
        >>> labels = (Label("pos", ("positive",)), Label("neg", ("negative",)))
        >>> prompt = Prompt(instruction=Text("Say positive or negative."), question=Text("Good."), labels=labels)
        >>> item = Item(language="en", prompt=prompt, target=Target(label="pos"))
        >>> [change] = label_rename(item, rng_for(0), names="swapped", legend="never")
        >>> change.item.prompt.instruction.text, change.item.target.label, change.answer_map
        ('Say negative or positive.', 'pos', (('positive', 'negative'), ('negative', 'positive')))
    """
    labels = item.prompt.labels
    renamed = _renamed(labels, rng, names, pool) if len(labels) > 1 else None
    if renamed is None:
        return
    shown = {old.names[0]: new.names[0] for old, new in zip(labels, renamed, strict=True)}
    prompt = replace(item.prompt, labels=renamed)
    prompt = _in_texts(prompt, shown)
    prompt = replace(prompt, demonstrations=tuple(_answering(one, shown) for one in prompt.demonstrations))
    if legend == "always" or (legend == "auto" and names != "synonym" and not _all_shown(item.prompt)):
        prompt = _with_legend(prompt, shown, item.language, pool)
    edits = tuple(
        Edit(f"labels[{at}]", old, new) for at, (old, new) in enumerate(shown.items()) if old != new
    )
    yield Change(
        item=replace(item, prompt=prompt),
        level=Level(name=names),
        answer_map=tuple(shown.items()),
        edits=edits,
    )


def _renamed(labels: Sequence[Label], rng: Rng, names: Names, pool: Pool) -> tuple[Label, ...] | None:
    """The labels under new names, or None where the item or the pool has none."""
    if len({label.names[0] for label in labels}) < len(labels):
        return None  # equal names could not be told apart afterwards
    if names == "swapped":
        offset = 1 + rng.integer(len(labels) - 1)
        taken = [labels[(at + offset) % len(labels)].names for at in range(len(labels))]
        return tuple(replace(label, names=other) for label, other in zip(labels, taken, strict=True))
    if names == "symbols":
        numbers = rng.shuffled(range(1, len(labels) + 1))
        return tuple(
            replace(label, names=(f"{SYMBOLS[pool]}{number}",))
            for label, number in zip(labels, numbers, strict=True)
        )
    found = []
    for label in labels:
        others = label.names[1:][POOLS.index(pool) :: len(POOLS)]
        chosen = rng.choice(others) if others else label.names[0]
        found.append(replace(label, names=(chosen, *(name for name in label.names if name != chosen))))
    shown = [label.names[0] for label in found]
    same = tuple(found) == tuple(labels)
    return None if same or len(set(shown)) < len(shown) else tuple(found)


def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    """The names as whole words, the longest first, so that "very good" is not read as "good"."""
    pieces = []
    for name in sorted(names, key=len, reverse=True):
        ahead = r"(?<![A-Za-z0-9])" if name[:1].isascii() and name[:1].isalnum() else ""
        behind = r"(?![A-Za-z0-9])" if name[-1:].isascii() and name[-1:].isalnum() else ""
        if len(name) == 1 and not name.isascii():  # one Chinese character is mostly a piece of a longer word
            ahead, behind = r"(?:(?<!\w)|(?<=[或和与是为]))", r"(?:(?!\w)|(?=[或和与]))"
        pieces.append(ahead + re.escape(name) + behind)
    return re.compile("|".join(pieces))


def _in_texts(prompt: Prompt, shown: Mapping[str, str]) -> Prompt:
    """Names replaced all at once in instruction and system, marked strings excepted."""
    pattern = _pattern([name for name in shown if name])

    def rewritten(text: Text | None) -> Text | None:
        if text is None:
            return None
        kept = protection(text.text, text.protect, words=False).mask if text.protect else None
        return replace(
            text,
            text=pattern.sub(
                lambda match: (
                    match[0] if kept and any(kept[match.start() : match.end()]) else shown[match[0]]
                ),
                text.text,
            ),
        )

    return replace(prompt, instruction=rewritten(prompt.instruction), system=rewritten(prompt.system))


def _answering(demonstration: Demonstration, shown: Mapping[str, str]) -> Demonstration:
    """A demonstration that answers by a label's name, under its new name; answers by id follow by themselves."""
    answers = tuple(shown.get(answer, answer) for answer in demonstration.answer.answers)
    return replace(demonstration, answer=replace(demonstration.answer, answers=answers))


def _all_shown(prompt: Prompt) -> bool:
    """Whether the demonstrations show every label at work."""
    by_name = {label.names[0]: label.id for label in prompt.labels}
    targets: list[Target] = [demonstration.answer for demonstration in prompt.demonstrations]
    seen = {target.label for target in targets} | {
        by_name.get(answer) for target in targets for answer in target.answers
    }
    return {label.id for label in prompt.labels} <= seen


def _with_legend(prompt: Prompt, shown: Mapping[str, str], language: str, pool: Pool) -> Prompt:
    tongue = "zh" if language.split("-")[0] == "zh" else "en"
    pairs = _BETWEEN[tongue].join(_PAIR[tongue].format(new=new, old=old) for old, new in shown.items())
    told = _LEGENDS[tongue][pool].format(pairs=pairs)
    if prompt.instruction is None:
        order = prompt.order if "instruction" in prompt.order else ("instruction", *prompt.order)
        return replace(prompt, instruction=Text(told), order=order)
    joiner = "" if tongue == "zh" else " "
    return replace(
        prompt, instruction=replace(prompt.instruction, text=f"{prompt.instruction.text}{joiner}{told}")
    )
