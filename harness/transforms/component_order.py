"""Lays the prompt's components out in another order: the question first, the instruction last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from harness.core.errors import TransformError
from harness.core.items import Component, Item, Prompt
from harness.core.naming import suggestion
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between

# Each name puts some components first and some last; the others keep their order between them.
# A name belongs to one pool, so that training on orders never shows the orders that are tested.
_Named = tuple[tuple[Component, ...], tuple[Component, ...]]
ORDERS: dict[Pool, dict[str, _Named]] = {
    "challenge": {
        "question-first": (("question", "options"), ()),
        "context-first": (("context",), ()),
        "instruction-last": ((), ("instruction",)),
        "demonstrations-first": (("demonstrations",), ()),
    },
    "treatment": {
        "question-then-instruction": (("question", "options", "instruction"), ()),
        "context-then-instruction": (("context", "instruction"), ()),
        "rules-last": ((), ("instruction", "labels", "output")),
        "options-first": (("options",), ()),
    },
    "sealed": {
        "labels-last": ((), ("labels", "output")),
        "context-then-question": (("context", "question", "options"), ()),
        "instruction-before-question": (("labels", "output", "demonstrations", "context", "instruction"), ()),
    },
}


@transform(
    family="order",
    preserves=Preserves.ANSWER,
    touches={"order"},
    enumerates=True,
    unmet="no components to reorder: it needs at least two",
)
def component_order(
    item: Item,
    rng: Rng,
    *,
    orders: tuple[str, ...] = (),
    sampled: Annotated[int, Between(0, 24)] = 0,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change per order that differs on the components the item has; the usual order is among them.

    Texts are left alone. Pools hold different named orders, but an item of two components has only two orders
    whatever they are called.

    Args:
        orders: Names of orders; empty for all of the pool's, unless some are sampled.
        sampled: Random orders besides the named ones.

    Raises:
        TransformError: For a name the pool does not hold.

    Example:
        >>> from harness.core.items import Text
        >>> from harness.core.rng import rng_for
        >>> prompt = Prompt(instruction=Text("Answer in one word."), question=Text("Capital of Peru?"))
        >>> item = Item(language="en", prompt=prompt)
        >>> changes = component_order(item, rng_for(0), orders=("question-first",))
        >>> [change.level.name for change in changes]
        ['usual', 'question-first']
    """
    present = _present(item.prompt)
    if len(present) < 2:
        return
    seen = set()
    for name, order in _candidates(item.prompt.order, present, orders, sampled, rng, pool):
        realised = tuple(component for component in order if component in present)
        if realised in seen:
            continue
        seen.add(realised)
        moved = realised != present
        yield Change(
            item=replace(item, prompt=replace(item.prompt, order=order)) if moved else item,
            level=Level(name=name),
            edits=(Edit("order", " ".join(present), " ".join(realised)),) if moved else (),
        )


def _present(prompt: Prompt) -> tuple[Component, ...]:
    """The components that the prompt really has, in its order."""
    there = {
        "output": prompt.output is not None and bool(prompt.output.fields),
        "instruction": prompt.instruction is not None,
        "question": prompt.question is not None,
    }
    return tuple(
        component for component in prompt.order if there.get(component, bool(getattr(prompt, component)))
    )


def _candidates(
    usual: tuple[Component, ...],
    present: tuple[Component, ...],
    orders: tuple[str, ...],
    sampled: int,
    rng: Rng,
    pool: Pool,
) -> Iterator[tuple[str, tuple[Component, ...]]]:
    yield "usual", usual
    held = ORDERS[pool]
    for name in orders or (() if sampled else tuple(held)):
        if name not in held:
            hint = suggestion(name, held) or f" It holds: {', '.join(held)}."
            raise TransformError(
                f"Transform 'component_order': the pool '{pool}' holds no order named '{name}'.{hint}"
            )
        first, last = held[name]
        middle = tuple(component for component in usual if component not in first and component not in last)
        ends = [tuple(component for component in end if component in usual) for end in (first, last)]
        yield name, (*ends[0], *middle, *ends[1])
    for _ in range(sampled):
        drawn = tuple(rng.shuffled(present))
        absent = tuple(component for component in usual if component not in present)
        yield "sampled " + " ".join(drawn), (*drawn, *absent)
