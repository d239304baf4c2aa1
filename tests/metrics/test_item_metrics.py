"""Single metrics against figures by hand and against other libraries."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import EmptyComparison, UsageError
from harness.core.exchange import BackendFailure
from harness.core.items import Item, Prompt, Target
from harness.core.scores import Case, Prediction
from harness.core.variants import source_variant
from harness.metrics import (
    CorpusRow,
    corpus_row,
    gold_text,
    is_correct,
    require_applicable,
    require_target,
    score_case,
    specification,
)
from harness.metrics.examples import Example, example_case
from harness.metrics.macro_f1_score import macro_f1_score
from harness.metrics.rouge import rouge_f1
from harness.metrics.token_f1_score import token_f1
from harness.metrics.token_perplexity import token_perplexity

WORDS = st.lists(st.sampled_from(["cat", "dog", "sat", "ran", "mat"]), min_size=2, max_size=30)


def value(metric: str, **parts: object) -> float | None:
    return score_case(example_case(Example(**parts)), metric).value  # type: ignore[arg-type]


def test_chinese_scores_zero_with_the_tokenizer_of_rouge_score_and_not_with_ours() -> None:
    from rouge_score.rouge_scorer import RougeScorer

    text = "国家图书馆周一闭馆"
    for kind, metric in (
        ("rouge1", "rouge_1_score"),
        ("rouge2", "rouge_2_score"),
        ("rougeL", "rouge_l_score"),
    ):
        assert RougeScorer([kind]).score(text, text)[kind].fmeasure == 0
        assert value(metric, output=text, references=(text,), language="zh") == 1.0


@settings(max_examples=50, deadline=None)
@given(WORDS, WORDS)
def test_english_rouge_is_rouge_scores(gold: list[str], given_words: list[str]) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    reference, answer = " ".join(gold), " ".join(given_words)
    for kind in ("rouge1", "rouge2", "rougeL"):
        theirs = RougeScorer([kind]).score(reference, answer)[kind].fmeasure
        assert rouge_f1(kind, reference, answer) == pytest.approx(theirs)


def test_chinese_rouge_by_hand() -> None:
    # 北京是首都 / 首都是北京: all 5 characters shared; of 4 pairs 北京 and 首都; longest common order 2 of 5.
    pair = ("北京是首都", "首都是北京")
    assert [rouge_f1(kind, *pair) for kind in ("rouge1", "rouge2", "rougeL")] == pytest.approx(
        [1.0, 0.5, 0.4]
    )


@pytest.mark.parametrize(
    ("answer", "gold", "f1"),  # by hand: 2 * shared / (n_given + n_gold)
    [
        ("the cat sat", "cat sat down", 2 * 2 / 5),
        ("上午九点", "九点", 2 * 2 / 6),
        ("iPhone 十五", "iphone 十六", 2 * 2 / 6),
        ("", "x", 0.0),
        ("cat cat cat", "cat", 2 * 1 / 4),
    ],
)
def test_token_f1_by_hand(answer: str, gold: str, f1: float) -> None:
    assert token_f1(answer, gold) == pytest.approx(f1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from(["a", "b", "c", None]), st.sampled_from([0.5, 1.0, 2.0])
        ),
        min_size=1,
        max_size=40,
    )
)
def test_macro_f1_is_sklearns(rows: list[tuple[str, str | None, float]]) -> None:
    from sklearn.metrics import f1_score

    gold = [row[0] for row in rows]
    theirs = f1_score(
        gold,
        [row[1] or "unparsed" for row in rows],
        labels=sorted(set(gold)),
        average="macro",
        sample_weight=[row[2] for row in rows],
        zero_division=0,
    )
    ours = macro_f1_score([CorpusRow(predicted, right, weight=weight) for right, predicted, weight in rows])
    assert ours == pytest.approx(theirs)


def test_perplexity_of_a_uniform_model_is_its_vocabulary() -> None:
    import math

    rows = [CorpusRow(logprob_nats=-n * math.log(50), tokens=n) for n in (3, 17)]
    assert token_perplexity(rows) == pytest.approx(50)
    assert value("nats_per_token_loss", text="x", text_nats=-3 * math.log(50), tokens=3) == pytest.approx(
        math.log(50)
    )


def test_perplexity_of_an_impossible_text_is_a_number() -> None:
    assert 1e300 < token_perplexity([CorpusRow(logprob_nats=-1e6, tokens=1)]) < float("inf")


def test_bits_per_byte_counts_bytes_not_characters() -> None:
    import math

    # two characters of three bytes each, 12 bits
    assert value("bits_per_byte_loss", text="北京", text_nats=-12 * math.log(2), tokens=5) == pytest.approx(
        2.0
    )


def test_normalised_accuracy_divides_by_bytes() -> None:
    # -4/2 = -2.0 against -9/6 = -1.5 per byte; unnormalised the first would win
    parts: dict[str, object] = {"option_nats": (-4.0, -9.0), "options": ("no", "北京"), "option": 1}
    assert value("normalised_accuracy", **parts) == 1.0
    assert value("accuracy", **parts) == 0.0


@pytest.mark.parametrize(
    ("output", "share", "valid"),  # by hand
    [
        ('{"name": "ANNA", "age": 5}', 1.0, 1.0),
        ('{"name": "Anna", "age": "5"}', 0.5, 1.0),
        ('{"age": 5.0, "extra": 1}', 0.5, 1.0),
        ('Sure: {"name": "Anna", "age": 5}', 0.0, 0.0),
        ('{"name": "Anna", "name": "Anna", "age": 5}', 0.0, 0.0),
        ('{"name": null, "age": true}', 0.0, 1.0),
    ],
)
def test_fields_are_compared_with_their_types(output: str, share: float, valid: float) -> None:
    parts: dict[str, object] = {"output": output, "fields": (("name", "Anna"), ("age", 5))}
    assert value("field_accuracy", **parts) == share
    assert value("json_validity_score", **parts) == valid


def test_a_suite_that_asks_for_a_metric_that_does_not_fit_is_told_which_do() -> None:
    with pytest.raises(UsageError, match="'rouge_l_score' cannot score the task 'classification'.*accuracy"):
        require_applicable("rouge_l_score", "classification")
    with pytest.raises(UsageError, match="reads letters"):
        require_applicable("normalised_accuracy", "multiple_choice", by="letter")
    with pytest.raises(UsageError, match="Did you mean 'exact_match'"):
        require_applicable("exact_mach", "short_answer")


def test_an_item_without_the_part_a_metric_needs_is_named() -> None:
    item = Item(language="en", prompt=Prompt(), target=Target(answers=("the bank",)))
    with pytest.raises(UsageError, match=f"{item.item_id} has answers .* needs fields"):
        require_target("field_accuracy", item)
    with pytest.raises(UsageError, match="no accepted answer holds a number"):
        require_target("numeric_match", item)


def test_a_corpus_metric_is_not_scored_by_case() -> None:
    case = example_case(Example(output="good", labels=("good", "bad"), label="good"))
    with pytest.raises(UsageError, match="whole suite"):
        score_case(case, "macro_f1_score")
    with pytest.raises(UsageError, match="whole suite"):
        specification("macro_f1_score_given_parsed")


@pytest.mark.parametrize("rows", [[], [CorpusRow("a", None)], [CorpusRow("a", "a", weight=0.0)]])
def test_macro_f1_of_nothing_is_an_error(rows: list[CorpusRow]) -> None:
    with pytest.raises(EmptyComparison):
        macro_f1_score(rows)


@pytest.mark.parametrize("rows", [[], [CorpusRow()], [CorpusRow(logprob_nats=0.0, tokens=0)]])
def test_perplexity_of_nothing_is_an_error(rows: list[CorpusRow]) -> None:
    with pytest.raises(EmptyComparison):
        token_perplexity(rows)


def test_an_unread_label_is_a_row_without_prediction_and_a_failed_one_no_row() -> None:
    case = example_case(Example(output="neutral", labels=("good", "bad"), label="good"))
    assert corpus_row(case) == CorpusRow(None, "good")
    failed = Case(case.variant, "", BackendFailure("timeout", "60 s"), Prediction("failed"))
    assert corpus_row(failed) is None


def test_gold_is_one_text() -> None:
    items = {
        "g": Target(label="g"), "1": Target(option=1), '{"a":1}': Target(fields=(("a", 1),)),
        "x": Target(answers=("x", "y")), "r": Target(references=("r",)),
    }  # fmt: skip
    for text, target in items.items():
        assert gold_text(source_variant(Item(language="en", prompt=Prompt(), target=target)).item) == text


def test_the_pass_rule_of_a_continuous_metric_is_its_declared_value() -> None:
    spec = specification("token_f1_score")
    assert [is_correct(score, spec) for score in (0.49, 0.5, None)] == [False, True, None]
    assert is_correct(1.0, specification("rouge_l_score")) is None
