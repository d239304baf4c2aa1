"""The works have the token counts that their names promise, through the tokenizer that both sides use."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from transformers import PreTrainedTokenizerFast

from benchmarks.scoring_work.checkpoints import FIRST_WORD, STOP_WORD, numbered_tokenizer, words
from benchmarks.scoring_work.distinct import Read, distinct_of
from benchmarks.scoring_work.shapes import COUNTDOWN, FULL_COUNTS, QUICK_COUNTS, WORK_NAMES, work_of
from benchmarks.scoring_work.shapes import variants_work as work_with_variants
from benchmarks.scoring_work.work import Work, evenly_spaced

VOCABULARY = 2000


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return numbered_tokenizer(VOCABULARY, max_tokens=2048)


def lengths(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[int]:
    return [len(tokenizer(text)["input_ids"]) for text in texts]


def test_a_numbered_word_is_the_token_of_its_number(tokenizer: PreTrainedTokenizerFast) -> None:
    tokens = [FIRST_WORD, 1234, VOCABULARY - 1, FIRST_WORD]
    assert tokenizer(words(tokens))["input_ids"] == tokens
    assert tokenizer.decode(tokens) == words(tokens)
    assert tokenizer(STOP_WORD)["input_ids"] == [FIRST_WORD - 1]


# (prompt tokens, option tokens) as the benchmark's description states them.
@pytest.mark.parametrize(
    ("name", "prompt", "option", "n_options"),
    [
        ("fewshot_multitoken", (440, 480), (8, 20), 4),
        ("cmmlu_5shot", (460, 510), (1, 1), 4),
        ("hellaswag_0shot", (30, 90), (15, 35), 4),
        ("hellaswag_10shot", (830, 890), (15, 35), 4),
        ("challenge_20_variants", (360, 360), (2, 3), 4),
        ("blimp", (0, 0), (8, 14), 2),
        ("rolling", (200, 600), (0, 0), 0),
        ("generation", (420, 600), (0, 0), 0),
    ],
)
def test_a_work_has_the_stated_token_counts(
    tokenizer: PreTrainedTokenizerFast,
    name: str,
    prompt: tuple[int, int],
    option: tuple[int, int],
    n_options: int,
) -> None:
    work = work_of(name, 40, vocabulary=VOCABULARY)
    assert len(work.questions) == 40
    for question in work.questions:
        assert prompt[0] <= lengths(tokenizer, [question.prompt])[0] <= prompt[1]
        assert len(question.options) == n_options
        assert all(option[0] <= count <= option[1] for count in lengths(tokenizer, question.options))


@pytest.mark.parametrize(
    ("name", "shared"),
    [("fewshot_multitoken", 400), ("cmmlu_5shot", 420), ("hellaswag_10shot", 800), ("generation", 400)],
)
def test_questions_share_their_shots(tokenizer: PreTrainedTokenizerFast, name: str, shared: int) -> None:
    work = work_of(name, 20, vocabulary=VOCABULARY)
    reads = [Read(tokenizer(question.prompt)["input_ids"], 1) for question in work.questions]
    assert distinct_of(reads).prefix == shared


def test_a_variant_differs_from_its_item_in_one_token_of_the_question() -> None:
    questions = work_of("challenge_20_variants", 40, vocabulary=VOCABULARY).questions
    for first in (0, 20):
        item = questions[first].prompt.split()
        for variant in questions[first + 1 : first + 20]:
            changed = [
                place
                for place, (one, other) in enumerate(zip(item, variant.prompt.split(), strict=True))
                if one != other
            ]
            assert len(changed) <= 1 and all(place >= 300 for place in changed)
            assert variant.options == questions[first].options
    assert questions[0].options != questions[20].options


def test_minimal_pairs_differ_in_one_token() -> None:
    for question in work_of("blimp", 30, vocabulary=VOCABULARY).questions:
        good, bad = (option.split() for option in question.options)
        assert sum(one != other for one, other in zip(good, bad, strict=True)) <= 1


def test_a_generation_prompt_ends_in_its_countdown() -> None:
    ends = [
        int(question.prompt.split()[-1].removeprefix("t")) - (FIRST_WORD - 1)
        for question in work_of("generation", 64, vocabulary=VOCABULARY).questions
    ]
    assert all(1 <= end <= COUNTDOWN for end in ends)
    assert len(set(ends)) > 20


def test_a_work_is_the_same_every_time_and_grows_at_its_end() -> None:
    few, many = (work_of("cmmlu_5shot", n, vocabulary=VOCABULARY) for n in (5, 9))
    assert few == work_of("cmmlu_5shot", 5, vocabulary=VOCABULARY)
    assert many.questions[:5] == few.questions


def test_the_number_of_variants_is_as_asked(tokenizer: PreTrainedTokenizerFast) -> None:
    def reads(work: Work) -> list[Read]:
        return [Read(tokenizer(question.prompt)["input_ids"], 1) for question in work.questions]

    one, many = (work_with_variants(3, n, vocabulary=VOCABULARY) for n in (1, 16))
    assert (len(one.questions), len(many.questions)) == (3, 48)
    assert distinct_of(reads(one)).n_tokens == 300 + 3 * 60
    assert distinct_of(reads(many)).share < 0.25


def test_every_work_has_counts_for_both_efforts() -> None:
    assert set(FULL_COUNTS) == set(QUICK_COUNTS) == set(WORK_NAMES)
    assert all(QUICK_COUNTS[name] <= FULL_COUNTS[name] for name in WORK_NAMES)


@pytest.mark.parametrize(("n_questions", "n_wanted"), [(10, 3), (7, 7), (100, 33), (5, 9), (1, 1)])
def test_a_part_is_spread_over_the_whole(n_questions: int, n_wanted: int) -> None:
    places = evenly_spaced(n_questions, n_wanted)
    assert len(places) == min(n_questions, n_wanted)
    assert places == sorted(set(places)) and 0 <= places[0] and places[-1] < n_questions
    gaps = [after - before for before, after in zip(places, places[1:], strict=False)]
    assert not gaps or max(gaps) - min(gaps) <= 1
