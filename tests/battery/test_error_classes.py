"""What holds of every error class."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.exchange import BackendFailure
from harness.core.scores import Prediction
from harness.metrics.examples import Example, example_case
from harness.taxonomy import ERROR_CLASSES, PRECEDENCE, classify, specification
from harness.taxonomy.declare import STAGES, WRONG_ONLY
from tests.battery.test_metrics import HOSTILE, TEXTS

NAMES = ERROR_CLASSES.names()
EXAMPLES = {
    kind: [(name, example) for name in NAMES for example in getattr(specification(name), kind)]
    for kind in ("positives", "negatives")
}


def _ids(kind: str) -> list[str]:
    return [f"{name}-{place}" for place, (name, _) in enumerate(EXAMPLES[kind])]


@pytest.mark.parametrize(("name", "example"), EXAMPLES["positives"], ids=_ids("positives"))
def test_a_planted_error_is_found(name: str, example: Example) -> None:
    assert name in classify(example_case(example), correct=False).flags


@pytest.mark.parametrize(("name", "example"), EXAMPLES["negatives"], ids=_ids("negatives"))
def test_a_near_miss_is_not_flagged(name: str, example: Example) -> None:
    assert name not in classify(example_case(example), correct=False).flags


@pytest.mark.parametrize("name", NAMES)
def test_every_class_has_two_examples_of_each_kind_in_both_languages(name: str) -> None:
    spec = specification(name)
    assert spec.name == name and spec.version >= 1 and spec.stage in STAGES
    assert len(spec.positives) >= 2 and len(spec.negatives) >= 2
    assert {example.language for example in spec.positives} == {"en", "zh"}
    assert {example.language for example in (*spec.positives, *spec.negatives)} == {"en", "zh"}


def test_the_precedence_names_every_class_once_in_the_order_of_the_stages() -> None:
    assert sorted(PRECEDENCE) == NAMES
    places = [(STAGES.index(specification(name).stage), specification(name).order) for name in PRECEDENCE]
    assert places == sorted(places)


@settings(max_examples=100, deadline=None)
@given(output=TEXTS, finish=st.sampled_from(["eos", "length"]), correct=st.sampled_from([True, False, None]))
def test_flags_follow_the_precedence_and_one_is_primary_where_the_answer_is_wrong(
    output: str, finish: str, correct: bool | None
) -> None:
    for parts in (
        {"answers": ("18",)},
        {"labels": ("good", "bad"), "label": "bad"},
        {"fields": (("a", "18"),)},
    ):
        found = classify(example_case(Example(output=output, finish=finish, **parts)), correct=correct)  # type: ignore
        assert list(found.flags) == sorted(set(found.flags), key=PRECEDENCE.index)
        if correct is False:
            assert found.primary == found.flags[0]
            assert "other" not in found.flags or found.flags == ("other",)
        elif correct:
            assert found.primary is None
            assert not any(specification(flag).stage in WRONG_ONLY for flag in found.flags)
        else:
            assert found.primary == (found.flags[0] if found.flags else None) != "other"


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize(
    "parts", [{"answers": ("18",)}, {"labels": ("good", "bad"), "label": "bad"}], ids=["open", "label"]
)
def test_a_hostile_megabyte_is_classified_quickly(kind: str, parts: dict) -> None:  # type: ignore[type-arg]
    case = example_case(Example(output="x", finish="length", demonstrations=("19",), **parts))
    generation = replace(case.answer.generations[0], text=HOSTILE[kind]())  # type: ignore[union-attr]
    case = replace(
        case,
        answer=replace(case.answer, generations=(generation,)),  # type: ignore[type-var]
        prediction=Prediction("unparsed" if "labels" in parts else "scored", text=generation.text),
    )
    began = time.process_time()
    classify(case, correct=False)
    assert (
        time.process_time() - began < 3.0
    )  # far above what 64 KiB cost, far below what a megabyte squared would


def test_a_choice_by_likelihood_has_no_class_of_text() -> None:
    labels = Example(option_nats=(-2.0, -1.0), labels=("good", "bad"), label="good")
    options = Example(option_nats=(-2.0, -1.0), options=("good", "bad"), option=0, demonstrations=("bad",))
    for example in (labels, options):
        assert classify(example_case(example), correct=False).flags == ("other",)


def test_a_failed_answer_has_no_class() -> None:
    case = example_case(Example(output="", answers=("18",)))
    failed = replace(case, answer=BackendFailure("timeout", "60 s"), prediction=Prediction("failed"))
    assert classify(failed, correct=None) == classify(failed, correct=False)
    assert classify(failed, correct=None).flags == ()


def test_a_right_answer_keeps_that_it_was_cut_off() -> None:
    case = example_case(Example(output="Nine", answers=("nine",), finish="length"))
    found = classify(case, correct=True)
    assert (found.flags, found.primary) == (("output_truncated",), None)
