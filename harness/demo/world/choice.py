"""Multiple choice: which of the options is of a kind, is the opposite, or is the largest number."""

from __future__ import annotations

from harness.core.items import Item, Prompt, Target, Text
from harness.core.rng import Rng
from harness.demo.world.lexicon import Language, words
from harness.demo.world.splits import Split, split_of

INSTRUCTIONS = {
    "en": (
        "Choose.",
        "Choose the right option.",
        "Pick one option.",
        "Answer with the right option.",
    ),
    "zh": ("请选择。", "选出正确的选项。", "选一个选项。", "请用正确的选项回答。"),
}
_KINDS = {
    "en": {
        "animal": ("an animal", "the name of an animal"),
        "colour": ("a colour", "the name of a colour"),
        "city": ("a city", "the name of a city"),
        "job": ("a job", "the name of a profession"),
        "day": ("a day", "the name of a day"),
        "food": ("something to eat", "a kind of food"),
        "person": ("a person", "the name of a person"),
        "venue": ("a public place", "a place people visit"),
    },
    "zh": {
        "animal": ("动物", "一种动物"),
        "colour": ("颜色", "一种颜色"),
        "city": ("城市", "一座城市"),
        "job": ("职业", "一种职业"),
        "day": ("日子", "某一天"),
        "food": ("吃的东西", "一种食物"),
        "person": ("人", "一个人的名字"),
        "venue": ("公共场所", "一个公共场所"),
    },
}
_KIND_QUESTIONS = {
    "en": ("Which of these is {k}?", "Which option is {k}?", "Find {k}."),
    "zh": ("下面哪个是{k}？", "哪个选项是{k}？", "找出{k}。"),
}
_NUMBER_QUESTIONS = {
    "en": {
        "largest": ("Which number is the largest?", "Find the largest number."),
        "smallest": ("Which number is the smallest?", "Find the smallest number."),
    },
    "zh": {"largest": ("哪个数最大？", "找出最大的数。"), "smallest": ("哪个数最小？", "找出最小的数。")},
}
_OPPOSITES = {
    "en": (
        ("hot", "cold"),
        ("big", "small"),
        ("early", "late"),
        ("open", "closed"),
        ("full", "empty"),
        ("fast", "slow"),
        ("old", "young"),
        ("dark", "bright"),
        ("wet", "dry"),
        ("loud", "quiet"),
        ("rich", "poor"),
        ("hard", "soft"),
        ("high", "low"),
        ("thick", "thin"),
    ),
    "zh": (
        ("热", "冷"),
        ("大", "小"),
        ("早", "晚"),
        ("开", "关"),
        ("满", "空"),
        ("快", "慢"),
        ("老", "年轻"),
        ("暗", "亮"),
        ("湿", "干"),
        ("吵", "安静"),
        ("富", "穷"),
        ("硬", "软"),
        ("高", "低"),
        ("厚", "薄"),
    ),
}
_OPPOSITE_QUESTIONS = {
    "en": ("What is the opposite of {w}?", "Which word means the opposite of {w}?"),
    "zh": ("{w}的反义词是什么？", "哪个词与{w}相反？"),
}


def _of_a_kind(rng: Rng, language: Language, n: int) -> tuple[str, str, list[str]]:
    kinds = rng.sample(list(_KINDS[language]), n)
    picked = [rng.choice(words(kind, language)) for kind in kinds]
    name = rng.choice(_KINDS[language][kinds[0]])
    return rng.choice(_KIND_QUESTIONS[language]).format(k=name), picked[0], picked[1:]


def _of_numbers(rng: Rng, language: Language, n: int) -> tuple[str, str, list[str]]:
    numbers = sorted(rng.sample(range(1, 100), n))
    end = rng.choice(("largest", "smallest"))
    right = numbers[-1] if end == "largest" else numbers[0]
    others = [str(number) for number in numbers if number != right]
    return rng.choice(_NUMBER_QUESTIONS[language][end]), str(right), others


def _of_opposites(rng: Rng, language: Language, n: int) -> tuple[str, str, list[str]]:
    pairs = rng.sample(_OPPOSITES[language], n)
    shown, right = rng.shuffled(pairs[0])
    others = [rng.choice(pair) for pair in pairs[1:]]
    return rng.choice(_OPPOSITE_QUESTIONS[language]).format(w=shown), right, others


_MAKERS = {"kind": _of_a_kind, "number": _of_numbers, "opposite": _of_opposites}


def draw(rng: Rng, *, language: Language, split: Split) -> Item:
    """One item with three or four options."""
    while True:
        kind = rng.choice(tuple(_MAKERS))
        question, right, others = _MAKERS[kind](rng, language, 3 + rng.integer(2))
        if split_of("choice", language, right, others[0]) == split:
            break
    options = rng.shuffled([right, *others])
    prompt = Prompt(
        instruction=Text(rng.choice(INSTRUCTIONS[language])),
        question=Text(question),
        options=tuple(options),
    )
    tags = (("family", "choice"), ("phenomenon", kind))
    return Item(language=language, prompt=prompt, target=Target(option=options.index(right)), tags=tags)
