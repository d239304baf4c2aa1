"""Measures on multiple choice: each scripted model's true value is known from how it is made."""

from __future__ import annotations

import math

import pytest

from harness.robustness.consistency import answer_entropy, consistency
from harness.robustness.drop import drop
from harness.robustness.flip_rate import flip_rates
from harness.robustness.option_bias import option_bias, option_prior
from harness.robustness.score_sensitivity import score_sensitivity
from harness.robustness.spread import spread
from harness.robustness.worst_case import all_right, at_least_right, worst_case
from tests.robustness.answering_models import (
    N_ITEMS,
    N_OPTIONS,
    Model,
    always_a,
    content_of,
    format_breaker,
    guesser,
    oracle,
    questions,
    slot_picker,
)

ASKED = questions()
ITEMS = [asked.item for asked in ASKED]
# By hand: right in all four orders; right in the one order that puts the right option there; right in the usual order.
MODELS = [(oracle, 1.0, 1.0, 1.0), (always_a, 0.25, 0.0, 0.0), (slot_picker, 0.25, 0.0, 0.0)]


def rights(model: Model) -> list[bool]:
    return [model(asked) == asked.gold for asked in ASKED]


def scores(model: Model) -> list[float | None]:
    return [float(right) for right in rights(model)]


def contents(model: Model) -> list[str | None]:
    return [content_of(asked, model(asked)) for asked in ASKED]


@pytest.mark.parametrize(("model", "accuracy", "worst", "agreement"), MODELS)
def test_worst_case_all_right_and_consistency_are_those_the_model_was_made_with(
    model: Model, accuracy: float, worst: float, agreement: float
) -> None:
    assert sum(rights(model)) / len(ASKED) == accuracy
    assert worst_case(scores(model), ITEMS).value == worst
    assert all_right(rights(model), ITEMS).value == worst
    assert consistency(contents(model), ITEMS, n_answers=N_OPTIONS).rate.value == agreement
    assert at_least_right(rights(model), ITEMS, k=1).value == 1.0  # each is right in one order at least


def test_guessing_agrees_as_often_as_chance_and_corrects_to_nothing() -> None:
    found = consistency(contents(guesser), ITEMS, n_answers=N_OPTIONS)
    assert (
        found.corrected is not None and found.corrected.low is not None and found.corrected.high is not None
    )
    assert found.rate.low is not None and found.rate.high is not None
    assert found.rate.low < 0.25 < found.rate.high  # 1 / 4
    assert found.corrected.low < 0 < found.corrected.high
    perfect = consistency(contents(oracle), ITEMS, n_answers=N_OPTIONS).corrected
    assert perfect is not None and perfect.value == pytest.approx(1.0)
    picker = consistency(contents(slot_picker), ITEMS, n_answers=N_OPTIONS).corrected
    assert picker is not None and picker.value == pytest.approx(-1 / 3)  # (0 - 1/4) / (3/4)


def test_answers_that_cannot_be_read_agree_with_nothing() -> None:
    assert consistency(contents(format_breaker), ITEMS).rate.value == 0.0


def test_entropy_is_nothing_for_one_answer_and_whole_for_four() -> None:
    assert answer_entropy(contents(oracle), ITEMS).value == 0.0
    assert answer_entropy(contents(always_a), ITEMS).value == pytest.approx(1.0)
    # One readable answer and three that are not: H(1/4, 3/4) / log 4.
    expected = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75)) / math.log(4)
    assert answer_entropy(contents(format_breaker), ITEMS).value == pytest.approx(expected)


def test_score_sensitivity_is_half_where_one_of_four_is_right_and_nothing_where_all_or_none_are() -> None:
    assert score_sensitivity(scores(always_a), ITEMS).value == pytest.approx(0.5)  # 3 of 6 pairs differ
    assert score_sensitivity(scores(oracle), ITEMS).value == 0.0
    assert score_sensitivity([0.0] * len(ASKED), ITEMS).value == 0.0


