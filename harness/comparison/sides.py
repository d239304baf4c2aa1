"""One side of a comparison: its runs, with their tables read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.errors import UsageError
from harness.core.rows import SuiteRecord
from harness.store import StoredRun

if TYPE_CHECKING:
    import pandas as pd

Runs = StoredRun | Sequence[StoredRun]
KEYS = ["variant_id", "metric"]
FACTS = ["item_id", "language", "transform", "family", "params", "position", "dose", "level"]


@dataclass(frozen=True, slots=True)
class Side:
    """Runs that stand for one checkpoint or recipe: seeds, replicates.

    Args:
        runs: One or more.
        scores: Each run's scores.
        outputs: Each run's outputs.
    """

    runs: tuple[StoredRun, ...]
    scores: tuple[pd.DataFrame, ...]
    outputs: tuple[pd.DataFrame, ...]

    def record(self, suite: str) -> SuiteRecord | None:
        """The suite as the first run's manifest names it; None unless every run asked it."""
        found = [record for run in self.runs for record in run.manifest.suites if record.name == suite]
        return found[0] if len(found) == len(self.runs) else None

    def outputs_of(self, suite: str) -> list[pd.DataFrame]:
        """Each run's first output per variant, indexed by variant id."""
        return [
            table[(table["suite"] == suite) & (table["sample"] == 0)].set_index("variant_id")
            for table in self.outputs
        ]

    def scores_of(self, suite: str, variants: set[str]) -> pd.DataFrame:
        """One row per variant and metric, sorted: the mean over samples and runs, with how many they were.

        A value missing in some sample or run leaves the mean over the others; all missing leaves NaN, whose
        reason is in `outcome`.
        """
        import pandas as pd

        parts = [table[table["suite"] == suite] for table in self.scores]
        rows = pd.concat([part[part["variant_id"].isin(variants)] for part in parts], ignore_index=True)
        grouped = rows.groupby(KEYS, sort=True)
        table = rows.drop_duplicates(KEYS).set_index(KEYS)[[*FACTS, "outcome"]].sort_index()
        table["value"] = grouped["value"].mean()
        table["samples"] = grouped.size()
        is_scored = (rows["outcome"] == "scored").groupby([rows[key] for key in KEYS]).any()
        table.loc[is_scored.reindex(table.index, fill_value=False).to_numpy(), "outcome"] = "scored"
        return table.reset_index()

    @property
    def seeds(self) -> tuple[tuple[int, ...], ...]:
        """Places of the runs of each distinct checkpoint, in their order; repeats of one stand together."""
        places: dict[str, list[int]] = {}
        for place, run in enumerate(self.runs):
            places.setdefault(run.manifest.checkpoint.digest, []).append(place)
        return tuple(tuple(own) for own in places.values())

    def seed_scores_of(self, suite: str, variants: set[str]) -> pd.DataFrame:
        """One row per variant and metric, sorted; one column a checkpoint: the mean over samples and repeats."""
        import pandas as pd

        columns = {}
        for number, places in enumerate(self.seeds):
            parts = [self.scores[place] for place in places]
            rows = pd.concat([part[part["suite"] == suite] for part in parts], ignore_index=True)
            rows = rows[rows["variant_id"].isin(variants)]
            columns[number] = rows.groupby(KEYS, sort=True)["value"].mean()
        return pd.DataFrame(columns)


def side(runs: Runs) -> tuple[StoredRun, ...]:
    """One run or several as a tuple of at least one, each once.

    Raises:
        UsageError: If there is none, or one is given twice: it would count as a second measurement.
    """
    chosen = (runs,) if isinstance(runs, StoredRun) else tuple(runs)
    if not chosen:
        raise UsageError("A side of a comparison needs at least one run.")
    ids = [run.run_id for run in chosen]
    for run_id in ids:
        if ids.count(run_id) > 1:
            raise UsageError(f"Run {run_id} is given {ids.count(run_id)} times on one side; name it once.")
    return chosen


def read_side(runs: tuple[StoredRun, ...]) -> Side:
    """The runs with their scores and outputs."""
    return Side(runs, tuple(run.scores() for run in runs), tuple(run.outputs() for run in runs))
