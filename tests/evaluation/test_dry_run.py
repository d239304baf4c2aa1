"""A forecast counts what the run will ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engine import open_checkpoint
from harness.evaluation import EvaluationSettings
from harness.evaluation.dry_run import Forecast, SuiteForecast, foresee
from harness.evaluation.evaluate import build
from harness.prompting import plain_text
from harness.stats.power import minimum_detectable_effect
from harness.suites import Suite
from tests.evaluation.made_suites import question, suite


def forecast(checkpoint: Path, *suites: Suite, margin: float = 0.05) -> Forecast:
    settings = EvaluationSettings()
    with open_checkpoint(checkpoint) as model:
        return foresee(
            model, build(suites, settings), None, settings=settings, margin_of=lambda name: margin, alpha=0.05
        )


def only(found: Forecast) -> SuiteForecast:
    (part,) = found.suites
    return part


def test_tokens_are_those_of_every_prompt_and_option(tiny_checkpoint: Path) -> None:
    from transformers import AutoTokenizer

    found = forecast(tiny_checkpoint, suite(n=3))
    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint)

    def count(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    # On the plain path each option is read with its prompt; a BOS before either is within the tolerance.
    expected = sum(
        count(f"Question: {question(number)}\n\nAnswer:") + count(option)
        for number in range(3)
        for option in ("alpha", "beta", "gamma")
    )
    part = only(found)
    assert part.prompt_tokens == pytest.approx(expected, abs=2 * 9)
    assert (part.items, part.variants, part.requests, part.output_tokens, part.too_long) == (3, 3, 3, 0, 0)
    assert found.tokens_per_second is not None
    assert found.seconds == pytest.approx(part.prompt_tokens / found.tokens_per_second)  # type: ignore[operator]


def test_written_tokens_are_the_most_that_may_be_generated(tiny_checkpoint: Path) -> None:
    part = only(forecast(tiny_checkpoint, suite("free", 4, task="short_answer")))
    assert part.output_tokens == 4 * 64  # the default of max_tokens


def test_prompts_beyond_the_context_are_counted(tiny_checkpoint: Path) -> None:
    from dataclasses import replace

    from harness.core.items import Text

    own = suite(n=3)
    long = replace(own.items[0], prompt=replace(own.items[0].prompt, question=Text("word " * 600)))
    assert only(forecast(tiny_checkpoint, replace(own, items=(long, *own.items[1:])))).too_long == 1


def test_a_suite_that_cannot_decide_is_told_before_it_is_run(tiny_checkpoint: Path) -> None:
    few = only(forecast(tiny_checkpoint, suite(n=8)))
    assert "A rule on 8 pairs at a margin of 0.05" in few.decides
    unsure = only(forecast(tiny_checkpoint, suite(n=70)))
    # Tango certifies 0 of n at .05 from 52 items on, but 7 of 70 answers that differ leave it undecided.
    assert unsure.decides == "Could not pass an unchanged checkpoint of which 10% of the answers differ."
    enough = only(forecast(tiny_checkpoint, suite(n=40), margin=0.3))
    assert (enough.decides, enough.margin) == ("", 0.3)
    assert enough.detectable[0] == (0.10, minimum_detectable_effect(40, discordance=0.10))


def test_a_margin_in_larger_units_is_no_fault(tiny_checkpoint: Path) -> None:
    own = suite("free", 4, task="short_answer", metrics=("token_f1_score",))
    part = only(forecast(tiny_checkpoint, own, margin=2.0))
    assert (part.decides, part.detectable) == ("", ())


def test_plain_text_is_what_is_counted() -> None:
    from harness.prompting import request

    (variant,) = build([suite(n=1)], EvaluationSettings())[0].variants
    made = request(variant, suite(n=1).asking)
    assert plain_text(made.prompt) == f"Question: {question(0)}\n\nAnswer:"  # type: ignore[arg-type, union-attr]
