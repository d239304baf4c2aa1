"""What a training row is made of: text that is read, and after it text that is learned."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt as it is asked, and the answer to learn (with what joins the two).

    Args:
        prompt: Read only.
        answer: Learned.
    """

    prompt: str
    answer: str


Row = tuple[Asked, ...]
