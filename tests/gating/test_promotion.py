"""A baseline moves by a promotion alone, judged, with a reason where the verdict is no pass."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.core.errors import StoreError, UsageError
from harness.gating.promotion import promote_baseline, refuse_in_ci
from harness.store import Store, open_store
from tests.evaluation.made_suites import good, run_of, suite, wrong_on


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "runs"
    store, own = open_store(folder, create=True), [suite(n=160)]
    for name, backend in (("base", good("base")), ("same", good("same")), ("worse", wrong_on(0.3))):
        store.set_name(name, run_of(backend, own, store).run_id, reason="made", author="test")
    store.set_name(
        "few", run_of(good("few"), [suite(n=8, first=900)], store).run_id, reason="made", author="test"
    )
    return folder


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    shutil.copytree(made, tmp_path / "runs")
    return open_store(tmp_path / "runs")


def test_the_first_baseline_needs_no_verdict(store: Store) -> None:
    change = promote_baseline(store, "production", "base", author="ada")
    assert (change.kind, change.verdict, change.previous, change.reason) == (
        "baseline", None, None, "the first baseline",
    )  # fmt: skip


def test_a_pass_moves_it_and_names_policy_and_verdict(store: Store) -> None:
    promote_baseline(store, "production", "base", author="ada")
    change = promote_baseline(store, "production", "same", author="bob")
    assert (change.verdict, change.policy) == ("pass", "the default policy")
    assert change.previous == store.names()["base"]
    assert store.names()["production"] == store.names()["same"]


@pytest.mark.parametrize(("candidate", "status"), [("worse", "fail"), ("few", "inconclusive")])
def test_no_pass_needs_a_reason(store: Store, candidate: str, status: str) -> None:
    promote_baseline(store, "production", "base", author="ada")
    for empty in (None, "  "):
        with pytest.raises(UsageError, match=f"is {status} .* give a reason"):
            promote_baseline(store, "production", candidate, reason=empty, author="ada")
    assert store.names()["production"] == store.names()["base"]
    change = promote_baseline(store, "production", candidate, reason="agreed on Tuesday", author="ada")
    assert (change.verdict, change.reason) == (status, "agreed on Tuesday")


def test_the_baseline_itself_is_refused(store: Store) -> None:
    promote_baseline(store, "production", "base", author="ada")
    with pytest.raises(UsageError, match="is the baseline 'production' already"):
        promote_baseline(store, "production", "base", reason="again", author="ada")


def test_a_baseline_whose_run_is_gone_can_be_replaced_with_a_reason(store: Store) -> None:
    promote_baseline(store, "production", "base", author="ada")
    shutil.rmtree(Path(store.url) / store.names()["base"])
    with pytest.raises(UsageError, match="cannot be judged against"):
        promote_baseline(store, "production", "same", author="ada")
    assert promote_baseline(store, "production", "same", reason="lost", author="ada").verdict is None


def test_an_unknown_run_or_a_bad_name_moves_nothing(store: Store) -> None:
    for name, run in (("production", "nothing-like-it"), ("../up", "base")):
        with pytest.raises(StoreError):
            promote_baseline(store, name, run, author="ada")
    assert store.promotions()[-1].kind == "name"


@pytest.mark.parametrize("value", ["true", "1", "yes", "woodpecker"])
def test_ci_is_refused_unless_allowed(value: str) -> None:
    with pytest.raises(UsageError, match="not moved in CI"):
        refuse_in_ci({"CI": value}, allowed=False, flag="--allow-ci")
    refuse_in_ci({"CI": value}, allowed=True, flag="--allow-ci")
    refuse_in_ci({"CI": "false"}, allowed=False, flag="--allow-ci")
