"""From stored runs of scripted models to the measures that apply to their suites."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.backends import scripted
from harness.cli.main import main
from harness.core.errors import UnknownName, UsageError
from harness.core.exchange import Answer, BackendFailure, Choose, Request
from harness.core.items import Item, Label, Passage, Prompt, Target, TaskShape, Text
from harness.evaluation import EvaluationSettings
from harness.prompting import Asking
from harness.robustness.estimate import Estimate
from harness.robustness.suite_robustness import Group, RunRobustness, run_robustness
from harness.store import StoredRun
from harness.suites import Suite
from tests.evaluation.made_suites import good, prompt_text, run_of, suite

N = 24
LABELS = (Label("pos", ("positive",)), Label("neg", ("negative",)))

OPTIONS = suite("options", N, plan=[{"option_order": {"how": "cyclic"}}])


def _suite(
    name: str, items: list[Item], *, task: TaskShape, plan: list[object], metrics: tuple[str, ...]
) -> Suite:
    made = suite(name, 1, task="short_answer", plan=plan)
    return replace(
        made,
        items=tuple(items),
        asking=Asking(task=task),
        metrics=metrics,
        primary=metrics[0],
    )


def _feeling(number: int) -> Item:
    label = ("pos", "neg")[number % 2]
    text = Text(f"Review {number}: {'lovely' if label == 'pos' else 'awful'}.")
    return Item(language="en", prompt=Prompt(question=text, labels=LABELS), target=Target(label=label))


def _opening(number: int) -> Item:
    passages = (Passage(f"The key is {number}.", key=True), *(Passage(f"Filler {n}.") for n in range(4)))
    prompt = Prompt(context=passages, question=Text("What is the key?"))
    return Item(language="en", prompt=prompt, target=Target(answers=(str(number),)))


FEELINGS = _suite(
    "feelings",
    [_feeling(number) for number in range(N)],
    task="classification",
    plan=[{"label_rename": {"names": "swapped"}}],
    metrics=("accuracy",),
)
KEYS = _suite(
    "keys",
    [_opening(number) for number in range(N)],
    task="short_answer",
    plan=["context_rotation"],
    metrics=("exact_match",),
)


def first_option(request: Request) -> str:
    assert isinstance(request, Choose)
    return request.options[0]


def memoriser(request: Request) -> str:
    """Says the name that it has learnt, whatever it is told to mean."""
    return "positive" if "lovely" in prompt_text(request) else "negative"


def recency_biased(request: Request) -> str:
    """Reads the last passage alone."""
    text = prompt_text(request)
    told = text.index("The key is")
    return text[told:].split()[3].strip(".") if told > text.rindex("Filler") else "unknown"


def measured(
    script: Callable[[Request], Answer | str], own: Suite, folder: Path, *, name: str = "model"
) -> tuple[StoredRun, RunRobustness]:
    run = run_of(scripted(script, name=name), [own], folder)
    return run, run_robustness(run)


def values(group: Group) -> dict[tuple[str, str | None], Estimate]:
    return {(line.measure, line.step): line.estimate for line in group.lines}


def test_a_model_that_always_takes_the_first_option_is_seen_through(tmp_path: Path) -> None:
    _, found = measured(first_option, OPTIONS, tmp_path)
    (group,) = found.groups
    seen = values(group)
    # By hand: alpha is right and stands first in the sources, and never first in the two other cyclic orders.
    assert seen["source_score", None].value == 1.0 and seen["drop", None].value == 1.0
    assert seen["drop_above_chance", None].value == pytest.approx(1.5)  # 1 / (1 - 1/3)
    assert seen["worst_case_score", None].value == 0.0
    assert seen["consistency", None].value == 0.0
    assert seen["right_to_wrong_rate", None].value == 1.0
    assert [seen["option_recall", slot].value for slot in "ABC"] == [1.0, 0.0, 0.0]
    prior = seen["option_prior", "A"].value
    assert prior is not None and prior > 0.99
    assert seen["spread", None].value == 1.0
    assert (group.n_variants, group.n_items, seen["drop", None].n) == (3 * N, N, 2 * N)


def test_a_model_that_reads_the_options_is_steady(tmp_path: Path) -> None:
    run = run_of(good(), [OPTIONS], tmp_path)
    seen = values(run_robustness(run).groups[0])
    for name in (
        "drop",
        "drop_rate",
        "flip_rate",
        "score_sensitivity",
        "spread",
        "option_rstd",
        "answer_entropy",
    ):
        assert seen[name, None].value == 0.0, name
    for name in ("consistency", "consistency_above_chance", "all_right", "worst_case_score"):
        assert seen[name, None].value == pytest.approx(1.0), name


def test_a_memoriser_of_labels_is_right_under_the_old_names_alone(tmp_path: Path) -> None:
    _, found = measured(memoriser, FEELINGS, tmp_path)
    seen = values(found.groups[0])
    assert seen["source_score", None].value == 1.0
    assert (seen["new_map_score", None].value, seen["old_map_score", None].value) == (0.0, 1.0)
    assert seen["label_in_set_share", None].value == 1.0
    assert next(line.note for line in found.groups[0].lines if line.measure == "new_less_old_map")


def test_a_recency_biased_model_has_its_curve(tmp_path: Path) -> None:
    _, found = measured(recency_biased, KEYS, tmp_path)
    group = next(group for group in found.groups if group.transform == "context_rotation")
    seen = values(group)
    curve = [line.estimate.value for line in group.lines if line.measure == "position_score"]
    assert curve[0] == 0.0 and curve[-1] == 1.0 and sum(curve) == 1.0  # type: ignore[arg-type]
    assert seen["primacy_recency", None].value == -1.0
    assert ("spread", None) not in seen  # positions have a curve instead
    assert ("valid_share", None) in seen  # answers are written


def test_failures_of_the_system_are_missing_and_counted(tmp_path: Path) -> None:
    answered = 0

    def script(request: Request) -> Answer | str:
        nonlocal answered
        answered += 1
        return BackendFailure("server", "gone") if answered == 2 else first_option(request)

    _, found = measured(script, OPTIONS, tmp_path)
    seen = values(found.groups[0])
    assert (seen["drop", None].n, seen["worst_case_score", None].n_scored) == (2 * N, N - 1)


def test_re_runs_give_flips_a_floor(tmp_path: Path) -> None:
    run = run_of(scripted(first_option, name="model"), [OPTIONS], tmp_path)
    again = run_of(
        scripted(first_option, name="model"), [OPTIONS], tmp_path, settings=EvaluationSettings(replicate=1)
    )
    seen = values(run_robustness(run, repeats=[again]).groups[0])
    assert seen["rerun_churn", None].value == 0.0 and seen["flips_above_rerun", None].value == 1.0
    other = run_of(good(), [OPTIONS], tmp_path)
    with pytest.raises(UsageError, match="harness compare"):
        run_robustness(run, repeats=[other])
    with pytest.raises(UsageError, match="its own repeat"):
        run_robustness(run, repeats=[run])


def test_a_run_without_variants_says_what_to_ask(tmp_path: Path) -> None:
    run = run_of(good(), [suite("plain", 4)], tmp_path)
    with pytest.raises(UsageError, match=r"plain: no variants besides the sources.*harness run"):
        run_robustness(run)
    with pytest.raises(UnknownName, match="Did you mean 'plain'"):
        run_robustness(run, suites=["plan"])


def test_the_command_prints_every_measure_with_its_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, found = measured(first_option, OPTIONS, tmp_path)
    for words in ([], ["--json"]):
        with pytest.raises(SystemExit) as left:
            main(["robustness", run.run_id, "--store", str(tmp_path), *words])
        assert not left.value.code
    printed = capsys.readouterr().out
    table, told = printed.split("{", 1)
    assert all(line.measure in table for line in found.groups[0].lines) and "noise alone" in table
    lines = json.loads("{" + told)["groups"][0]["lines"]
    assert [line["measure"] for line in lines] == [line.measure for line in found.groups[0].lines]
    assert all(
        {"value", "low", "high", "n", "n_scored", "n_items"} == set(line["estimate"]) for line in lines
    )


def test_a_language_without_variants_is_told(tmp_path: Path) -> None:
    run = run_of(good(), [OPTIONS], tmp_path)
    with pytest.raises(UsageError, match="in 'zh'"):
        run_robustness(run, language="zh")
