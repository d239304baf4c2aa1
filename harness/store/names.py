"""Names that point at runs, and the history of where each pointed: one file a name, one file a promotion."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from harness.core.errors import StoreError
from harness.store.files import Place

NAMES = "names"
PROMOTIONS = "promotions"
SCHEMA = 2
# Fields that a record of an older schema lacks; they are then at their default.
SINCE_2 = frozenset({"kind", "verdict", "policy"})
# Moved only by a promotion, even before the first one.
BASELINE_NAMES = frozenset({"production"})


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of a name.

    Args:
        number: Its place in the history, from 1.
        name: The name.
        run_id: The run it points at from then on; None where the name was taken away.
        previous: The run it pointed at before; None for a new name.
        reason: Why, in the author's words.
        author: Who.
        at: When, ISO 8601, UTC.
        kind: Whether it made the run a baseline, or only named it.
        verdict: What the gate said of it against the run before; None where nothing was judged.
        policy: By which policy.
    """

    number: int
    name: str
    run_id: str | None
    previous: str | None
    reason: str
    author: str
    at: str
    kind: Literal["name", "baseline"] = "name"
    verdict: str | None = None
    policy: str | None = None


def promotions(place: Place) -> tuple[Promotion, ...]:
    """All changes of all names, oldest first."""
    files = [name for name in place.names(PROMOTIONS) if re.fullmatch(r"\d+\.json", name)]
    read = [Promotion(**_fields(place, f"{PROMOTIONS}/{name}", Promotion)) for name in files]
    return tuple(sorted(read, key=lambda promotion: promotion.number))


def names(place: Place) -> dict[str, str]:
    """Run ids by name."""
    found = {}
    for file in place.names(NAMES):
        if file.endswith(".json"):
            fields = _fields(place, f"{NAMES}/{file}", Promotion)
            found[file.removesuffix(".json")] = fields["run_id"]
    return found


def is_baseline(history: Iterable[Promotion], name: str) -> bool:
    """Whether a name stands for a baseline: it was promoted once, or is called `production`."""
    return name in BASELINE_NAMES or any(
        change.name == name and change.kind == "baseline" for change in history
    )


def promote(
    place: Place,
    name: str,
    run_id: str | None,
    *,
    reason: str,
    author: str,
    at: str,
    kind: Literal["name", "baseline"] = "name",
    verdict: str | None = None,
    policy: str | None = None,
) -> Promotion:
    """Points a name at a run, or takes it away; the history is written first and settles who came last."""
    while True:
        history = promotions(place)
        number = history[-1].number + 1 if history else 1
        previous = _latest(history, name)
        before = None if previous is None else previous.run_id
        change = Promotion(number, name, run_id, before, reason, author, at, kind, verdict, policy)
        place.make_folder(PROMOTIONS)
        place.make_folder(NAMES)
        # Taken: another process promoted at the same moment; look again.
        if place.create(f"{PROMOTIONS}/{number:06d}.json", _encoded(change)):
            break
    written = change
    while True:
        if written.run_id is None:
            place.remove(f"{NAMES}/{name}.json")
        else:
            place.replace(f"{NAMES}/{name}.json", _encoded(written))
        latest = _latest(promotions(place), name)
        if latest is None or latest == written:
            return change
        # Another process came after us but wrote the name before us: its change stands.
        written = latest


def _latest(history: tuple[Promotion, ...], name: str) -> Promotion | None:
    return next((promotion for promotion in reversed(history) if promotion.name == name), None)


def _encoded(promotion: Promotion) -> bytes:
    return (json.dumps({"schema": SCHEMA, **asdict(promotion)}, indent=1) + "\n").encode("ascii")


def _fields(place: Place, name: str, kind: Any) -> dict[str, Any]:
    shown = place.shown(name)
    try:
        record = json.loads(place.read(name) or b"")
        schema = record.pop("schema")
        wrong = set(record) ^ set(kind.__dataclass_fields__)
        if schema < SCHEMA:
            wrong -= SINCE_2
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise StoreError(f"{shown} is damaged ({error}); restore it from a copy or remove it.") from error
    if schema > SCHEMA:
        raise StoreError(f"{shown}: schema: {schema} is newer than {SCHEMA}; upgrade the harness.")
    if wrong:
        raise StoreError(
            f"{shown}: field '{min(wrong)}' is unknown or absent; restore the file or remove it."
        )
    return dict(record)
