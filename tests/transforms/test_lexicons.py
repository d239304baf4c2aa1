"""Lexicons: the shipped ones are sound, faults in one are named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.transforms import POOLS
from harness.transforms.entities import date_groups, entity_groups, groups_of
from harness.transforms.lexicons import (
    fillers,
    fillers_from,
    groups_from,
    homophones,
    lexicon_lines,
    lexicon_path,
    shape_alike,
)
from harness.transforms.phrases import phrases_from
from harness.transforms.polarity import polarity_from
from harness.transforms.protection import NEGATORS, NUMERALS, protection
from harness.transforms.synonym_lexicon import synonyms, synonyms_from


def test_no_look_alike_is_a_number_or_a_negation() -> None:
    assert not set(shape_alike()) & set(NUMERALS + NEGATORS)


def test_look_alikes_are_so_both_ways() -> None:
    table = shape_alike()
    assert all(one in table[other] for one, others in table.items() for other in others)


def test_homophones_hold_pairs_that_any_typist_knows() -> None:
    # By hand: shi4 事是, zai4 在再, ta1 他她.
    table = homophones()
    assert "事" in table["是"] and "再" in table["在"] and "她" in table["他"]


def test_no_filler_holds_a_number_a_negation_or_anything_protected() -> None:
    assert len(fillers()) == 6
    assert all(not protection(word).spans for words in fillers().values() for word in words)


def test_common_characters_are_all_different() -> None:
    characters = "".join(line for _, line in lexicon_lines(lexicon_path("common_characters.zh.txt")))
    assert len(characters) == len(set(characters)) == 2500


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# ok\n己已\n田\n", ":3: group '田'"),
        ("己已己\n", ":1: group '己已己'"),
    ],
)
def test_a_bad_group_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "groups.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=told):
        groups_from(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("en challenge um,\nen chalenge er,\n", ":2: 'en chalenge er,' is no entry"),
        ("en challenge um,\nen sealed um,\n", ":2: 'um,' stands in pools challenge and sealed"),
        ("zh 嗯\n", ":1: 'zh 嗯' is no entry"),
    ],
)
def test_a_bad_filler_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "fillers.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=told):
        fillers_from(path)


def test_a_lexicon_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the lexicon is missing"):
        lexicon_path("nothing.txt")
    path = tmp_path / "bytes.txt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8 at byte 0"):
        lexicon_lines(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("en went gone\n", ":1: 'en went gone' is no entry"),
        ("fr le = la\n", ":1: 'fr le = la' is no entry"),
        ("en went = gone\nen went = go\n", ":2: 'went' has two lines"),
        ("en went = gone, went\n", ":1: 'went' would replace itself"),
    ],
)
def test_a_bad_phrase_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "phrases.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=told):
        phrases_from(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("en q buy > purchase\n", "is no entry; write language, kind, word"),
        ("en v buy/buys/bought/bought/buying > get/got\n", "unlike many forms"),
        ("en a big > large\nen a big > huge\n", ":2: 'big' has two lines of one kind"),
        ("en a big > big\n", ":1: 'big' would replace itself"),
        ("en r nobody > no one\n", "holds a number or a negation"),
        ("zh d 马上 > 一下子\n", "holds a number or a negation"),
    ],
)
def test_a_bad_synonym_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "synonyms.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=told):
        synonyms_from(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("en good bad\n", ":1: 'en good bad' is no pair"),
        ("en good / bad\nen bad / awful\n", ":2: 'bad' stands for praise and for blame: a cycle"),
    ],
)
def test_a_bad_pair_of_judgements_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "polarity.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=told):
        polarity_from(path)


def test_a_bad_group_of_names_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "entities.txt"
    for text, told in (("en man Tom\n", "is no group"), ("en man Tom Tom\n", "holds a name twice")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=told):
            groups_of(path, None)


def test_the_lexicon_of_synonyms_has_three_hundred_entries_a_language_and_inflects_them() -> None:
    entries = [line.split()[0] for _, line in lexicon_lines(lexicon_path("synonyms.txt"))]
    assert entries.count("en") >= 300 and entries.count("zh") >= 300
    table = synonyms_from(lexicon_path("synonyms.txt"))
    # By hand: a regular verb, a verb that doubles, a noun in -y, an irregular noun.
    assert table["en"]["modified"][0].others == ("changed", "altered")
    assert table["en"]["occurring"][0].others == ("happening",)
    assert table["en"]["notions"][0].others == ("ideas",)
    assert table["en"]["kids"][0].others == ("children",)
    assert set(table["zh"]) == {
        line.split()[2] for _, line in lexicon_lines(lexicon_path("synonyms.txt")) if line[:2] == "zh"
    }


def test_no_synonym_serves_two_pools() -> None:
    for language in ("en", "zh"):
        pairs = [
            {(form, other) for form, sense in synonyms(language, pool).items() for other in sense.others}
            for pool in POOLS
        ]
        assert not pairs[0] & pairs[1] and not pairs[0] & pairs[2] and not pairs[1] & pairs[2]
        assert min(map(len, pairs)) >= 100


def test_no_name_of_a_group_is_part_of_another() -> None:
    for language in ("en", "zh"):
        for group in (*entity_groups(language), *date_groups(language)):
            assert not [(one, two) for one in group for two in group if one != two and one in two]
