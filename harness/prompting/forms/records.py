"""Records in a declared form: which form an output asks for, and how answers are written and read in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.items import FieldValue, OutputSpec
from harness.core.naming import unknown_name
from harness.prompting.forms import json_form, key_value, line, markdown_table, sentence, xml_form, yaml_form

Record = Mapping[str, FieldValue]
# A declared field whose value is told in the prompt: '"source" (always "text")'.
_CONSTANT = re.compile(r"(?:always|固定为) ?[\"“](?P<value>[^\"”]+)[\"”]")


@dataclass(frozen=True, slots=True)
class Form:
    """How a record is written, and how the whole of a text is read as one (None where it is none)."""

    write: Callable[[Record, OutputSpec], str]
    read: Callable[[str, OutputSpec], dict[str, FieldValue] | None]


FORMS: Mapping[str, Form] = {
    "json": Form(json_form.write, json_form.read),
    "json_extra": Form(json_form.write, json_form.read_complete),
    "xml": Form(xml_form.write, xml_form.read),
    "yaml": Form(yaml_form.write, yaml_form.read),
    "markdown_table": Form(markdown_table.write, markdown_table.read),
    "line": Form(line.write, line.read),
    "key_value": Form(key_value.write, key_value.read),
    "sentence": Form(sentence.write, sentence.read),
}


def form_of(output: OutputSpec) -> Form:
    """The form that is declared.

    Raises:
        UnknownName: With the nearest names.
    """
    if output.format not in FORMS:
        raise unknown_name("output format", output.format, FORMS)
    return FORMS[output.format]


def constants(output: OutputSpec) -> dict[str, FieldValue]:
    """The declared fields whose value the prompt tells, such as an extra field of `json_extra`.

    Example:
        >>> constants(OutputSpec("json_extra", (("label", "string"), ("source", 'always "text"'))))
        {'source': 'text'}
    """
    found: dict[str, FieldValue] = {}
    for name, kind in output.fields:
        match = _CONSTANT.fullmatch(kind)
        if match:
            found[name] = match["value"]
    return found


def write_record(record: Record, output: OutputSpec) -> str:
    """A record in its declared form, the told constants included.

    Example:
        >>> write_record({"day": "Monday"}, OutputSpec("xml", (("day", "string"),)))
        '<answer><day>Monday</day></answer>'
    """
    return form_of(output).write({**record, **constants(output)}, output)


def read_record(text: str, output: OutputSpec) -> dict[str, FieldValue] | None:
    """The record that the whole text is in the declared form, or None.

    Example:
        >>> read_record("day: Monday", OutputSpec("yaml", (("day", "string"),)))
        {'day': 'Monday'}
        >>> read_record("Sure! day: Monday", OutputSpec("json", (("day", "string"),))) is None
        True
    """
    return form_of(output).read(text, output)


def answer_field(output: OutputSpec | None) -> str | None:
    """The field that holds a single answer: the only one that is no told constant; None where there are more.

    Example:
        >>> answer_field(OutputSpec("json", (("output", "string"),)))
        'output'
        >>> answer_field(OutputSpec("json", (("name", "string"), ("day", "string")))) is None
        True
    """
    if output is None:
        return None
    told = constants(output)
    free = [name for name, _ in output.fields if name not in told]
    return free[0] if len(free) == 1 else None


def written(text: str, output: OutputSpec | None) -> str:
    """A single answer in the declared form; itself where none is declared.

    Example:
        >>> written("good", OutputSpec("json", (("output", "string"),))), written("good", None)
        ('{"output": "good"}', 'good')
    """
    field = answer_field(output)
    return text if field is None or output is None else write_record({field: text}, output)


def answer_in(text: str, output: OutputSpec | None) -> str | None:
    """The reverse of `written`; None where the text is not in the declared form.

    Example:
        >>> answer_in('{"output": "good"}', OutputSpec("json", (("output", "string"),)))
        'good'
    """
    field = answer_field(output)
    if field is None or output is None:
        return text
    record: Mapping[str, Any] = read_record(text, output) or {}  # JSON may nest
    value = record.get(field)
    return None if value is None or isinstance(value, dict | list) else str(value)
