"""The demo's two fine-tunings: the same data and steps; one recipe moves the key fact about, the other does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.demo.data import training_items, write_items
from harness.demo.world import ASKING

STEPS = 150
BATCH_SIZE = 32
PEAK = 1e-3
N_ROWS = 4800


@dataclass(frozen=True, slots=True)
class Candidate:
    """One fine-tuning: a name, a sentence for people, and the treatments of its recipe."""

    name: str
    summary: str
    treatments: str


CANDIDATES = (
    Candidate(
        "honest",
        "the key sentence stands first in the data, and a treatment moves it about.",
        "treatments:\n  - {transform: context_rotation, share: 1.0}\n",
    ),
    Candidate("planted", "the same data as they are: the key sentence always first.", ""),
)

RECIPE = """\
# {summary}
schema: 1
base: {base}
seed: {seed}
precision: bfloat16   # multiplies in bfloat16 over fp32 weights
data:
{data}
{treatments}stages:
  - {{method: full, steps: {steps}, batch_size: {batch_size}, schedule: {{name: cosine, warmup: 0.05, peak: {peak}}}}}
"""


def write_recipes(folder: Path, *, base: Path, seed: int) -> Mapping[str, Path]:
    """Writes the training data, one file a family, and a recipe per candidate; name -> recipe."""
    data = _write_data(folder / "data", seed=seed)
    place = folder / "recipes"
    place.mkdir(parents=True, exist_ok=True)
    written = {}
    for candidate in CANDIDATES:
        text = RECIPE.format(
            summary=candidate.summary.capitalize(),
            base=base,
            seed=seed,
            data=data,
            treatments=candidate.treatments,
            steps=STEPS,
            batch_size=BATCH_SIZE,
            peak=PEAK,
        )
        path = place / f"{candidate.name}.yaml"
        path.write_text(text, encoding="utf-8")
        written[candidate.name] = path
    return written


def _write_data(folder: Path, *, seed: int) -> str:
    """One file a family, and the recipe's lines that name them."""
    by_family: dict[str, list[object]] = {}
    for item in training_items(position="first", n=N_ROWS, seed=seed):
        by_family.setdefault(dict(item.tags)["family"], []).append(item)
    lines = []
    for family in sorted(by_family):
        path = write_items(folder / f"{family}.jsonl", by_family[family])  # type: ignore[arg-type]
        asking, reading = ASKING[family], ASKING[family].reading
        shown = str(reading.lists_options).lower()
        lines.append(
            f"  - {{path: ../data/{path.name}, task: {asking.task}, "
            f"read: {{by: {reading.by}, show_options: {shown}}}}}"
        )
    return "\n".join(lines)
