"""The model declines to do the task."""

from __future__ import annotations

import re

from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.taxonomy.declare import Found, error_class
from harness.taxonomy.output_text import output_text

SCANNED_CHARACTERS = 200
_APOLOGY = (
    r"(?:i['’]?m\s(?:very\s|so\s|really\s)?sorry|i\sam\s(?:very\s|so\s)?sorry|sorry"
    r"|i\sapologi[sz]e|my\sapologies|unfortunately)"
)
_CANNOT = (
    r"(?:i\s(?:can['’]?t|cannot|can\snot|won['’]?t|will\snot|must\sdecline|have\sto\sdecline)"
    r"|(?:i\sam|i['’]m)\s(?:unable|not\sable)\sto)"
)
_DO = (
    r"(?:help|assist|provide|comply|fulfil|do\sthat|do\sthis|engage|support|generate|create|write|answer"
    r"|discuss|share|continue)"
)
_ENGLISH = re.compile(
    rf"^\W{{0,4}}(?:{_APOLOGY}[^.\n]{{0,40}}?[,.;:]?\s(?:but\s)?{_CANNOT}\s[^.\n]{{0,60}}?{_DO}"
    rf"|{_CANNOT}\s(?:\w+\s)?{_DO}\s(?:with|you|to\s(?:this|that|your)|this|that|in|any)"
    r"|as\san\s(?:ai|artificial\sintelligence)(?:\s[\w-]+){0,4},?\s(?:i|it\sis|it['’]s)\s"
    r"(?:can['’]?t|cannot|can\snot|am\s(?:not\sable|unable)|['’]m\s(?:not\sable|unable)|not\s(?:able|possible)|won['’]?t)"
    r"|i\smust\s(?:decline|refuse)|i\s(?:refuse|decline)\sto\b)",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"^\W{0,4}(?:(?:非常|很|真的|十分)?(?:抱歉|对不起|對不起|不好意思)[^。\n]{0,25}?(?:我)?[^。\n]{0,12}?"
    r"(?:无法|無法|不能|没办法|沒辦法|不可以|不便|拒绝|拒絕)"
    r"|(?:作为|作為|身为)(?:一个|一個|一名)?(?:人工智能|AI|大?语言模型|智能助手|人工智慧)[^。\n]{0,20}?"
    r"(?:无法|無法|不能|没有|不会|不可以)"
    r"|我(?:无法|無法|不能|拒绝|拒絕)(?:为您|为你|向您|向你|给您|给你|帮您|帮你|協助|协助|帮助|提供|满足|完成|继续|回应|执行|讨论))",
    re.IGNORECASE,
)


@error_class(
    stage="behaviour",
    order=10,
    version=1,
    needs={"output"},
    positives=(
        Example(output="I'm sorry, but I can't help with that.", answers=("nine",)),
        Example(output="抱歉，我无法回答这个问题。", answers=("九点",), language="zh"),
        Example(
            output="As an AI language model, I cannot express opinions.", labels=("good", "bad"), label="good"
        ),
        Example(output="作为一个人工智能语言模型，我不能提供个人意见。", answers=("九点",), language="zh"),
        Example(output="I cannot assist you with this request.", fields=(("day", "Monday"),)),
        Example(output="对不起，这个请求我没办法完成。", answers=("九点",), language="zh"),
    ),
    negatives=(
        Example(output="Sorry for the delay. The museum closes at nine.", answers=("nine",)),
        Example(output="I am able to help with that: nine.", answers=("nine",)),
        Example(output="I don't know.", answers=("nine",)),
        Example(output="I cannot swim, said the cat.", references=("The cat said it could not swim.",)),
        Example(output="无法确定", answers=("九点",), language="zh"),
        Example(output="他抱歉地说今天不能来。", answers=("九点",), language="zh"),
        Example(
            output="As an AI, I don't have a birthday, but the museum closes at nine.", answers=("nine",)
        ),
        Example(output="As an AI researcher, she works in Paris.", answers=("Paris",)),
    ),
)
def refusal(case: Case) -> Found | None:
    """The first 200 characters open with a phrase of declining to do the task.

    Declining for want of knowledge ("I don't know") is an abstention, which is no refusal.
    """
    text = output_text(case)
    if text is None:
        return None
    head = text.lstrip()[:SCANNED_CHARACTERS]
    match = _ENGLISH.match(head) or _CHINESE.match(head)
    return None if match is None else Found(match.group()[:60])
