"""The demo: fine-tune a small model twice, evaluate all three, and let the gate say what became of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import CheckpointError
from harness.demo.data import POSITION_SUITE, write_suites
from harness.demo.recipes import CANDIDATES, write_recipes

if TYPE_CHECKING:
    from harness.evaluation import ProgressReport
    from harness.finetune import StepDone
    from harness.gating import Verdict
    from harness.store import Store, StoredRun

BASE = Path(__file__).parent / "base"
POLICY = f"""\
# What a candidate must show before it replaces the base. See FORMAT.md for every key.
schema: 1
alpha: 0.05
baseline: {{run: base}}
inconclusive: fail
rules:
  - {{suite: "demo-*", metric: primary, margin: 0.05}}
  - {{suite: {POSITION_SUITE}, metric: exact_match, by: position, margin: 0.05}}
"""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One candidate: its run and what the gate said of it."""

    name: str
    run: StoredRun
    verdict: Verdict


def tell(
    folder: Path, *, seed: int, say: Callable[[str], None], progress: Callable[[str], Any]
) -> list[Chapter]:
    """Everything the demo does, in order; a second call finds it done and only judges again.

    Args:
        folder: Where data, recipes, suites, checkpoints and runs are kept.
        seed: Of data and training.
        say: Prints a line for people.
        progress: A context manager giving a progress function, by title.

    Raises:
        CheckpointError: If the base model is not in this installation.
    """
    from harness.gating import gate
    from harness.policy import load_policy
    from harness.store import open_store

    _check_base()
    folder.mkdir(parents=True, exist_ok=True)
    suites = _suites(folder, seed=seed)
    policy_path = folder / "gates" / "demo.gate.yaml"
    policy_path.parent.mkdir(exist_ok=True)
    policy_path.write_text(POLICY, encoding="utf-8")
    recipes = write_recipes(folder, base=BASE, seed=seed)
    store = open_store(folder / "runs", create=True)
    base = _evaluated("base", BASE, suites, store, progress)
    chapters = []
    for candidate in CANDIDATES:
        say(f"\n{candidate.name}: {candidate.summary}")
        checkpoint = _trained(candidate.name, recipes[candidate.name], folder, progress)
        run = _evaluated(candidate.name, checkpoint, suites, store, progress)
        verdict = gate(candidate=run, baseline=base, policy=load_policy(policy_path))
        chapters.append(Chapter(candidate.name, run, verdict))
    return chapters


def _check_base() -> None:
    """The weights must be there before anything is made."""
    if not (BASE / "model.safetensors").is_file():
        raise CheckpointError(
            f"The demo's base model is not in {BASE}. Train it, which takes about an hour on two cores: "
            f"python -m harness.demo.train_base --out {BASE}"
        )


def _suites(folder: Path, *, seed: int) -> list[Path]:
    """The demo's suites, generated once per seed."""
    place = folder / "suites"
    stamp = place / "seed"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != str(seed):
        if place.exists():
            shutil.rmtree(place)
        write_suites(place, seed=seed)
        stamp.write_text(str(seed), encoding="utf-8")
    return sorted(path.parent for path in place.glob("*/suite.yaml"))


def _trained(name: str, recipe_path: Path, folder: Path, progress: Callable[[str], Any]) -> Path:
    from harness.evaluation import ProgressReport
    from harness.finetune import finetune, load_recipe

    recipe = load_recipe(recipe_path)
    with progress(f"fine-tune {name}") as show:

        def step(done: StepDone) -> None:
            show(ProgressReport(done.step, done.n_steps, "training"))

        trained = finetune(recipe, out=folder / "checkpoints" / name, progress=step)
    return trained.checkpoint


def _evaluated(
    name: str, checkpoint: Path, suites: list[Path], store: Store, progress: Callable[[str], Any]
) -> StoredRun:
    from harness.engine import open_checkpoint
    from harness.evaluation import evaluate

    with open_checkpoint(checkpoint) as model, progress(f"run {name}") as show:

        def report(done: ProgressReport) -> None:
            show(done)

        run = evaluate(model, suites, store=store, progress=report, lineage={"demo": name})
    if store.names().get(name) != run.run_id:
        store.set_name(name, run.run_id, reason="the demo's newest", author="harness demo")
    return run
