"""Short answers: a word, a number, a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.core.exchange import Generate, Request
from harness.core.scores import Prediction
from harness.core.variants import Variant
from harness.prompting.forms import answer_in
from harness.prompting.render import render
from harness.prompting.thinking import without_thinking

if TYPE_CHECKING:
    from harness.prompting.asking import Asking

_ABSTAINS = re.compile(
    r"^(?:i (?:do not|don't|cannot|can't) (?:know|answer|tell|determine|say)|i am not sure|i'm not sure|"
    r"not enough information|unknown$|我不知道|不知道|无法(?:回答|确定|判断)|不清楚|信息不足)",
    re.IGNORECASE,
)


def request(variant: Variant, asking: Asking) -> Request:
    """Generate the answer."""
    prompt = render(variant.item, task=asking.task)
    return Generate(variant.variant_id, prompt, asking.generation, asking.samples)


def abstains(text: str) -> bool:
    """Whether a text declines to answer for want of knowledge.

    Example:
        >>> abstains("I don't know."), abstains("我不知道"), abstains("nine")
        (True, True, False)
    """
    return bool(_ABSTAINS.match(text.strip()))


def read_text(variant: Variant, text: str) -> Prediction:
    """The text itself; empty is unparsed, and declining is an abstention unless declining is accepted."""
    answer = without_thinking(text)
    if answer is None:
        return Prediction("unparsed", text=text, reason="the thinking block is not closed")
    if not answer:
        return Prediction("unparsed", text="", reason="empty")
    inner = answer_in(answer, variant.item.prompt.output)
    if inner is None:
        return Prediction("unparsed", text=answer, reason="not in the declared form")
    answer = inner
    target = variant.item.target
    accepted = () if target is None else (*target.answers, *target.references)
    if abstains(answer) and not any(abstains(option) for option in accepted):
        return Prediction("abstained", text=answer, reason="declines to answer")
    return Prediction("scored", text=answer)
