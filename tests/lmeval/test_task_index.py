"""Finding tasks: names, patterns, files, groups; and saying what is wrong with a task folder."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from harness.core.errors import TaskError
from harness.lmeval import prepare_tasks
from harness.lmeval.task_index import task_manager

LOCAL = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: ""
doc_to_choice: "{{{{[good, bad]}}}}"
doc_to_target: 0
"""


@pytest.fixture
def folder(tasks_copy: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tasks_copy, tmp_path / "own"))


def test_a_group_a_tag_a_pattern_and_a_file_stand_for_their_tasks(folder: Path) -> None:
    def names(*wanted: str) -> set[str]:
        return set(prepare_tasks(wanted, include_paths=[folder]).names)

    assert names("tiny_group") == {"tiny_agreement", "tiny_sums"}
    assert names("tiny_suite") == {"tiny_agreement", "tiny_questions"}
    assert names("tiny_s*s") == {"tiny_stories", "tiny_sums"}
    assert names(str(folder / "stories.yaml")) == {"tiny_stories"}


def test_a_task_file_needs_no_folder_to_be_named(folder: Path) -> None:
    assert prepare_tasks([str(folder / "sums.yaml")]).names == ("tiny_sums",)


def test_local_tasks_are_found_without_indexing_lm_evals_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lm_eval.tasks

    built = []

    class Recorded(lm_eval.tasks.TaskManager):
        def __init__(self, **settings: object) -> None:
            built.append(settings["include_defaults"])
            super().__init__(**settings)  # type: ignore[arg-type]

    monkeypatch.setattr(lm_eval.tasks, "TaskManager", Recorded)
    started = time.monotonic()
    prepare_tasks(["tiny_agreement"], include_paths=[folder])
    assert built == [False]
    assert time.monotonic() - started < 5


def test_data_beside_the_yaml_file_is_found_from_any_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agreement.jsonl").write_text('{"good": "another", "bad": "file"}\n')
    prepared = prepare_tasks(["tiny_agreement"], include_paths=[folder])
    assert len(prepared.tasks[0].prompted) == 7  # 8 lines, one of them twice
    assert Path.cwd() == tmp_path


def test_data_that_is_not_beside_the_yaml_file_is_looked_for_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/away.yaml").write_text(LOCAL.format(name="away", data="here.jsonl"))
    (tmp_path / "here.jsonl").write_text('{"good": "a b", "bad": "b a"}\n')
    monkeypatch.chdir(tmp_path)
    assert len(prepare_tasks(["away"], include_paths=[tmp_path / "tasks"]).tasks[0].prompted) == 1


def test_an_unreadable_yaml_file_is_named_with_its_line_although_another_task_was_asked_for(
    folder: Path,
) -> None:
    (folder / "broken.yaml").write_text("task: broken\nmetric_list:\n  - metric: acc\n bad: [\n")
    with pytest.raises(TaskError, match=r"broken\.yaml:4:\d+: not valid YAML"):
        prepare_tasks(["tiny_agreement"], include_paths=[folder])


def test_an_include_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "orphan.yaml").write_text("task: orphan\ninclude: base_template\n")
    with pytest.raises(TaskError, match=r"orphan\.yaml: cannot read '.*base_template'"):
        prepare_tasks(["tiny_agreement"], include_paths=[folder])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"'.*/nowhere' is not there"):
        prepare_tasks(["x"], include_paths=[tmp_path / "nowhere"])


def test_data_that_cannot_be_had_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text(
        LOCAL.format(name="hub", data="x").replace("json", "someone/never-cached")
    )
    (tmp_path / "lost.yaml").write_text(LOCAL.format(name="lost", data="lost.jsonl"))
    with pytest.raises(
        TaskError, match=r"'hub' cannot be loaded: its data cannot be had offline .*someone/never"
    ):
        prepare_tasks(["hub"], include_paths=[tmp_path])
    with pytest.raises(
        TaskError, match=r"'lost' cannot be loaded: its data cannot be had offline .*lost\.jsonl"
    ):
        prepare_tasks(["lost"], include_paths=[tmp_path])


def test_a_task_named_twice_through_a_group_is_refused(folder: Path) -> None:
    with pytest.raises(TaskError, match="'tiny_sums' is named more than once"):
        prepare_tasks(["tiny_group", "tiny_sums"], include_paths=[folder])


