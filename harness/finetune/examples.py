"""Training examples from rows of three shapes: items, prompt and answer columns, conversations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.core.codec import item_from_json
from harness.core.errors import DataError
from harness.core.exchange import Message
from harness.core.items import Item, Passage, Prompt, Role, Target, TaskShape, Text
from harness.core.naming import suggestion
from harness.core.rng import rng_for
from harness.finetune.recipe import Parts, Recipe
from harness.finetune.shape import MapShape, RowsShape
from harness.finetune.source_rows import Record, read_records
from harness.formats.findings import Finding, raise_findings
from harness.prompting import Asking, Reading

_ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "human": "user",
    "gpt": "assistant",
}
_CHAT_KEYS = ("messages", "conversations")


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to learn: an item with how it is asked, or a conversation.

    Args:
        path: Its file.
        line: Its line, where known.
        index: Its place among the file's rows.
        item: With its target; None for a conversation.
        asking: How the item is asked.
        messages: The conversation, else empty.
    """

    path: Path
    line: int | None
    index: int
    item: Item | None = None
    asking: Asking | None = None
    messages: tuple[Message, ...] = ()

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.path}:{self.line}" if self.line is not None else f"{self.path}: [{self.index}]"


@dataclass(frozen=True, slots=True)
class Source:
    """What was read of one file.

    Args:
        path: The file.
        kind: Which of the three shapes its rows have.
        n_rows: Rows in the file.
        examples: Those used.
    """

    path: Path
    kind: str
    n_rows: int
    examples: tuple[Example, ...]


class _Unusable(ValueError):
    """A row that cannot be used, with the field at fault."""

    def __init__(self, field: str | None, message: str) -> None:
        super().__init__(message)
        self.field = field


def read_source(recipe: Recipe, parts: Parts, shape: RowsShape, path: Path) -> Source:
    """All rows of a file as examples.

    Args:
        recipe: For the places of errors.
        parts: Where in the recipe the file is named.
        shape: How its rows are to be read.
        path: The file.

    Raises:
        DataError: With file, line and field of each row that cannot be used.
        RecipeError: If the recipe does not say what the rows need.
    """
    records = read_records(path)
    kind = _kind(recipe, parts, shape, records[0].value, path)
    asking = Asking(
        shape.task or "short_answer",
        Reading() if shape.read is None else Reading(by=shape.read.by, show_options=shape.read.show_options),
    )
    made, faults = [], []
    for record in records:
        place = Example(path, record.line, record.index)
        try:
            made.append(_example(kind, record, shape, asking, place))
        except _Unusable as unusable:
            lead = "" if record.line is not None else f"[{record.index}]"
            field = ".".join(part for part in (lead, unusable.field) if part) or None
            faults.append(Finding(str(unusable), str(path), record.line, field=field))
    if faults:
        raise_findings(faults, DataError)
    return Source(path, kind, len(records), tuple(made))


def drawn(source: Source, *, share: float, limit: int | None, seed: int) -> tuple[Example, ...]:
    """The share of the examples that the seed draws, each by its own place, in the file's order."""
    kept = source.examples
    if share < 1:
        kept = tuple(one for one in kept if rng_for(seed, "share", source.path.name, one.index).chance(share))
    return kept[:limit]


def _kind(recipe: Recipe, parts: Parts, shape: RowsShape, row: Mapping[str, Any], path: Path) -> str:
    if shape.map is not None:
        if shape.map.question is None and shape.map.instruction is None:
            message = "maps neither `question` nor `instruction`; name the column that asks"
            raise recipe.fault((*parts, "map"), message)
        if shape.task not in (None, "short_answer", "free_text", "multiple_choice"):
            message = f"rows with a `map` are short_answer, free_text or multiple_choice, not '{shape.task}'"
            raise recipe.fault((*parts, "task"), message + "; write items for that")
        if shape.task == "multiple_choice" and shape.map.options is None:
            raise recipe.fault((*parts, "map"), "multiple choice needs `options`; name their column")
        return "map"
    if any(key in row for key in _CHAT_KEYS):
        unread = [name for name in ("task", "read", "language") if getattr(shape, name) is not None]
        if unread:
            raise recipe.fault((*parts, unread[0]), "is not read for conversations; remove it")
        return "chat"
    if isinstance(row.get("prompt"), dict):
        if shape.task is None:
            message = f"is missing; the items of {path.name} need the task they are asked as"
            raise recipe.fault((*parts, "task"), message)
        if shape.language is not None:
            raise recipe.fault((*parts, "language"), "is not read for items, which name theirs; remove it")
        return "items"
    keys = ", ".join(sorted(row)) or "none"
    raise recipe.fault(
        (*parts, "map"),
        f"is missing: the rows of {path.name} are neither items nor conversations (their keys: {keys}); "
        "add e.g. map: {question: <column>, answer: <column>}",
    )


