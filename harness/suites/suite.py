"""A loaded suite, and what is asked of it: its items and their variants."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.core.digest import digest, digest_of_ids
from harness.core.errors import UsageError
from harness.core.items import Item
from harness.core.variants import Variant
from harness.prompting.asking import Asking
from harness.transforms.plan import Plan, Rejected, build_variants


@dataclass(frozen=True, slots=True)
class Suite:
    """A named, versioned collection of items, and how they are asked.

    Args:
        name: As in suite.yaml.
        version: As in suite.yaml.
        summary: One sentence.
        licence: Of the items.
        languages: Declared and used, in the declared order.
        asking: Task shape, reading and generation.
        metrics: Names of item metrics, the primary among them.
        primary: The metric that a gate judges unless told otherwise.
        plan: The transforms that make the variants.
        smoke: How many source items the quick subset has.
        items: In the order of the file, demonstrations in place.
        path: The folder it was loaded from.
        labels: Ids of the classes in their order, where the order means something.
    """

    name: str
    version: str
    summary: str
    licence: str
    languages: tuple[str, ...]
    asking: Asking
    metrics: tuple[str, ...]
    primary: str
    plan: Plan
    smoke: int
    items: tuple[Item, ...]
    path: Path | None = None
    labels: tuple[str, ...] = ()

    def picked(self, *, limit: int | None = None, smoke: bool = False) -> tuple[Item, ...]:
        """A subset by item id, in the order of the file; a smaller limit is a subset of a larger one.

        Never the first n of the file: files are sorted by topic, and their beginning is not a sample.

        Raises:
            UsageError: If the limit is below 1.
        """
        if limit is not None and limit < 1:
            raise UsageError(f"limit must be at least 1 item, got {limit}.")
        sizes = [size for size in (limit, self.smoke if smoke else None) if size is not None]
        if not sizes or min(sizes) >= len(self.items):
            return self.items
        ranked = sorted(self.items, key=lambda item: digest("pick/1", item.item_id))
        chosen = {item.item_id for item in ranked[: min(sizes)]}
        return tuple(item for item in self.items if item.item_id in chosen)

    def build(self, *, seed: int = 0, limit: int | None = None, smoke: bool = False) -> BuiltSuite:
        """The variants that are asked: every picked item as it is, then what the plan makes of it.

        Args:
            seed: Seeds the transforms; an item's variants do not depend on the other items.
            limit: At most so many source items, picked by id.
            smoke: The quick subset, picked the same way.

        Raises:
            TransformError: If a transform changes no item of the whole suite.
        """
        items = self.picked(limit=limit, smoke=smoke)
        # A small subset may hold no item that a transform applies to; the whole suite must.
        partial = len(items) < len(self.items)
        built = build_variants(items, self.plan, seed=seed, allow_unchanged=partial)
        return BuiltSuite(suite=self, variants=built.variants, rejected=built.rejected)


@dataclass(frozen=True)
class BuiltSuite:
    """A suite with its variants made. Not slotted: the digest is computed once, on first use.

    Args:
        suite: What it was built from.
        variants: Source items first, then the plan's, per item.
        rejected: What a transform could not make or made equal to its source, with the reason.
    """

    suite: Suite
    variants: tuple[Variant, ...]
    rejected: tuple[Rejected, ...] = ()

    @cached_property
    def digest(self) -> str:
        """The content id of all that is asked and accepted.

        It covers the made prompts too, so that another version of a segmenter or converter shows.
        """
        return digest_of_ids(
            "suite/1",
            (
                f"{variant.variant_id} {variant.item.item_id} {variant.item.target_id}"
                for variant in self.variants
            ),
        )

    @property
    def n_items(self) -> int:
        """How many source items are asked."""
        return len({variant.item_id for variant in self.variants})
