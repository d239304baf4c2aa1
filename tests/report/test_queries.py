"""The frames behind the dashboard say what the comparison says, for runs whose numbers can be counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.comparison import Comparison, compare
from harness.core.errors import UnknownName
from harness.report.item_queries import (
    Wanted,
    item_detail,
    items_frame,
    page_of,
    select_items,
    suite_of,
)
from harness.report.queries import (
    classes_frame,
    effects_frame,
    metric_names,
    position_frame,
    robustness_frame,
    slices_table,
)
from harness.store import Store
from tests.report.pair_store import BASELINE, CANDIDATE, COLOURS, GEO, PAYLOADS, PROSE


@pytest.fixture(scope="module")
def items(compared: Comparison) -> pd.DataFrame:
    frame = items_frame(compared)
    # As the dashboard holds it: shared by all readers, so no query may write to it.
    for column in frame:
        values = frame[column].to_numpy()
        if isinstance(values, object) and values.flags.owndata:
            values.flags.writeable = False
    return frame


def test_effects_stand_worst_first_in_their_unit_and_are_the_comparisons_own(compared: Comparison) -> None:
    frame = effects_frame(compared)
    assert list(dict.fromkeys(frame["unit"])) == ["0 to 1", "token_perplexity"]
    for _, own in frame.groupby("unit"):
        assert own["effect"].dropna().is_monotonic_increasing
    own = {(e.suite, e.metric, e.slice.title): e.effect for e in compared.effects}
    assert all(own[row.suite, row.metric, row.slice] == row.effect for row in frame.itertuples())


def test_effects_of_a_whole_suite_match_the_count_by_hand(compared: Comparison) -> None:
    whole = effects_frame(compared).query("kind == 'all'").set_index("suite")
    # 11 items right in the baseline, two of four variants lost in the candidate: 22 of 48.
    assert whole.loc[GEO.name, "effect"] == pytest.approx(-22 / 48)
    assert whole.loc[COLOURS.name, "effect"] == pytest.approx((-5 + 2) / 24)
    assert (whole.loc[COLOURS.name, "lost"], whole.loc[COLOURS.name, "won"]) == (5, 2)
    # Perplexity exp(2) -> exp(3.55): worse, so below 0 although the number grew.
    assert whole.loc[PROSE.name, "effect"] < 0
    assert whole.loc[PROSE.name, "unit"] == "token_perplexity"


def test_only_the_named_suites_are_given(compared: Comparison) -> None:
    for frame in (
        effects_frame(compared, suites=[GEO.name]),
        robustness_frame(compared, suites=[GEO.name]),
        position_frame(compared, suites=[GEO.name]),
        classes_frame(compared, suites=[GEO.name]),
    ):
        assert set(frame["suite"]) == {GEO.name}


def test_a_metric_can_be_named_that_is_not_primary(compared: Comparison) -> None:
    assert set(effects_frame(compared, metric="token_f1_score")["metric"]) == {"token_f1_score"}
    assert "token_f1_score" in metric_names(compared)
    assert metric_names(compared, [COLOURS.name]) == ["accuracy"]


def test_the_heat_map_marks_cells_whose_interval_holds_no_change(compared: Comparison) -> None:
    cells = robustness_frame(compared).set_index(["suite", "transform"])
    assert cells.loc[(GEO.name, "context_rotation"), "effect"] == pytest.approx(-22 / 36)
    assert not cells.loc[(GEO.name, "context_rotation"), "is_open"]
    # Nothing of the unchanged questions was lost.
    assert cells.loc[(GEO.name, "source"), "effect"] == 0
    assert cells.loc[(GEO.name, "source"), "is_open"]
    assert cells.loc[(GEO.name, "source"), "cell"].startswith("○")


def test_the_position_curve_has_one_row_a_side_and_position(compared: Comparison) -> None:
    curve = position_frame(compared)
    assert len(curve) == 2 * 3
    scores = curve.set_index(["side", "position"])["score"]
    assert scores["baseline", 1.0] == pytest.approx(11 / 12)
    assert scores["candidate", 1.0] == 0
    assert scores["candidate", 0.0] == pytest.approx(11 / 12)
    assert set(curve["n_items"]) == {12}


def test_error_classes_are_shares_of_all_items(compared: Comparison) -> None:
    shares = classes_frame(compared).set_index(["suite", "error_class", "side"])["share"]
    # 22 lost and the 4 variants of item 11 wrong on both sides, of 48.
    assert shares[GEO.name, "refusal", "candidate"] == pytest.approx(26 / 48)
    assert shares[GEO.name, "other", "baseline"] == pytest.approx(4 / 48)


def test_a_missing_value_is_a_dash_in_a_table(compared: Comparison) -> None:
    frame = effects_frame(compared)
    frame = frame.assign(effect=None, low=None, high=None)
    assert set(slices_table(frame)["difference"]) == {"-"}


def test_swapping_the_runs_negates_every_difference(pair_store: Store, compared: Comparison) -> None:
    turned = compare(pair_store.run(CANDIDATE), pair_store.run(BASELINE))
    one = effects_frame(compared).set_index(["suite", "slice"])["effect"]
    two = effects_frame(turned).set_index(["suite", "slice"])["effect"]
    pd.testing.assert_series_equal(one.sort_index(), -two.sort_index(), check_exact=False, atol=1e-12)


def test_every_compared_variant_has_one_row_and_two_letters(items: pd.DataFrame) -> None:
    assert items["suite"].value_counts().to_dict() == {GEO.name: 48, COLOURS.name: 24}
    assert items["transition"].value_counts().to_dict() == {"rr": 22 + 17, "rw": 22 + 5, "ww": 4, "wr": 2}


def test_the_default_list_is_every_flip_losses_first(items: pd.DataFrame) -> None:
    letters = select_items(items, Wanted())["transition"].to_list()
    assert letters == ["rw"] * 27 + ["wr"] * 2


@pytest.mark.parametrize(
    ("wanted", "n"),
    [
        (Wanted(transition="rw"), 27),
        (Wanted(transition="ww"), 4),
        (Wanted(suites=(COLOURS.name,)), 7),
        (Wanted(suites=(COLOURS.name,), transform="typo", transition="rw"), 5),
        (Wanted(error_class="refusal", transition="rw"), 22),
        (Wanted(text="ONERROR"), 2),  # payload 1 in two positions, whatever the case
        (Wanted(text="五十元<B>"), 2),
        (Wanted(text=".*"), 0),  # text, not a pattern
        (Wanted(text="'; DROP TABLE items; --"), 0),
        (Wanted(transform="no-such"), 0),
    ],
)
def test_filters_leave_what_fits_and_nothing_else(items: pd.DataFrame, wanted: Wanted, n: int) -> None:
    assert len(select_items(items, wanted)) == n


def test_pages_hold_every_row_once(items: pd.DataFrame) -> None:
    listed = select_items(items, Wanted())
    n_pages = page_of(listed, 1, size=10)[2]
    rows = [
        row for number in range(1, n_pages + 1) for row in page_of(listed, number, size=10)[0]["variant_id"]
    ]
    assert rows == listed["variant_id"].to_list()


def test_an_empty_list_has_one_empty_page(items: pd.DataFrame) -> None:
    page, number, n_pages = page_of(items.iloc[:0], 3)
    assert (len(page), number, n_pages) == (0, 1, 1)


def test_an_item_is_shown_with_what_was_offered_and_said(compared: Comparison) -> None:
    item = item_detail(compared, COLOURS.name, "col-0-typo")
    assert item.gold == "2. 蓝色"
    assert item.baseline.output == "2. 蓝色" and item.candidate.output == "3. green"
    assert item.baseline.is_right and item.candidate.is_right is False
    assert item.text.prompt.startswith("问题 0")
    assert item.text.tags == (("domain", "<hostile>"),)


def test_an_item_carries_error_classes_scores_and_finish_reason(compared: Comparison) -> None:
    item = item_detail(compared, GEO.name, "geo-3-context_rotation-1")
    assert item.candidate.error_classes == ("refusal",)
    assert dict(item.candidate.scores) == {"exact_match": 0.0, "token_f1_score": 0.0}
    assert item.candidate.finish_reason == "stop" and item.candidate.tokens == 4
    assert item.candidate.output == PAYLOADS[3]
    assert item.position == 1.0


def test_an_unknown_item_is_named(compared: Comparison, items: pd.DataFrame) -> None:
    assert suite_of(items, "nothing") is None
    assert suite_of(items, "geo-0-source") == GEO.name
    with pytest.raises(UnknownName, match="no-such-variant"):
        item_detail(compared, GEO.name, "no-such-variant")
    with pytest.raises(UnknownName, match="Did you mean 'colours'"):
        item_detail(compared, "colour", "col-0-typo")