def _example(kind: str, record: Record, shape: RowsShape, asking: Asking, place: Example) -> Example:
    if kind == "chat":
        return replace(place, messages=tuple(_messages(record.value)))
    if kind == "items":
        return replace(place, item=_item(record.value, asking.task), asking=asking)
    assert shape.map is not None
    item = _mapped(record.value, shape.map, shape.language, asking.task)
    return replace(place, item=item, asking=asking)


def _item(row: Mapping[str, Any], task: TaskShape) -> Item:
    from pydantic import ValidationError

    from harness.formats.faults import field_path, shape_faults
    from harness.suites.item_checks import item_faults, one_part_faults
    from harness.suites.item_shape import ItemRecord

    try:
        ItemRecord.model_validate(row)
    except ValidationError as error:
        parts, message = shape_faults(error, ItemRecord)[0]
        raise _Unusable(field_path(parts) or None, message) from None
    faults = one_part_faults(row) if row.get("target") is not None else []
    item = None if faults else item_from_json(row)
    if item is not None:
        faults = item_faults(item, task=task)
    if item is None or faults:
        parts, message = faults[0]
        raise _Unusable(field_path(parts) or None, message)
    return item


def _messages(row: Mapping[str, Any]) -> Iterator[Message]:
    key = next((name for name in _CHAT_KEYS if name in row), None)
    if key is None:
        raise _Unusable(None, f"has no `messages`; its keys: {', '.join(sorted(row)) or 'none'}")
    turns = row[key]
    if not isinstance(turns, list) or not turns:
        raise _Unusable(key, f"expected a list of messages, got {turns!r:.60}")
    if isinstance(row.get("system"), str) and row["system"]:
        yield Message("system", row["system"])
    n_answers = 0
    for place, turn in enumerate(turns):
        message = _message(turn, f"{key}[{place}]")
        n_answers += message.role == "assistant"
        yield message
    if not n_answers:
        raise _Unusable(key, "has no turn of the assistant: there is nothing to learn")


def _message(turn: Any, field: str) -> Message:
    if not isinstance(turn, dict):
        raise _Unusable(field, f"expected {{role, content}}, got {turn!r:.60}")
    role_key, text_key = ("from", "value") if "from" in turn else ("role", "content")
    role, text = turn.get(role_key), turn.get(text_key)
    if role not in _ROLES:
        near = suggestion(str(role), _ROLES)
        raise _Unusable(f"{field}.{role_key}", f"expected one of {', '.join(_ROLES)}, got {role!r}.{near}")
    if not isinstance(text, str):
        raise _Unusable(f"{field}.{text_key}", f"expected a text, got {text!r:.60}")
    if _ROLES[role] == "assistant" and not text.strip():
        raise _Unusable(f"{field}.{text_key}", "is empty: there is nothing to learn; remove the row")
    return Message(_ROLES[role], text)


def _column(row: Mapping[str, Any], name: str | None) -> str:
    """A column's text, "" where it is empty or not mapped."""
    if name is None:
        return ""
    if name not in row:
        raise _Unusable(name, f"has no such column.{suggestion(name, row)} Its columns: {', '.join(row)}")
    value = row[name]
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Unusable(name, f"expected a text, got {value!r:.60}")
    return str(value)


def _texts(row: Mapping[str, Any], name: str | None) -> tuple[str, ...]:
    """A column that holds a text or a list of texts."""
    value = row.get(name) if name is not None else None
    if isinstance(value, list):
        wrong = [one for one in value if not isinstance(one, str)]
        if wrong:
            raise _Unusable(name, f"expected texts, got {wrong[0]!r:.60}")
        return tuple(value)
    text = _column(row, name)
    return (text,) if text else ()


def is_chinese(text: str) -> bool:
    """Whether any Chinese character stands in a text.

    Example:
        >>> is_chinese("why?"), is_chinese("为什么?")
        (False, True)
    """
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def _mapped(row: Mapping[str, Any], columns: MapShape, language: str | None, task: TaskShape) -> Item:
    answer = _column(row, columns.answer)
    if not answer.strip():
        raise _Unusable(columns.answer, "is empty: there is nothing to learn; remove the row")
    asked = {name: _column(row, getattr(columns, name)) for name in ("question", "instruction", "system")}
    if not asked["question"].strip() and not asked["instruction"].strip():
        raise _Unusable(columns.question or columns.instruction, "is empty: nothing is asked; remove the row")
    parts = {name: Text(text) if text.strip() else None for name, text in asked.items()}
    options = _texts(row, columns.options)
    if options and answer not in options:
        near = suggestion(answer, options)
        raise _Unusable(columns.answer, f"expected one of the options {list(options)}, got {answer!r}.{near}")
    target = Target(option=options.index(answer)) if task == "multiple_choice" else Target(answers=(answer,))
    told = _column(row, columns.language) or language
    return Item(
        language=told or ("zh" if is_chinese(asked["question"] + asked["instruction"]) else "en"),
        prompt=Prompt(
            system=parts["system"],
            instruction=parts["instruction"],
            question=parts["question"],
            context=tuple(Passage(text) for text in _texts(row, columns.context)),
            options=options,
        ),
        target=target,
    )
