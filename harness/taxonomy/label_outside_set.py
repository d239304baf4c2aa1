"""The answer names none of the labels or options that were given."""

from __future__ import annotations

import re

from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.metrics.normalise_answer import folded
from harness.prompting.render import option_letter
from harness.prompting.short_answer import abstains
from harness.taxonomy.declare import Found, error_class
from harness.taxonomy.output_empty import output_empty
from harness.taxonomy.output_text import output_text
from harness.taxonomy.refusal import refusal

_LABELS = ("positive", "negative")
_LABELS_ZH = ("正面", "负面")
LONGEST_SHOWN = 60


@error_class(
    stage="form",
    order=20,
    version=1,
    needs={"output", "prompt"},
    positives=(
        Example(output="neutral", labels=_LABELS, label="negative"),
        Example(output="中立", labels=_LABELS_ZH, label="负面", language="zh"),
        Example(output="E", options=("3", "4", "5"), option=1),
        Example(output="六", options=("三", "四", "五"), option=1, language="zh"),
    ),
    negatives=(
        Example(output="positive", labels=_LABELS, label="negative"),
        Example(output="正面和负面都有", labels=_LABELS_ZH, label="负面", language="zh"),
        Example(output="I'm sorry, but I can't help with that.", labels=_LABELS, label="negative"),
        Example(output="我不知道", labels=_LABELS_ZH, label="负面", language="zh"),
        Example(output="因为周一闭馆，所以选B或C。", options=("三", "四", "五"), option=1, language="zh"),
        Example(option_nats=(-1.0, -2.0), labels=_LABELS, label="negative"),
    ),
)
def label_outside_set(case: Case) -> Found | None:
    """A generated answer could not be read and no label's name, option's text or letter occurs in it.

    An answer that names several is not outside the set; declining to answer is not naming one. Never holds
    where likelihoods were compared.
    """
    prompt = case.variant.item.prompt
    names = [name for label in prompt.labels for name in label.names] + list(prompt.options)
    text = output_text(case)
    if not names or text is None or case.prediction.outcome != "unparsed":
        return None
    if output_empty(case) or refusal(case) or abstains(text):
        return None
    flat = folded(text)
    if any(
        re.search(rf"(?<![A-Za-z]){option_letter(place)}(?![A-Za-z])", text)
        for place in range(len(prompt.options))
    ):
        return None
    if any(name.strip() and folded(name.strip()) in flat for name in names):
        return None
    return Found(" ".join(text.split())[:LONGEST_SHOWN])
