"""--harness-update moves a baseline as `harness baseline promote` does: judged, with a reason, not in CI."""

from __future__ import annotations

import pytest

from harness.store import open_store
from tests.pytest_plugin.conftest import Gates

pytest_plugins = ["pytester"]


def test_a_pass_is_promoted_and_kept_in_the_history(gates: Gates, pytester: pytest.Pytester) -> None:
    gates("--harness-candidate=same", "--harness-update", own_store=True).assert_outcomes(passed=3)
    store = open_store(pytester.path / "runs")
    assert store.names()["production"] == store.names()["same"]
    change = store.promotions()[-1]
    assert (change.kind, change.verdict, change.policy) == ("baseline", "pass", "gates/release.gate.yaml")


def test_a_failure_is_not_promoted_without_a_reason(gates: Gates, pytester: pytest.Pytester) -> None:
    done = gates("--harness-candidate=worse", "--harness-update", own_store=True)
    done.stdout.fnmatch_lines(["Not promoted: The verdict of run * is fail*give a reason*"])
    store = open_store(pytester.path / "runs")
    assert store.names()["production"] != store.names()["worse"]


def test_a_failure_is_promoted_with_a_reason(gates: Gates, pytester: pytest.Pytester) -> None:
    words = ("--harness-candidate=worse", "--harness-update", "--harness-accept=new tokenizer")
    assert gates(*words, own_store=True).ret == 1
    store = open_store(pytester.path / "runs")
    assert store.names()["production"] == store.names()["worse"]
    assert (store.promotions()[-1].verdict, store.promotions()[-1].reason) == ("fail", "new tokenizer")


@pytest.mark.parametrize(("words", "moves"), [((), False), (("--harness-allow-ci",), True)])
def test_nothing_is_promoted_in_ci_unless_that_is_meant(
    gates: Gates,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    *,
    moves: bool,
) -> None:
    monkeypatch.setenv("CI", "true")
    done = gates("--harness-candidate=same", "--harness-update", *words, own_store=True)
    store = open_store(pytester.path / "runs")
    assert (store.names()["production"] == store.names()["same"]) is moves
    assert ("Not promoted: A baseline is not moved in CI" in done.stdout.str()) is not moves
