"""A backend whose passes follow a plan, so that a run that goes on scores as if it had never been broken off."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from harness.core.exchange import Answer, Request


@runtime_checkable
class PlanningBackend(Protocol):
    """A `core.exchange.Backend` that shares work between requests, so that what is asked together matters."""

    def answer(
        self, requests: Sequence[Request], *, done: Collection[str] = ()
    ) -> Iterator[tuple[str, Answer]]:
        """As `Backend.answer`; requests named in `done` shape the passes and are not answered again."""
        ...

    def describe(self) -> dict[str, object]:
        """As `Backend.describe`."""
        ...

    def scoring_plan(self) -> Mapping[str, object] | None:
        """The numbers that shape its passes, JSON-able; None while it has none."""
        ...

    def follow(self, scoring_plan: Mapping[str, object]) -> None:
        """Works by the numbers of an earlier `scoring_plan`."""
        ...
