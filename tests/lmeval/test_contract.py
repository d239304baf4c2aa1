"""What we rely on in lm-eval beyond its documented calls: a version that changes it fails here, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

from packaging.version import Version


def test_the_installed_version_is_one_we_know() -> None:
    assert Version("0.4.12") <= Version(version("lm_eval")) < Version("0.5")


def test_the_task_manager_takes_folders_and_leaves_out_its_own(tasks_copy: Path) -> None:
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=[str(tasks_copy)], include_defaults=False)
    assert "tiny_sums" in manager.task_index
    assert manager.match_tasks(["tiny_s*"]) == ["tiny_stories", "tiny_suite", "tiny_sums"]
    entry = manager.task_index["tiny_group"]
    assert {"name", "kind", "yaml_path", "cfg", "tags"} <= set(vars(entry))
    assert entry.kind.name == "GROUP"
    assert manager.task_index["tiny_suite"].kind.name == "TAG"
    assert manager.task_index["tiny_suite"].tags == {"tiny_agreement", "tiny_questions"}


def test_the_index_and_the_yaml_loader_take_what_we_give_them() -> None:
    from lm_eval.tasks._index import TaskIndex
    from lm_eval.tasks._yaml_loader import load_yaml

    assert list(inspect.signature(TaskIndex.process_cfg).parameters) == ["cfg", "path", "index_"]
    assert list(inspect.signature(TaskIndex.entry_from_path).parameters) == ["path"]
    assert {"path", "resolve_func"} <= set(inspect.signature(load_yaml).parameters)


def test_an_instance_has_the_fields_we_read_and_fill() -> None:
    from lm_eval.api.instance import Instance

    names = {field.name for field in fields(Instance)}
    assert {
        "request_type", "doc", "arguments", "idx", "metadata", "resps", "filtered_resps", "task_name", "doc_id",
        "repeats",
    } <= names  # fmt: skip
    made = Instance(request_type="loglikelihood", doc={}, arguments=("a", "b"), idx=0, metadata=("t", 3, 2))
    assert (made.args, made.task_name, made.doc_id, made.repeats) == (("a", "b"), "t", 3, 2)


def test_a_task_has_the_parts_we_call() -> None:
    from lm_eval.api.task import ConfigurableTask, Task

    for name in (
        "build_all_requests", "apply_filters", "process_results", "aggregation", "higher_is_better", "doc_to_target",
        "set_fewshot_seed", "get_config", "set_config", "task_name", "instances",
    ):  # fmt: skip
        assert hasattr(Task, name), name
        assert hasattr(ConfigurableTask, name), name
    parameters = inspect.signature(Task.build_all_requests).parameters
    assert {"limit", "rank", "world_size"} <= set(parameters)
    assert parameters["apply_chat_template"].default is False


def test_prompts_are_built_with_lm_evals_default_seeds() -> None:
    import lm_eval
    from lm_eval.defaults import DEFAULT_OTHER_SEED, DEFAULT_RANDOM_SEED

    from harness.lmeval import task_loading

    assert (task_loading.PYTHON_SEED, task_loading.NUMPY_SEED, task_loading.FEWSHOT_SEED) == (
        DEFAULT_RANDOM_SEED,
        DEFAULT_OTHER_SEED,
        DEFAULT_OTHER_SEED,
    )
    defaults = inspect.signature(lm_eval.simple_evaluate).parameters
    assert defaults["fewshot_random_seed"].default == task_loading.FEWSHOT_SEED
    assert defaults["random_seed"].default == task_loading.PYTHON_SEED


def test_hashes_and_default_lengths_are_lm_evals_own() -> None:
    from lm_eval.defaults import DEFAULT_MAX_GEN_TOKS
    from lm_eval.filters.extraction import RegexFilter

    from harness.lmeval.answered import INVALID
    from harness.lmeval.requests import DEFAULT_MAX_TOKENS

    assert DEFAULT_MAX_GEN_TOKS == DEFAULT_MAX_TOKENS
    assert RegexFilter().fallback == INVALID


def test_default_aggregations_of_logs_are_those_registered() -> None:
    from lm_eval.api.registry import AGGREGATION_REGISTRY, get_metric_aggregation

    from harness.lmeval.log_import import DEFAULT_AGGREGATIONS

    names = {function: name for name, function in AGGREGATION_REGISTRY.items()}
    for metric, aggregation in DEFAULT_AGGREGATIONS.items():
        assert names[get_metric_aggregation(metric)] == aggregation, metric


def test_results_and_samples_have_the_keys_we_read(
    tiny_model: object, stock_run: Callable[..., dict], tasks_copy: Path
) -> None:
    results = stock_run(tiny_model, ["tiny_agreement"], limit=2)
    assert {
        "results",
        "configs",
        "versions",
        "n-shot",
        "higher_is_better",
        "samples",
        "config",
        "date",
    } <= set(results)
    sample = results["samples"]["tiny_agreement"][0]
    assert {
        "doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash",
        "prompt_hash", "target_hash",
    } <= set(sample)  # fmt: skip
    assert {"output_type", "target_delimiter", "num_fewshot", "repeats", "metric_list"} <= set(
        results["configs"]["tiny_agreement"]
    )
    assert results["config"]["fewshot_seed"] == 1234
