"""The answer is not in the declared format."""

from __future__ import annotations

from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.prompting.extraction import strict_json
from harness.taxonomy.declare import Found, error_class
from harness.taxonomy.lenient import embedded_record
from harness.taxonomy.output_empty import output_empty
from harness.taxonomy.output_text import output_text
from harness.taxonomy.refusal import refusal

_GOLD = (("day", "Monday"),)
_GOLD_ZH = (("日期", "周一"),)


@error_class(
    stage="form",
    order=10,
    version=2,
    needs={"output", "prompt"},
    positives=(
        Example(output='Here you are: {"day": "Monday"}', fields=_GOLD),
        Example(output='```json\n{"日期": "周一"}\n```', fields=_GOLD_ZH, language="zh"),
        Example(output="{'day': 'Monday'}", fields=_GOLD),
        Example(output="日期是周一。", fields=_GOLD_ZH, language="zh"),
        Example(output='{"day": {"name": "Monday"}}', fields=_GOLD),
    ),
    negatives=(
        Example(output='{"day": "Sunday"}', fields=_GOLD),
        Example(output=' {"日期": "周日", "地点": null}\n', fields=_GOLD_ZH, language="zh"),
        Example(output="I'm sorry, but I cannot help with that.", fields=_GOLD),
        Example(output="", fields=_GOLD),
        Example(output="Monday", answers=("Monday",)),
    ),
)
def invalid_format(case: Case) -> Found | None:
    """The item declares a record, and the answer, though there is one, is not strictly a flat JSON object.

    The detail says whether an object inside prose or a fence could have been read. An empty output or a
    refusal makes no attempt at the format and is not counted here.
    """
    item = case.variant.item
    declares = item.prompt.output is not None or (item.target is not None and bool(item.target.fields))
    text = output_text(case)
    if not declares or text is None or output_empty(case) or refusal(case):
        return None
    output = item.prompt.output
    # Other forms, and a form around a label or a short answer, are judged by whether the reading took them.
    if output is not None and (output.format != "json" or not (item.target and item.target.fields)):
        return Found("unread") if case.prediction.outcome == "unparsed" else None
    record = strict_json(text)
    if record is not None:
        nested = any(isinstance(value, dict | list) for value in record.values())
        return Found("nested value") if nested else None
    return Found("repairable" if embedded_record(text) is not None else "not JSON")
