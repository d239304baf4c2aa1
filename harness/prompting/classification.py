"""Classification with a label map: by likelihood of the label names, or from generated text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.errors import UsageError
from harness.core.exchange import Choose, Generate, Request
from harness.core.scores import Prediction
from harness.core.variants import Variant
from harness.prompting.forms import answer_in, written
from harness.prompting.render import render
from harness.prompting.thinking import without_thinking

if TYPE_CHECKING:
    from harness.prompting.asking import Asking


def request(variant: Variant, asking: Asking) -> Request:
    """Choose among the shown label names, or generate."""
    labels = variant.item.prompt.labels
    if len(labels) < 2:
        raise UsageError(
            f"Item {variant.item_id} has {len(labels)} label(s); classification needs at least 2. "
            "Add `labels` to the item or to the suite's `prompt:`."
        )
    prompt = render(variant.item, task="classification")
    if asking.reading.by == "generation":
        return Generate(variant.variant_id, prompt, asking.generation, asking.samples)
    return Choose(variant.variant_id, prompt, shown_names(variant))


def shown_names(variant: Variant) -> tuple[str, ...]:
    """The labels' first names, each in the declared form of the answer where there is one."""
    prompt = variant.item.prompt
    return tuple(written(label.names[0], prompt.output) for label in prompt.labels)


def read_text(variant: Variant, text: str) -> Prediction:
    """The label whose name the text is, or the only label whose name occurs in it.

    Where a form is declared, the text must be in it, and the value in it is what is read.
    """
    answer = without_thinking(text)
    if answer is None:
        return Prediction("unparsed", text=text, reason="the thinking block is not closed")
    inner = answer_in(answer, variant.item.prompt.output)
    if inner is None:
        return Prediction("unparsed", text=answer, reason="not in the declared form")
    folded = inner.strip().strip(".。!！\"'").casefold()
    labels = variant.item.prompt.labels
    for label in labels:
        if any(name.casefold() == folded for name in label.names):
            return Prediction("scored", label=label.id, text=answer)
    # The longest names first, each occurrence taken out, so that "not sure" is not also read as "sure".
    rest, found = folded, []
    by_length = sorted(
        ((name.casefold(), label.id) for label in labels for name in label.names), key=lambda p: -len(p[0])
    )
    for name, label_id in by_length:
        if name and name in rest:
            rest = rest.replace(name, "\0")
            found.append(label_id)
    if len(set(found)) == 1:
        return Prediction("scored", label=found[0], text=answer)
    reason = "names several labels" if found else "names no label of the set"
    return Prediction("unparsed", text=answer, reason=reason)
