"""Numbers as people read them, the same in terminal, Markdown and HTML."""

from __future__ import annotations

STATUS_MARKS = {"pass": "✓", "fail": "✗", "inconclusive": "?"}
STATUS_STYLES = {"pass": "bold blue", "fail": "bold red", "inconclusive": "bold yellow"}


def value_text(value: float | None) -> str:
    """A metric's value: three decimals, or four figures where it is large.

    Example:
        >>> value_text(0.5), value_text(12.3456), value_text(None)
        ('0.500', '12.35', '-')
    """
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


def effect_text(effect: float | None) -> str:
    """A signed difference.

    Example:
        >>> effect_text(-0.05), effect_text(0.0), effect_text(None)
        ('-0.050', '0.000', '-')
    """
    if effect is None:
        return "-"
    rounded = f"{effect:+.3f}" if abs(effect) < 10 else f"{effect:+.4g}"
    return "0.000" if rounded in ("+0.000", "-0.000") else rounded


def interval_text(low: float | None, high: float | None) -> str:
    """A 95 % interval.

    Example:
        >>> interval_text(-0.1, 0.02), interval_text(None, None)
        ('[-0.100, +0.020]', '[no interval]')
    """
    if low is None or high is None:
        return "[no interval]"
    return f"[{effect_text(low)}, {effect_text(high)}]"


def scored_text(n_scored: int, n: int) -> str:
    """How many of how many have a value.

    Example:
        >>> scored_text(60, 60), scored_text(58, 60)
        ('60', '58 of 60')
    """
    return str(n) if n_scored == n else f"{n_scored} of {n}"


def count_text(number: int | None) -> str:
    """A count with thousands marked.

    Example:
        >>> count_text(12345), count_text(None)
        ('12,345', '-')
    """
    return "-" if number is None else f"{number:,}"
