"""The topic of a message, among the topics listed."""

from __future__ import annotations

from harness.core.items import Item, Label, Prompt, Target, Text
from harness.core.rng import Rng
from harness.demo.world.lexicon import Language
from harness.demo.world.splits import Split, split_of

INSTRUCTIONS = {
    "en": (
        "Name the topic of the text.",
        "What is the text about?",
        "Choose the topic.",
        "Sort the message by topic.",
        "Classify the topic.",
    ),
    "zh": ("指出文本的主题。", "这段文字讲的是什么？", "请选择主题。", "按主题给消息分类。", "判断主题。"),
}
LABEL_NAMES = {
    "en": {
        "sport": ("sport", "athletics"),
        "food": ("food", "cooking"),
        "travel": ("travel", "journeys"),
        "money": ("money", "finance"),
        "health": ("health", "medicine"),
        "music": ("music", "songs"),
    },
    "zh": {
        "sport": ("体育", "运动"),
        "food": ("饮食", "烹饪"),
        "travel": ("旅行", "出行"),
        "money": ("金融", "理财"),
        "health": ("健康", "医疗"),
        "music": ("音乐", "歌曲"),
    },
}
_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "sport": (
            "the goalkeeper",
            "the final match",
            "the marathon",
            "the tennis coach",
            "the league",
            "the swimmer",
        ),
        "food": ("the recipe", "the oven", "the salty sauce", "the pancake", "the spice rack", "the chef"),
        "travel": (
            "the flight",
            "the passport",
            "the hotel booking",
            "the luggage",
            "the ferry",
            "the tour guide",
        ),
        "money": (
            "the loan",
            "the tax bill",
            "the share price",
            "the savings account",
            "the interest rate",
            "the budget",
        ),
        "health": ("the vaccine", "the fever", "the surgeon", "the blood test", "the headache", "the clinic"),
        "music": (
            "the orchestra",
            "the concert",
            "the melody",
            "the drummer",
            "the record label",
            "the choir",
        ),
    },
    "zh": {
        "sport": tuple("守门员 决赛 马拉松 网球教练 联赛 游泳选手".split()),
        "food": tuple("菜谱 烤箱 咸酱汁 煎饼 调料架 厨师".split()),
        "travel": tuple("航班 护照 酒店预订 行李 渡轮 导游".split()),
        "money": tuple("贷款 税单 股价 储蓄账户 利率 预算".split()),
        "health": tuple("疫苗 发烧 外科医生 验血 头痛 诊所".split()),
        "music": tuple("管弦乐队 音乐会 旋律 鼓手 唱片公司 合唱".split()),
    },
}
_FRAMES = {
    "en": (
        "Everyone talked about {w} today.",
        "We have news of {w}.",
        "{w} was the talk of the week.",
        "My cousin wrote to me about {w}.",
        "Do not forget {w} tomorrow.",
        "There was some trouble with {w}.",
        "I have a question on {w}.",
        "They were pleased with {w} in the end.",
    ),
    "zh": (
        "今天大家都在谈{w}。",
        "我们有{w}的消息。",
        "{w}是这周的话题。",
        "表弟写信跟我说了{w}。",
        "明天别忘了{w}。",
        "{w}出了点问题。",
        "我想问一下{w}。",
        "他们最后对{w}很满意。",
    ),
}


def draw(rng: Rng, *, language: Language, split: Split) -> Item:
    """One item with three to six topics listed."""
    topics = list(LABEL_NAMES[language])
    while True:
        topic = rng.choice(topics)
        word, frame = rng.choice(_WORDS[language][topic]), rng.choice(_FRAMES[language])
        if split_of("topic", language, word, frame) == split:
            break
    text = frame.format(w=word)
    others = rng.sample([other for other in topics if other != topic], 2 + rng.integer(4))
    naming = rng.integer(2)
    labels = tuple(
        Label(name, (LABEL_NAMES[language][name][naming],)) for name in rng.shuffled([topic, *others])
    )
    prompt = Prompt(
        instruction=Text(rng.choice(INSTRUCTIONS[language])),
        question=Text(text[0].upper() + text[1:]),
        labels=labels,
    )
    tags = (("domain", topic), ("family", "topic"))
    return Item(language=language, prompt=prompt, target=Target(label=topic), tags=tags)
