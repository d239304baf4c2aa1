"""What a comparison says of runs whose answers are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.comparison import Comparison, Effect, Slice, compare
from harness.core.errors import EmptyComparison, UnknownName, UsageError
from harness.core.exchange import (
    Answer,
    BackendFailure,
    Generated,
    Generation,
    GenerationSettings,
    Request,
    TextScored,
)
from harness.core.items import Item, Label, Prompt, Target, Text
from harness.core.rng import rng_for
from harness.evaluation import EvaluationSettings
from harness.prompting import Asking
from harness.prompting.asking import Reading
from harness.store import StoredRun
from harness.suites import Suite
from tests.evaluation.made_suites import (
    answering,
    good,
    is_picked,
    prompt_text,
    question,
    run_of,
    scripted,
    suite,
    wrong_on,
)

ALL = Slice()
TYPO = [{"typo": {"severity": 0.1}}]


def wrong_at(name: str, *numbers: int) -> object:
    """Wrong on the items of these numbers, whatever the variant."""
    words = {f"number {number} begin" for number in numbers}
    return scripted(answering(lambda text: any(word in text for word in words)), name=name)


def effect(found: Comparison, suite_name: str, metric: str, where: Slice = ALL) -> Effect:
    (one,) = (
        each for each in found.effects if (each.suite, each.metric, each.slice) == (suite_name, metric, where)
    )
    return one


def test_a_two_by_two_table_gives_mcnemars_mid_p(tmp_path: Path) -> None:
    before = run_of(wrong_at("b", 30, 31), [suite(n=40)], tmp_path)
    after = run_of(wrong_at("c", *range(8)), [suite(n=40)], tmp_path)
    found = effect(compare(before, after), "letters", "accuracy")
    # By hand: lost 8, won 2 of 40. Under H0 the wins are Bin(10, 1/2); mid-p of "at most 2 wins" is
    # (C(10,0) + C(10,1) + C(10,2)/2) / 2^10 = (1 + 10 + 22.5) / 1024.
    assert (found.lost, found.won, found.n, found.n_scored, found.n_items) == (8, 2, 40, 40, 40)
    assert (found.baseline, found.candidate) == (pytest.approx(38 / 40), pytest.approx(32 / 40))
    assert found.effect == pytest.approx(-6 / 40)
    assert found.harm_p == pytest.approx(33.5 / 1024)


def test_the_score_is_the_mean_over_items_of_the_mean_over_their_variants(tmp_path: Path) -> None:
    def before(text: str) -> bool:
        return question(3) in text  # item 3 on its source variant only

    def after(text: str) -> bool:
        is_source = "Which letter does the long word number" in text
        return " 0 " in text or (" 1 " in text and not is_source)

    own = [suite(n=4, plan=[{"typo": {"severity": 0.1}}])]
    found = compare(
        run_of(scripted(answering(before), name="b"), own, tmp_path),
        run_of(scripted(answering(after), name="c"), own, tmp_path),
    )
    whole = effect(found, "letters", "accuracy")
    # By hand: baseline (1, 1, 1, 1/2), candidate (0, 1/2, 1, 1).
    assert (whole.baseline, whole.candidate, whole.effect) == (0.875, 0.625, -0.25)
    assert (whole.lost, whole.won, whole.n, whole.n_items) == (3, 1, 8, 4)
    source = effect(found, "letters", "accuracy", Slice(transform="source"))
    assert (source.baseline, source.candidate, source.n) == (0.75, 0.75, 4)


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[StoredRun, StoredRun]:
    """Two mixed runs with failures, over two languages, two shapes and two transforms."""
    folder = tmp_path_factory.mktemp("runs")

    def failing(wrong: Callable[[str], bool], seed: str) -> Callable[[Request], Answer | str]:
        def script(request: Request) -> Answer | str:
            if is_picked(prompt_text(request), 0.05, seed=seed):
                return BackendFailure("server", "503")
            return answering(wrong)(request)

        return script

    suites = [
        suite(n=60, plan=TYPO, languages=("en", "zh")),
        suite("free", 40, task="short_answer", languages=("en", "zh"), plan=["character_case"]),
    ]
    before = scripted(failing(lambda text: is_picked(text, 0.2, seed="b"), "fb"), name="b")
    after = scripted(failing(lambda text: is_picked(text, 0.35, seed="c"), "fc"), name="c")
    return run_of(before, suites, folder), run_of(after, suites, folder)


def test_swapping_the_sides_negates_every_effect_and_mirrors_its_interval(
    two_runs: tuple[StoredRun, StoredRun],
) -> None:
    there, back = compare(*two_runs), compare(*two_runs[::-1])
    assert len(there.effects) >= 15
    for one, two in zip(there.effects, back.effects, strict=True):
        assert (one.suite, one.metric, one.slice) == (two.suite, two.metric, two.slice)
        assert one.effect == pytest.approx(-two.effect)  # type: ignore[operator]
        assert (one.baseline, one.candidate) == (two.candidate, two.baseline)
        assert (one.lost, one.won) == (two.won, two.lost)
        assert one.low == pytest.approx(-two.high, abs=1e-9)  # type: ignore[operator]
        assert one.high == pytest.approx(-two.low, abs=1e-9)  # type: ignore[operator]
    flipped = {(flip.variant_id, flip.suite): flip.kind for flip in there.flips}
    turned = {(flip.variant_id, flip.suite): flip.kind for flip in back.flips}
    assert flipped == {key: "won" if kind == "lost" else "lost" for key, kind in turned.items()}
    for share in there.classes:
        (other,) = (s for s in back.classes if (s.suite, s.error_class) == (share.suite, share.error_class))
        assert share.change == pytest.approx(-other.change)


def doctored(run: StoredRun, **tables: Callable[[pd.DataFrame], pd.DataFrame]) -> StoredRun:
    """The run with some of its tables changed."""
    other = StoredRun(run._place, run.manifest)
    for name, change in tables.items():
        table = change(getattr(run, name)())
        setattr(other, name, lambda table=table: table)
    return other


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_the_order_of_rows_changes_nothing(two_runs: tuple[StoredRun, StoredRun], seed: int) -> None:
    def shuffled(table: pd.DataFrame) -> pd.DataFrame:
        order = sorted(range(len(table)), key=lambda row: rng_for(seed, "row", str(row)).random())
        return table.iloc[order].reset_index(drop=True)

    other = doctored(two_runs[1], scores=shuffled, outputs=shuffled, errors=shuffled)
    plain, turned = compare(*two_runs), compare(two_runs[0], other)
    assert (plain.effects, plain.flips, plain.classes) == (turned.effects, turned.flips, turned.classes)


def test_equal_runs_never_flip_and_every_effect_is_nothing(two_runs: tuple[StoredRun, StoredRun]) -> None:
    found = compare(two_runs[0], two_runs[0])
    assert found.is_same_checkpoint
    assert found.flips == ()
    assert {each.effect for each in found.effects} == {0.0}
    assert all(
        each.harm_p >= 0.5  # type: ignore[operator]
        for each in found.effects
    )
    assert all(share.change == 0 for share in found.classes)


def test_a_failure_is_left_out_and_counted_never_zero(two_runs: tuple[StoredRun, StoredRun]) -> None:
    found = effect(compare(*two_runs), "letters", "accuracy")
    scores = [run.scores() for run in two_runs]
    letters = [table[table["suite"] == "letters"].set_index("variant_id")["value"] for table in scores]
    both = pd.concat(letters, axis=1).dropna()  # pandas' own inner join of what both scored
    assert found.failed == found.n - found.n_scored > 0
    assert found.n_scored == len(both)
    items = scores[0].drop_duplicates("variant_id").set_index("variant_id")["item_id"]
    by_item = both.groupby(items.reindex(both.index)).mean().mean()
    assert [found.baseline, found.candidate] == pytest.approx(by_item.to_list())


def test_classes_are_shares_of_what_both_sides_answered(two_runs: tuple[StoredRun, StoredRun]) -> None:
    found = compare(*two_runs)
    for share in found.classes:
        same = effect(found, share.suite, "accuracy" if share.suite == "letters" else "exact_match")
        assert share.n == same.n_scored


def test_slices_by_language_are_those_items(two_runs: tuple[StoredRun, StoredRun]) -> None:
    found = compare(*two_runs)
    parts = [effect(found, "letters", "accuracy", Slice(language=name)) for name in ("en", "zh")]
    assert sum(part.n for part in parts) == effect(found, "letters", "accuracy").n


# Losses and corpus metrics


def texts(n: int) -> Suite:
    own = suite("texts", n, task="multiple_choice", asking=Asking(task="likelihood"))
    items = tuple(Item(language="en", prompt=Prompt(text=Text(question(number)))) for number in range(n))
    names = ("nats_per_token_loss", "token_perplexity")
    return replace(own, items=items, metrics=names, primary=names[0])


def test_a_loss_that_grows_is_a_negative_effect(tmp_path: Path) -> None:
    def scoring(nats: float) -> Callable[[Request], Answer]:
        return lambda request: TextScored(-nats, 10)

    before = run_of(scripted(scoring(10.0), name="b"), [texts(12)], tmp_path)
    after = run_of(scripted(scoring(20.0), name="c"), [texts(12)], tmp_path)
    found = compare(before, after)
    loss = effect(found, "texts", "nats_per_token_loss")
    # By hand: 10 nats over 10 tokens against 20 over 10.
    assert (loss.baseline, loss.candidate, loss.effect) == pytest.approx((1.0, 2.0, -1.0))
    assert loss.harm_p == pytest.approx(0.5**12)  # sign-flip: all twelve the same way
    perplexity = effect(found, "texts", "token_perplexity")
    assert (perplexity.baseline, perplexity.candidate) == pytest.approx((math.e, math.e**2))
    assert perplexity.effect == pytest.approx(math.e - math.e**2)
    assert found.flips == ()


def sentiments(n: int) -> Suite:
    labels = (Label("pos", ("positive",)), Label("neg", ("negative",)), Label("mix", ("mixed",)))
    items = tuple(
        Item(
            language="en",
            prompt=Prompt(question=Text(question(number)), labels=labels),
            target=Target(label=labels[number % 3].id),
        )
        for number in range(n)
    )
    own = suite("sentiments", 1, asking=Asking(task="classification"))
    return replace(own, items=items, metrics=("accuracy", "macro_f1_score"), primary="macro_f1_score")


def test_macro_f1_is_scikit_learns(tmp_path: Path) -> None:
    from sklearn.metrics import f1_score

    names = ("positive", "negative", "mixed")

    def guessing(seed: str) -> Callable[[Request], Answer | str]:
        def script(request: Request) -> str:
            guess = names[int(3 * rng_for(0, seed, prompt_text(request)).random())]
            return next(option for option in request.options if guess in option)  # type: ignore[union-attr]

        return script

    runs = [run_of(scripted(guessing(name), name=name), [sentiments(60)], tmp_path) for name in "bc"]
    found = effect(compare(*runs), "sentiments", "macro_f1_score")
    expected = [f1_score(run.outputs()["gold"], run.outputs()["predicted"], average="macro") for run in runs]
    assert (found.baseline, found.candidate) == pytest.approx(tuple(expected))
    assert found.effect == pytest.approx(expected[1] - expected[0])
    assert found.low is not None
    assert found.low <= found.effect <= found.high  # type: ignore[operator]


# Several runs a side, several samples


def test_several_runs_of_a_side_count_as_their_mean(tmp_path: Path) -> None:
    own = [suite(n=20)]
    before = run_of(good(), own, tmp_path)
    after = [
        run_of(wrong_at(name, *numbers), own, tmp_path) for name, numbers in (("c1", (0, 1)), ("c2", (1, 2)))
    ]
    found = effect(compare(before, after), "letters", "accuracy")
    # By hand: item 1 is wrong in both runs (0), items 0 and 2 in one (1/2).
    assert (found.candidate, found.effect) == (pytest.approx(18 / 20), pytest.approx(-2 / 20))
    assert found.n_items == 20


def test_a_variant_that_one_run_of_a_side_lacks_is_a_stray(tmp_path: Path) -> None:
    whole = run_of(good(), [suite(n=20)], tmp_path)
    part = run_of(good("seed2"), [suite(n=20)], tmp_path, settings=EvaluationSettings(limit=5))
    found = compare(whole, [run_of(wrong_on(0.1), [suite(n=20)], tmp_path), part])
    assert effect(found, "letters", "accuracy").n == 5
    (strays,) = (each for each in found.differences if each.kind == "strays")
    assert strays.excluded == 15


def test_a_run_is_not_counted_twice(tmp_path: Path) -> None:
    run = run_of(good(), [suite(n=5)], tmp_path)
    with pytest.raises(UsageError, match="is given 2 times on one side"):
        compare(run, [run, run])


def test_samples_count_as_their_mean(tmp_path: Path) -> None:
    def half(request: Request) -> Answer:
        right = (Generation("alpha", "eos", 1), Generation("beta", "eos", 1))
        return Generated(right)

    own = [suite("free", 10, task="short_answer", asking=Asking("short_answer", samples=2))]
    before = run_of(good(), own, tmp_path)
    after = run_of(scripted(half, name="half"), own, tmp_path)
    found = effect(compare(before, after), "free", "exact_match")
    assert (found.baseline, found.candidate, found.n) == (1.0, 0.5, 10)


# What cannot be compared


def kinds(found: Comparison) -> dict[str, int]:
    return {each.kind: each.excluded for each in found.differences if each.kind not in ("version", "note")}


def test_variants_of_one_side_only_are_strays(tmp_path: Path) -> None:
    before = run_of(good(), [suite(n=30)], tmp_path)
    after = run_of(good("c"), [suite(n=30, first=10)], tmp_path)
    found = compare(before, after)
    assert kinds(found) == {"strays": 20}
    assert effect(found, "letters", "accuracy").n == 20
    assert found.suites[0].shared_share == pytest.approx(20 / 40)


@pytest.mark.parametrize("partial", [EvaluationSettings(limit=12), EvaluationSettings(smoke=True)])
def test_a_partial_run_shows_as_strays(tmp_path: Path, partial: EvaluationSettings) -> None:
    before = run_of(good(), [suite(n=30)], tmp_path)
    after = run_of(good("c"), [suite(n=30)], tmp_path, settings=partial)
    n_asked = 10 if partial.smoke else 12
    found = compare(before, after)
    assert kinds(found) == {"strays": 30 - n_asked}
    assert any(
        each.kind == "note" and "limit" in each.message or "smoke" in each.message
        for each in found.differences
    )


def test_a_suite_of_one_side_only_is_told_and_not_compared(tmp_path: Path) -> None:
    before = run_of(good(), [suite(n=10), suite("more", 5, first=50)], tmp_path)
    after = run_of(good("c"), [suite(n=10)], tmp_path)
    found = compare(before, after)
    (strays,) = (each for each in found.differences if each.kind == "strays")
    assert (strays.suite, strays.excluded) == ("more", 5)
    assert strays.message == "only the baseline ran it; run it on the candidate to compare it."
    assert {each.suite for each in found.effects} == {"letters"}


def replaced(column: str, n: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Another value in a column of the first n rows."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table = table.copy()
        table[column] = ["another" if row < n else value for row, value in enumerate(table[column])]
        return table

    return change


@pytest.mark.parametrize(("column", "kind"), [("prompt_id", "prompt"), ("target_id", "target")])
def test_unequal_prompts_and_targets_are_left_out(tmp_path: Path, column: str, kind: str) -> None:
    before = run_of(good(), [suite(n=20)], tmp_path)
    after = run_of(wrong_on(0.2), [suite(n=20)], tmp_path)
    found = compare(before, doctored(after, outputs=replaced(column, 3)))
    assert kinds(found) == {kind: 3}
    assert effect(found, "letters", "accuracy").n == 17


def test_a_prompt_that_differs_in_the_second_run_of_a_side_is_left_out_too(tmp_path: Path) -> None:
    before = run_of(good(), [suite(n=20)], tmp_path)
    after = [run_of(wrong_on(0.2, name=name), [suite(n=20)], tmp_path) for name in ("c1", "c2")]
    found = compare(before, [after[0], doctored(after[1], outputs=replaced("prompt_id", 4))])
    assert kinds(found) == {"prompt": 4}


class _Templated:
    """A backend that applies a chat template."""

    def __init__(self, template: str) -> None:
        self.inner, self.template = good(template), template
        self.answer = self.inner.answer

    def describe(self) -> dict[str, object]:
        return {**self.inner.describe(), "template": {"kind": self.template}}


def test_another_template_excludes_a_suite_unless_it_is_ignored(tmp_path: Path) -> None:
    runs = [run_of(_Templated(name), [suite(n=10)], tmp_path) for name in ("plain", "chat")]  # type: ignore[arg-type]
    with pytest.raises(EmptyComparison, match="the chat template differs"):
        compare(*runs)
    found = compare(*runs, ignore=["template"])
    assert kinds(found) == {"template": 0}
    assert effect(found, "letters", "accuracy").n == 10


@pytest.mark.parametrize(
    ("asking", "kind"),
    [
        (Asking("short_answer", generation=GenerationSettings(max_tokens=9)), "generation"),
        (Asking("short_answer", samples=2), "generation"),
        (Asking("short_answer", reading=Reading(normalise="tokens")), "reading"),
    ],
)
def test_another_generation_or_reading_excludes_a_suite_unless_it_is_ignored(
    tmp_path: Path, asking: Asking, kind: str
) -> None:
    before = run_of(good(), [suite("free", 10, task="short_answer"), suite(n=5)], tmp_path)
    after = run_of(good("c"), [suite("free", 10, task="short_answer", asking=asking), suite(n=5)], tmp_path)
    found = compare(before, after)
    assert kinds(found) == {kind: 10}
    assert {each.suite for each in found.effects} == {"letters"}
    assert effect(compare(before, after, ignore=[kind]), "free", "exact_match").n == 10


def test_scores_of_another_version_of_the_scoring_are_not_compared(tmp_path: Path) -> None:
    before, after = (run_of(good(name), [suite(n=5)], tmp_path) for name in "bc")
    after.manifest = replace(after.manifest, settings={**after.manifest.settings, "scoring_version": 0})
    with pytest.raises(EmptyComparison, match="rescore both with this version"):
        compare(before, after)


def test_a_metric_of_one_side_only_is_told_and_not_compared(tmp_path: Path) -> None:
    before = run_of(good(), [suite("free", 10, task="short_answer", metrics=("exact_match",))], tmp_path)
    after = run_of(good("c"), [suite("free", 10, task="short_answer")], tmp_path)
    found = compare(before, after)
    assert kinds(found) == {"metric": 0}
    assert {each.metric for each in found.effects} == {"exact_match"}


def test_no_shared_suite_is_an_error_that_says_so(tmp_path: Path) -> None:
    before = run_of(good(), [suite("one", 5)], tmp_path)
    after = run_of(good("c"), [suite("two", 5, first=9)], tmp_path)
    with pytest.raises(
        EmptyComparison, match=r"\[two\] only the candidate ran it.*\[one\] only the baseline ran it"
    ):
        compare(before, after)


def test_an_unknown_suite_is_told_with_the_nearest(tmp_path: Path) -> None:
    run = run_of(good(), [suite(n=5)], tmp_path)
    with pytest.raises(UnknownName, match="Did you mean 'letters'"):
        compare(run, run, suites=["leters"])


def test_items_with_an_empty_prompt_are_told_apart_by_their_options(tmp_path: Path) -> None:
    items = tuple(
        Item(
            language="en",
            prompt=Prompt(options=(f"The cats number {number} sleep.", f"The cats number {number} sleeps.")),
            target=Target(option=0),
        )
        for number in range(12)
    )
    minimal = replace(suite(n=1), items=items)

    def picking(place: int) -> Callable[[Request], str]:
        return lambda request: request.options[place]  # type: ignore[union-attr]

    runs = [run_of(scripted(picking(place), name=str(place)), [minimal], tmp_path) for place in (0, 1)]
    found = effect(compare(*runs), "letters", "accuracy")
    assert (found.baseline, found.candidate, found.n, found.lost) == (1.0, 0.0, 12, 12)


def test_flips_lead_with_the_surest_error(tmp_path: Path) -> None:
    from harness.core.exchange import Chosen, OptionScore

    def unsure(request: Request) -> Answer:
        lead = 1.0 + int(prompt_text(request).split("number ")[1].split()[0])
        return Chosen((OptionScore(-9.0, 1), OptionScore(-9.0 + lead, 1), OptionScore(-20.0, 1)))

    before = run_of(good(), [suite(n=5)], tmp_path)
    after = run_of(scripted(unsure, name="unsure"), [suite(n=5)], tmp_path)
    found = compare(before, after).flips
    assert [flip.kind for flip in found] == ["lost"] * 5
    assert [flip.margin_nats for flip in found] == pytest.approx([5.0, 4.0, 3.0, 2.0, 1.0])
