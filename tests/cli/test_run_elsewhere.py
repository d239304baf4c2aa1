"""`harness run --backend ...`: a run of a model that is not in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.store import open_store
from tests.backends.model_server import Fault, OneCheckpoint, serving

SUITE = """\
schema: 1
name: courier
version: "1"
summary: Which word stands in the sentence?
licence: Apache-2.0
languages: [en]
task: {task}
metrics: [{metric}]
primary: {metric}
{more}
"""
ITEMS = [{"question": f"Who has parcel {n}?", "options": ["the courier", "the neighbour"]} for n in range(6)]


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def ran(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["run", *map(str, words)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return int(left.value.code or 0), captured.out, captured.err

    return run


def made_suite(folder: Path, *, by: str = "option_text") -> Path:
    folder.mkdir()
    more = f"read: {{by: {by}}}"
    (folder / "suite.yaml").write_text(SUITE.format(task="multiple_choice", metric="accuracy", more=more))
    lines = [
        json.dumps({"language": "en", "prompt": prompt, "target": {"option": n % 2}})
        for n, prompt in enumerate(ITEMS)
    ]
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "CARD.md").write_text("# courier\n\nMade for a test.\n")
    return folder


def outputs(out: str) -> dict[str, dict[str, Any]]:
    """The run's outputs by variant."""
    rows = open_store("runs").run(json.loads(out)["run_id"]).outputs().to_dict("records")
    return {row["variant_id"]: row for row in rows}


def test_a_served_model_gets_the_scores_of_the_engine(
    ran: Callable[..., tuple[int, str, str]], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    from harness.engine import open_checkpoint

    suite = made_suite(tmp_path / "courier")
    code, here, _ = ran(tiny_checkpoint, "--suite", suite, "--device", "cpu", "--cache", "off", "--json")
    assert code == 0
    with serving(OneCheckpoint(open_checkpoint(tiny_checkpoint, device="cpu"))) as served:
        words = (
            "tiny",
            "--suite",
            suite,
            "--backend",
            "openai",
            "--backend-args",
            f"url={served.url}",
            "--json",
        )
        code, there, _ = ran(*words)
        assert code == 0
        calls = len(served.calls)
        assert ran(*words)[0] == 0
        assert len(served.calls) == calls + 1  # only what it serves: the run is finished
    ours, theirs = outputs(here), outputs(there)
    assert ours.keys() == theirs.keys()
    for variant_id, row in ours.items():
        other = theirs[variant_id]
        pairs = zip(row["option_logprobs"], other["option_logprobs"], strict=True)
        assert all(abs(one - two) <= 1e-4 for one, two in pairs)
        assert row["outcome"] == other["outcome"] == "scored"
    manifest = open_store("runs").run(json.loads(there)["run_id"]).manifest
    assert manifest.checkpoint.name == "tiny"
    assert manifest.checkpoint.weights is None
    assert "weights were not seen" in str(manifest.environment["backend"]["identity"])


def test_one_broken_request_is_a_missing_item_and_asked_again_by_nobody_else(
    ran: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    suite = made_suite(tmp_path / "courier", by="generation")
    faults = lambda number, path, body: Fault(500) if "parcel 3" in str(body) else None  # noqa: E731
    with serving(faults=faults) as served:
        told = f"url={served.url},api=chat,retries=1,first_wait=0.01"
        code, out, _ = ran("tiny", "--suite", suite, "--backend", "openai", "--backend-args", told, "--json")
    assert code == 0
    outcomes = sorted(row["outcome"] for row in outputs(out).values())
    assert outcomes.count("failed") == 1
    assert len(outcomes) == 6


def test_options_that_cannot_be_scored_end_in_one_message_with_the_way_out(
    ran: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    suite = made_suite(tmp_path / "courier")
    with serving() as served:
        told = f"url={served.url},api=chat"
        code, out, err = ran("tiny", "--suite", suite, "--backend", "openai", "--backend-args", told)
    assert (code, out) == (4, "")
    assert "all 6 answers failed" in err
    assert "read: {by: generation}" in err


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--backend", "opnai"], 2, "No backend named 'opnai'. Did you mean 'openai'"),
        (["--backend", "openai"], 2, "url=http://localhost:8000/v1"),
        (["--backend", "openai", "--backend-args", "url"], 2, "expected NAME=VALUE"),
        (["--backend", "openai", "--backend-args", "url=a,url=b"], 2, "given twice"),
        (["--backend", "openai", "--backend-args", "url=localhost:80"], 2, "expected an address"),
        (["--backend", "openai", "--backend-args", "url=http://me:pw@h/v1"], 2, "a user or a password"),
        (["--backend", "openai", "--backend-args", "url=http://h/v1,api_key=x"], 2, "environment variable"),
        (["--backend", "openai", "--backend-args", "url=http://h/v1,api=talk"], 2, "No api named 'talk'"),
        (["--backend", "openai", "--backend-args", "url=http://h/v1,retrys=1"], 2, "Did you mean 'retries'"),
        (["--backend", "openai", "--backend-args", "url=http://h/v1,retries=1.5"], 2, "a whole number"),
        (["--backend", "openai", "--backend-args", "url=http://h/v1,timeout=0"], 2, "at least 0.001"),
        (
            ["--backend", "openai", "--backend-args", "url=http://127.0.0.1:9/v1,retries=0"],
            4,
            "Start the server",
        ),
        (["--backend", "openai", "--dtype", "float32"], 2, "--dtype: only for the engine in this process"),
        (["--backend", "openai", "--dry-run"], 2, "--dry-run: only for the engine"),
        (["--backend-args", "a=1"], 2, "--backend-args needs --backend"),
        (["--backend", "lm-eval:vlm"], 2, "No lm-eval model named 'vlm'. Did you mean"),
        (["--backend", "lm-eval:local-completions", "--backend-args", "auth_token=x"], 2, "OPENAI_API_KEY"),
    ],
)
def test_a_mistake_is_one_message_with_a_remedy(
    ran: Callable[..., tuple[int, str, str]], tmp_path: Path, words: list[str], code: int, expected: str
) -> None:
    suite = made_suite(tmp_path / "courier")
    found, out, err = ran("tiny", "--suite", suite, *words)
    assert (found, out) == (code, "")
    assert expected in err


def test_an_lm_eval_model_answers_a_suite(
    ran: Callable[..., tuple[int, str, str]], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    suite = made_suite(tmp_path / "courier")
    _, here, _ = ran(tiny_checkpoint, "--suite", suite, "--device", "cpu", "--cache", "off", "--json")
    words = ("--backend", "lm-eval:hf", "--backend-args", "dtype=float32,device=cpu", "--json")
    code, there, _ = ran(tiny_checkpoint, "--suite", suite, *words)
    assert code == 0
    theirs = outputs(there)
    for variant_id, row in outputs(here).items():
        pairs = zip(row["option_logprobs"], theirs[variant_id]["option_logprobs"], strict=True)
        assert all(abs(one - two) <= 1e-4 for one, two in pairs)
