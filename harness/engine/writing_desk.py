"""What is being written and what waits: which texts begin next, and which blocks are joined."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

from harness.engine.decoding_batch import Attention
from harness.engine.memory import in_memory
from harness.engine.prompt_groups import prompt_groups
from harness.engine.stop_strings import Endings
from harness.engine.text_blocks import Block, Held, joined
from harness.engine.writing import Writing
from harness.engine.writing_room import WritingRoom


@dataclass(slots=True)
class Desk:
    """What is being written and what waits.

    Args:
        model: In evaluation mode.
        attention: Whose attention reads the blocks.
        room: How much may be written at once.
        endings: Decides where texts end.
        waiting: Texts in the order in which they are begun; those of one prompt, and those that share their
            first `n_shared` tokens, stand together.
        blocks: Being written.
        before: The shared beginning read last, and its tokens.
    """

    model: Any
    attention: Attention
    room: WritingRoom
    endings: Endings
    waiting: deque[Writing]
    blocks: list[Block] = field(default_factory=list)
    before: tuple[bytes, Held] = (b"", Held())

    @property
    def n_rows(self) -> int:
        """Texts being written."""
        return sum(len(block.rows) for block in self.blocks)

    @property
    def held(self) -> int:
        """Tokens that may come to be held, shared beginnings once."""
        beginnings = {id(block.before): block.before.n_tokens for block in self.blocks}
        return sum(block.reserved for block in self.blocks) + sum(beginnings.values())


def in_order(texts: Sequence[Writing]) -> list[Writing]:
    """Texts that share a beginning stand together, longest own part first, so that blocks are even."""
    prompts: dict[bytes, list[Writing]] = {}
    for writing in texts:
        prompts.setdefault(writing.opening.tokens.tobytes(), []).append(writing)
    alike = list(prompts.values())
    groups = prompt_groups([own[0].opening.tokens for own in alike], [len(own) for own in alike])
    ordered = []
    for group in groups:
        members = sorted(
            (alike[index] for index in group.members),
            key=lambda own: (-len(own[0].opening.tokens), own[0].opening.tokens.tobytes()),
        )
        for writing in (writing for own in members for writing in own):
            writing.n_shared = group.n_shared
            ordered.append(writing)
    return ordered


def can_begin(desk: Desk) -> bool:
    """Whether reading more prompts pays now; the model's own attention sees one block at a time."""
    if not desk.waiting or not desk.blocks:
        return bool(desk.waiting)
    if desk.attention == "model" or desk.room.max_rows - desk.n_rows < desk.room.worth_beginning:
        return False
    return desk.held + tokens_for(desk, desk.waiting[0], 1) <= desk.room.tokens


def tokens_for(desk: Desk, writing: Writing, n_rows: int) -> int:
    """Tokens that rows like this one may come to hold, with their shared beginning."""
    whole = len(writing.opening.tokens) + writing.opening.limit
    if desk.attention == "model":
        return n_rows * whole
    return n_rows * (whole - writing.n_shared) + writing.n_shared


def next_texts(desk: Desk) -> list[Writing]:
    """The next waiting texts that fit, at least one; all of them share their beginning."""
    free = min(desk.room.block_rows, max(1, desk.room.max_rows - desk.n_rows))
    room = desk.room.tokens - desk.held
    taken: list[Writing] = []
    longest = desk.waiting[0]
    while desk.waiting and len(taken) < free:
        writing = desk.waiting[0]
        if taken and beginning_of(writing) != beginning_of(taken[0]):
            break
        if (
            len(writing.opening.tokens) + writing.opening.limit
            > len(longest.opening.tokens) + longest.opening.limit
        ):
            longest = writing
        if taken and tokens_for(desk, longest, len(taken) + 1) > room:
            break
        taken.append(desk.waiting.popleft())
    return taken


def beginning_of(writing: Writing) -> bytes:
    """The tokens that a text shares with those beside it, to compare."""
    return writing.opening.tokens[: writing.n_shared].tobytes()


def join_small(desk: Desk) -> None:
    """Joins blocks that have lost rows, those of most nearly equal width first, while there are many."""
    import torch

    while len(desk.blocks) > desk.room.max_blocks:
        by_width = sorted(desk.blocks, key=lambda block: (id(block.before), block.width))
        pairs = [
            (longer.width - shorter.width, shorter, longer)
            for shorter, longer in pairwise(by_width)
            if shorter.before is longer.before and _may_join(desk, shorter, longer)
        ]
        if not pairs:
            return
        _, shorter, longer = min(pairs, key=lambda pair: pair[0])
        rest = [block for block in desk.blocks if block is not shorter and block is not longer]
        with torch.inference_mode():
            made = in_memory(partial(joined, longer, shorter))
        if made is None:
            return
        desk.blocks = [*rest, made]


def _may_join(desk: Desk, shorter: Block, longer: Block) -> bool:
    n_rows = len(shorter.rows) + len(longer.rows)
    more = n_rows * max(shorter.limit, longer.limit) - shorter.reserved - longer.reserved
    return n_rows <= desk.room.block_rows and desk.held + more <= desk.room.tokens
