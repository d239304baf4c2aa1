"""A model that always answers rightly gets full marks on every variant; one that never does gets none."""

from __future__ import annotations

import pytest

from harness.core.exchange import Choose, Chosen, Generated, Generation, OptionScore
from harness.core.scores import Case
from harness.core.variants import Variant
from harness.metrics import score_case
from harness.prompting import Asking, read, request
from harness.suites import load_suite, suite_names


def _place(variant: Variant) -> int:
    """Where the right option or label stands."""
    target = variant.item.target
    assert target is not None
    if target.option is not None:
        return target.option
    return [label.id for label in variant.item.prompt.labels].index(str(target.label))


def _chosen(n_options: int, best: int) -> Chosen:
    return Chosen(tuple(OptionScore(-1.0 if place == best else -2.0, 1) for place in range(n_options)))


def _value(variant: Variant, asking: Asking, metric: str, *, right: bool, text: str = "") -> float | None:
    asked = request(variant, asking)
    if isinstance(asked, Choose):
        n_options = len(asked.options)
        best = _place(variant) if right else (_place(variant) + 1) % n_options
        answer: Chosen | Generated = _chosen(n_options, best)
    else:
        answer = Generated((Generation(text if right else "none of this", "eos", 3),))
    prediction = read(variant, answer, asking)
    return score_case(Case(variant, asked.prompt, answer, prediction), metric).value  # type: ignore[union-attr]


@pytest.mark.parametrize("name", suite_names())
def test_right_answers_score_one_and_wrong_ones_zero_on_every_variant(name: str) -> None:
    suite = load_suite(name)
    for variant in suite.build(smoke=True).variants:
        target = variant.item.target
        assert target is not None
        for text in target.answers or ("",):
            assert _value(variant, suite.asking, suite.primary, right=True, text=text) == 1.0, text
        assert _value(variant, suite.asking, suite.primary, right=False) == 0.0


@pytest.mark.parametrize("name", suite_names())
def test_every_item_can_be_asked(name: str) -> None:
    suite = load_suite(name)
    for variant in suite.build(limit=len(suite.items)).variants:
        asked = request(variant, suite.asking)
        if isinstance(asked, Choose):
            assert len(set(asked.options)) == len(asked.options) >= 2
