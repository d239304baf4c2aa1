"""Lexicons: the shipped ones are sound, faults in one are named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.transforms.lexicons import (
    fillers,
    fillers_from,
    groups_from,
    homophones,
    lexicon_lines,
    lexicon_path,
    shape_alike,
)
from harness.transforms.protection import NEGATORS, NUMERALS, protection


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