def test_a_fault_in_a_task_names_the_task(folder: Path) -> None:
    text = (folder / "agreement.yaml").read_text().replace("{{[good, bad]}}", "{{[good, worse]}}")
    (folder / "agreement.yaml").write_text(
        text.replace("doc_to_target: 0", 'doc_to_target: "{{ nothing.at.all }}"')
    )
    with pytest.raises(TaskError, match="Task 'tiny_agreement' cannot be loaded"):
        prepare_tasks(["tiny_agreement"], include_paths=[folder])


@pytest.mark.parametrize("settings", [{"limit": 0}, {"num_fewshot": -1}])
def test_settings_out_of_range_are_refused(settings: dict[str, int], folder: Path) -> None:
    with pytest.raises(TaskError):
        prepare_tasks(["tiny_sums"], include_paths=[folder], **settings)  # type: ignore[arg-type]


def test_no_name_is_an_error() -> None:
    with pytest.raises(TaskError, match="No task was named"):
        prepare_tasks([])


def test_a_task_that_runs_written_code_is_refused(folder: Path) -> None:
    with (folder / "sums.yaml").open("a") as file:
        file.write("unsafe_code: true\n")
    with pytest.raises(TaskError, match="'tiny_sums' runs code that the model writes"):
        prepare_tasks(["tiny_group"], include_paths=[folder])


def test_a_module_that_a_task_needs_is_named_with_the_remedy(folder: Path) -> None:
    (folder / "reading.py").write_text(
        "import no_such_module_here\n\ndef read(doc, results):\n    return {}\n"
    )
    with (folder / "sums.yaml").open("a") as file:
        file.write("process_results: !function reading.read\n")
    with pytest.raises(TaskError, match=r"need the Python module 'no_such_module_here'.*pip install"):
        prepare_tasks(["tiny_sums"], include_paths=[folder])
    assert prepare_tasks(["tiny_agreement"], include_paths=[folder]).names  # only asked tasks run their code


def test_an_unknown_name_is_answered_with_the_nearest_of_lm_evals_own_and_the_users(folder: Path) -> None:
    with pytest.raises(TaskError, match=r"No lm-eval task.* 'helaswag'\. Did you mean .*'hellaswag'"):
        prepare_tasks(["helaswag"], include_paths=[folder])
    with pytest.raises(TaskError, match=r"'tiny_agreemnt'\. Did you mean 'tiny_agreement'"):
        prepare_tasks(["tiny_agreemnt"], include_paths=[folder])
    with pytest.raises(TaskError, match=r"There is no task file 'gone\.yaml'\. .*--include-path"):
        prepare_tasks(["gone.yaml"])


def test_lm_evals_own_tasks_are_found_as_its_own_index_finds_them(folder: Path) -> None:
    """The full index of these folders is the reference; that of all folders takes too long for a test."""
    import lm_eval.tasks
    from lm_eval.tasks._index import TaskIndex

    root = Path(lm_eval.tasks.__file__).parent
    reference = TaskIndex.build([root / "mmlu/default", root / "hellaswag", root / "arc", root / "cmmlu"])
    manager, names = task_manager(["mmlu", "hellaswag", "cmmlu", "tiny_sums"], [folder])
    assert names == ("mmlu", "hellaswag", "cmmlu", "tiny_sums")
    ours = {name: entry for name, entry in manager.task_index.items() if not name.startswith("tiny")}
    assert 57 + 67 < len(ours) < 200  # subjects of MMLU and CMMLU with their groups and tags, not 14,000
    assert {name: vars(entry) for name, entry in ours.items()} == {
        name: vars(reference[name]) for name in ours
    }


def test_a_group_may_hold_tasks_written_out_and_lm_evals_own(folder: Path) -> None:
    (folder / "mixed.yaml").write_text(
        "group: mixed\ntask:\n  - hellaswag\n  - tiny_sums\n  - task: inline_task\n    dataset_path: json\n"
        "  - {group: inner, task: [tiny_stories]}\n"
    )
    manager, _ = task_manager(["mixed"], [folder])
    assert "hellaswag" in manager.task_index
    assert len(manager.task_index) < 100


def test_a_users_task_wins_over_lm_evals_own_of_the_same_name(folder: Path) -> None:
    text = (folder / "agreement.yaml").read_text().replace("task: tiny_agreement", "task: hellaswag")
    (folder / "hellaswag.yaml").write_text(text)
    manager, _ = task_manager(["hellaswag", "arc_easy"], [folder])
    assert manager.task_index["hellaswag"].cfg["dataset_path"] == "json"
    assert manager.task_index["arc_easy"].cfg["dataset_path"] == "allenai/ai2_arc"
