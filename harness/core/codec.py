"""Items to and from the JSON shape that users write; absent parts are left out, so that equal content is equal text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.items import (
    DEFAULT_ORDER,
    Demonstration,
    Item,
    Label,
    OutputSpec,
    Passage,
    Prompt,
    Target,
    Text,
    Turn,
)

Json = dict[str, Any]


def text_to_json(text: Text) -> str | Json:
    """A bare string where nothing is protected."""
    if not text.protect:
        return text.text
    return {"text": text.text, "protect": list(text.protect)}


def text_from_json(value: str | Mapping[str, Any]) -> Text:
    """The reverse of `text_to_json`."""
    if isinstance(value, str):
        return Text(value)
    return Text(value["text"], tuple(value.get("protect", ())))


def _passage_to_json(passage: Passage) -> Json:
    record: Json = {"text": passage.text}
    if passage.key:
        record["key"] = True
    if passage.source is not None:
        record["source"] = passage.source
    if passage.protect:
        record["protect"] = list(passage.protect)
    return record


def _passage_from_json(value: str | Mapping[str, Any]) -> Passage:
    if isinstance(value, str):
        return Passage(value)
    return Passage(
        value["text"], bool(value.get("key", False)), value.get("source"), tuple(value.get("protect", ()))
    )


def target_to_json(target: Target) -> Json:
    """The one part of a target that is set."""
    if target.label is not None:
        return {"label": target.label}
    if target.option is not None:
        return {"option": target.option}
    if target.fields:
        return {"fields": dict(target.fields)}
    if target.references:
        return {"references": list(target.references)}
    return {"answers": list(target.answers)}


def target_from_json(value: Mapping[str, Any]) -> Target:
    """The reverse of `target_to_json`."""
    return Target(
        label=value.get("label"),
        option=value.get("option"),
        answers=tuple(value.get("answers", ())),
        fields=tuple(dict(value.get("fields", {})).items()),
        references=tuple(value.get("references", ())),
    )


def _demonstration_to_json(shown: Demonstration) -> Json:
    record: Json = {}
    if shown.context:
        record["context"] = [_passage_to_json(passage) for passage in shown.context]
    if shown.question is not None:
        record["question"] = text_to_json(shown.question)
    if shown.options:
        record["options"] = list(shown.options)
    answer = target_to_json(shown.answer)
    plain = shown.answer.answers
    record["answer"] = plain[0] if len(plain) == 1 else answer
    return record


def _demonstration_from_json(value: Mapping[str, Any]) -> Demonstration:
    answer = value["answer"]
    question = value.get("question")
    return Demonstration(
        answer=Target(answers=(answer,)) if isinstance(answer, str) else target_from_json(answer),
        question=None if question is None else text_from_json(question),
        context=tuple(_passage_from_json(passage) for passage in value.get("context", ())),
        options=tuple(value.get("options", ())),
    )


def _turn_to_json(turn: Turn) -> Json:
    record: Json = {"role": turn.role, "text": turn.text}
    if turn.protect:
        record["protect"] = list(turn.protect)
    return record


def prompt_to_json(prompt: Prompt) -> Json:
    """A prompt in the shape of `items.jsonl`, without its absent parts."""
    record: Json = {}
    for name in ("system", "instruction", "question", "text"):
        text: Text | None = getattr(prompt, name)
        if text is not None:
            record[name] = text_to_json(text)
    if prompt.demonstrations:
        record["demonstrations"] = [_demonstration_to_json(shown) for shown in prompt.demonstrations]
    if prompt.context:
        record["context"] = [_passage_to_json(passage) for passage in prompt.context]
    if prompt.options:
        record["options"] = list(prompt.options)
    if prompt.labels:
        record["labels"] = [{"id": label.id, "names": list(label.names)} for label in prompt.labels]
    if prompt.output is not None:
        record["output"] = {"format": prompt.output.format, "fields": dict(prompt.output.fields)}
        if prompt.output.wording is not None:
            record["output"]["wording"] = prompt.output.wording
    if prompt.turns:
        record["turns"] = [_turn_to_json(turn) for turn in prompt.turns]
    if prompt.order != DEFAULT_ORDER:
        record["order"] = list(prompt.order)
    return record


def _labels_from_json(values: Sequence[Mapping[str, Any]]) -> tuple[Label, ...]:
    return tuple(Label(value["id"], tuple(value["names"])) for value in values)


def prompt_from_json(value: Mapping[str, Any]) -> Prompt:
    """The reverse of `prompt_to_json`; trusts its input (suites validate what users write)."""

    def text(name: str) -> Text | None:
        return None if value.get(name) is None else text_from_json(value[name])

    output = value.get("output")
    return Prompt(
        system=text("system"),
        instruction=text("instruction"),
        demonstrations=tuple(_demonstration_from_json(shown) for shown in value.get("demonstrations", ())),
        context=tuple(_passage_from_json(passage) for passage in value.get("context", ())),
        question=text("question"),
        options=tuple(value.get("options", ())),
        labels=_labels_from_json(value.get("labels", ())),
        output=None
        if output is None
        else OutputSpec(
            output.get("format", "json"), tuple(output.get("fields", {}).items()), output.get("wording")
        ),
        turns=tuple(
            Turn(turn["role"], turn["text"], tuple(turn.get("protect", ())))
            for turn in value.get("turns", ())
        ),
        text=text("text"),
        order=tuple(value.get("order", DEFAULT_ORDER)),
    )


def item_to_json(item: Item) -> Json:
    """An item in the shape of `items.jsonl`.

    Example:
        >>> from harness.core.items import Item, Prompt, Target, Text
        >>> item_to_json(Item(language="en", prompt=Prompt(question=Text("Hi?")), target=Target(answers=("Hi",))))
        {'language': 'en', 'prompt': {'question': 'Hi?'}, 'target': {'answers': ['Hi']}}
    """
    record: Json = {"language": item.language, "prompt": prompt_to_json(item.prompt)}
    if item.target is not None:
        record["target"] = target_to_json(item.target)
    if item.tags:
        record["tags"] = dict(item.tags)
    if item.identity is not None:
        record["identity"] = item.identity
    return record


def item_from_json(value: Mapping[str, Any]) -> Item:
    """The reverse of `item_to_json`; trusts its input."""
    target = value.get("target")
    return Item(
        language=value["language"],
        prompt=prompt_from_json(value["prompt"]),
        target=None if target is None else target_from_json(target),
        tags=tuple(sorted((str(name), str(tag)) for name, tag in value.get("tags", {}).items())),
        identity=value.get("identity"),
    )
