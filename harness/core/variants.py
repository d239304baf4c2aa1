"""What a transform makes of an item, and the variant that is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from harness.core.digest import canonical_json, digest
from harness.core.items import Item

SOURCE = "source"  # the transform name of the unchanged item


@dataclass(frozen=True, slots=True)
class Edit:
    """One changed span: the part it lies in ("question", "context[2]"), and the text before and after."""

    part: str
    before: str
    after: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class Level:
    """The typed step a variant stands on: where the key stands, how strong, or which arrangement.

    Args:
        position: Where the key information really stands, 0 (first) to 1 (last).
        dose: Measured strength, e.g. edits per character, >= 0.
        name: An arrangement's name, e.g. "question-first".
    """

    position: float | None = None
    dose: float | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One result of a transform.

    Args:
        item: The changed item, its target included.
        level: The step it stands on.
        answer_map: (source answer, new answer) pairs where answers move, e.g. label names.
        edits: What was changed, for showing.
    """

    item: Item
    level: Level = field(default_factory=Level)
    answer_map: tuple[tuple[str, str], ...] = ()
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Variant:
    """An item made by a transform: what is really asked. The unchanged item is the variant `source`.

    Not slotted: the id is computed once, on first use.

    Args:
        item: The changed item.
        item_id: The source item's id, which is the cluster.
        transform: Name of the transform, or a chain joined by " > "; "source" where nothing changed.
        family: The family of the (last) transform: position, noise, order, boundary ...
        params: Canonical JSON of the parameters.
        draw: Number of the repeat under the same parameters, from 0.
        level: The step it stands on.
        edits: What was changed.
    """

    item: Item
    item_id: str
    transform: str = SOURCE
    family: str = SOURCE
    params: str = "{}"
    draw: int = 0
    level: Level = field(default_factory=Level)
    edits: tuple[Edit, ...] = ()

    @cached_property
    def variant_id(self) -> str:
        """The digest of source item, chain, parameters, draw and level."""
        level = [self.level.position, self.level.dose, self.level.name]
        return digest("variant/1", self.item_id, self.transform, self.params, self.draw, level)


def source_variant(item: Item) -> Variant:
    """The item itself as a variant.

    Example:
        >>> from harness.core.items import Prompt
        >>> source_variant(Item(language="en", prompt=Prompt())).transform
        'source'
    """
    return Variant(item=item, item_id=item.item_id)


def params_text(params: dict[str, object]) -> str:
    """Parameters as the canonical JSON kept in a variant and in the scores."""
    return canonical_json(params)
