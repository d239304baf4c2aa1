"""`harness lm-eval`: lm-eval's own command, one word changed."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main

Ran = Callable[..., int]


@pytest.fixture
def ran(
    monkeypatch: pytest.MonkeyPatch, tasks_copy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Ran:
    """Runs `harness lm-eval`, standing in the tasks' folder; lm-eval's own 14,000 tasks are not indexed."""
    import lm_eval.tasks
    import lm_eval.utils

    monkeypatch.chdir(tasks_copy)
    # Its handler would outlive the test and write to a stream that pytest has closed.
    monkeypatch.setattr(lm_eval.utils, "setup_logging", lambda: None)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    own_only = functools.partial(lm_eval.tasks.TaskManager, include_defaults=False)
    monkeypatch.setattr(lm_eval.tasks, "TaskManager", own_only)

    def run(*words: object) -> int:
        with pytest.raises(SystemExit) as left:
            main(["lm-eval", *map(str, words)])
        return int(left.value.code or 0)

    return run


def results_in(folder: Path) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The results file and the samples by task, checking that the files are named as lm-eval names them."""
    (found,) = folder.rglob("results_*.json")
    samples = {
        path.name.removeprefix("samples_").rsplit("_", 1)[0]: [
            json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()
        ]
        for path in found.parent.glob("samples_*.jsonl")
    }
    return json.loads(found.read_text(encoding="utf-8")), samples


def test_one_word_changed_gives_the_same_files_and_figures(
    ran: Ran, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    both = []
    for model in ("hf", "harness"):
        out = tmp_path / model
        code = ran(
            "--model", model, "--model_args", f"pretrained={tiny_checkpoint},dtype=float32", "--device", "cpu",
            "--tasks", "tiny_agreement,tiny_stories", "--include_path", ".", "--output_path", out, "--log_samples",
            "--batch_size", "2", "--seed", "1",
        )  # fmt: skip
        assert code == 0
        both.append(results_in(out))
    (stock, their_samples), (found, samples) = both
    assert found["config"]["model"] == "harness"
    assert stock["config"]["model"] == "hf"
    assert found.keys() == stock.keys()
    assert found["results"]["tiny_agreement"] == stock["results"]["tiny_agreement"]
    for figure, value in stock["results"]["tiny_stories"].items():
        expected = pytest.approx(value, rel=1e-3) if isinstance(value, float) else value
        assert found["results"]["tiny_stories"][figure] == expected
    assert {name: len(lines) for name, lines in samples.items()} == {
        name: len(lines) for name, lines in their_samples.items()
    }
    for name, lines in their_samples.items():
        for line, their_line in zip(samples[name], lines, strict=True):
            assert line.keys() == their_line.keys()
            assert line["doc_hash"] == their_line["doc_hash"]


def test_without_a_model_it_is_ours_and_a_config_file_may_name_another(
    ran: Ran, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    told = ("--model_args", f"pretrained={tiny_checkpoint}", "--device", "cpu", "--include_path", ".")
    assert ran("run", *told, "--tasks", "tiny_agreement", "--output_path", tmp_path / "ours") == 0
    assert results_in(tmp_path / "ours")[0]["config"]["model"] == "harness"
    file = tmp_path / "told.yaml"
    file.write_text("model: dummy\ntasks: [tiny_agreement]\n")
    words = ("--config", file, "--include_path", ".", "--output_path", tmp_path / "dummy")
    assert ran(*words) == 0
    assert results_in(tmp_path / "dummy")[0]["config"]["model"] == "dummy"


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["run", "--tasks"], 2, "expected at least one argument"),  # argparse, as in lm-eval
        (["run", "--no-such-option"], 2, "unrecognized arguments"),
        (["ls", "no-such-kind"], 2, "invalid choice"),
        (["run", "--help"], 0, "Basic evaluation with HuggingFace model"),
        (["validate", "--help"], 0, "lm-eval validate"),
    ],
)
def test_usage_errors_and_help_are_lm_evals_own(
    ran: Ran, capfd: pytest.CaptureFixture[str], words: list[str], code: int, expected: str
) -> None:
    assert ran(*words) == code
    assert expected in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("pretrained=./none", "There is no folder"),
        ("pretrained=x,quantize=4", "No argument of the model 'harness' named 'quantize'"),
        ("dtype=float32", "pretrained=FOLDER_OR_HUB_ID"),
    ],
)
def test_a_mistake_in_our_models_arguments_is_one_message(
    ran: Ran, capfd: pytest.CaptureFixture[str], arguments: str, expected: str
) -> None:
    words = ("--model_args", arguments, "--tasks", "tiny_agreement", "--include_path", ".")
    assert ran(*words) == 2
    captured = capfd.readouterr()
    assert expected in captured.err
    assert "Traceback" not in captured.err


def test_an_error_of_lm_eval_passes_through(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    before = list(sys.argv)
    # lm-eval's own command ends in this ValueError, too: Python's exit code 1.
    with pytest.raises(ValueError, match="Tasks not found: no_such_task"):
        main(["lm-eval", "--tasks", "no_such_task", "--include_path", "."])
    assert sys.argv == before


def test_answers_kept_by_use_cache_are_used_again(ran: Ran, tiny_checkpoint: Path, tmp_path: Path) -> None:
    for out in ("first", "second"):
        code = ran(
            "--model_args", f"pretrained={tiny_checkpoint}", "--tasks", "tiny_agreement", "--include_path", ".",
            "--use_cache", tmp_path / "kept", "--output_path", tmp_path / out,
        )  # fmt: skip
        assert code == 0
    assert (tmp_path / "kept_rank0.db").is_file()
    first, second = (results_in(tmp_path / out)[0]["results"] for out in ("first", "second"))
    assert first == second


@pytest.mark.shared
@pytest.mark.slow
def test_a_real_checkpoint_and_real_sentences_give_the_figures_of_hf(
    ran: Ran, shared_dir: Path, tmp_path: Path
) -> None:
    source = (shared_dir / "data/blimp/anaphor_gender_agreement.jsonl").read_text(encoding="utf-8")
    (tmp_path / "pairs.jsonl").write_text("\n".join(source.splitlines()[:80]) + "\n", encoding="utf-8")
    (tmp_path / "pairs.yaml").write_text(
        "task: real_pairs\ndataset_path: json\ntest_split: test\n"
        f"dataset_kwargs: {{data_files: {{test: {tmp_path / 'pairs.jsonl'}}}}}\n"
        'output_type: multiple_choice\ndoc_to_text: ""\ndoc_to_target: 0\n'
        'doc_to_choice: "{{[sentence_good, sentence_bad]}}"\nmetric_list: [{metric: acc}, {metric: acc_norm}]\n'
    )
    found = {}
    for model in ("hf", "harness"):
        code = ran(
            "--model", model, "--model_args", f"pretrained={shared_dir / 'models/stories260K'},dtype=float32",
            "--device", "cpu", "--tasks", "real_pairs", "--include_path", tmp_path,
            "--output_path", tmp_path / model, "--log_samples",
        )  # fmt: skip
        assert code == 0
        found[model] = results_in(tmp_path / model)
    assert found["harness"][0]["results"] == found["hf"][0]["results"]
    samples, theirs = found["harness"][1]["real_pairs"], found["hf"][1]["real_pairs"]
    for line, their_line in zip(samples, theirs, strict=True):
        for call, their_call in zip(line["resps"], their_line["resps"], strict=True):
            one, two = float(call[0][0]), float(their_call[0][0])  # lm-eval writes its numbers as strings
            assert abs(one - two) <= max(1e-4, 1e-6 * abs(two))
