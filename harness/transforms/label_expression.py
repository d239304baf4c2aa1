"""Asks for the label in another expression: behind its name, in a sentence, or in a small JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal, get_args

from harness.core.items import Item, OutputSpec
from harness.core.rng import Rng
from harness.core.variants import Change, Level
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.form_wordings import OPENINGS, asked_for, tongue_of
from harness.transforms.output_format import AS_WRITTEN, with_output
from harness.transforms.parameters import Between

Expression = Literal["named", "sentence", "json"]
_FORMAT: dict[Expression, str] = {"named": "key_value", "sentence": "sentence", "json": "json"}
# What the label is called, per pool and expression, so that no pool's words are another's.
_NAMES: dict[str, dict[Pool, dict[Expression, str]]] = {
    "en": {
        "challenge": {"named": "Category", "sentence": "category", "json": "output"},
        "treatment": {"named": "Label", "sentence": "label", "json": "label"},
        "sealed": {"named": "Class", "sentence": "class", "json": "prediction"},
    },
    "zh": {
        "challenge": {"named": "类别", "sentence": "类别", "json": "输出"},
        "treatment": {"named": "标签", "sentence": "标签", "json": "标签"},
        "sealed": {"named": "分类", "sentence": "分类结果", "json": "预测"},
    },
}


@transform(
    family="labels",
    preserves=Preserves.ANSWER,
    touches={"output"},
    languages={"en", "zh"},
    enumerates=True,
    unmet="no label to express: it needs labels, a label as target, and no declared form",
)
def label_expression(
    item: Item,
    rng: Rng,
    *,
    expressions: Annotated[tuple[Expression, ...], Between(1, 3)] = get_args(Expression),
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """The item as written, and one change per expression of the label; the labels' names stay.

    Args:
        expressions: `named` is "Category: good", `sentence` "The category is good.", `json` {"output": "good"}.

    Example:
        >>> from harness.core.items import Label, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> labels = (Label("pos", ("good",)), Label("neg", ("bad",)))
        >>> item = Item(language="en", prompt=Prompt(question=Text("Lovely."), labels=labels), target=Target("pos"))
        >>> from harness.prompting import answer_text
        >>> [answer_text(one.item.target, one.item.prompt, by_letter=False)
        ...  for one in label_expression(item, rng_for(0))]
        ['good', 'Category: good', 'The category is good.', '{"output": "good"}']
    """
    prompt, target = item.prompt, item.target
    if target is None or target.label is None or len(prompt.labels) < 2 or prompt.output is not None:
        return
    yield Change(item=item, level=Level(name=AS_WRITTEN))
    tongue = tongue_of(item.language)
    opening = rng.integer(len(OPENINGS[tongue][pool]))
    for name in expressions:
        output = OutputSpec(_FORMAT[name], ((_NAMES[tongue][pool][name], "string"),))
        told = asked_for(output, language=item.language, pool=pool, opening=opening)
        yield with_output(item, replace(output, wording=told), name)
