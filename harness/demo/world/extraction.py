"""Extraction to JSON: two or three facts of a message as a record."""

from __future__ import annotations

from harness.core.items import FieldValue, Item, OutputSpec, Prompt, Target, Text
from harness.core.rng import Rng
from harness.demo.world.lexicon import Language, words
from harness.demo.world.splits import Split, split_of

INSTRUCTIONS = {
    "en": (
        "Extract the facts.",
        "Fill in the record.",
        "Write the facts as a record.",
        "Read the text and list its facts.",
    ),
    "zh": ("提取信息。", "填写记录。", "把信息写成记录。", "阅读文本，列出其中的信息。"),
}
# Per frame: the slots in it. Per slot: its type, and the names a field may have.
_FIELDS = {
    "en": {
        "person": ("string", ("name", "person")),
        "city": ("string", ("city", "place")),
        "day": ("string", ("day", "date")),
        "time": ("string", ("time", "hour")),
        "goods": ("string", ("item", "product")),
        "amount": ("number", ("count", "number")),
        "job": ("string", ("job", "role")),
    },
    "zh": {
        "person": ("string", ("姓名", "人物")),
        "city": ("string", ("城市", "地点")),
        "day": ("string", ("日期", "日子")),
        "time": ("string", ("时间", "钟点")),
        "goods": ("string", ("物品", "商品")),
        "amount": ("number", ("数量", "数目")),
        "job": ("string", ("职业", "工作")),
    },
}
_FRAMES = {
    "en": (
        ("{person} arrives in {city} on {day}.", ("person", "city", "day")),
        ("On {day} {person} will travel to {city}.", ("person", "city", "day")),
        ("{person} ordered the {goods}, {amount} pieces.", ("person", "goods", "amount")),
        ("Please send {amount} of the {goods} to {person}.", ("person", "goods", "amount")),
        ("{person} works in {city} as a {job}.", ("person", "city", "job")),
        ("The {job} from {city} is called {person}.", ("person", "city", "job")),
        ("{person} comes on {day} at {time}.", ("person", "day", "time")),
        ("The meeting with {person} is at {time} on {day}.", ("person", "day", "time")),
        ("In {city}, {amount} people bought the {goods}.", ("city", "amount", "goods")),
    ),
    "zh": (
        ("{person}{day}到{city}。", ("person", "city", "day")),
        ("{day}{person}要去{city}旅行。", ("person", "city", "day")),
        ("{person}订了{goods}，一共{amount}件。", ("person", "goods", "amount")),
        ("请把{amount}件{goods}寄给{person}。", ("person", "goods", "amount")),
        ("{person}在{city}当{job}。", ("person", "city", "job")),
        ("来自{city}的{job}叫{person}。", ("person", "city", "job")),
        ("{person}{day}{time}过来。", ("person", "day", "time")),
        ("和{person}的会面在{day}{time}。", ("person", "day", "time")),
        ("在{city}，有{amount}人买了{goods}。", ("city", "amount", "goods")),
    ),
}
_ASIDES = {
    "en": ("The bus was late again.", "It rained all morning.", "Many thanks.", "See you soon."),
    "zh": ("公交车又晚点了。", "雨下了一上午。", "非常感谢。", "回头见。"),
}


def draw(rng: Rng, *, language: Language, split: Split) -> Item:
    """One item; its fields are asked for in any order, under either of their names."""
    while True:
        frame, slots = rng.choice(_FRAMES[language])
        found = {slot: rng.choice(words(slot, language)) for slot in slots}
        if split_of("extraction", language, found[slots[0]], found[slots[1]]) == split:
            break
    text = frame.format(**found)
    text = text[0].upper() + text[1:]
    if rng.chance(0.3):
        aside = rng.choice(_ASIDES[language])
        gap = " " if language == "en" else ""
        text = f"{text}{gap}{aside}" if rng.chance(0.5) else f"{aside}{gap}{text}"
    asked = rng.shuffled(slots)[: 2 + rng.integer(2)]
    naming = rng.integer(2)
    specification, answer = [], []
    for slot in asked:
        kind, names = _FIELDS[language][slot]
        value: FieldValue = int(found[slot]) if kind == "number" else found[slot]
        specification.append((names[naming], kind))
        answer.append((names[naming], value))
    prompt = Prompt(
        instruction=Text(rng.choice(INSTRUCTIONS[language])),
        question=Text(text),
        output=OutputSpec("json", tuple(specification)),
    )
    tags = (("domain", "-".join(slots)), ("family", "extraction"))
    return Item(language=language, prompt=prompt, target=Target(fields=tuple(answer)), tags=tags)
