"""The option-order consistency that lm-eval reports, beside ours, on models whose truth is known."""

from __future__ import annotations

import pytest

from harness.core.rng import rng_for
from harness.robustness.consistency import consistency

LETTERS = "ABCD"
N_ITEMS = 400

# model -> (what lm-eval's rate says, the truth by hand); gold slots are uniform, and its four orders swap the right
# option into each slot in turn.
# Always A: where the right option was in slot A, its answers are that one and three others (0 of 6 pairs agree);
# else A holds its own content in three orders and the right one in one (3 of 6): 3/4 * 1/2 = .375.
KNOWN = {"oracle": (1.0, 1.0), "always A": (0.625, 0.375), "where gold was": (1.0, 0.0)}


def asked() -> list[tuple[str, int, int, list[str]]]:
    """Question, slot where gold was, slot where it is now, and the contents of the four slots."""
    rows = []
    for number in range(N_ITEMS):
        was = number % 4
        for now in range(4):
            contents = [f"text {slot}" for slot in range(4)]
            contents[was], contents[now] = contents[now], contents[was]
            rows.append((f"q{number}", was, now, contents))
    return rows


def picked(model: str, question: str, was: int, now: int) -> int:
    if model == "guess":
        return rng_for(1, question, now).integer(4)
    return {"oracle": now, "always A": 0, "where gold was": was}[model]


def ours(model: str) -> float | None:
    rows = asked()
    answers = [contents[picked(model, question, was, now)] for question, was, now, contents in rows]
    return consistency(answers, [row[0] for row in rows], n_answers=4).rate.value


def published(model: str) -> float:
    score = pytest.importorskip("lm_eval.tasks.score.utils", reason="lm-eval's score tasks are not installed")
    results = [
        (question, LETTERS[now], LETTERS[picked(model, question, was, now)], was, now)
        for question, was, now, _ in asked()
    ]
    return float(score.options_consistency_rate(results, list(LETTERS)))


@pytest.mark.parametrize("model", KNOWN)
def test_ours_is_the_truth_where_the_published_rate_is_not(model: str) -> None:
    theirs, truth = KNOWN[model]
    assert ours(model) == pytest.approx(truth)
    assert published(model) == pytest.approx(theirs)


def test_ours_is_the_truth_for_guessing() -> None:
    assert ours("guess") == pytest.approx(0.25, abs=0.03)  # four standard errors of 400 x 6 dependent pairs
