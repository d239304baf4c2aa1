"""Logs that plain lm-eval really wrote, as runs; and clear errors for logs that are not whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.lmeval import ImportedRun, import_logs, prepare_tasks, store_import
from harness.store import open_store
from tests.lmeval.conftest import TASKS, HflmBackend, stock_model
from tests.lmeval.test_equality import by_hash, scores_by_document

NAMES = ("tiny_agreement", "tiny_questions", "tiny_stories", "tiny_sums")


def write_log(folder: Path, checkpoint: Path, tasks: Path, *, names: tuple[str, ...] = NAMES) -> Path:
    """What `lm_eval run --model hf --model_args pretrained=... --log_samples --output_path FOLDER` does."""
    import lm_eval
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    tracker = EvaluationTracker(output_path=str(folder))
    results = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": str(checkpoint), "dtype": "float32"},
        device="cpu",
        batch_size=1,
        tasks=list(names),
        task_manager=TaskManager(include_path=str(tasks), include_defaults=False),
        evaluation_tracker=tracker,
        log_samples=True,
        bootstrap_iters=0,
    )
    assert results is not None
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    for name in results["configs"]:
        tracker.save_results_samples(task_name=name, samples=samples[name])
    return folder


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path, tasks_copy: Path) -> Path:
    folder = tmp_path_factory.mktemp("logs") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tasks_copy)
        return write_log(folder, tiny_checkpoint, tasks_copy)


@pytest.fixture(scope="module")
def imported(log: Path) -> ImportedRun:
    return import_logs(log)


@pytest.fixture
def copy(log: Path, tmp_path: Path) -> Path:
    """A log that a test may spoil: the folder of the one model in it."""
    folder = Path(shutil.copytree(log, tmp_path / "out"))
    (inner,) = folder.iterdir()
    return inner


def samples_file(folder: Path, task: str) -> Path:
    (path,) = folder.glob(f"samples_{task}_*.jsonl")
    return path


def spoil_line(path: Path, number: int, change: Callable[[dict], object]) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    record = json.loads(lines[number - 1])
    change(record)
    lines[number - 1] = json.dumps(record, ensure_ascii=False)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_every_task_of_a_log_becomes_a_suite_with_lm_evals_own_figures(imported: ImportedRun) -> None:
    assert {result.record.name for result in imported.results} == set(NAMES)
    for result in imported.results:
        reported = result.record.asking["reported"]
        assert isinstance(reported, dict)
        assert result.record.source == "import"
        for facts in result.record.metrics:
            metric, _, filter_name = facts.name.removesuffix("]").partition("[")
            figure = reported.get(f"{metric},{filter_name or 'none'}")
            if figure is None or result.record.n_rejected:
                continue
            values = [
                row.value for row in result.scores if row.metric == facts.name and row.value is not None
            ]
            # lm-eval's figure of these metrics is the mean; its arrays stand in logs to eight digits
            assert sum(values) / len(values) == pytest.approx(figure, rel=1e-7), (
                result.record.name,
                facts.name,
            )
    assert imported.model.provenance == "as named in the log, weights unknown"
    assert "dtype=float32" in imported.model.arguments
    assert imported.model.dtype == "torch.float32"


def test_a_log_and_a_run_of_the_same_model_pair_and_agree(
    imported: ImportedRun, tiny_checkpoint: Path, tasks_copy: Path
) -> None:
    prepared = prepare_tasks(NAMES, include_paths=[tasks_copy])
    ours = {result.record.name: result for result in prepared.run(HflmBackend(stock_model(tiny_checkpoint)))}
    for logged in imported.results:
        run = ours[logged.record.name]
        ids = [
            {(row.variant_id, row.prompt_id, row.target_id) for row in each.items} for each in (run, logged)
        ]
        assert ids[0] == ids[1], logged.record.name
        for key in ("read", "generation", "samples", "num_fewshot", "fewshot", "task"):
            assert run.record.asking[key] == logged.record.asking[key], key
        assert run.record.n_rejected == logged.record.n_rejected
        assert run.record.primary == logged.record.primary
        facts = {each.name: each for each in run.record.metrics}
        assert all(facts[each.name] == each for each in logged.record.metrics)
        theirs = scores_by_document(logged)
        for doc_hash, values in scores_by_document(run).items():
            for metric, value in theirs[doc_hash].items():
                assert values[metric] == pytest.approx(value, abs=1e-6), metric
        outputs = by_hash(run)
        for doc_hash, row in by_hash(logged).items():
            assert (row.text, row.predicted, row.gold, row.kind, row.outcome) == (
                outputs[doc_hash].text,
                outputs[doc_hash].predicted,
                outputs[doc_hash].gold,
                outputs[doc_hash].kind,
                outputs[doc_hash].outcome,
            )
            assert (row.option_logprobs or ()) == pytest.approx(
                outputs[doc_hash].option_logprobs or (), abs=1e-5
            )


def test_the_same_log_is_the_same_run_and_another_is_not(
    imported: ImportedRun, log: Path, copy: Path
) -> None:
    assert import_logs(log).run_id == import_logs(copy).run_id == imported.run_id
    spoil_line(samples_file(copy, "tiny_agreement"), 1, lambda record: record.update(acc=1.0 - record["acc"]))
    assert import_logs(copy).run_id != imported.run_id


def test_an_imported_log_is_a_stored_run_like_any_other(imported: ImportedRun, tmp_path: Path) -> None:
    store = open_store(tmp_path / "runs", create=True)
    stored = store_import(store, imported)
    assert store_import(store, imported).run_id == stored.run_id == imported.run_id
    assert [manifest.run_id for manifest in store.runs()] == [imported.run_id]
    manifest = stored.manifest
    assert manifest.suites == tuple(result.record for result in imported.results)
    assert manifest.checkpoint.weights is None
    assert manifest.lineage["checkpoint"] == "as named in the log, weights unknown"
    assert len(stored.scores()) == sum(len(result.scores) for result in imported.results)
    sums = next(result for result in imported.results if result.record.name == "tiny_sums")
    texts = dict(zip(stored.outputs()["variant_id"], stored.outputs()["text"], strict=True))
    assert all(texts[row.variant_id] == row.text for row in sums.outputs)
    assert len(stored.variants("tiny_questions")) == 6
    assert manifest.counts["outputs"] == 7 + 6 + 3 + 4


@pytest.mark.shared
def test_two_real_models_logs_can_be_set_side_by_side(
    shared_dir: Path, tasks_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tasks_copy)
    names = ("tiny_agreement", "tiny_stories")
    models = [shared_dir / "models" / name for name in ("stories260K", "stories260K-q80")]
    one, two = (
        import_logs(write_log(tmp_path / model.name, model, tasks_copy, names=names)) for model in models
    )
    assert one.model.digest != two.model.digest
    assert one.run_id != two.run_id
    for left, right in zip(one.results, two.results, strict=True):
        assert [row.variant_id for row in left.items] == [row.variant_id for row in right.items]
        assert [row.prompt_id for row in left.outputs] == [row.prompt_id for row in right.outputs]
        assert left.record.digest == right.record.digest
        assert left.outputs != right.outputs


def test_of_several_outputs_of_one_model_the_newest_is_taken_and_named(copy: Path) -> None:
    (results,) = copy.glob("results_*.json")
    stamp = results.stem.removeprefix("results_")
    shutil.copy(results, copy / "results_2020-01-01T00-00-00.000000.json")
    found = import_logs(copy.parent)
    assert any("took" in note and stamp in note and "2020-01-01" in note for note in found.notes)
    assert len(found.results) == len(NAMES)


def test_logs_of_two_models_in_one_folder_are_refused(copy: Path) -> None:
    (results,) = copy.glob("results_*.json")
    content = json.loads(results.read_text()) | {"model_name": "another/model"}
    (copy / "results_2020-01-01T00-00-00.000000.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"logs of 2 models.*another/model"):
        import_logs(copy)
    assert import_logs(results).results  # one results file by its name


def test_a_task_without_samples_says_how_to_get_them(copy: Path) -> None:
    samples_file(copy, "tiny_sums").unlink()
    with pytest.raises(DataError, match=r"results\.tiny_sums: has figures .* no samples.* --log_samples"):
        import_logs(copy)


def test_samples_without_their_results_are_refused(copy: Path) -> None:
    (results,) = copy.glob("results_*.json")
    results.unlink()
    with pytest.raises(DataError, match=r"samples_tiny_\w+.*jsonl: has no results file"):
        import_logs(copy)


def test_an_empty_or_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no lm_eval output"):
        import_logs(tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        import_logs(tmp_path / "gone")


@pytest.mark.shared
def test_published_results_without_samples_say_that_items_are_missing(shared_dir: Path) -> None:
    with pytest.raises(DataError, match=r"holds only lm-eval's aggregates and \d+ more.*--log_samples"):
        import_logs(shared_dir / "data/pythia_evals/pythia-70m")
    (first, *_) = sorted((shared_dir / "data/pythia_evals").rglob("*.json"))
    with pytest.raises(DataError, match="holds only lm-eval's aggregates"):
        import_logs(first)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("doc_hash"), r"jsonl:3: doc_hash: missing"),
        (lambda r: r.pop("arguments"), r"jsonl:3: arguments: missing"),
        (lambda r: r.update(doc_id="3"), r"jsonl:3: doc_id: expected a whole number, got a text"),
        (lambda r: r.update(doc_id=True), r"jsonl:3: doc_id: expected a whole number, got a truth value"),
        (lambda r: r.update(resps=[]), r"jsonl:3: resps: has 0 entries for 2 calls"),
        (
            lambda r: r.update(resps=[[["x", "True"]], [["y", "True"]]]),
            r"jsonl:3: resps: expected a log-likelihood",
        ),
        (
            lambda r: r.update(arguments={"gen_args_1": {}}),
            r"jsonl:3: arguments: expected the keys gen_args_0",
        ),
        (lambda r: r.update(arguments=[[3]]), r"jsonl:3: arguments: expected the texts"),
        (lambda r: r.update(arguments={}), r"jsonl:3: arguments: holds no call"),
        (lambda r: r.update(metrics=["acc", "f7"]), r"jsonl:3: f7: missing, although `metrics` names it"),
        (lambda r: r.update(metrics="acc"), r"jsonl:3: metrics: expected a list"),
    ],
)
def test_a_malformed_line_is_named_with_its_field(
    copy: Path, change: Callable[[dict], object], message: str
) -> None:
    spoil_line(samples_file(copy, "tiny_agreement"), 3, change)
    with pytest.raises(DataError, match=message):
        import_logs(copy)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"doc_id": 1,, }', r"jsonl:2:14: not JSON"),
        (b"[1]", r"jsonl:2: expected an object, got a list"),
        (b'{"doc": "\xff"}', r"jsonl:2: not UTF-8"),
        (b"[" * 100_000, r"jsonl:2"),
    ],
)
def test_a_line_that_is_no_object_is_named_with_its_place(copy: Path, line: bytes, message: str) -> None:
    path = samples_file(copy, "tiny_stories")
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], line, *lines[1:]]))
    with pytest.raises(DataError, match=message):
        import_logs(copy)


def test_a_broken_results_file_is_named_with_its_place(copy: Path) -> None:
    (results,) = copy.glob("results_*.json")
    results.write_text('{\n  "results": {,}\n}')
    with pytest.raises(DataError, match=r"results_.*json:2:15: not JSON"):
        import_logs(copy)


def test_an_empty_samples_file_is_refused(copy: Path) -> None:
    samples_file(copy, "tiny_sums").write_text("\n")
    with pytest.raises(DataError, match="holds no sample"):
        import_logs(copy)


def test_a_file_to_which_two_runs_were_written_is_refused(copy: Path) -> None:
    path = samples_file(copy, "tiny_sums")
    path.write_text(path.read_text(encoding="utf-8") * 2, encoding="utf-8")
    with pytest.raises(DataError, match=r"jsonl:9: doc_id: document 0 stands here a second time"):
        import_logs(copy)


def test_hostile_text_in_a_log_stays_text(copy: Path) -> None:
    hostile = "<script>alert(1)</script>\x00\u202e{{ 7 * 7 }} __import__('os') \ud800"
    path = samples_file(copy, "tiny_sums")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for record in lines:
        record["resps"] = [[hostile]]
        record["target"] = "['" + hostile
        record["filtered_resps"] = [hostile]
    path.write_text("".join(json.dumps(record) + "\n" for record in lines), encoding="utf-8")
    sums = next(result for result in import_logs(copy).results if result.record.name == "tiny_sums")
    assert {row.text for row in sums.outputs} == {hostile}
    assert {row.gold for row in sums.outputs} == {"['" + hostile}


def test_a_log_of_an_older_lm_eval_is_read(copy: Path) -> None:
    """Before 0.4.9 samples had no `metrics`, and arguments and responses were plain lists of numbers."""
    path = samples_file(copy, "tiny_agreement")
    new = next(result for result in import_logs(copy).results if result.record.name == "tiny_agreement")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for record in lines:
        del record["metrics"], record["filter"]
        calls = record["arguments"]
        record["arguments"] = [list(call.values()) for call in calls.values()]
        record["resps"] = [[[float(number), flag == "True"]] for ((number, flag),) in record["resps"]]
    path.write_text("".join(json.dumps(record) + "\n" for record in lines), encoding="utf-8")
    old = next(result for result in import_logs(copy).results if result.record.name == "tiny_agreement")
    assert old.scores == new.scores
    assert old.outputs == new.outputs


def test_the_task_files_of_these_tests_are_all_logged() -> None:
    assert {path.stem for path in TASKS.glob("*.yaml")} == {
        "agreement",
        "questions",
        "stories",
        "sums",
        "suite",
    }
