"""Several trainings a side: the spread between seeds is part of the doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.comparison import compare
from harness.comparison.recipes import seed_bands, sibling_discordance
from harness.evaluation import EvaluationSettings
from harness.gating import gate
from harness.policy import policy_from_json
from harness.store import StoredRun
from tests.evaluation.made_suites import run_of, suite, wrong_on

N = 200
OWN = [suite(n=N)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recipes")


@pytest.fixture(scope="module")
def steady(folder: Path) -> list[StoredRun]:
    return [run_of(wrong_on(0.1, name=f"steady {seed}", seed=f"s{seed}"), OWN, folder) for seed in range(3)]


@pytest.fixture(scope="module")
def unsteady(folder: Path) -> list[StoredRun]:
    """Three seeds of which one came out badly: on average 18 % wrong."""
    shares = (0.06, 0.08, 0.40)
    return [
        run_of(wrong_on(share, name=f"unsteady {share}", seed=f"u{share}"), OWN, folder) for share in shares
    ]


def test_a_recipe_with_one_bad_seed_is_not_called_worse_though_its_items_alone_say_so(
    steady: list[StoredRun], unsteady: list[StoredRun]
) -> None:
    found = compare(steady, unsteady)
    (effect,) = [one for one in found.effects if one.slice.title == "all"]
    assert effect.effect is not None and effect.effect < -0.05
    assert effect.harm_p is not None and effect.harm_p > 0.05
    assert effect.method.endswith("over 3 and 3 seeds")
    # The bad seed alone, as a checkpoint against a checkpoint, is worse beyond doubt.
    alone = compare(steady[0], unsteady[2]).effects[0]
    assert alone.harm_p is not None and alone.harm_p < 1e-6


def test_the_band_is_that_of_the_seeds_scores(steady: list[StoredRun], unsteady: list[StoredRun]) -> None:
    (pairs,) = compare(steady, unsteady).suites
    before, after = seed_bands(pairs, pairs.metrics[0])
    assert before is not None and after is not None
    scores = [run.scores()["value"].mean() for run in steady]
    assert before.mean == pytest.approx(sum(scores) / 3)
    assert after.spread > 3 * before.spread


def test_the_detectable_effect_takes_its_discordance_from_the_baselines_seeds(
    steady: list[StoredRun], unsteady: list[StoredRun]
) -> None:
    (pairs,) = compare(steady, unsteady).suites
    # By hand from the stored scores: the share of items on which two seeds differ, over the three pairs of seeds.
    tables = [run.scores().sort_values("variant_id")["value"].to_numpy() for run in steady]
    shares = [(tables[a] != tables[b]).mean() for a, b in ((0, 1), (0, 2), (1, 2))]
    assert sibling_discordance(pairs, pairs.metrics[0]) == pytest.approx(sum(shares) / 3)
    verdict = gate(candidate=unsteady, baseline=steady, policy=policy_from_json({"schema": 1, "rules": [{}]}))
    ((discordance, _),) = verdict.judgements[0].detectable
    assert discordance == pytest.approx(sum(shares) / 3)


def test_repeats_of_one_checkpoint_are_no_seeds(steady: list[StoredRun], folder: Path) -> None:
    again = run_of(
        wrong_on(0.1, name="steady 0", seed="s0"), OWN, folder, settings=EvaluationSettings(replicate=1)
    )
    (pairs,) = compare([steady[0], again], steady[1]).suites
    assert pairs.seeds is None
    assert seed_bands(pairs, pairs.metrics[0]) == (None, None)
