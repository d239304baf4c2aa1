"""Free text, greedy or sampled: shared beginnings read once, ended texts replaced by waiting ones at once.

Texts are written in blocks of rows of about one length. When rows end, they leave their block, and waiting
prompts are read into a new one. What is written does not depend on who is written beside it: every row attends
to its own tokens only, its noise is its own, and `writing_probe` has shown that the model keeps to that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from harness.engine.checkpoint import Checkpoint
from harness.engine.decoding_batch import next_logits
from harness.engine.memory import Budget, in_memory
from harness.engine.next_tokens import take_next
from harness.engine.plain_generation import plainly_written
from harness.engine.planning import Opening
from harness.engine.prefill import read, read_prompts
from harness.engine.stop_strings import Endings
from harness.engine.text_blocks import Block, Held, block_of
from harness.engine.writing import Writing, Written, does_not_fit, renamed, samples_of, writings_of
from harness.engine.writing_desk import (
    Desk,
    beginning_of,
    can_begin,
    in_order,
    join_small,
    next_texts,
    tokens_for,
)
from harness.engine.writing_probe import exact_attention
from harness.engine.writing_room import WritingRoom

if TYPE_CHECKING:
    import torch

__all__ = ["Written", "samples_of", "written"]


def written(
    checkpoint: Checkpoint, openings: Sequence[Opening], budget: Budget, *, is_given: bool = False
) -> Iterator[Written]:
    """Each text as it is done.

    Args:
        checkpoint: Who writes.
        openings: What is continued.
        budget: Shrinks where memory runs out.
        is_given: Whether a user chose the budget: then it also bounds what is held for texts being written, which
            is otherwise bounded by the memory of the device.
    """
    first_of, twins = _told_apart(writings_of(openings))
    for text in _each_written(checkpoint, first_of, budget, is_given=is_given):
        yield text
        for twin in twins.get((text.request_id, text.sample), ()):
            yield Written(twin.request_id, twin.sample, renamed(text, twin), 0.0)


def _told_apart(texts: Sequence[Writing]) -> tuple[list[Writing], dict[tuple[str, int], list[Writing]]]:
    """Texts to be written, and by request and sample those that will come out alike: greedy ones of equal prompts."""
    first_of: dict[object, Writing] = {}
    twins: dict[tuple[str, int], list[Writing]] = {}
    for writing in texts:
        opening, settings = writing.opening, writing.opening.request.settings
        key: object = (writing.request_id, writing.sample)
        if settings.temperature <= 0:
            key = opening.tokens.tobytes(), opening.limit, settings.stop
        first = first_of.setdefault(key, writing)
        if first is not writing:
            twins.setdefault((first.request_id, first.sample), []).append(writing)
    return list(first_of.values()), twins


def _each_written(
    checkpoint: Checkpoint, texts: Sequence[Writing], budget: Budget, *, is_given: bool
) -> Iterator[Written]:
    model = checkpoint.model
    endings = Endings(checkpoint)
    attention = exact_attention(model)
    if attention is None:
        yield from plainly_written(model, texts, budget, endings)
        return
    room = WritingRoom.of(model, budget, is_given=is_given)
    desk = Desk(model, attention, room, endings, deque(in_order(texts)))
    while desk.waiting or desk.blocks:
        while can_begin(desk):
            yield from _begun(desk)
        if desk.blocks:
            yield from _continued(desk)


def _begun(desk: Desk) -> Iterator[Written]:
    """Reads waiting prompts into a new block and takes their first tokens."""
    texts = next_texts(desk)
    block = in_memory(partial(_read_block, desk, texts, desk.room.at_once))
    if block is None and len(texts) == 1 and not desk.blocks:
        at_once = min(desk.room.at_once, len(texts[0].opening.tokens))
        while block is None and at_once > desk.room.least_at_once:
            at_once //= 2
            texts = [texts[0].again()]
            block = in_memory(partial(_read_block, desk, texts, at_once))
        if block is None:
            texts[0].failure = does_not_fit(texts[0])
            yield desk.endings.result(texts[0])
            return
    if block is None:
        desk.before = (b"", Held())
        desk.room.shrink(tokens_for(desk, texts[0], len(texts)), n_rows=desk.n_rows + len(texts))
        desk.waiting.extendleft(writing.again() for writing in reversed(texts))
        return
    yield from _ended(desk, block)
    if block.rows:
        desk.blocks.append(block)


def _read_block(desk: Desk, texts: list[Writing], at_once: int) -> Block:
    """A block of texts, each with its prompt read and its first token taken."""
    import torch

    started = perf_counter()
    for writing in texts:
        writing.began = started if writing.began is None else writing.began
    prompts: dict[bytes, list[Writing]] = {}
    for writing in texts:
        prompts.setdefault(writing.opening.tokens.tobytes(), []).append(writing)
    alike = list(prompts.values())
    with torch.inference_mode():
        before = _read_beginning(desk, texts[0], at_once)
        rows: list[tuple[Writing, Held]] = []
        for pack in _packs(alike, before.n_tokens, at_once):
            parts = [own[0].opening.tokens[before.n_tokens :] for own in pack]
            held, logits = read_prompts(desk.model, parts, before=before, at_once=at_once)
            row_of = [index for index, own in enumerate(pack) for _ in own]
            together = [writing for own in pack for writing in own]
            take_next(together, logits[torch.tensor(row_of, device=logits.device)], desk.endings)
            rows += [(writing, held[index]) for writing, index in zip(together, row_of, strict=True)]
        if desk.attention == "model":
            rows = [(writing, before.then(own)) for writing, own in rows]
            before = Held()
        block = block_of(before, rows)
    _share_time(texts, started)
    return block


def _read_beginning(desk: Desk, writing: Writing, at_once: int) -> Held:
    beginning = beginning_of(writing)
    if desk.before[0] != beginning:
        desk.before = (b"", Held())
        tokens = writing.opening.tokens[: writing.n_shared]
        desk.before = beginning, read(desk.model, tokens, before=Held(), at_once=at_once)
    return desk.before[1]


def _packs(alike: Sequence[list[Writing]], n_shared: int, at_once: int) -> Iterator[list[list[Writing]]]:
    """Prompts that are read in one pass: as many as fit, at least one."""
    pack: list[list[Writing]] = []
    n_tokens = 0
    for own in alike:
        length = len(own[0].opening.tokens) - n_shared
        if pack and n_tokens + length > at_once:
            yield pack
            pack, n_tokens = [], 0
        pack.append(own)
        n_tokens += length
    yield pack


def _continued(desk: Desk) -> Iterator[Written]:
    """One more token for every text being written."""
    started = perf_counter()
    logits = in_memory(partial(_next_of_all, desk))
    if logits is None:
        yield from _made_smaller(desk)
        return
    texts = [writing for block in desk.blocks for writing in block.rows]
    take_next(texts, logits, desk.endings)
    _share_time(texts, started)
    for block in desk.blocks:
        yield from _ended(desk, block)
    desk.blocks = [block for block in desk.blocks if block.rows]
    join_small(desk)


def _next_of_all(desk: Desk) -> torch.Tensor:
    import torch

    with torch.inference_mode():
        return next_logits(desk.model, desk.blocks, attention=desk.attention)


def _ended(desk: Desk, block: Block) -> Iterator[Written]:
    """Takes the texts that are done out of a block."""
    import torch

    done = [index for index, writing in enumerate(block.rows) if writing.is_done]
    texts = [block.rows[index] for index in done]
    if done:
        with torch.inference_mode():
            block.drop(done)
    for writing in texts:
        yield desk.endings.result(writing)


def _made_smaller(desk: Desk) -> Iterator[Written]:
    """Memory ran out between two tokens: the later half of the rows is begun again when there is room."""
    n_rows = desk.n_rows
    if n_rows == 1:
        [writing] = desk.blocks.pop().rows
        writing.failure = does_not_fit(writing)
        yield desk.endings.result(writing)
        return
    desk.room.shrink(desk.held, n_rows=n_rows)
    put_back: list[Writing] = []
    while desk.n_rows > n_rows // 2:
        block = desk.blocks[-1]
        put_back.append(block.rows[-1].again())
        block.drop([len(block.rows) - 1])
        if not block.rows:
            desk.blocks.pop()
    desk.waiting.extendleft(put_back)


def _share_time(texts: Sequence[Writing], started: float) -> None:
    each = (perf_counter() - started) / len(texts)
    for writing in texts:
        writing.seconds += each
