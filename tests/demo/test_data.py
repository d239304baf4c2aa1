"""The demo's training files and suites."""

from __future__ import annotations

from pathlib import Path

from harness.demo.data import (
    FACT_SUITE,
    POSITION_SUITE,
    position_suite,
    standard_suites,
    training_items,
    write_suites,
)
from harness.suites import load_suite


def test_two_training_sets_may_differ_in_the_place_of_the_key_sentence_alone() -> None:
    honest, planted = (
        training_items(position="any", n=100, seed=3),
        training_items(position="first", n=100, seed=3),
    )
    assert len(honest) == len(planted) == 100
    families = [[item.tag("family") for item in chosen] for chosen in (honest, planted)]
    assert sorted(map(str, families[0])) == sorted(map(str, families[1]))
    assert sum(family == "key_facts" for family in families[0]) == 50
    for item in planted:
        assert item.tag("family") != "key_facts" or item.prompt.context[0].key
    assert any(item.prompt.context and not item.prompt.context[0].key for item in honest)


def test_no_test_item_stands_in_a_training_file() -> None:
    trained = {
        told.text
        for item in training_items(position="any", n=400)
        for told in item.prompt.context
        if told.key
    }
    suites = (*standard_suites(n=20, n_facts=320), position_suite(n=320))
    asked = {
        told.text for suite in suites for item in suite.items for told in item.prompt.context if told.key
    }
    assert asked and not trained & asked


def test_the_position_set_asks_each_source_item_at_five_places() -> None:
    built = position_suite(n=10).build()
    per_item: dict[str, set[float | None]] = {}
    for variant in built.variants:
        if variant.transform != "source":
            per_item.setdefault(variant.item_id, set()).add(variant.level.position if variant.level else None)
    assert len(per_item) == 10
    assert all(places == {0.0, 0.25, 0.5, 0.75, 1.0} for places in per_item.values())


def test_written_suites_load_as_they_were(tmp_path: Path) -> None:
    written = write_suites(tmp_path, n=8, n_facts=12, seed=5)
    made = {
        suite.name: suite
        for suite in (*standard_suites(n=8, n_facts=12, seed=5), position_suite(n=12, seed=5))
    }
    assert POSITION_SUITE in made and len(written) == len(made) == 7
    for folder in written:
        loaded = load_suite(folder)
        assert loaded.build().digest == made[folder.name].build().digest
        assert "seed 5" in (folder / "CARD.md").read_text("utf-8")


def test_the_plain_and_the_position_set_ask_of_the_same_facts() -> None:
    plain = next(suite for suite in standard_suites(n=4, n_facts=12, seed=5) if suite.name == FACT_SUITE)
    assert plain.items == position_suite(n=12, seed=5).items
