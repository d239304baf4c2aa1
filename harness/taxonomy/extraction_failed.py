"""The right answer stands in the output, but the strict reading did not find it."""

from __future__ import annotations

from harness.core.items import Target
from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.metrics.field_accuracy import same_value
from harness.taxonomy.declare import Found, error_class
from harness.taxonomy.lenient import embedded_record, is_accepted, lenient_hit
from harness.taxonomy.output_text import output_text

_LABELS = ("positive", "negative")


@error_class(
    stage="extraction",
    version=1,
    needs={"output", "gold"},
    positives=(
        Example(output="Not positive at all. The label is negative.", labels=_LABELS, label="negative"),
        Example(output='Here you are: {"day": "monday"}', fields=(("day", "Monday"),)),
        Example(output="Let me see. The answer is nine.", answers=("nine",)),
        Example(output="闭馆的时间写在最后一句，答案是九点。", answers=("九点",), language="zh"),
        Example(
            output="正面和负面都有一些，答案：负面", labels=("正面", "负面"), label="负面", language="zh"
        ),
    ),
    negatives=(
        Example(output="nine", answers=("nine",)),
        Example(output="Not nine but ten.", answers=("nine",)),
        Example(output="答案是八点，不是九点。", answers=("九点",), language="zh"),
        Example(output='Here you are: {"day": "Sunday"}', fields=(("day", "Monday"),)),
        Example(output="positive and negative", labels=_LABELS, label="negative"),
    ),
)
def extraction_failed(case: Case) -> Found | None:
    """The strict reading was empty or wrong, and a lenient one finds the gold.

    Lenient: after "the answer is" or 答案是, in bold, quotes, brackets or a box, in the first or last line, or
    as a JSON object inside prose. The gold anywhere in the text is not enough ("not nine but ten"). Not for
    references, which are compared as a whole.
    """
    item = case.variant.item
    target, text = item.target or Target(), output_text(case)
    if text is None or target.references:
        return None
    if target.fields:
        record = None if case.prediction.outcome == "scored" else embedded_record(text)
        if record is None:
            return None
        right = all(
            name in record and same_value(record[name], gold, language=item.language)
            for name, gold in target.fields
        )
        return Found("record inside other text") if right else None
    if not target.answers and case.prediction.outcome == "scored":
        return None
    if is_accepted(text, item):
        return None
    hit = lenient_hit(text, item)
    return None if hit is None else Found(hit[:60])
