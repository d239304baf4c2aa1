"""Per-item values from lm-eval's measures; documents as items."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.rows import MetricFacts
from harness.lmeval.documents import Document, language_of, target_of
from harness.lmeval.item_values import Measure, MetricRules, item_values, joined_facts, losses, primary_of

AGGREGATIONS = {
    "brier_score": "brier_score",
    "mcc": "matthews_corrcoef",
    "bleu": "bleu",
    "ter": "ter",
    "chrf": "chrf",
}


def value_of(metric: str, value: Any, **aggregations: str) -> dict[str, float | None]:
    rules = MetricRules(aggregations=AGGREGATIONS | aggregations, higher_is_better={"wer": False})
    return {found.name: found.value for found in item_values([Measure(metric, "none", value)], rules)}


def test_a_brier_score_is_the_squared_distance_from_certainty() -> None:
    # By hand: (0.7 - 1)^2 + 0.2^2 + 0.1^2 = 0.14
    assert value_of("brier_score", (0, [0.7, 0.2, 0.1]))["brier_score"] == pytest.approx(0.14)


def test_pairs_of_classes_become_right_or_wrong() -> None:
    assert value_of("mcc", (1, 1)) == {"acc": 1.0}
    assert value_of("mcc", [1, 0]) == {"acc": 0.0}


def test_sentence_figures_of_a_perfect_text_are_perfect() -> None:
    assert value_of("bleu", ("the cat sat on the mat", "the cat sat on the mat"))[
        "sentence_bleu"
    ] == pytest.approx(100)
    assert value_of("chrf", (["the cat", "a cat"], "a cat"))["sentence_chrf"] == pytest.approx(100)
    assert value_of("ter", ("the cat", "the cat")) == {"sentence_ter": 0.0}


def test_a_log_likelihood_that_lm_eval_makes_a_perplexity_of_becomes_a_loss() -> None:
    assert value_of("perplexity", -2.5, perplexity="perplexity") == {"nats_loss": 2.5}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_finite_number_is_missing(value: float) -> None:
    assert value_of("wer", value) == {"wer": None}


@pytest.mark.parametrize("value", [{"a": 1}, [True, False], "text", None, (1, 2, 3)])
def test_parts_without_a_value_of_their_own_are_left_to_the_aggregate(value: Any) -> None:
    assert value_of("inst_level_acc", value) == {}


def test_numpy_scalars_are_numbers() -> None:
    import numpy as np

    assert value_of("acc", np.float64(1.0)) == {"acc": 1.0}
    assert value_of("acc", np.bool_(False)) == {"acc": 0.0}


def test_direction_bounds_and_pass_rule_are_declared() -> None:
    rules = MetricRules(higher_is_better={"wer": False})
    (acc,) = item_values([Measure("acc", "none", 1)], rules)
    assert acc.facts == MetricFacts("acc", "higher", (0.0, 1.0), binary=True, pass_at=1.0)
    (wer,) = item_values([Measure("wer", "none", 0.3)], rules)
    assert wer.facts == MetricFacts("wer", "lower", (None, None))


def test_a_metric_with_one_value_between_is_not_binary() -> None:
    rules = MetricRules()
    every = [item_values([Measure("acc", "none", value)], rules)[0].facts for value in (1, 0.5, 0)]
    assert [facts.binary for facts in joined_facts(every)] == [False]


def test_accuracy_is_primary_wherever_it_stands() -> None:
    assert primary_of([MetricFacts("f1"), MetricFacts("acc_norm"), MetricFacts("acc")]) == "acc"
    assert primary_of([MetricFacts("exact_match[strict]"), MetricFacts("bleu")]) == "exact_match[strict]"


def test_a_text_without_bytes_or_tokens_has_no_loss() -> None:
    assert losses(-1.0, "", 0) == ()


@given(st.integers(0, 5), st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=6))
def test_an_index_is_an_option_and_anything_else_an_answer(index: int, options: list[str]) -> None:
    target = target_of(str(index), tuple(options))
    if index < len(options):
        assert target.option == index
    else:
        assert target.option is not None or target.answers == (str(index),)


def test_a_list_of_indices_is_a_list_of_options() -> None:
    assert target_of("[0, 2]", ("x", "y", "z")).answers == ("x", "z")


@given(st.text(max_size=50))
def test_any_text_is_a_target(text: str) -> None:
    assert target_of(text, ()).answers


@pytest.mark.parametrize(
    ("content", "language"),
    [
        ({"q": "她去了北京大学。"}, "zh"),
        ({"q": "What is the capital of 法国?"}, "und"),
        ({"q": "これは日本語です"}, "und"),
        ({"q": ["Tell me which of the two is right.", 3]}, "en"),
        ({"n": 12}, "und"),
    ],
)
def test_a_language_is_told_only_where_the_text_shows_it(content: object, language: str) -> None:
    assert language_of(content) == language


def test_an_item_keeps_its_id_when_the_prompt_changes_and_the_prompt_does_not() -> None:
    def document(context: str) -> Document:
        calls = ((context, " yes"), (context, " no"))
        return Document("t", 0, "hash", "multiple_choice", calls, "0", "en")

    plain, shots = document("Q?"), document("Example. Q?")
    assert plain.variant.variant_id == shots.variant.variant_id
    assert plain.prompt_id != shots.prompt_id
    assert plain.options == ("yes", "no")
