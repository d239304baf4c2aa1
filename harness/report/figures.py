"""Frames as Altair charts: colours that the colour-blind can tell apart, and always a second sign beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

# Okabe and Ito's palette, which the three common kinds of colour blindness can tell apart.
ORANGE, BLUE, GREEN, GREY, VERMILION, SKY = "#E69F00", "#0072B2", "#009E73", "#7A8290", "#D55E00", "#56B4E9"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one mode.

    Args:
        ink: Of numbers inside a chart.
        quiet: Of what is beside the point: the baseline, intervals that say nothing.
        better: Also the candidate's own colour.
        worse: Of losses.
        middle: Of a heat map's cell without a difference.
        page: Behind the chart.
    """

    ink: str
    quiet: str
    better: str
    worse: str
    middle: str
    page: str


LIGHT = Palette("#1a1f2b", GREY, BLUE, VERMILION, "#F4F1EC", "#ffffff")
DARK = Palette("#e8eaf0", "#9AA3B2", SKY, "#F0803C", "#2B2F38", "#181715")
TONE_WORDS = {"fail": "worse", "flat": "no clear change", "pass": "better"}
ROW_HEIGHT = 38
# What title, axis and legend take of a chart's height, which Streamlit counts as one.
AXIS_HEIGHT, LEGEND_HEIGHT, TURNED_LABELS = 78, 56, 100


def effects_figure(frame: pd.DataFrame, *, label: str = "title", palette: Palette = LIGHT) -> alt.LayerChart:
    """Dot plot of paired differences with 95 % intervals in the frame's order; clicking a dot selects `chosen`.

    Args:
        frame: Rows of `queries.effects_frame` of one unit, at least one, each with an effect.
        label: The column on the axis.
    """
    import altair as alt

    frame = frame.assign(
        verdict=frame["tone"].map(TONE_WORDS), margin_low=-frame["margin"], row=frame[label].astype(str)
    )
    y = alt.Y(
        "row:N", sort=list(frame["row"]), title=None, axis=alt.Axis(labelLimit=420, ticks=False, domain=False)
    )
    chosen = alt.selection_point(name="chosen", fields=["suite", "slice"], on="click")
    base = alt.Chart(frame)
    scale = alt.Scale(nice=True, padding=12)
    x = alt.X("low:Q", title="paired difference (right is better)", scale=scale)
    bars = base.mark_rule(strokeWidth=3).encode(y=y, x=x, x2="high:Q", color=_tone_colour(palette))
    dots = (
        base.mark_point(size=130, strokeWidth=2.5, opacity=1)
        .encode(
            y=y,
            x=alt.X("effect:Q", scale=scale),
            color=_tone_colour(palette),
            fill=alt.Fill(
                "verdict:N",
                scale=alt.Scale(
                    domain=list(TONE_WORDS.values()), range=[palette.worse, palette.page, palette.better]
                ),
                legend=None,
            ),
            tooltip=_effect_tooltip(),
        )
        .add_params(chosen)
    )
    texts = base.mark_text(align="center", dy=-14, fontSize=11).encode(
        y=y, x=alt.X("effect:Q", scale=scale), text="numbers:N", color=alt.value(palette.ink)
    )
    zero = alt.Chart().mark_rule(color=palette.quiet, strokeWidth=1.5).encode(x=alt.datum(0))
    layers = [zero, bars, dots, texts]
    if frame["margin"].notna().any():
        band = base.mark_bar(opacity=0.16, color=GREEN, height=ROW_HEIGHT - 8)
        layers.insert(0, band.encode(y=y, x=alt.X("margin_low:Q", scale=scale), x2="margin:Q"))
    return alt.layer(*layers).properties(height=ROW_HEIGHT * len(frame) + AXIS_HEIGHT + LEGEND_HEIGHT)


def _tone_colour(palette: Palette) -> alt.Color:
    import altair as alt

    return alt.Color(
        "verdict:N",
        title=None,
        scale=alt.Scale(
            domain=list(TONE_WORDS.values()), range=[palette.worse, palette.quiet, palette.better]
        ),
        legend=alt.Legend(orient="top", symbolType="circle"),
    )


def _effect_tooltip() -> list[alt.Tooltip]:
    import altair as alt

    named = {
        "suite": "suite", "metric": "metric", "slice": "slice", "baseline": "baseline", "candidate": "candidate",
        "numbers": "difference", "n_items": "source items", "lost": "lost", "won": "won",
    }  # fmt: skip
    return [alt.Tooltip(column, title=title) for column, title in named.items()]


