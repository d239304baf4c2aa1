"""Cost against variants per item: measured for both sides, drawn as a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import ceil, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.scoring_work.distinct import distinct_of
from benchmarks.scoring_work.lm_eval_side import lm_eval_answers, reads_of
from benchmarks.scoring_work.measure import Sides, timed
from benchmarks.scoring_work.our_side import our_answers
from benchmarks.scoring_work.shapes import variants_work
from benchmarks.scoring_work.work import evenly_spaced, part_of

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

VARIANTS = (1, 2, 4, 8, 16, 32, 64)
MEASURED_QUESTIONS = 16  # lm-eval reads every question alike: the rest is scaled


def variants_series(
    sides: Sides, *, n_items: int, batch_size: int, vocabulary: int, variants: Sequence[int] = VARIANTS
) -> list[dict[str, float]]:
    """Seconds of both sides for each number of variants per item, and the share of distinct tokens."""
    found = []
    for count in variants:
        work = variants_work(n_items, count, vocabulary=vocabulary)
        part = part_of(work, evenly_spaced(len(work.questions), MEASURED_QUESTIONS))
        ours = timed(sides.device, partial(our_answers, sides.backend, work))[0]
        theirs = timed(sides.device, partial(lm_eval_answers, sides.stock, part, batch_size))[0]
        counts = distinct_of(reads_of(sides.stock, work))
        share = len(part.questions) / len(work.questions)
        found.append(
            {
                "variants": count,
                "questions": len(work.questions),
                "seconds": ours,
                "lm_eval_seconds": theirs / share,
                "lm_eval_measured_share": share,
                "distinct_tokens": counts.n_tokens,
                "read_tokens": counts.n_read,
            }
        )
    return found


_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 1440, 900, 150, 330, 130, 160
_INK, _FAINT, _OURS, _THEIRS = "#222222", "#d8d8d8", "#0b6e4f", "#b3402a"


def draw_variants(series: Sequence[Mapping[str, Any]], path: Path, *, title: str, note: str) -> None:
    """Writes the series as a PNG, both axes logarithmic.

    Args:
        series: As of `variants_series`, at least two points.
        path: Where to.
        title: What was measured.
        note: On what, and how; stands below.
    """
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    draw = ImageDraw.Draw(picture)
    values = [float(point[name]) for point in series for name in ("seconds", "lm_eval_seconds")]
    ticks = decades(min(values), max(values))
    steps = [int(point["variants"]) for point in series]
    across = _scale(steps[0], steps[-1], _LEFT, _WIDTH - _RIGHT)
    upwards = _scale(ticks[0], ticks[-1], _HEIGHT - _BOTTOM, _TOP)
    _axes(draw, steps, ticks, across, upwards, title)
    draw.text((_LEFT, _HEIGHT - 48), note, fill=_INK, font=_font(22))
    for name, label, colour in (
        ("lm_eval_seconds", "lm-eval hf", _THEIRS),
        ("seconds", "sft-harness", _OURS),
    ):
        points = [(across(point["variants"]), upwards(float(point[name]))) for point in series]
        draw.line(points, fill=colour, width=5, joint="curve")
        for x, y in points:
            draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=colour)
        last = float(series[-1][name])
        draw.text((points[-1][0] + 24, points[-1][1]), label, fill=colour, font=_font(30), anchor="lm")
        draw.text(
            (points[-1][0] + 24, points[-1][1] + 34),
            f"{last:.3g} s",
            fill=colour,
            font=_font(26),
            anchor="lm",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def decades(lowest: float, highest: float) -> list[float]:
    """Powers of ten and their halves in the 1-3-10 way that enclose the values.

    Example:
        >>> decades(0.4, 25.0)
        [0.3, 1.0, 3.0, 10.0, 30.0]
    """
    marks = [
        round(factor * 10.0**power, 9)
        for power in range(int(log10(lowest)) - 2, ceil(log10(highest)) + 2)
        for factor in (1, 3)
    ]
    first = max(mark for mark in marks if mark <= lowest)
    last = min(mark for mark in marks if mark >= highest)
    return [mark for mark in marks if first <= mark <= last]


def _scale(first: float, last: float, start: float, stop: float) -> Callable[[float], float]:
    width = log10(last / first) or 1.0

    def place(value: float) -> float:
        return start + (stop - start) * log10(value / first) / width

    return place


def _axes(
    draw: ImageDraw,
    steps: Sequence[int],
    ticks: Sequence[float],
    across: Callable[[float], float],
    upwards: Callable[[float], float],
    title: str,
) -> None:
    draw.text((_LEFT, 40), title, fill=_INK, font=_font(34))
    draw.text((_LEFT, 84), "seconds", fill=_INK, font=_font(26))
    for tick in ticks:
        draw.line([(_LEFT, upwards(tick)), (_WIDTH - _RIGHT, upwards(tick))], fill=_FAINT, width=2)
        draw.text((_LEFT - 20, upwards(tick)), f"{tick:g}", fill=_INK, font=_font(26), anchor="rm")
    for step in steps:
        draw.text((across(step), _HEIGHT - _BOTTOM + 20), str(step), fill=_INK, font=_font(26), anchor="ma")
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    draw.text((middle, _HEIGHT - _BOTTOM + 62), "variants per item", fill=_INK, font=_font(28), anchor="ma")


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)
