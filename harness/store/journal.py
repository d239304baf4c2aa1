"""The journal of a run in progress: numbered, immutable segments of answers, each whole or absent.

A segment is one JSON object a line: what it belongs to, the answers, and last the checksum of all before it.
One that fails its checksum is left out, so its requests are asked again; its number is never used twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.errors import RunInProgress, StoreError
from harness.core.exchange import Answer
from harness.store.answers import answer_from_json, answer_to_json
from harness.store.files import Place

SCHEMA = 1
HEADER = "header.json"
SCORING_PLAN = "scoring_plan.json"
SEGMENT = re.compile(r"(\d{6,})\.jsonl")


@dataclass(frozen=True, slots=True)
class Segment:
    """One readable segment: its number, the plan it was made under, and its answers by request id."""

    number: int
    plan_digest: str
    answers: dict[str, Answer]


@dataclass(frozen=True, slots=True)
class JournalContent:
    """What a journal holds: readable segments in order, and the names of those that are damaged."""

    segments: tuple[Segment, ...]
    torn: tuple[str, ...]

    @property
    def plan_digests(self) -> tuple[str, ...]:
        """The plans under which answers were made, in order; more than one after a change of batch budget."""
        return tuple(dict.fromkeys(segment.plan_digest for segment in self.segments))

    def answers(self) -> dict[str, Answer]:
        """All answers by request id; of two to the same request (a retry) the later one."""
        merged: dict[str, Answer] = {}
        for segment in self.segments:
            merged.update(segment.answers)
        return merged


class Journal:
    """The journal folder of one run."""

    def __init__(self, place: Place, run_id: str) -> None:
        self._place = place
        self._run_id = run_id
        self.folder = f"{run_id}/journal"

    def start(self, header: Mapping[str, Any]) -> None:
        """Makes the folder and its header, or checks that the one there is this run's.

        Raises:
            StoreError: If the folder holds the journal of another run, as after renaming a folder by hand.
        """
        self._place.make_folder(self.folder)
        self._place.sweep(self.folder)
        name = f"{self.folder}/{HEADER}"
        record = {"schema": SCHEMA, "run_id": self._run_id, **header}
        # One that a power failure cut short says nothing; segments say themselves what they belong to.
        there = _parsed(self._place.read(name) or b"")
        if there is None:
            self._place.replace(name, json.dumps(record, indent=1).encode())
            return
        if there.get("run_id") != self._run_id:
            raise StoreError(
                f"{self._place.shown(self.folder)} is the journal of run '{there.get('run_id')}', "
                f"not of '{self._run_id}'; move that folder back under its own name."
            )

    def scoring_plan(self) -> dict[str, Any] | None:
        """The numbers under which the answers were made, as `keep_scoring_plan` wrote them; None: not written."""
        return _parsed(self._place.read(f"{self.folder}/{SCORING_PLAN}") or b"")

    def keep_scoring_plan(self, plan: Mapping[str, Any]) -> None:
        """Writes the numbers that a run which goes on must follow; the first ones stay."""
        name = f"{self.folder}/{SCORING_PLAN}"
        if self.scoring_plan() is None:
            self._place.replace(name, json.dumps(dict(plan), indent=1).encode())

    def segment_names(self) -> list[str]:
        """Names of all segments, damaged ones included, by number."""
        names = [name for name in self._place.names(self.folder) if SEGMENT.fullmatch(name)]
        return sorted(names, key=_number)

    def next_number(self) -> int:
        """One more than the largest number taken."""
        return max((_number(name) for name in self.segment_names()), default=0) + 1

    def append(self, number: int, answers: Mapping[str, Answer], *, plan_digest: str) -> None:
        """Writes one segment.

        Raises:
            RunInProgress: If the number is taken, so another process writes this run.
            StoreError: If it cannot be written; then none of it is there.
        """
        name = f"{self.folder}/{number:06d}.jsonl"
        if not self._place.create(name, _encoded(self._run_id, plan_digest, answers)):
            raise RunInProgress(
                f"{self._place.shown(name)} was written by another process, which also writes this run; "
                "end one of the two and give the same command again."
            )

    def content(self) -> JournalContent:
        """Reads every segment, leaving damaged ones out."""
        segments, torn = [], []
        for name in self.segment_names():
            segment = self._segment(name)
            if segment is None:
                torn.append(name)
            else:
                segments.append(segment)
        return JournalContent(tuple(segments), tuple(torn))

    def remove(self) -> None:
        """Removes the journal of a finished run."""
        self._place.remove_folder(self.folder)

    def _segment(self, name: str) -> Segment | None:
        data = self._place.read(f"{self.folder}/{name}") or b""
        lines = _checked_lines(data)
        if lines is None:
            return None
        head, *records = lines
        shown = self._place.shown(f"{self.folder}/{name}")
        if head["schema"] > SCHEMA:
            raise StoreError(
                f"{shown}: schema: {head['schema']} is newer than {SCHEMA}, the newest this version reads; "
                "upgrade the harness, or remove the run and start it again."
            )
        if head["run_id"] != self._run_id:
            raise StoreError(
                f"{shown} belongs to run '{head['run_id']}', not to '{self._run_id}'; move it back."
            )
        answers = {record["request_id"]: answer_from_json(record["answer"]) for record in records}
        return Segment(_number(name), head["plan_digest"], answers)


def _number(name: str) -> int:
    return int(name.split(".", 1)[0])


def _encoded(run_id: str, plan_digest: str, answers: Mapping[str, Answer]) -> bytes:
    head = {"schema": SCHEMA, "run_id": run_id, "plan_digest": plan_digest}
    records = [
        {"request_id": request_id, "answer": answer_to_json(answer)} for request_id, answer in answers.items()
    ]
    # allow_nan=False: an infinity that slipped through would not be JSON.
    lines = [json.dumps(record, allow_nan=False) + "\n" for record in (head, *records)]
    body = "".join(lines).encode("ascii")
    tail = {"n_answers": len(records), "sha256": hashlib.sha256(body).hexdigest()}
    return body + (json.dumps(tail) + "\n").encode("ascii")


def _checked_lines(data: bytes) -> list[dict[str, Any]] | None:
    """The lines of a whole segment without its checksum; None where the checksum fails."""
    if not data.endswith(b"\n"):
        return None
    end = data.rfind(b"\n", 0, len(data) - 1) + 1
    tail = _parsed(data[end:])
    if tail is None or tail.get("sha256") != hashlib.sha256(data[:end]).hexdigest():
        return None
    # One array is parsed faster than as many objects one by one.
    lines: list[dict[str, Any]] = json.loads(b"[" + data[:end].rstrip().replace(b"\n", b",") + b"]")
    return lines


def _parsed(data: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(data)
    except ValueError:  # cut short, or not text at all
        return None
    return record if isinstance(record, dict) else None
