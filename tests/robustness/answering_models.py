"""Models whose faults are known by construction, asked the same questions with the options in every cyclic order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.core.rng import rng_for

N_OPTIONS = 4
N_ITEMS = 60


@dataclass(frozen=True)
class Asked:
    """One order of one question: `order[slot]` is the content shown there; content 0 is right."""

    item: str
    turn: int
    order: tuple[int, ...]

    @property
    def gold(self) -> int:
        return self.order.index(0)


def questions(n_items: int = N_ITEMS) -> list[Asked]:
    """Every item in its four cyclic orders; where the right option usually stands goes round with the items."""
    asked = []
    for number in range(n_items):
        for turn in range(N_OPTIONS):
            order = tuple((slot + turn + number) % N_OPTIONS for slot in range(N_OPTIONS))
            asked.append(Asked(f"q{number}", turn, order))
    return asked


Model = Callable[[Asked], int | None]


def oracle(asked: Asked) -> int:
    return asked.gold


def always_a(asked: Asked) -> int:
    del asked
    return 0


def slot_picker(asked: Asked) -> int:
    """Picks the slot where the right option usually stands, whatever stands there now."""
    return -int(asked.item[1:]) % N_OPTIONS


def guesser(asked: Asked) -> int:
    return rng_for(3, asked.item, asked.turn).integer(N_OPTIONS)


def format_breaker(asked: Asked) -> int | None:
    """Right, but in the usual order alone is it in the form asked for."""
    return asked.gold if asked.turn == 0 else None


def content_of(asked: Asked, slot: int | None) -> str | None:
    return None if slot is None else f"content {asked.order[slot]}"
