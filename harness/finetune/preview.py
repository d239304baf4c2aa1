"""What a recipe would train on, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.finetune.prepare import Prepared, SourceCount, StageRows, open_base, prepared
from harness.finetune.recipe import Recipe
from harness.finetune.spans import TokenRow
from harness.finetune.treat import TreatmentCount

if TYPE_CHECKING:
    from harness.engine import Checkpoint

# On one processor core, multiplications a second; only to tell minutes from days.
_OPERATIONS_A_SECOND = 6e10


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an example's text, and whether it is learned."""

    text: str
    is_learned: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One example as the model reads it.

    Args:
        place: File and line.
        pieces: Its text in order.
        n_tokens: Its tokens.
        n_learned: Those learned.
        last_tokens: The last few tokens learned, the end of sequence among them.
    """

    place: str
    pieces: tuple[Piece, ...]
    n_tokens: int
    n_learned: int
    last_tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StagePreview:
    """One stage in numbers.

    Args:
        method: full or lora.
        record: Its counts.
        token_lengths: Shortest, median, 90th percentile and longest row.
        padding_share: Share of the padded tokens that is padding.
        minutes_guess: Order of magnitude on one processor core.
    """

    method: str
    record: dict[str, Any]
    token_lengths: dict[str, int]
    padding_share: float
    minutes_guess: float


@dataclass(frozen=True, slots=True)
class Preview:
    """What a recipe would do.

    Args:
        recipe: With every default filled in.
        base: Name and digest of the base.
        sources: Per data file.
        treatments: Per treatment.
        stages: Per stage.
        examples: The first rows of the first stage, one per data file.
    """

    recipe: dict[str, Any]
    base: dict[str, Any]
    sources: tuple[SourceCount, ...]
    treatments: tuple[TreatmentCount, ...]
    stages: tuple[StagePreview, ...]
    examples: tuple[Shown, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return asdict(self)


def preview(recipe: Recipe) -> Preview:
    """Reads, treats and encodes the data as a training would, and trains nothing.

    Raises:
        RecipeError: For a fault of the recipe, base included.
        DataError: For rows that cannot be used.
    """
    with open_base(recipe, device="cpu") as checkpoint:
        ready = prepared(recipe, checkpoint)
        identity = checkpoint.identity
        return Preview(
            recipe=recipe.to_json(),
            base={"name": identity.name, "digest": identity.digest, "n_parameters": identity.n_parameters},
            sources=ready.sources,
            treatments=ready.treatments,
            stages=_stages(recipe, ready, identity.n_parameters),
            examples=_examples(ready, checkpoint),
        )


def _stages(recipe: Recipe, ready: Prepared, n_parameters: int | None) -> tuple[StagePreview, ...]:
    from harness.finetune.run import stage_record

    made = []
    for stage, rows in zip(recipe.shape.stages, ready.stages, strict=True):
        padded, read = _padded(rows)
        made.append(
            StagePreview(
                method=stage.method,
                record=stage_record(rows),
                token_lengths=_lengths([len(row.ids) for row in rows.rows]),
                padding_share=round(1 - read / padded, 4),
                minutes_guess=round(6 * (n_parameters or 0) * padded / _OPERATIONS_A_SECOND / 60, 1),
            )
        )
    return tuple(made)


def _padded(rows: StageRows) -> tuple[int, int]:
    """Tokens read over the whole stage, with and without padding."""
    lengths = [len(row.ids) for row in rows.rows]
    padded = sum(len(batch) * max(lengths[row] for row in batch) for batch in rows.plan.batches)
    return padded, sum(lengths[row] for batch in rows.plan.batches for row in batch)


def _lengths(lengths: Sequence[int]) -> dict[str, int]:
    ordered = sorted(lengths)
    last = len(ordered) - 1
    return {
        "shortest": ordered[0],
        "median": ordered[last // 2],
        "p90": ordered[round(0.9 * last)],
        "longest": ordered[-1],
    }


def _examples(ready: Prepared, checkpoint: Checkpoint) -> tuple[Shown, ...]:
    firsts: dict[Any, TokenRow] = {}
    for row in ready.stages[0].rows:
        firsts.setdefault(row.example.path, row)
    return tuple(shown_row(row, checkpoint) for row in firsts.values())


def shown_row(row: TokenRow, checkpoint: Checkpoint) -> Shown:
    """A row's text, decoded from its very tokens, in stretches learned and not."""
    tokenizer = checkpoint.tokenizer
    pieces: list[Piece] = []
    start = 0
    for stop in range(1, len(row.ids) + 1):
        if stop == len(row.ids) or row.learned[stop] != row.learned[start]:
            # The difference of two decodings: some tokenizers drop a piece's leading space.
            before = tokenizer.decode(list(row.ids[:start]))
            upto = tokenizer.decode(list(row.ids[:stop]))
            text = (
                upto[len(before) :]
                if upto.startswith(before)
                else tokenizer.decode(list(row.ids[start:stop]))
            )
            pieces.append(Piece(text, row.learned[start]))
            start = stop
    learned = [token for token, mark in zip(row.ids, row.learned, strict=True) if mark]
    return Shown(
        place=row.example.place,
        pieces=tuple(pieces),
        n_tokens=len(row.ids),
        n_learned=len(learned),
        last_tokens=tuple(map(str, tokenizer.convert_ids_to_tokens(learned[-3:]))),
    )
