"""The demo's generators: seeded, distinct, disjoint between splits, answerable from what they show."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import UnknownName, UsageError
from harness.core.items import Item
from harness.core.rng import rng_for
from harness.demo import world
from harness.demo.rows import asked
from harness.demo.world import families
from harness.demo.world.fact_domains import domains
from harness.demo.world.key_facts import passage
from harness.demo.world.lexicon import LANGUAGES, all_words, words
from harness.demo.world.splits import SPLITS, split_of

FAMILY_AND_LANGUAGE = [(family, language) for family in world.FAMILIES for language in LANGUAGES]


def _deciding_text(item: Item) -> str:
    """What of an item fixes its answer: the key sentence, or the question with its options."""
    key = [told.text for told in item.prompt.context if told.key]
    question = item.prompt.question.text if item.prompt.question else ""
    return " ".join(key) if key else " ".join([question, *sorted(item.prompt.options)])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), family=st.sampled_from(world.FAMILIES))
def test_the_same_seed_gives_the_same_items_and_more_items_begin_with_them(seed: int, family: str) -> None:
    few = world.items(family, n=6, seed=seed)
    assert few == world.items(family, n=6, seed=seed)
    assert few == world.items(family, n=10, seed=seed)[:6]


@pytest.mark.parametrize("family", world.FAMILIES)
def test_items_are_distinct_and_another_seed_gives_others(family: str) -> None:
    ids = {item.item_id for item in world.items(family, n=200, seed=1)}
    assert len(ids) == 200
    assert len(ids & {item.item_id for item in world.items(family, n=200, seed=2)}) < 40


@pytest.mark.parametrize("family", world.FAMILIES)
def test_no_deciding_text_stands_in_two_splits(family: str) -> None:
    texts = {
        split: {_deciding_text(item) for item in world.items(family, n=150, seed=4, split=split)}
        for split in SPLITS
    }
    for left in SPLITS:
        for right in SPLITS:
            assert left == right or not texts[left] & texts[right]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    language=st.sampled_from(LANGUAGES),
    split=st.sampled_from(SPLITS),
)
def test_every_sentence_of_a_passage_is_of_its_split_and_binds_words_no_other_does(
    seed: int, language: str, split: str
) -> None:
    facts = passage(rng_for(seed), language=language, split=split, n=5)  # type: ignore[arg-type]
    assert len(facts) == 5
    for fact in facts:
        assert split_of("fact", language, fact.domain.name, fact.entity, fact.value) == split
        assert fact.value in fact.sentence or fact.value.capitalize() in fact.sentence
    assert len({fact.domain.name for fact in facts}) == 5
    assert len({word for fact in facts for word in (fact.entity, fact.value)}) == 10


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), position=st.sampled_from(["any", "first"]))
def test_the_answer_of_a_key_fact_stands_in_its_key_sentence_alone(seed: int, position: str) -> None:
    for item in world.items("key_facts", n=2, seed=seed, position=position):
        (answer,) = item.target.answers if item.target else ()
        pattern = re.compile(rf"(?<![A-Za-z0-9]){re.escape(answer)}(?![A-Za-z0-9])", re.IGNORECASE)
        if item.language == "zh":  # Chinese words have no edges: 七点 stands in 七点半 too
            pattern = re.compile(re.escape(answer))
        key = [told.text for told in item.prompt.context if told.key]
        assert len(key) == 1 and pattern.search(key[0])
        assert position == "any" or item.prompt.context[0].key


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_question_gives_the_word_said_first_and_asks_for_the_one_said_last(seed: int) -> None:
    for item in world.items("key_facts", n=2, seed=seed):
        (key,) = (told.text.casefold() for told in item.prompt.context if told.key)
        (answer,) = item.target.answers if item.target else ()
        question = item.prompt.question.text if item.prompt.question else ""
        domain = next(one for one in domains(item.language) if one.name == item.tag("domain"))
        slot = domain.value if item.tag("asks") == "entity" else domain.entity
        given = max((word for word in words(slot, item.language) if word in question), key=len)
        assert key.index(given.casefold()) < key.rindex(answer.casefold())


def test_the_key_sentence_stands_at_every_place_when_it_may() -> None:
    places = {
        [told.key for told in item.prompt.context].index(True)
        for item in world.items("key_facts", n=60, seed=3, position="any")
    }
    assert places == {0, 1, 2, 3, 4}


def test_both_languages_tell_of_the_same_domains() -> None:
    english, chinese = ([domain.name for domain in domains(language)] for language in LANGUAGES)
    assert english == chinese and len(set(english)) == len(english)


def test_every_template_names_both_its_words_and_questions_give_only_one_away() -> None:
    for language in LANGUAGES:
        for domain in domains(language):
            assert all("{e}" in told and "{v}" in told for told in domain.statements)
            assert all("{e}" in question and "{v}" not in question for question in domain.questions)
            assert all("{v}" in question and "{e}" not in question for question in domain.reverse_questions)
            # The two lists must not meet, or an answer could stand in two sentences.
            assert not set(words(domain.entity, language)) & set(words(domain.value, language))


@pytest.mark.parametrize(("family", "language"), FAMILY_AND_LANGUAGE)
def test_every_item_renders_with_its_answer_at_hand(family: str, language: str) -> None:
    for item in world.items(family, n=40, seed=5, languages=(language,)):
        shown = asked(item)
        cue = "Answer:" if language == "en" else "答案："
        assert shown.prompt.endswith(cue)
        assert "{" not in _deciding_text(item)
        target = item.target
        assert target is not None
        if target.label is not None:
            assert target.label in {label.id for label in item.prompt.labels}
            assert len({label.names[0] for label in item.prompt.labels}) == len(item.prompt.labels)
        if target.option is not None:
            assert len(set(item.prompt.options)) == len(item.prompt.options)
            assert shown.answer.strip() == item.prompt.options[target.option]
        if target.fields:
            assert json.loads(shown.answer) == dict(target.fields)
            assert all(str(value) in shown.prompt for _, value in target.fields)


def test_sums_and_differences_are_right() -> None:
    for item in world.items("arithmetic", n=200, seed=6):
        text = item.prompt.question.text if item.prompt.question else ""
        left, right = (int(number) for number in re.findall(r"\d+", text))
        answer = int(item.target.answers[0]) if item.target else None
        if item.tag("phenomenon") == "plus":
            assert answer == left + right
        else:
            # "Take 3 away from 9" says the smaller number first.
            assert answer == abs(left - right)


def test_a_negated_good_word_is_a_bad_review() -> None:
    by_hand = {"The food was not great.": "neg", "菜一点也不好。": "neg", "The food was great.": "pos"}
    drawn = {
        item.prompt.question.text: item.target.label
        for item in world.items("sentiment", n=1500, seed=7, split="train")
        if item.prompt.question and item.target
    }
    met = {text: label for text, label in by_hand.items() if text in drawn}
    assert all(drawn[text] == label for text, label in met.items())
    for text, label in drawn.items():
        if text.startswith("The ") and " was not great" in text:
            assert label == "neg"


def test_an_unknown_family_is_named_with_a_near_one() -> None:
    with pytest.raises(UnknownName, match="sentiment"):
        world.items("sentimant", n=1, seed=1)


def test_asking_for_more_items_than_there_are_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    (only,) = world.items("arithmetic", n=1, seed=1)
    monkeypatch.setattr(families, "_DRAWS", {"arithmetic": lambda rng, **_: only})
    with pytest.raises(UsageError, match="2th distinct item.*fewer items"):
        world.items("arithmetic", n=2, seed=1)


def test_the_words_of_a_list_are_distinct_and_a_missing_language_is_an_error() -> None:
    for language in LANGUAGES:
        assert len(all_words(language)) > 200
        for name in ("person", "city", "object", "time", "colour"):
            assert len(set(words(name, language))) == len(words(name, language))
    with pytest.raises(UsageError, match="fr"):
        words("city", "fr")
