"""What must hold inside one item beyond its shape: gold among the options, a target fit for the task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, assert_never

from harness.core.items import Component, FieldValue, Item, Prompt, Target, TaskShape
from harness.core.naming import suggestion
from harness.formats.faults import shown
from harness.suites.item_shape import TARGET_PARTS

Parts = tuple[str | int, ...]
Fault = tuple[Parts, str]

_OF_TYPE: dict[str, Callable[[FieldValue], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
}


def one_part_faults(record: Mapping[str, Any]) -> list[Fault]:
    """Targets and demonstrations' answers, as written, that say more or less than one thing.

    Example:
        >>> one_part_faults({"prompt": {}, "target": {"label": "pos", "option": 1}})
        [(('target',), 'expected exactly one of label, option, answers, fields, references; got label and option')]
    """
    targets: list[tuple[Parts, Any]] = [(("target",), record.get("target"))]
    for index, shown_before in enumerate(record["prompt"].get("demonstrations", ())):
        targets.append((("prompt", "demonstrations", index, "answer"), shown_before["answer"]))
    faults: list[Fault] = []
    for parts, target in targets:
        if not isinstance(target, dict):
            continue  # absent, or a bare text, which is one answer
        given = [part for part in TARGET_PARTS if target.get(part) is not None]
        if len(given) != 1:
            expected, found = ", ".join(TARGET_PARTS), " and ".join(given) or "none"
            faults.append((parts, f"expected exactly one of {expected}; got {found}"))
    return faults


def item_faults(item: Item, *, task: TaskShape, labels: Sequence[str] = ()) -> list[Fault]:
    """Faults of one item as (field path, message); the path is inside the item's JSON.

    Args:
        item: With the suite's prompt defaults merged in.
        task: The suite's task shape.
        labels: The suite's ordered label ids, if it declares any.

    Example:
        >>> from harness.core.items import Text
        >>> prompt = Prompt(question=Text("2 + 2 = ?"), options=("3", "4"))
        >>> item_faults(Item(language="en", prompt=prompt, target=Target(option=2)), task="multiple_choice")
        [(('target', 'option'), 'expected an index from 0 to 1 (there are 2 options), got 2')]
    """
    faults = list(_prompt_faults(item.prompt))
    faults += _task_faults(item, task)
    faults += _label_faults(item, labels)
    return faults


def _prompt_faults(prompt: Prompt) -> Iterator[Fault]:
    for name in ("system", "instruction", "question", "text"):
        text = getattr(prompt, name)
        if text is not None:
            yield from _protect_faults(text.text, text.protect, ("prompt", name))
    for index, passage in enumerate(prompt.context):
        yield from _protect_faults(passage.text, passage.protect, ("prompt", "context", index))
    for index, turn in enumerate(prompt.turns):
        yield from _protect_faults(turn.text, turn.protect, ("prompt", "turns", index))
    if len(set(prompt.options)) != len(prompt.options):
        twice = next(option for option in prompt.options if prompt.options.count(option) > 1)
        yield ("prompt", "options"), f"option {shown(twice)} stands twice; options must differ"
    yield from _order_faults(prompt)
    for index, demonstration in enumerate(prompt.demonstrations):
        options = demonstration.options or prompt.options
        for parts, message in _target_place_faults(demonstration.answer, prompt, options):
            yield ("prompt", "demonstrations", index, "answer", *parts), message


def _protect_faults(text: str, protect: Sequence[str], parts: Parts) -> Iterator[Fault]:
    for index, piece in enumerate(protect):
        if not piece or piece not in text:
            yield (*parts, "protect", index), f"{shown(piece)} does not occur in the text; copy it from there"


def _order_faults(prompt: Prompt) -> Iterator[Fault]:
    there: dict[Component, bool] = {
        "instruction": prompt.instruction is not None,
        "demonstrations": bool(prompt.demonstrations),
        "context": bool(prompt.context),
        "question": prompt.question is not None,
        "options": bool(prompt.options),
        "labels": bool(prompt.labels),
        "output": prompt.output is not None,
    }
    if len(set(prompt.order)) != len(prompt.order):
        yield ("prompt", "order"), "a part stands twice; name each once"
    lost = [name for name, is_there in there.items() if is_there and name not in prompt.order]
    if lost:
        yield ("prompt", "order"), f"leaves out {', '.join(lost)}, which the prompt has; add it"


def _label_faults(item: Item, ordered: Sequence[str]) -> Iterator[Fault]:
    ids = [label.id for label in item.prompt.labels]
    for index, label_id in enumerate(ids):
        if label_id in ids[:index]:
            yield ("prompt", "labels", index, "id"), f"label id '{label_id}' stands twice; ids must differ"
        elif ordered and label_id not in ordered:
            hint = suggestion(label_id, ordered)
            yield (
                ("prompt", "labels", index, "id"),
                f"label id '{label_id}' is not in the suite's labels {list(ordered)}.{hint}",
            )
    names: dict[str, str] = {}
    for index, label in enumerate(item.prompt.labels):
        for name in label.names:
            other = names.setdefault(name.casefold(), label.id)
            if other != label.id:
                message = f"name {shown(name)} is one of label '{other}' too; names must differ"
                yield ("prompt", "labels", index, "names"), message


def _target_place_faults(target: Target, prompt: Prompt, options: Sequence[str]) -> Iterator[Fault]:
    """Gold that is not among the options or labels."""
    if target.label is not None:
        ids = [label.id for label in prompt.labels]
        if target.label not in ids:
            hint = suggestion(target.label, ids)
            yield ("label",), f"gold '{target.label}' is not among the labels {ids}.{hint}"
    if target.option is not None and not 0 <= target.option < len(options):
        last = len(options) - 1
        there = f"an index from 0 to {last} (there are {len(options)} options)"
        yield ("option",), f"expected {there if options else 'options in the prompt'}, got {target.option}"


_TARGETS: dict[TaskShape, tuple[str, ...]] = {
    "multiple_choice": ("option",),
    "classification": ("label",),
    "extraction": ("fields",),
    "short_answer": ("answers",),
    "free_text": ("references", "answers"),
    "likelihood": (),
    "conversation": ("label", "fields", "answers", "references"),
}


def _target_part(target: Target) -> str:
    if target.label is not None:
        return "label"
    if target.option is not None:
        return "option"
    return "fields" if target.fields else "references" if target.references else "answers"


def _task_faults(item: Item, task: TaskShape) -> Iterator[Fault]:
    allowed = _TARGETS[task]
    needed = f"target.{' or target.'.join(allowed)}"
    if item.target is None:
        if allowed:
            yield ("target",), f"is missing; a {task} item needs {needed}"
    elif not allowed:
        yield ("target",), f"a {task} item has no target; remove it"
    elif (part := _target_part(item.target)) not in allowed:
        yield ("target", part), f"does not fit task '{task}', which needs {needed}"
    else:
        for parts, message in _target_place_faults(item.target, item.prompt, item.prompt.options):
            yield ("target", *parts), message
    yield from _part_faults(item, task)


def _part_faults(item: Item, task: TaskShape) -> Iterator[Fault]:
    """Parts that the task cannot do without."""
    prompt = item.prompt
    match task:
        case "multiple_choice":
            if len(prompt.options) < 2:
                yield ("prompt", "options"), f"at least 2 are needed, got {len(prompt.options)}"
        case "classification":
            if len(prompt.labels) < 2:
                yield (
                    ("prompt", "labels"),
                    f"classification needs at least 2 labels, got {len(prompt.labels)}; "
                    "add them here or to `prompt:` in suite.yaml",
                )
        case "extraction":
            yield from _field_faults(item)
        case "likelihood":
            if prompt.text is None or not prompt.text.text:
                yield ("prompt", "text"), "a likelihood item needs a text that is not empty"
            return
        case "conversation":
            if not prompt.turns or prompt.turns[-1].role != "user":
                yield ("prompt", "turns"), "a conversation must end with a turn whose role is 'user'"
            return
        case "short_answer" | "free_text":
            pass
        case _:
            assert_never(task)
    if not (prompt.question or prompt.context or prompt.options):
        yield ("prompt",), "asks nothing; add a question"


def _field_faults(item: Item) -> Iterator[Fault]:
    output = item.prompt.output
    if output is None:
        yield ("prompt", "output"), "extraction needs an output with its fields"
        return
    if item.target is None or not item.target.fields:
        return
    kinds, values = dict(output.fields), dict(item.target.fields)
    for name in kinds.keys() - values.keys():
        yield ("target", "fields"), f"lacks field '{name}' of the output; add it, or null where there is none"
    for name, value in item.target.fields:
        if name not in kinds:
            yield ("target", "fields", name), f"is not a field of the output.{suggestion(name, kinds)}"
        elif value is not None and kinds[name] in _OF_TYPE and not _OF_TYPE[kinds[name]](value):
            yield ("target", "fields", name), f"expected a {kinds[name]}, got {shown(value)}"
