"""The fixed words around a prompt's parts, per language. Changing one changes every prompt: raise RENDERER_VERSION."""

from __future__ import annotations

from dataclasses import dataclass

RENDERER_VERSION = 1


@dataclass(frozen=True, slots=True)
class Wordings:
    """What introduces each part, and how a plain-text answer is invited.

    Args:
        joiner: Between the cue and the answer in plain text.
        colon: After a part's name.
        separator: Between listed names.
        fields: With `{fields}`; said where the output is a record.
    """

    passage: str
    question: str
    text: str
    labels: str
    answer: str
    user: str
    assistant: str
    colon: str
    joiner: str
    separator: str
    fields: str


ENGLISH = Wordings(
    passage="Passage",
    question="Question",
    text="Text",
    labels="Labels",
    answer="Answer",
    user="User",
    assistant="Assistant",
    colon=": ",
    joiner=" ",
    separator=", ",
    fields="Answer as {format} with the fields {fields}.",
)
CHINESE = Wordings(
    passage="短文",
    question="问题",
    text="文本",
    labels="类别",
    answer="答案",
    user="用户",
    assistant="助手",
    colon="：",
    joiner="",
    separator="、",
    fields="用{format}回答，字段：{fields}。",
)


def wordings_of(language: str) -> Wordings:
    """Chinese for zh and its variants, English for every other language.

    Example:
        >>> wordings_of("zh-TW").answer, wordings_of("fr").answer
        ('答案', 'Answer')
    """
    return CHINESE if language.split("-")[0] == "zh" else ENGLISH
