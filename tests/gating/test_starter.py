"""A first policy that can be used as it is: read back, and passed by an equal candidate."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import EmptyComparison
from harness.gating import gate
from harness.gating.starter import starter_policy
from harness.policy import load_policy
from harness.stats.power import n_to_certify
from tests.evaluation.made_suites import good, run_of, suite

HOSTILE = 'a "name": {with} # yaml'


def test_the_policy_is_read_back_and_an_equal_candidate_passes(tmp_path: Path) -> None:
    own = [suite(n=260, plan=[{"typo": {"severity": 0.1}}]), suite(HOSTILE, 20, first=900)]
    before, after = (run_of(good(name), own, tmp_path / "runs") for name in ("b", "c"))
    path = tmp_path / "gate.yaml"
    path.write_text(starter_policy(before, after, baseline_name=HOSTILE), encoding="utf-8")
    policy = load_policy(path)
    assert policy.baseline == HOSTILE
    assert [(rule.suite, rule.tier, rule.by) for rule in policy.rules] == [
        ("letters", "blocking", None),
        ("letters", "advisory", "transform"),
        # 20 items decide nothing at a tenth: they only advise.
        (HOSTILE, "advisory", None),
    ]
    assert gate(candidate=after, baseline=before, policy=policy).status == "pass"


@pytest.mark.parametrize("n", [150, 260])
def test_the_margin_is_the_smallest_usual_one_that_the_items_support(tmp_path: Path, n: int) -> None:
    run = run_of(good(), [suite(n=n)], tmp_path)
    path = tmp_path / "gate.yaml"
    path.write_text(starter_policy(run, run, baseline_name="production"), encoding="utf-8")
    margin = load_policy(path).rules[0].margin.value
    assert n_to_certify(margin, discordance=0.1) <= n
    smaller = [usual for usual in (0.02, 0.03, 0.05, 0.1) if usual < margin]
    assert all(n_to_certify(usual, discordance=0.1) > n for usual in smaller)


def test_every_commented_example_is_a_rule_that_can_be_read(tmp_path: Path) -> None:
    own = [suite(n=60, plan=[{"typo": {"severity": 0.1}}])]
    run = run_of(good(), own, tmp_path)
    text = starter_policy(run, run, baseline_name="production")
    opened = (
        text.replace("  # - ", "  - ").replace("\n# must_pass", "\nmust_pass").replace("\n# quar", "\nquar")
    )
    path = tmp_path / "gate.yaml"
    path.write_text(opened, encoding="utf-8")
    policy = load_policy(path)
    assert len(policy.rules) > len(text.split("\n  - "))
    assert len(policy.must_pass) == len(policy.quarantine) == 1


def test_two_runs_with_nothing_in_common_make_no_policy(tmp_path: Path) -> None:
    one, other = (run_of(good(name), [suite(name, 5)], tmp_path) for name in ("x", "y"))
    with pytest.raises(EmptyComparison):
        starter_policy(one, other, baseline_name="production")
