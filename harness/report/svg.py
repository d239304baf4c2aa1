"""Charts as inline SVG: no script, no network, readable by a screen reader."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.comparison.errors import ClassShare
from harness.report.effect_lines import Axis, EffectLine, axis_of
from harness.report.markup import Markup, element, shown
from harness.report.numbers import effect_text, interval_text

WIDTH, LABELS, NUMBERS, ROW, TOP, BOTTOM = 1040, 370, 190, 28, 12, 46
MOST_LETTERS = 52


def dot_plot(lines: Sequence[EffectLine], *, title: str) -> Markup:
    """Paired effects with their 95 % intervals, one line each; the margin is a band, its end dashed.

    A filled dot says that the interval excludes no change, a hollow one that it includes it.
    """
    axis = axis_of(lines)
    height = TOP + ROW * len(lines) + BOTTOM
    told = "; ".join(
        f"{line.title}: {effect_text(line.effect)} {interval_text(line.low, line.high)}" for line in lines
    )
    return element(
        "svg",
        element("title", title),
        element("desc", shown(told)),
        *_ticks(axis, height),
        *(piece for place, line in enumerate(lines) for piece in _row(line, axis, TOP + ROW * place)),
        _text(LABELS, height - 4, "← worse", class_="dim"),
        _text(WIDTH - NUMBERS, height - 4, "better →", class_="dim", text_anchor="end"),
        viewBox=f"0 0 {WIDTH} {height}",
        width=WIDTH,
        role="img",
        aria_label=title,
    )


def _at(axis: Axis, value: float) -> float:
    return LABELS + (WIDTH - LABELS - NUMBERS) * axis.share(value)


def _row(line: EffectLine, axis: Axis, top: float) -> Iterator[Markup]:
    middle = top + ROW / 2
    tone = f"h-{line.tone}"
    if line.margin is not None:
        left, right = _at(axis, -line.margin), _at(axis, line.margin)
        yield element("rect", x=left, y=top + 2, width=right - left, height=ROW - 4, class_="band")
        yield element("line", x1=left, x2=left, y1=top + 2, y2=top + ROW - 2, class_="limit")
    yield _text(LABELS - 12, middle + 4, _cut(line.title), text_anchor="end")
    if line.low is not None and line.high is not None:
        left, right = _at(axis, line.low), _at(axis, line.high)
        yield element("line", x1=left, x2=right, y1=middle, y2=middle, class_=tone, stroke_width=2.4)
        for end in (left, right):
            yield element("line", x1=end, x2=end, y1=middle - 4, y2=middle + 4, class_=tone, stroke_width=2)
    hollow = " hollow" if line.tone == "flat" else ""
    yield element("circle", cx=_at(axis, line.effect), cy=middle, r=5, class_=tone + hollow, stroke_width=2.2)
    numbers = f"{effect_text(line.effect)} {interval_text(line.low, line.high)}"
    yield _text(WIDTH, middle + 4, numbers, text_anchor="end", class_="dim")


def _ticks(axis: Axis, height: float) -> Iterator[Markup]:
    bottom = height - BOTTOM + 4
    for value in nice_ticks(axis.low, axis.high):
        at = _at(axis, value)
        style = "axis" if value == 0 else "grid"
        yield element("line", x1=at, x2=at, y1=TOP - 6, y2=bottom, class_=style)
        yield _text(at, bottom + 15, effect_text(value), text_anchor="middle", class_="dim")


def nice_ticks(low: float, high: float, *, most: int = 7) -> list[float]:
    """Round values between two ends, 0 among them where it lies between.

    Example:
        >>> nice_ticks(-0.22, 0.07)
        [-0.2, -0.15, -0.1, -0.05, 0.0, 0.05]
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(number * step, 12) + 0.0 for number in range(first, last + 1)]


def class_bars(shares: Sequence[ClassShare], *, title: str) -> Markup:
    """Shares of all items per error class: the baseline's bar above the candidate's, the change in words."""
    top = max((max(share.baseline, share.candidate) for share in shares), default=0.0) or 1.0
    row = 40
    height = TOP + row * len(shares) + 8
    room = WIDTH - LABELS - NUMBERS - 60
    told = "; ".join(
        f"{share.suite}, {share.error_class}: {share.baseline:.1%} to {share.candidate:.1%}"
        for share in shares
    )
    pieces: list[Markup] = []
    for place, share in enumerate(shares):
        y = TOP + row * place
        pieces.append(
            _text(LABELS - 12, y + 20, _cut(f"{share.suite} · {share.error_class}"), text_anchor="end")
        )
        for offset, value, style in ((4, share.baseline, "before"), (17, share.candidate, "after")):
            width = max(1.5, room * value / top)
            pieces.append(element("rect", x=LABELS, y=y + offset, width=width, height=11, rx=2, class_=style))
            pieces.append(_text(LABELS + width + 6, y + offset + 10, f"{value:.1%}", class_="dim"))
        change = f"{100 * share.change:+.1f} pt {_points(share.low, share.high)}"
        pieces.append(_text(WIDTH, y + 20, change, text_anchor="end", class_="dim"))
    return element(
        "svg",
        element("title", title),
        element("desc", shown(told)),
        *pieces,
        viewBox=f"0 0 {WIDTH} {height}",
        width=WIDTH,
        role="img",
        aria_label=title,
    )


def _points(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{100 * low:+.1f}, {100 * high:+.1f}]"


def _cut(text: str) -> str:
    made = shown(text)
    return made if len(made) <= MOST_LETTERS else made[: MOST_LETTERS - 1] + "…"


def _text(x: float, y: float, content: str, **attributes: str) -> Markup:
    return element("text", content, x=float(x), y=float(y), **attributes)
