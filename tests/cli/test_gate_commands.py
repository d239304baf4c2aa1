"""`harness gate init`, `--github`, `harness baseline` and the recipes for build servers, as typed."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from dashboards.state import View, parse
from harness.cli.main import main
from harness.policy import load_policy
from harness.report.serve import lost_items
from harness.store import open_store
from tests.evaluation.made_suites import good, run_of, suite, wrong_on

REPOSITORY = Path(__file__).resolve().parents[2]
Harness = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "runs"
    store, own = open_store(folder, create=True), [suite(n=200)]
    for name, backend in (
        ("production", good("base")),
        ("candidate", good("same")),
        ("worse", wrong_on(0.3)),
    ):
        store.set_name(name, run_of(backend, own, store).run_id, reason="made", author="test")
    return folder


@pytest.fixture
def harness(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Harness:
    """Runs a command in an empty folder with that store in `runs`: its exit code, output and messages."""
    shutil.copytree(made, tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    for variable in ("CI", "HARNESS_STORE", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HARNESS_AUTHOR", "ada")

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(list(words))
        told = capsys.readouterr()
        return int(left.value.code or 0), told.out, told.err

    return run


def test_a_first_policy_is_written_read_and_not_overwritten(harness: Harness, tmp_path: Path) -> None:
    words = ("gate", "init", "--baseline", "production", "--candidate", "candidate")
    code, out, _ = harness(*words)
    assert (code, "would be PASS now" in out) == (0, True)
    assert load_policy(tmp_path / "gates" / "release.gate.yaml").baseline == "production"
    assert harness("gate", "gates/release.gate.yaml", "--candidate", "candidate")[0] == 0
    assert harness("gate", "gates/release.gate.yaml", "--candidate", "worse")[0] == 1
    code, _, err = harness(*words)
    assert (code, "is there already" in err) == (2, True)


def test_init_has_help(harness: Harness) -> None:
    code, out, _ = harness("gate", "init", "--help")
    assert (code, out.startswith("Usage: harness gate init")) == (0, True)


def test_annotations_go_to_the_other_stream_and_the_summary_to_its_file(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    code, out, err = harness("gate", "--baseline", "production", "--candidate", "worse", "--github", "--json")
    assert (code, json.loads(out)["status"]) == (1, "fail")
    assert err.startswith("::error title=fail letters%3A%3Aaccuracy%3A%3Aall::✗ fail")
    assert (tmp_path / "summary").read_text().startswith("## ✗ FAIL\n")


def test_a_baseline_is_promoted_shown_and_has_a_history(harness: Harness) -> None:
    code, _, err = harness("baseline", "promote", "worse")
    assert (code, "give a reason" in err) == (2, True)
    assert harness("baseline", "promote", "candidate")[0] == 0
    assert harness("baseline", "promote", "worse", "--reason", "agreed")[0] == 0
    (shown,) = json.loads(harness("baseline", "show", "--json")[1])
    assert (shown["name"], shown["checkpoint"], shown["verdict"], shown["author"], shown["reason"]) == (
        "production", "worse", "fail", "ada", "agreed",
    )  # fmt: skip
    assert "agreed" in harness("baseline", "show")[1]
    changes = json.loads(harness("baseline", "history", "--json")[1])
    assert [change["verdict"] for change in changes] == ["fail", "pass", None]
    assert "every blocking rule passed" in harness("baseline", "history")[1]


def test_no_other_command_moves_a_baseline(harness: Harness) -> None:
    code, _, err = harness("runs", "name", "production", "worse")
    assert (code, "moves only by `harness baseline promote" in err) == (2, True)


def test_nothing_moves_in_ci_without_the_flag(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    code, _, err = harness("baseline", "promote", "candidate")
    assert (code, "--allow-ci" in err) == (2, True)
    assert harness("baseline", "promote", "candidate", "--allow-ci")[0] == 0


def test_the_lost_items_open_where_the_dashboard_reads_them() -> None:
    query = lost_items("ba5e", "cada", suite="noisy-input").partition("?")[2]
    view, faults = parse(dict(pair.split("=") for pair in query.split("&")))
    assert (view, faults) == (
        View(baseline="ba5e", candidate="cada", suites=("noisy-input",), transition="rw"),
        (),
    )


def _commands(name: str) -> list[str]:
    """The lines of a recipe that a shell runs."""
    text = (REPOSITORY / "examples" / "ci" / name).read_text(encoding="utf-8")
    if name == "github.yml":
        return [step["run"] for step in yaml.safe_load(text)["jobs"]["gate"]["steps"] if "run" in step]
    if name == "gitlab.yml":
        return list(yaml.safe_load(text)["gate"]["script"])
    return [line.removeprefix("exec ") for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("name", ["github.yml", "pre-push"])
@pytest.mark.parametrize(("candidate", "code"), [("candidate", 0), ("worse", 1)])
def test_the_recipes_gate_ends_as_the_verdict_is(
    harness: Harness, tmp_path: Path, name: str, candidate: str, code: int
) -> None:
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates" / "release.gate.yaml").write_text(
        "schema: 1\nbaseline: {run: production}\nrules: [{margin: 0.1}]\n"
    )
    (command,) = [line for line in _commands(name) if line.startswith("harness gate")]
    words = shlex.split(command)[1:]
    words[words.index("candidate")] = candidate
    assert harness(*words)[0] == code
    assert (tmp_path / "gate.xml").is_file() is (name == "github.yml")


def test_gitlabs_recipe_writes_the_report_it_keeps() -> None:
    (command,) = [line for line in _commands("gitlab.yml") if line.startswith("pytest")]
    kept = yaml.safe_load((REPOSITORY / "examples/ci/gitlab.yml").read_text())["gate"]["artifacts"][
        "reports"
    ]["junit"]
    assert f"--junitxml={kept}" in shlex.split(command)
