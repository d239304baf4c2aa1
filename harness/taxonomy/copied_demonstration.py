"""The answer is a demonstration's answer, and wrong."""

from __future__ import annotations

from harness.core.items import FieldValue, Target
from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.metrics.field_accuracy import same_value
from harness.metrics.normalise_answer import normalise_answer
from harness.taxonomy.declare import Found, error_class
from harness.taxonomy.lenient import is_accepted
from harness.taxonomy.output_text import output_text

# Answers that so many questions share that giving one is no copying.
COMMON = frozenset(
    ("yes", "no", "true", "false", "none", "0", "1")
    + ("是", "否", "对", "错", "正确", "错误", "有", "没有", "无")
)
LONGEST = 4_096
Fields = dict[str, FieldValue]


@error_class(
    stage="behaviour",
    order=20,
    version=1,
    needs={"output", "gold", "demonstrations"},
    positives=(
        Example(output="Paris.", answers=("Rome",), demonstrations=("Paris", "Madrid")),
        Example(output="上海", answers=("北京",), demonstrations=("广州", "上海"), language="zh"),
    ),
    negatives=(
        Example(output="Rome", answers=("Rome",), demonstrations=("Rome", "Madrid")),
        Example(output="Berlin", answers=("Rome",), demonstrations=("Paris", "Madrid")),
        Example(output="否", answers=("是",), demonstrations=("否", "是"), language="zh"),
        Example(output="bad", labels=("good", "bad"), label="good", demonstrations=("bad",)),
    ),
)
def copied_demonstration(case: Case) -> Found | None:
    """The whole answer equals a demonstration's answer and no accepted one.

    Only for open answers and records: among given labels or options any wrong choice equals some
    demonstration's. Nor for answers that many questions share (yes, no, 0, 1).
    """
    item = case.variant.item
    target, text = item.target or Target(), output_text(case)
    shown = [demonstration.answer for demonstration in item.prompt.demonstrations]
    if not shown or text is None:
        return None
    if target.fields:
        given, gold = dict(case.prediction.fields or ()), dict(target.fields)
        if not given or _same(gold, given, item.language):
            return None
        copied = any(_same(dict(answer.fields), given, item.language) for answer in shown if answer.fields)
        return Found() if copied else None
    if not (target.answers or target.references) or len(text) > LONGEST or is_accepted(text, item):
        return None
    answered = normalise_answer(text, language=item.language)
    texts = [answer for shot in shown for answer in (*shot.answers, *shot.references)]
    if not answered or answered in COMMON:
        return None
    copied = any(normalise_answer(answer, language=item.language) == answered for answer in texts)
    return Found() if copied else None


def _same(wanted: Fields, given: Fields, language: str) -> bool:
    return all(
        name in given and same_value(given[name], value, language=language) for name, value in wanted.items()
    )
