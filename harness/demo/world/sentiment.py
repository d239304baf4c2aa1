"""Sentiment of a review: plain, negated, or good in one respect and bad in another."""

from __future__ import annotations

from harness.core.items import Item, Label, Prompt, Target, Text
from harness.core.rng import Rng
from harness.demo.world.lexicon import Language
from harness.demo.world.splits import Split, split_of

INSTRUCTIONS = {
    "en": (
        "Decide the sentiment of the review.",
        "Is the review good or bad in tone?",
        "Classify the sentiment of the text.",
        "How does the writer feel? Choose a label.",
        "Name the sentiment.",
    ),
    "zh": (
        "判断评论的情感。",
        "这条评论的态度是什么？",
        "给文本的情感分类。",
        "作者的感受如何？请选择类别。",
        "指出情感倾向。",
    ),
}
LABEL_NAMES = {
    "en": {
        "pos": ("positive", "good", "happy", "favourable"),
        "neg": ("negative", "bad", "unhappy", "unfavourable"),
        "mix": ("mixed", "both", "torn", "ambivalent"),
    },
    "zh": {
        "pos": ("正面", "积极", "好评", "满意"),
        "neg": ("负面", "消极", "差评", "不满"),
        "mix": ("混合", "兼有", "中评", "矛盾"),
    },
}
_ASPECTS: dict[str, tuple[str, ...]] = {
    "en": (
        "food",
        "service",
        "room",
        "film",
        "music",
        "screen",
        "battery",
        "story",
        "staff",
        "coffee",
        "view",
        "bed",
        "price",
        "design",
        "sound",
        "driver",
        "lesson",
        "garden",
        "keyboard",
        "soup",
    ),
    "zh": tuple(
        "饭菜 服务 房间 电影 音乐 屏幕 电池 故事 店员 咖啡 "
        "景色 床铺 价格 设计 音质 司机 课程 花园 键盘 汤".split()
    ),
}
_ADJECTIVES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "pos": (
            "great",
            "excellent",
            "lovely",
            "wonderful",
            "pleasant",
            "superb",
            "delightful",
            "fine",
            "good",
        ),
        "neg": ("terrible", "awful", "poor", "horrible", "dreadful", "disappointing", "bad", "dull", "nasty"),
    },
    "zh": {
        "pos": tuple("很棒 出色 可爱 精彩 舒服 一流 令人愉快 不错 好".split()),
        "neg": tuple("糟糕 可怕 很差 恶劣 难受 令人失望 坏 乏味 讨厌".split()),
    },
}
_PLAIN = {
    "en": (
        "The {a} was {w}.",
        "I found the {a} {w}.",
        "What {w} {a}!",
        "The {a} is really {w}.",
        "We thought the {a} {w}.",
    ),
    "zh": ("{a}{w}。", "我觉得{a}{w}。", "{a}真的{w}！", "这里的{a}{w}。", "大家都说{a}{w}。"),
}
_NEGATED = {
    "en": (
        "The {a} was not {w}.",
        "The {a} was not {w} at all.",
        "I would not call the {a} {w}.",
        "Nobody found the {a} {w}.",
        "The {a} is far from {w}.",
    ),
    "zh": ("{a}并不{w}。", "{a}一点也不{w}。", "我不觉得{a}{w}。", "没人觉得{a}{w}。", "{a}算不上{w}。"),
}
_MIXED = {
    "en": (
        "The {a} was {w}, but the {b} was {x}.",
        "{w} {a}, {x} {b}.",
        "I found the {a} {w} and the {b} {x}.",
    ),
    "zh": ("{a}{w}，但是{b}{x}。", "{w}的{a}，{x}的{b}。", "我觉得{a}{w}，而{b}{x}。"),
}
_OPPOSITE = {"pos": "neg", "neg": "pos"}


def _labels(rng: Rng, language: Language, ids: list[str]) -> tuple[Label, ...]:
    place = rng.integer(4)  # one set of names at a time: "good" stands beside "bad"
    names = LABEL_NAMES[language]
    return tuple(Label(label, (names[label][place],)) for label in rng.shuffled(ids))


def _review(rng: Rng, language: Language, split: Split, kind: str) -> tuple[str, str]:
    """A review and its label, from a combination of the split."""
    while True:
        polarity = rng.choice(("pos", "neg"))
        aspect, other = rng.sample(_ASPECTS[language], 2)
        word = rng.choice(_ADJECTIVES[language][polarity])
        against = rng.choice(_ADJECTIVES[language][_OPPOSITE[polarity]])
        if split_of("sentiment", language, kind, aspect, word) == split:
            break
    if kind == "mixed":
        text = rng.choice(_MIXED[language]).format(a=aspect, w=word, b=other, x=against)
        return text[0].upper() + text[1:], "mix"
    if kind == "negation":
        return rng.choice(_NEGATED[language]).format(a=aspect, w=word), _OPPOSITE[polarity]
    return rng.choice(_PLAIN[language]).format(a=aspect, w=word), polarity


def draw(rng: Rng, *, language: Language, split: Split) -> Item:
    """One item: two labels, or three where mixed reviews occur."""
    has_mixed = rng.chance(0.4)
    kinds = ("plain", "negation", "mixed") if has_mixed else ("plain", "negation")
    kind = rng.choice(kinds)
    text, label = _review(rng, language, split, kind)
    ids = ["pos", "neg", "mix"] if has_mixed else ["pos", "neg"]
    prompt = Prompt(
        instruction=Text(rng.choice(INSTRUCTIONS[language])),
        question=Text(text),
        labels=_labels(rng, language, ids),
    )
    tags = (("family", "sentiment"), ("phenomenon", kind))
    return Item(language=language, prompt=prompt, target=Target(label=label), tags=tags)
