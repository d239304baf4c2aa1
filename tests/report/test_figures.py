"""The charts: valid Vega-Lite, every number in a cell, a second sign beside each colour, nothing a model wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from harness.comparison import Comparison
from harness.report.figures import (
    DARK,
    LIGHT,
    Palette,
    classes_figure,
    effects_figure,
    heat_figure,
    position_figure,
)
from harness.report.queries import classes_frame, effects_frame, position_frame, robustness_frame
from tests.report.pair_store import GEO, PAYLOADS

Figure = Callable[..., Any]


def whole(compared: Comparison) -> pd.DataFrame:
    frame = effects_frame(compared)
    return frame[(frame["kind"] == "all") & (frame["unit"] == "0 to 1")]


FIGURES: list[tuple[Figure, Callable[[Comparison], pd.DataFrame]]] = [
    (effects_figure, whole),
    (heat_figure, robustness_frame),
    (position_figure, position_frame),
    (classes_figure, lambda compared: classes_frame(compared, suites=[GEO.name])),
]


@pytest.mark.parametrize(("figure", "frame"), FIGURES)
@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_each_chart_is_valid_and_draws_no_model_output(
    compared: Comparison, figure: Figure, frame: Callable[[Comparison], pd.DataFrame], palette: Palette
) -> None:
    chart = figure(frame(compared), palette=palette)
    spec = chart.to_dict(validate=True)
    text = json.dumps(spec, ensure_ascii=False)
    assert not any(payload in text for payload in PAYLOADS)
    assert '"href"' not in text and '"url"' not in text


def marks(spec: dict[str, Any]) -> list[str]:
    return [
        layer["mark"]["type"] if isinstance(layer["mark"], dict) else layer["mark"] for layer in spec["layer"]
    ]


def test_the_dot_plot_has_margin_zero_interval_dot_and_number(compared: Comparison) -> None:
    spec = effects_figure(whole(compared)).to_dict()
    assert marks(spec) == ["bar", "rule", "rule", "point", "text"]


def test_the_dot_plot_keeps_the_frames_order(compared: Comparison) -> None:
    frame = whole(compared)
    spec = effects_figure(frame).to_dict()
    dots = next(layer for layer in spec["layer"] if marks({"layer": [layer]}) == ["point"])
    assert dots["encoding"]["y"]["sort"] == frame["title"].to_list()


def test_without_a_margin_no_band_is_drawn(compared: Comparison) -> None:
    frame = effects_frame(compared)
    frame = frame[(frame["kind"] == "all") & (frame["unit"] == "token_perplexity")]
    assert "bar" not in marks(effects_figure(frame).to_dict())


def test_clicks_are_named_for_the_page(compared: Comparison) -> None:
    for figure, frame in ((effects_figure, whole(compared)), (heat_figure, robustness_frame(compared))):
        names = [parameter["name"] for parameter in figure(frame).to_dict()["params"]]
        assert "chosen" in names


def test_the_heat_map_writes_a_number_into_every_cell(compared: Comparison) -> None:
    frame = robustness_frame(compared)
    spec = heat_figure(frame).to_dict()
    assert marks(spec) == ["rect", "text"]
    drawn = next(iter(spec["datasets"].values()))
    assert all(row["cell"].lstrip("○ ").lstrip("+-")[0].isdigit() for row in drawn)


def test_sides_differ_by_dash_and_shape_not_by_colour_alone(compared: Comparison) -> None:
    line, dot, _ = position_figure(position_frame(compared)).to_dict()["layer"]
    assert line["encoding"]["strokeDash"]["field"] == "side"
    assert dot["encoding"]["shape"]["field"] == "side"


def contrast(one: str, two: str) -> float:
    """WCAG 2 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_marks_and_numbers_stand_out_from_the_page(palette: Palette) -> None:
    assert contrast(palette.ink, palette.page) >= 7
    assert contrast(palette.ink, palette.middle) >= 7
    # WCAG 1.4.11: graphical objects need 3 to 1.
    for colour in (palette.better, palette.worse, palette.quiet):
        assert contrast(colour, palette.page) >= 3