def test_recall_by_slot_and_its_deviation_show_the_model_that_always_names_one_slot() -> None:
    gold = [asked.gold for asked in ASKED]
    found = option_bias([0] * len(ASKED), gold, ITEMS, n_options=N_OPTIONS)
    assert [recall.value for recall in found.recalls] == [1.0, 0.0, 0.0, 0.0]
    assert found.rstd.value == pytest.approx(math.sqrt(3) / 4)  # population deviation of 1, 0, 0, 0
    assert [share.value for share in found.picked] == [1.0, 0.0, 0.0, 0.0]
    assert found.fewest == N_ITEMS
    fair = option_bias(gold, gold, ITEMS, n_options=N_OPTIONS)
    assert fair.rstd.value == 0.0 and fair.deviation.value == 0.0


def test_guessing_has_a_deviation_of_recalls_but_none_beyond_noise() -> None:
    gold = [asked.gold for asked in ASKED]
    found = option_bias([guesser(asked) for asked in ASKED], gold, ITEMS, n_options=N_OPTIONS)
    assert found.rstd.value is not None and found.rstd.value > 0.01
    assert found.deviation.low == 0.0
    assert found.deviation.value is not None and found.deviation.value < found.rstd.value


def test_a_slot_that_is_never_right_leaves_no_deviation() -> None:
    found = option_bias([0, 1], [0, 1], ["a", "b"], n_options=3)
    assert found.rstd.value is None and found.fewest == 0


def test_the_prior_finds_the_weight_that_was_put_on_a_slot_whatever_the_contents_weigh() -> None:
    slots = (1.0, 0.0, 0.0, 0.0)  # nats for the first slot, over contents of their own weights
    weights = (2.0, 0.5, 0.1, -1.0)
    rows = [[slots[slot] + weights[asked.order[slot]] for slot in range(N_OPTIONS)] for asked in ASKED]
    prior = option_prior(rows, ITEMS)
    # Closed form: softmax(1, 0, 0, 0), since the contents' weights stand in every slot once.
    total = math.e + 3
    assert [one.value for one in prior] == pytest.approx([math.e / total, *[1 / total] * 3])
    assert all(one.low is not None and one.high is not None and one.low < one.high for one in prior)


def test_flips_of_a_slot_picker_go_both_ways_and_the_net_drop_hides_them() -> None:
    usual = {asked.item: asked for asked in ASKED if asked.turn == 0}
    turned = [asked for asked in ASKED if asked.turn > 0]
    found = flip_rates(
        [content_of(asked, always_a(asked)) for asked in turned],
        [always_a(asked) == asked.gold for asked in turned],
        [content_of(usual[asked.item], always_a(usual[asked.item])) for asked in turned],
        [always_a(usual[asked.item]) == usual[asked.item].gold for asked in turned],
        [asked.item for asked in turned],
    )
    # By hand: a quarter of the items are right in the usual order and lost in all three others; each of the rest is
    # won in one of its three other orders, and says another wrong thing in two.
    assert found.right_to_wrong.value == pytest.approx(0.25)
    assert found.wrong_to_right.value == pytest.approx(0.75 / 3)
    assert found.wrong_to_other_wrong.value == pytest.approx(0.75 * 2 / 3)
    assert found.any_flip.value == 1.0
    lost = drop(
        [float(always_a(asked) == asked.gold) for asked in turned],
        [float(always_a(usual[asked.item]) == usual[asked.item].gold) for asked in turned],
        [asked.item for asked in turned],
        chance=0.25,
    )
    assert lost.absolute.value == pytest.approx(0.0)
    assert lost.corrected is not None and lost.corrected.value is None  # nothing above chance to lose


def test_order_changes_nothing_for_guessing_and_the_null_explains_its_spread() -> None:
    found = spread(scores(guesser), ITEMS, [asked.turn for asked in ASKED], draws=200)
    assert found.spread.value is not None and found.spread.value > 0
    assert found.null is not None and found.p_value is not None and found.p_value > 0.05
    assert found.deviation.low == 0.0
    assert found.spread.low == 0.0


def test_a_model_right_in_one_order_alone_has_a_spread_of_one() -> None:
    given = [float(format_breaker(asked) == asked.gold) for asked in ASKED]
    found = spread(given, ITEMS, [asked.turn for asked in ASKED], draws=200)
    assert (found.spread.value, found.best, found.lowest, found.highest) == (1.0, 0, 0.0, 1.0)
    assert found.p_value == pytest.approx(1 / 201)
    assert found.deviation.value == pytest.approx(0.5)  # sample deviation of 1, 0, 0, 0
