"""What holds of every metric."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.exchange import BackendFailure
from harness.core.scores import Prediction
from harness.metrics import METRICS, CorpusRow, is_correct, score_case, specification
from harness.metrics.examples import Example, example_case, task_of

ITEM_METRICS = [name for name in METRICS.names() if not specification(name).corpus]
CORPUS_METRICS = [name for name in METRICS.names() if specification(name).corpus]
TEXTUAL = [
    name
    for name in METRICS.names()
    if specification(name).target & {"answers", "references", "option"}
    and not specification(name).corpus
    and "fields" not in specification(name).target  # these judge form
]
HIGHER = [name for name in ITEM_METRICS if specification(name).direction == "higher"]
# What Python texts may hold and models do emit: emoji, a rare Chinese character, a lone surrogate, a NUL, Arabic.
AWKWARD = ("😀👨‍👩‍👧", "𠮷𪚥", "\ud800", "\x00\x1b[31m", "مرحبا", "ﷺ" * 5, "\u202eabc", "٣٤", "²³", "")
TEXTS = st.one_of(
    st.text(max_size=60), st.sampled_from(AWKWARD), st.text(alphabet='abc 北京12.,-%{}"', max_size=60)
)


def example_for(metric: str, *, output: str, gold: str = "18") -> Example:
    """An example of a task shape that the metric scores."""
    target = specification(metric).target
    if not target:
        return Example(text=gold or "x", text_nats=-float(len(output)), tokens=3)
    if "fields" in target:
        return Example(output=output, fields=(("a", gold), ("b", 2)))
    if "option" in target:
        return Example(output=output, options=(gold or "x", f"not {gold}"), option=0)
    return Example(output=output, answers=(gold,))


def perfect(metric: str) -> Example:
    if specification(metric).target & {"fields"}:
        return example_for(metric, output='{"b": 2, "a": "18"}')
    return example_for(metric, output="18")


@pytest.mark.parametrize("name", METRICS.names())
def test_the_name_says_the_direction(name: str) -> None:
    spec = specification(name)
    assert spec.name == name
    lower = name.endswith(("_loss", "_error", "_rate", "_perplexity"))
    assert spec.direction == ("lower" if lower else "higher")
    assert name.endswith(("_score", "_match", "accuracy")) or lower
    assert spec.shapes and (spec.bounds[1] is None or spec.bounds[0] < spec.bounds[1])
    assert spec.pass_at == 1.0 or not spec.binary


@pytest.mark.parametrize("name", ITEM_METRICS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(output=TEXTS, gold=TEXTS)
def test_values_keep_the_declared_bounds(name: str, output: str, gold: str) -> None:
    spec = specification(name)
    if name == "numeric_match":
        gold = "18 " + gold
    score = score_case(example_case(example_for(name, output=output, gold=gold)), name)
    assert score.value is not None and math.isfinite(score.value)
    assert spec.bounds[0] <= score.value <= (math.inf if spec.bounds[1] is None else spec.bounds[1])
    assert not spec.binary or score.value in (0.0, 1.0)


@pytest.mark.parametrize("name", HIGHER)
def test_a_perfect_answer_has_the_best_value(name: str) -> None:
    spec = specification(name)
    score = score_case(example_case(perfect(name)), name)
    assert score.value == spec.bounds[1]
    assert is_correct(score.value, spec) in (True, None)


@pytest.mark.parametrize("name", [name for name in TEXTUAL if name != "numeric_match"])
@pytest.mark.parametrize("gold", ["北京", "𠮷", "😀", "the", "?", "\ud800", "A.", "Ünïcödé"])
def test_an_answer_equal_to_the_gold_is_perfect_in_any_script(name: str, gold: str) -> None:
    assert score_case(example_case(example_for(name, output=gold, gold=gold)), name).value == 1.0


@pytest.mark.parametrize("name", ITEM_METRICS)
def test_a_failed_answer_is_missing(name: str) -> None:
    case = example_case(perfect(name))
    failed = replace(case, answer=BackendFailure("timeout", "60 s"), prediction=Prediction("failed"))
    assert score_case(failed, name).value is None
    assert score_case(failed, f"{name}_given_parsed").value is None
    assert METRICS.get(name)(failed) is None


@pytest.mark.parametrize("name", HIGHER)
@pytest.mark.parametrize("outcome", ["unparsed", "abstained"])
def test_an_answer_that_was_not_read_is_wrong_and_missing_only_given_parsed(name: str, outcome: str) -> None:
    case = example_case(perfect(name))
    unread = replace(case, prediction=replace(case.prediction, outcome=outcome))
    primary, given_parsed = score_case(unread, name), score_case(unread, f"{name}_given_parsed")
    assert (primary.value, primary.outcome) == (0.0, outcome)
    assert (given_parsed.value, given_parsed.outcome) == (None, outcome)
    assert METRICS.get(name)(unread) == 0.0


@pytest.mark.parametrize("name", ITEM_METRICS)
def test_given_parsed_is_the_metric_where_the_answer_was_read(name: str) -> None:
    case = example_case(perfect(name))
    assert score_case(case, f"{name}_given_parsed").value == score_case(case, name).value


HOSTILE: dict[str, Callable[[], str]] = {
    "one word": lambda: "a" * 1_000_000,
    "words": lambda: "a b " * 250_000,
    "digits": lambda: "1" * 1_000_000,
    "numbers": lambda: "1,111 1/1 " * 100_000,
    "chinese numerals": lambda: "一" * 1_000_000,
    "braces": lambda: "{" * 1_000_000,
    "spaces": lambda: " " * 999_999 + "x",
    "announcements": lambda: "answer is " * 100_000,
    "expanding": lambda: "ﷺ" * 300_000,
    "english numerals": lambda: "one and " * 125_000,
    "commas": lambda: "1," * 500_000,
    "stacked accents": lambda: "a" + "\u0301\u0316" * 500_000,
}


@pytest.mark.parametrize("name", TEXTUAL)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_megabyte_is_scored_quickly(name: str, kind: str) -> None:
    case = example_case(perfect(name))
    case = replace(case, prediction=replace(case.prediction, text=HOSTILE[kind]()))
    score_case(example_case(perfect(name)), name)  # libraries are loaded at first use
    began = time.process_time()
    score_case(case, name)
    assert (
        time.process_time() - began < 2.0
    )  # 65,536 characters take well under half a second on one busy core


def _rows(draw: list[tuple[int, int, float]]) -> list[CorpusRow]:
    names = ["a", "b", "c", None]
    return [
        CorpusRow(names[predicted], names[gold % 3], -abs(nats), 1 + gold, weight=1.0 + predicted)
        for predicted, gold, nats in draw
    ]


@pytest.mark.parametrize("name", CORPUS_METRICS)
@settings(max_examples=50, deadline=None)
@given(
    draw=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 9), st.floats(-500, 0)), min_size=1, max_size=30
    ),
    shuffler=st.randoms(use_true_random=False),
)
def test_a_corpus_metric_keeps_its_bounds_and_ignores_order(name: str, draw: list, shuffler) -> None:  # type: ignore
    rows, metric, spec = _rows(draw), METRICS.get(name), specification(name)
    value = metric(rows)
    assert spec.bounds[0] <= value <= (math.inf if spec.bounds[1] is None else spec.bounds[1])
    shuffler.shuffle(rows)
    assert metric(rows) == value


@pytest.mark.parametrize("name", ITEM_METRICS)
def test_the_examples_of_the_battery_have_a_shape_that_the_metric_scores(name: str) -> None:
    assert task_of(perfect(name)) in specification(name).shapes
