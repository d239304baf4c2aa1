"""Short arithmetic: sums and differences of small numbers, bare or told as a story."""

from __future__ import annotations

from harness.core.items import Item, Prompt, Target, Text
from harness.core.rng import Rng
from harness.demo.world.lexicon import Language, words
from harness.demo.world.splits import Split, split_of

INSTRUCTIONS = {
    "en": ("Work out the answer.", "Calculate.", "Answer with a number.", "Solve this."),
    "zh": ("算出答案。", "请计算。", "用数字回答。", "解这道题。"),
}
LARGEST = 12
_QUESTIONS = {
    "en": {
        "plus": (
            "{a} + {b} = ?",
            "What is {a} plus {b}?",
            "Add {b} to {a}.",
            "{p} has {a} {f} and buys {b} more. How many are there now?",
        ),
        "minus": (
            "{a} - {b} = ?",
            "What is {a} minus {b}?",
            "Take {b} away from {a}.",
            "{p} has {a} {f} and gives away {b}. How many are left?",
        ),
    },
    "zh": {
        "plus": (
            "{a} + {b} = ?",
            "{a}加{b}等于几？",
            "{a}再加上{b}是多少？",
            "{p}有{a}份{f}，又买了{b}份，现在一共有几份？",
        ),
        "minus": (
            "{a} - {b} = ?",
            "{a}减{b}等于几？",
            "{a}去掉{b}是多少？",
            "{p}有{a}份{f}，送走了{b}份，还剩几份？",
        ),
    },
}


def draw(rng: Rng, *, language: Language, split: Split) -> Item:
    """One item; a pair of numbers and its sign belong to one split in both languages."""
    while True:
        sign = rng.choice(("plus", "minus"))
        a, b = rng.integer(LARGEST + 1), rng.integer(LARGEST + 1)
        if sign == "minus":
            a, b = a + b, b
        if split_of("arithmetic", sign, str(a), str(b)) == split:
            break
    question = rng.choice(_QUESTIONS[language][sign]).format(
        a=a, b=b, p=rng.choice(words("person", language)), f=rng.choice(words("food", language))
    )
    answer = a + b if sign == "plus" else a - b
    prompt = Prompt(instruction=Text(rng.choice(INSTRUCTIONS[language])), question=Text(question))
    tags = (("family", "arithmetic"), ("phenomenon", sign))
    return Item(language=language, prompt=prompt, target=Target(answers=(str(answer),)), tags=tags)
