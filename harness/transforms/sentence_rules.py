"""Rules that put one plain sentence into another pattern, or leave it where they are not sure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Rule = Callable[[str], str | None]

# Past tense and participle of verbs that take a thing done to, and have a passive.
_IRREGULAR = dict(
    pair.split("/")
    for pair in """bought/bought built/built wrote/written broke/broken stole/stolen ate/eaten drank/drunk took/taken
    gave/given threw/thrown found/found made/made sold/sold taught/taught caught/caught wore/worn drew/drawn
    drove/driven won/won lost/lost paid/paid sent/sent saw/seen heard/heard hid/hidden chose/chosen brought/brought
    led/led met/met read/read swept/swept fed/fed held/held kept/kept bit/bitten rode/ridden sang/sung
    grew/grown""".split()
)
_REGULAR = """opened closed painted cleaned washed repaired fixed delivered collected signed visited invited helped
    watched checked planted cooked baked filled emptied locked unlocked organised organized designed invented
    discovered destroyed damaged followed chased rescued saved attacked defeated praised thanked blamed praised greeted
    ordered packed carried pushed pulled kicked dropped lifted copied borrowed rented covered decorated finished
    completed approved rejected cancelled postponed announced welcomed examined inspected tested corrected updated
    installed removed replaced printed published translated recorded photographed arrested fined""".split()
_PARTICIPLE = {**_IRREGULAR, **{verb: verb for verb in _REGULAR}}
_PAST = "|".join(sorted(_PARTICIPLE, key=len, reverse=True))
# Verbs that a sentence may go on after with nothing done to anything.
_ALSO_PAST = (
    "arrived|left|came|went|fell|stopped|started|began|ended|waited|worked|slept|lived|died|laughed|cried"
)
_OWNER = "The|A|An|My|His|Her|Our|Their|Your|This|That|These|Those"
_NOUN = r"[a-z]+(?:-[a-z]+)?"
_SUBJECT = rf"(?P<subject>(?:{_OWNER}) {_NOUN}(?: {_NOUN})?|[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
_OBJECT = rf"(?P<object>(?:the|a|an|my|his|her|our|their|your|this|that|these|those) {_NOUN}(?: {_NOUN})?)"
_WHEN = (
    "yesterday|today|tomorrow|last (?:night|week|month|year|summer|winter|spring)|this (?:morning|week|month|year)"
    "|next (?:week|month|year)|every (?:day|week|month|year|morning|evening)|in the (?:morning|afternoon|evening)"
    "|at (?:night|noon|midnight|the weekend)|(?:on )?(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
)
_PASSIVE = re.compile(rf"{_SUBJECT} (?P<verb>{_PAST}) {_OBJECT}(?P<when> (?:{_WHEN}))?\.")
_FRONT = re.compile(rf"(?P<rest>[A-Z].*[a-z]) (?P<when>{_WHEN})\.")
_CLEFT = re.compile(rf"{_SUBJECT} (?P<verb>{_PAST}|{_ALSO_PAST})(?P<rest>(?: [A-Za-z0-9-]+){{1,10}})\.")
# A second clause, a negation or a word that a moved phrase could attach to otherwise.
_UNSURE = re.compile(
    r"\b(?:and|or|but|because|if|when|while|that|who|which|whose|where|not|never|no|nobody|only|than|as|so|to|it|its|them"
    r"|him|himself|herself|itself|themselves|each|both|either|say|says|said)\b|n['’]t\b",
    re.IGNORECASE,
)
_NOT_NOUN = re.compile(
    r"\b\w+(?:ed|ly)\b|\b(?:in|on|at|of|for|from|with|by|is|was|are|were|had|has|have|just|also|yesterday|today"
    r"|tomorrow|here|there|again|home|last|next|every|away|back|up|down|out|off)\b"
)
_MANY = re.compile(r"(?:[^su]s|people|children|men|women|mice|feet|teeth)$")
_LOWERED = frozenset(_OWNER.split("|")) | frozenset(
    ("He", "She", "It", "We", "They", "You", "There", "Some", "Most")
)

_EN_SENTENCE = re.compile(r"(?:(?<=[.!?] )|(?<=\n)|\A)[A-Z][^.!?\n,;:\"“”()\[\]]{5,120}\.(?=\s|\Z)")
_ZH_SENTENCE = re.compile(r"(?:(?<=[。！？\n])|\A)[^。！？\n，；：、“”（）\s]{4,40}。")


def sentences_of(text: str, language: str) -> Iterator[tuple[int, str]]:
    """Plain sentences with their places: one clause, no comma, no quotes.

    Example:
        >>> list(sentences_of("It rained. The dog, wet, slept. He left.", "en"))
        [(0, 'It rained.'), (32, 'He left.')]
    """
    pattern = _ZH_SENTENCE if language == "zh" else _EN_SENTENCE
    for match in pattern.finditer(text):
        yield match.start(), match[0]


def _lowered(phrase: str) -> str:
    """A phrase that stood first, as it stands inside a sentence; names keep their capital."""
    first, _, rest = phrase.partition(" ")
    return f"{first.lower()} {rest}".rstrip() if first in _LOWERED else phrase


def _raised(phrase: str) -> str:
    return phrase[:1].upper() + phrase[1:]


def to_passive(sentence: str) -> str | None:
    """The passive of an active sentence.

    Example:
        >>> to_passive("The dog chased the children.")
        'The children were chased by the dog.'
    """
    match = _PASSIVE.fullmatch(sentence)
    if match is None or _UNSURE.search(sentence):
        return None
    done_to, doer = match["object"], match["subject"]
    if _NOT_NOUN.search(done_to) or _NOT_NOUN.search(doer):
        return None
    was = (
        "were" if _MANY.search(done_to) and not done_to.startswith(("a ", "an ", "this ", "that ")) else "was"
    )
    when = match["when"] or ""
    return f"{_raised(done_to)} {was} {_PARTICIPLE[match['verb']]} by {_lowered(doer)}{when}."


def time_first(sentence: str) -> str | None:
    """The sentence with the time in front.

    Example:
        >>> time_first("We visit the museum every year.")
        'Every year, we visit the museum.'
    """
    match = _FRONT.fullmatch(sentence)
    if match is None or _UNSURE.search(sentence):
        return None
    first = match["rest"].split(" ")[0]
    # Another first word may be a name or not: its capital could not be trusted.
    if first not in _LOWERED and first != "I":
        return None
    return f"{_raised(match['when'])}, {_lowered(match['rest'])}."


def to_cleft(sentence: str) -> str | None:
    """The sentence with its subject brought out.

    Example:
        >>> to_cleft("The baker opened the door.")
        'It was the baker that opened the door.'
    """
    match = _CLEFT.fullmatch(sentence)
    if match is None or _UNSURE.search(sentence) or _NOT_NOUN.search(match["subject"]):
        return None
    return f"It was {_lowered(match['subject'])} that {match['verb']}{match['rest']}."


_DONE = (
    "打碎|打破|打翻|打开|打扫|弄坏|弄丢|弄脏|吃掉|吃完|吃光|喝完|喝光|看完|写完|做完|修好|卖掉|扔掉|拿走|带走|搬走|偷走|借走|取走"
    "|抢走|赶走|关上|锁上|洗干净|擦干净|收拾好|整理好|准备好|藏起来|挂起来|收起来|捡起来|撕碎|撕破|砸碎|踢倒|推倒|撞倒|撞坏|救活"
    "|叫醒|吵醒|骗走|花光|用完|交给了老师|送到了医院|送回了家|带回了家|放进了冰箱|放在了桌上"
)
_TIME = (
    "昨天晚上|昨天|今天早上|今天|明天|前天|后天|昨晚|今晚|今早|上周|下周|上个月|下个月|去年|今年|明年|早上|上午|中午|下午|晚上|每天"
    "|每年|周末|刚才"
)
# Who does it: no adverb, modal, negation or verb may stand there.
_WHO = r"[^把被将给让叫请要想会能可应须就又也都没不别未刚正在已经快来去是对和与的自己，]{1,6}"
_WHAT = r"[^把被将给让叫要想会能就又也没不别自己，]{1,10}"
_BA = re.compile(rf"(?P<when>{_TIME})?(?P<who>{_WHO})把(?P<what>{_WHAT}?)(?P<done>(?:{_DONE})了?)。")
_BEI = re.compile(rf"(?P<when>{_TIME})?(?P<what>{_WHAT})被(?P<who>{_WHO}?)(?P<done>(?:{_DONE})了?)。")
_PEOPLE = (
    "我们|你们|他们|她们|我|你|他|她|妈妈|爸爸|爷爷|奶奶|老师|医生"
    "|哥哥|姐姐|弟弟|妹妹|小[明红华刚丽芳军]|大家|孩子们|学生们|同学们"
)
_VERB = "[去来到在买卖看吃喝做写学参开收送给打坐搬住]"
_THEN_WHO = re.compile(rf"(?P<when>{_TIME})(?P<who>{_PEOPLE})(?P<rest>{_VERB}.+)。")
_WHO_THEN = re.compile(rf"(?P<who>{_PEOPLE})(?P<when>{_TIME})(?P<rest>{_VERB}.+)。")


def ba_to_bei(sentence: str) -> str | None:
    """把 to 被, and 被 to 把.

    Example:
        >>> ba_to_bei("弟弟把牛奶喝完了。"), ba_to_bei("牛奶被弟弟喝完了。")
        ('牛奶被弟弟喝完了。', '弟弟把牛奶喝完了。')
    """
    if match := _BA.fullmatch(sentence):
        return f"{match['when'] or ''}{match['what']}被{match['who']}{match['done']}。"
    if match := _BEI.fullmatch(sentence):
        return f"{match['when'] or ''}{match['who']}把{match['what']}{match['done']}。"
    return None


def time_and_subject(sentence: str) -> str | None:
    """The time before the subject, or behind it.

    Example:
        >>> time_and_subject("昨天我们去了公园。"), time_and_subject("妈妈早上买了鱼。")
        ('我们昨天去了公园。', '早上妈妈买了鱼。')
    """
    if match := _THEN_WHO.fullmatch(sentence):
        return f"{match['who']}{match['when']}{match['rest']}。"
    if match := _WHO_THEN.fullmatch(sentence):
        return f"{match['when']}{match['who']}{match['rest']}。"
    return None


RULES: dict[str, tuple[tuple[str, Rule], ...]] = {
    "en": (("voice", to_passive), ("fronting", time_first), ("cleft", to_cleft)),
    "zh": (("voice", ba_to_bei), ("fronting", time_and_subject)),
}
