"""Asks for the answer in another form: JSON, JSON with a further field, a table, XML, YAML, a bare line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal, get_args

from harness.core.items import Item, OutputSpec, Prompt
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.form_wordings import OPENINGS, asked_for, tongue_of
from harness.transforms.parameters import Between

Format = Literal["json", "json_extra", "markdown_table", "xml", "yaml", "line"]
AS_WRITTEN = "as written"
# The one field of a single answer, and the further field with its told value, as each pool calls them.
_FIELD: dict[str, dict[Pool, str]] = {
    "en": {"challenge": "result", "treatment": "answer", "sealed": "response"},
    "zh": {"challenge": "结果", "treatment": "答案", "sealed": "回复"},
}
_EXTRA: dict[str, dict[Pool, tuple[str, str]]] = {
    "en": {
        "challenge": ("source", 'always "text"'),
        "treatment": ("version", 'always "1"'),
        "sealed": ("state", 'always "final"'),
    },
    "zh": {
        "challenge": ("来源", "固定为“文本”"),
        "treatment": ("版本", "固定为“1”"),
        "sealed": ("状态", "固定为“完成”"),
    },
}
_XML_NAME = re.compile(r"[^\W\d][\w.-]*")


@transform(
    family="format",
    preserves=Preserves.ANSWER,
    touches={"output"},
    languages={"en", "zh"},
    enumerates=True,
    unmet="no answer to give another form: it needs declared fields, labels, options or a short answer",
)
def output_format(
    item: Item,
    rng: Rng,
    *,
    formats: Annotated[tuple[Format, ...], Between(1, 6)] = get_args(Format),
    wordings: Annotated[int, Between(1, 3)] = 1,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """The item as written, and one change per form and wording; demonstrations follow by themselves.

    A record keeps its fields; a single answer (label, option, short answer) becomes the value of one field, or a
    line of its own. The answer is read strictly in the form, so that three numbers can be told apart:
    `format_validity_score`, a metric `_given_parsed`, and the metric itself.

    Args:
        formats: Which forms.
        wordings: Sentences that ask for each form, of the pool's three.

    Example:
        >>> from harness.core.items import Target, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("2 + 2?")), target=Target(answers=("4",)))
        >>> changes = list(output_format(item, rng_for(0), formats=("json", "line")))
        >>> [change.level.name for change in changes]
        ['as written', 'json', 'line']
        >>> changes[1].item.prompt.output.fields
        (('result', 'string'),)
    """
    fields = _fields(item, pool)
    if not fields:
        return
    yield Change(item=item, level=Level(name=AS_WRITTEN))
    tongue = tongue_of(item.language)
    first = rng.integer(len(OPENINGS[tongue][pool]))
    for name in formats:
        shown = (*fields, _EXTRA[tongue][pool]) if name == "json_extra" else fields
        if name == "json_extra" and shown[-1][0] in dict(fields):
            continue
        if name == "xml" and not all(_XML_NAME.fullmatch(field) for field, _ in shown):
            continue
        for turn in range(wordings):
            opening = (first + turn) % len(OPENINGS[tongue][pool])
            output = OutputSpec(name, shown)
            told = asked_for(output, language=item.language, pool=pool, opening=opening)
            level = name if turn == 0 else f"{name} {turn + 1}"
            yield with_output(item, replace(output, wording=told), level)


def _fields(item: Item, pool: Pool) -> tuple[tuple[str, str], ...]:
    """The fields of the answer; none where the item has no answer to put into one."""
    target, prompt = item.target, item.prompt
    if target is None or prompt.text is not None or target.references:
        return ()
    if target.fields:
        return prompt.output.fields if prompt.output is not None else ()
    if prompt.output is not None or any(text.count("\n") for text in (*target.answers, *prompt.options)):
        return ()  # another form was already declared, or would be broken
    return ((_FIELD[tongue_of(item.language)][pool], "string"),)


def with_output(item: Item, output: OutputSpec, level: str) -> Change:
    """The item with a declared form, which is laid out behind the instruction where the order left it out."""
    prompt: Prompt = replace(item.prompt, output=output)
    if "output" not in prompt.order:
        at = prompt.order.index("instruction") + 1 if "instruction" in prompt.order else 0
        prompt = replace(prompt, order=(*prompt.order[:at], "output", *prompt.order[at:]))
    before = "" if item.prompt.output is None else item.prompt.output.format
    return Change(
        item=replace(item, prompt=prompt),
        level=Level(name=level),
        edits=(Edit("output", before, output.wording or output.format),),
    )
