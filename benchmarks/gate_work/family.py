"""Tables of whole gates: many tasks of many sizes, some clustered, judged as one family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.gate_work.rules import ALPHA, TOLERANCE
from benchmarks.gate_work.single import VARIANTS, flips
from harness.stats.binary import mcnemar_harm_p
from harness.stats.family import family_harm, holm_adjusted
from harness.stats.macro import macro_effect
from harness.stats.mean import t_harm_p
from harness.stats.sign_flip import EXACT_SIGN_FLIP_LIMIT, sign_flip_harm_p

N_TASKS = (1, 2, 5, 10, 20, 60)
SMALLEST, LARGEST = 20, 5000
DISCORDANCE = (0.01, 0.25)
CLUSTERED_SHARE = 0.3
TOGETHER = 0.7
MARGINS = (0.0, 0.02, 0.05)
SUITES = ((5, 500), (10, 300), (20, 500))


@dataclass(frozen=True, slots=True)
class Task:
    """One task's source items: their mean differences, and the p value of harm."""

    means: np.ndarray
    harm_p: float

    @property
    def effect(self) -> float:
        """Candidate minus baseline."""
        return float(self.means.mean())


def drawn_task(
    rng: np.random.Generator, *, n: int, discordance: float, effect: float = 0.0, is_clustered: bool = False
) -> Task:
    """A task of n variants."""
    if is_clustered and n >= 2 * VARIANTS:
        n_items = n // VARIANTS
        codes = np.repeat(np.arange(n_items), VARIANTS)
        values = flips(rng, codes, discordance=discordance, effect=effect, together=TOGETHER)
        means = values.reshape(n_items, VARIANTS).mean(axis=1)
        by_t = None if int((means != 0).sum()) <= EXACT_SIGN_FLIP_LIMIT else t_harm_p(means)
        return Task(means, sign_flip_harm_p(means) if by_t is None else by_t)
    shares = [(discordance - effect) / 2, 1 - discordance, (discordance + effect) / 2]
    means = rng.choice([-1.0, 0.0, 1.0], size=n, p=shares)
    lost, won = int((means < 0).sum()), int((means > 0).sum())
    return Task(means, mcnemar_harm_p(right_to_wrong=lost, wrong_to_right=won))


def alarms(tasks: list[Task]) -> dict[str, bool]:
    """What each way of judging a family says; ours at several margins."""
    effects = [task.effect for task in tasks]
    raw = [task.harm_p for task in tasks]
    macro = None
    if len(tasks) > 1:
        labels = [[f"{place}/{item}" for item in range(task.means.size)] for place, task in enumerate(tasks)]
        macro = macro_effect([task.means for task in tasks], labels)
    family = family_harm(raw, macro_p=None if macro is None else macro.harm_p)
    found = {
        "any task drops by more than 2 pt": any(effect < -TOLERANCE for effect in effects),
        "any task significant, uncorrected": min(raw) <= ALPHA,
        "holm alone": min(holm_adjusted(raw)) <= ALPHA,
    }
    for margin in MARGINS:
        is_rule = any(
            p <= ALPHA and effect < -margin for p, effect in zip(family.rules, effects, strict=True)
        )
        is_macro = macro is not None and family.macro is not None
        is_macro = is_macro and family.macro <= ALPHA and macro.effect < -margin  # type: ignore[operator, union-attr]
        found[f"ours, margin {100 * margin:g} pt"] = is_rule or is_macro
    return found


def unchanged_gates(rng: np.random.Generator, n_gates: int) -> dict[str, Any]:
    """False alarms over gates of 1 to 60 tasks, 20 to 5,000 variants, realistic discordance, some clustered."""
    counts: dict[str, int] = {}
    by_size: dict[int, list[bool]] = {size: [] for size in N_TASKS}
    for place in range(n_gates):
        n_tasks = N_TASKS[place % len(N_TASKS)]
        tasks = [
            drawn_task(
                rng,
                n=int(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))),
                discordance=float(rng.uniform(*DISCORDANCE)),
                is_clustered=bool(rng.random() < CLUSTERED_SHARE),
            )
            for _ in range(n_tasks)
        ]
        found = alarms(tasks)
        for name, is_alarm in found.items():
            counts[name] = counts.get(name, 0) + is_alarm
        by_size[n_tasks].append(found["ours, margin 0 pt"])
    return {
        "gates": n_gates,
        "rates": {name: count / n_gates for name, count in counts.items()},
        "by_tasks": {str(size): float(np.mean(found)) for size, found in by_size.items() if found},
    }


def family_power(rng: np.random.Generator, n_gates: int) -> list[dict[str, Any]]:
    """How often a family of equal tasks alarms: nothing lost, one task down 8 points, all down 2; margin 0."""
    rows = []
    for n_tasks, n in SUITES:
        for name, losses in (
            ("unchanged", [0.0] * n_tasks),
            ("one task -8 pt", [-0.08] + [0.0] * (n_tasks - 1)),
            ("all tasks -2 pt", [-0.02] * n_tasks),
        ):
            counts: dict[str, int] = {}
            for _ in range(n_gates):
                tasks = [drawn_task(rng, n=n, discordance=0.10, effect=loss) for loss in losses]
                for rule, is_alarm in alarms(tasks).items():
                    counts[rule] = counts.get(rule, 0) + is_alarm
            rates = {rule: count / n_gates for rule, count in counts.items()}
            rows.append({"tasks": n_tasks, "n": n, "case": name, "rates": rates})
    return rows
