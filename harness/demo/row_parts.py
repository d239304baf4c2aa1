"""What a training row is made of: text that is read, and after it text that is learned."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt as it is asked, and the answer to learn (with what joins the two).

    Args:
        prompt: Read only.
        answer: Learned.
        ends: Whether the end of sequence after the answer is learned too.
    """

    prompt: str
    answer: str
    ends: bool = True


Row = tuple[Asked, ...]
