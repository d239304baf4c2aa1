"""From a recipe to the token rows of each stage: read, drawn, treated, mixed with replay, encoded, sifted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.errors import CheckpointError, DataError
from harness.core.rng import rng_for
from harness.finetune.batches import BatchPlan, batch_plan
from harness.finetune.examples import Example, Source, drawn, read_source
from harness.finetune.recipe import Recipe
from harness.finetune.shape import StageShape
from harness.finetune.spans import TokenRow, rows_digest, token_rows, turn_end_of, written
from harness.finetune.treat import TreatmentCount, treated

if TYPE_CHECKING:
    from harness.engine import Checkpoint


@dataclass(frozen=True, slots=True)
class SourceCount:
    """What became of one file's rows."""

    path: str
    kind: str
    sha256: str
    n_rows: int
    n_used: int


@dataclass(frozen=True, slots=True)
class StageRows:
    """What one stage learns from.

    Args:
        rows: Token rows.
        plan: Its batches.
        digest: Of the rendered, encoded and masked rows.
        n_replay: Rows of them from the replay file.
        n_too_long: Rows left out because they do not fit.
        n_split: Rows whose prompt and answer were kept apart (`TokenRow.is_split`).
        replay: What became of the replay file, if there is one.
    """

    rows: tuple[TokenRow, ...]
    plan: BatchPlan
    digest: str
    n_replay: int
    n_too_long: int
    n_split: int
    replay: SourceCount | None = None

    @property
    def n_tokens(self) -> int:
        """Tokens of all rows."""
        return sum(len(row.ids) for row in self.rows)

    @property
    def n_learned(self) -> int:
        """Tokens learned of all rows."""
        return sum(sum(row.learned) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is decided before the first step.

    Args:
        sources: Per data file.
        treatments: Per treatment.
        stages: Per stage.
    """

    sources: tuple[SourceCount, ...]
    treatments: tuple[TreatmentCount, ...]
    stages: tuple[StageRows, ...]


def open_base(recipe: Recipe, *, device: str) -> Checkpoint:
    """The recipe's base with its tokenizer; the weights wait.

    Raises:
        RecipeError: If the base is absent or cannot be used.
    """
    from harness.engine import open_checkpoint

    try:
        return open_checkpoint(recipe.base, device=device, chat_template=recipe.shape.chat_template)
    except CheckpointError as error:
        raise recipe.fault(("base",), str(error)) from error


def prepared(recipe: Recipe, checkpoint: Checkpoint) -> Prepared:
    """The rows and batches of every stage.

    Raises:
        DataError: For rows that cannot be used, or if none is left.
        RecipeError: If a treatment changes nothing, or the rows need what the recipe does not say.
    """
    counts: list[SourceCount] = []
    examples: list[Example] = []
    for place, shape in enumerate(recipe.shape.data):
        source = read_source(recipe, ("data", place), shape, recipe.file(shape.path))
        used = drawn(source, share=shape.share, limit=shape.limit, seed=recipe.shape.seed)
        if not used:
            message = f"draws none of the {source.n_rows} rows of {shape.path}; raise the share"
            raise recipe.fault(("data", place, "share"), message)
        counts.append(_count(source, shape.path, len(used)))
        examples += used
    changed, treatments = treated(recipe, examples)
    stages = []
    encoded: dict[str, list[TokenRow]] = {}
    for place, stage in enumerate(recipe.shape.stages):
        if stage.objective.loss not in encoded:
            encoded[stage.objective.loss] = _encoded(changed, checkpoint, stage.objective.loss)
        stages.append(_stage_rows(recipe, place, stage, encoded[stage.objective.loss], checkpoint))
    return Prepared(tuple(counts), treatments, tuple(stages))


def _count(source: Source, name: str, n_used: int) -> SourceCount:
    import hashlib

    sha256 = hashlib.sha256(source.path.read_bytes()).hexdigest()
    return SourceCount(name, source.kind, sha256, source.n_rows, n_used)


def _encoded(examples: Sequence[Example], checkpoint: Checkpoint, objective: str) -> list[TokenRow]:
    turn_end = turn_end_of(checkpoint)
    texts = [row for example in examples for row in written(example, checkpoint, turn_end)]
    return token_rows(texts, checkpoint, objective=objective)


def _stage_rows(
    recipe: Recipe, place: int, stage: StageShape, rows: Sequence[TokenRow], checkpoint: Checkpoint
) -> StageRows:
    longest = stage.max_tokens or checkpoint.max_tokens
    if longest > checkpoint.max_tokens:
        message = f"is {longest}, but the base reads at most {checkpoint.max_tokens} tokens; lower it"
        raise recipe.fault(("stages", place, "max_tokens"), message)
    kept = [row for row in rows if len(row.ids) <= longest]
    if not kept:
        shortest = min(len(row.ids) for row in rows)
        raise DataError(
            f"all {len(rows)} rows are longer than {longest} tokens (the shortest has {shortest}), and a row is "
            "never cut; raise max_tokens, or give shorter rows",
            path=recipe.file(recipe.shape.data[0].path),
        )
    n_too_long = len(rows) - len(kept)
    replayed, count = _replayed(recipe, place, stage, len(kept), longest, checkpoint)
    mixed = (*kept, *replayed)
    lengths = [len(row.ids) for row in mixed]
    return StageRows(
        rows=mixed,
        plan=batch_plan(lengths, stage, seed=recipe.shape.seed, stage_index=place),
        digest=rows_digest(mixed),
        n_replay=len(replayed),
        n_too_long=n_too_long,
        n_split=sum(row.is_split for row in mixed),
        replay=count,
    )


def _replayed(
    recipe: Recipe, place: int, stage: StageShape, n_rows: int, longest: int, checkpoint: Checkpoint
) -> tuple[list[TokenRow], SourceCount | None]:
    """Rows of the replay file so many that they make up its share of all; repeated where the file has fewer."""
    replay = stage.replay
    if replay is None:
        return [], None
    parts = ("stages", place, "replay")
    source = read_source(recipe, parts, replay, recipe.file(replay.path))
    rows = _encoded(source.examples, checkpoint, stage.objective.loss)
    fitting = [row for row in rows if len(row.ids) <= longest]
    if not fitting:
        raise recipe.fault((*parts, "from"), f"none of its {len(rows)} rows fits {longest} tokens")
    wanted = max(1, math.ceil(replay.share / (1 - replay.share) * n_rows - 1e-9))
    order = rng_for(recipe.shape.seed, "replay", place).shuffled(range(len(fitting)))
    chosen = [fitting[order[index % len(order)]] for index in range(wanted)]
    return chosen, _count(source, replay.path, min(wanted, len(fitting)))