def heat_figure(frame: pd.DataFrame, *, palette: Palette = LIGHT) -> alt.LayerChart:
    """Suites against transforms; the number stands in each cell, a hollow circle where the interval holds 0.

    Args:
        frame: Rows of `queries.robustness_frame`, at least one.
    """
    import altair as alt

    transforms = sorted(frame["transform"].unique(), key=lambda name: (name != "source", name))
    reach = max(0.05, float(frame["effect"].abs().max()))
    x = alt.X(
        "transform:N",
        sort=transforms,
        title=None,
        axis=alt.Axis(
            orient="top", labelAngle=-35, labelLimit=180, labelOverlap=False, ticks=False, domain=False
        ),
    )
    y = alt.Y("suite:N", sort=None, title=None, axis=alt.Axis(labelLimit=220, ticks=False, domain=False))
    colour = alt.Color(
        "effect:Q",
        title="difference",
        # Orange for worse and blue for better: never red against green.
        scale=alt.Scale(
            domain=[-reach, 0, reach],
            range=[palette.worse, palette.middle, palette.better],
            interpolate="rgb",
        ),
        legend=None,  # every cell has its number
    )
    chosen = alt.selection_point(name="chosen", fields=["suite", "transform"], on="click")
    base = alt.Chart(frame)
    cells = (
        base.mark_rect(cornerRadius=3, stroke=palette.page, strokeWidth=2)
        .encode(
            x=x,
            y=y,
            color=colour,
            tooltip=_effect_tooltip(),
        )
        .add_params(chosen)
    )
    is_strong = f"abs(datum.effect) > {0.55 * reach:.6g} "
    numbers = base.mark_text(fontSize=12).encode(
        x=x,
        y=y,
        text="cell:N",
        color=alt.condition(is_strong, alt.value(palette.page), alt.value(palette.ink)),
    )
    return alt.layer(cells, numbers).properties(height=44 * frame["suite"].nunique() + TURNED_LABELS)


def position_figure(frame: pd.DataFrame, *, palette: Palette = LIGHT) -> alt.LayerChart:
    """Score against the position of the key information: one line a side, solid and dashed, n below.

    Args:
        frame: Rows of `queries.position_frame` of one suite and transform.
    """
    import altair as alt

    sides = ["baseline", "candidate"]
    positions = sorted(frame["position"].unique())
    x = alt.X(
        "position:Q",
        title="position of the key information (0 = start, 1 = end)",
        axis=alt.Axis(
            values=positions,
            grid=False,
            format=".2~f",
            labelOverlap=False,
            labelAngle=0 if len(positions) < 6 else -45,
        ),
        scale=alt.Scale(padding=18),
    )
    y = alt.Y("score:Q", title="score", scale=alt.Scale(zero=True))
    colour = alt.Color(
        "side:N",
        title=None,
        scale=alt.Scale(domain=sides, range=[palette.quiet, palette.better]),
        legend=alt.Legend(orient="top", symbolDash=[1, 0], symbolStrokeWidth=0),
    )
    base = alt.Chart(frame)
    tooltip = [
        alt.Tooltip("side"), alt.Tooltip("position"), alt.Tooltip("score", format=".3f"),
        alt.Tooltip("difference", title="paired difference"), alt.Tooltip("n_items", title="source items"),
    ]  # fmt: skip
    dash = alt.StrokeDash("side:N", scale=alt.Scale(domain=sides, range=[[5, 4], [1, 0]]), legend=None)
    lines = base.mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour, strokeDash=dash)
    shape = alt.Shape("side:N", scale=alt.Scale(domain=sides, range=["square", "circle"]), legend=None)
    dots = base.mark_point(size=80, filled=True, opacity=1).encode(
        x=x, y=y, color=colour, shape=shape, tooltip=tooltip
    )
    counts = (
        base.transform_filter("datum.side == 'candidate'")
        .mark_text(dy=-4, fontSize=10, color=palette.quiet, baseline="bottom")
        .encode(x=x, y=alt.datum(0), text="n_items:Q")
    )
    return alt.layer(lines, dots, counts).properties(height=320)


def classes_figure(frame: pd.DataFrame, *, palette: Palette = LIGHT) -> alt.Chart:
    """Shares of all items per error class, the baseline's bar above the candidate's.

    Args:
        frame: Rows of `queries.classes_frame` of one suite.
    """
    import altair as alt

    sides = ["baseline", "candidate"]
    classes = list(dict.fromkeys(frame["error_class"]))
    y = alt.Y(
        "error_class:N", sort=classes, title=None, axis=alt.Axis(labelLimit=240, ticks=False, domain=False)
    )
    colour = alt.Scale(domain=sides, range=[palette.quiet, palette.better])
    return (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            y=y,
            yOffset=alt.YOffset("side:N", sort=sides),
            x=alt.X("share:Q", title="share of all items", axis=alt.Axis(format=".0%")),
            color=alt.Color("side:N", title=None, scale=colour, legend=alt.Legend(orient="top")),
            tooltip=[
                alt.Tooltip("suite"), alt.Tooltip("error_class", title="error class"), alt.Tooltip("side"),
                alt.Tooltip("share", format=".1%"), alt.Tooltip("numbers", title="change, 95 % interval"),
            ],
        )
        .properties(height=46 * len(classes) + AXIS_HEIGHT + LEGEND_HEIGHT)
    )  # fmt: skip
