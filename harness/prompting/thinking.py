"""The thinking block of a reasoning model: kept in the output, taken off before an answer is read."""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"


def without_thinking(text: str) -> str | None:
    """The answer after the thinking block; None where the block was never closed.

    A closer without an opener counts too: some templates open the block in the prompt.

    Example:
        >>> without_thinking("<think>2+2</think> 4"), without_thinking("4"), without_thinking("<think>hm")
        ('4', '4', None)
    """
    if CLOSE in text:
        return text.rsplit(CLOSE, 1)[1].strip()
    if OPEN in text:
        return None
    return text.strip()
