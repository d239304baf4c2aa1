"""Free text, greedy or sampled: shared beginnings read once, ended texts replaced by waiting ones at once.

Texts are written in blocks of rows of about one length. When rows end, they leave their block, and waiting
prompts are read into a new one. What is written does not depend on who is written beside it: every row attends
to its own tokens only, its noise is its own, and `writing_probe` has shown that the model keeps to that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from harness.engine.checkpoint import Checkpoint
from harness.engine.decoding_batch import Attention, next_logits
from harness.engine.memory import Budget, in_memory
from harness.engine.next_tokens import take_next
from harness.engine.plain_generation import plainly_written
from harness.engine.planning import Opening
from harness.engine.prefill import read, read_prompts
from harness.engine.prompt_groups import prompt_groups
from harness.engine.stop_strings import Endings
from harness.engine.text_blocks import Block, Held, block_of
from harness.engine.writing import Writing, Written, does_not_fit, samples_of, writings_of
from harness.engine.writing_probe import exact_attention
from harness.engine.writing_room import WritingRoom

if TYPE_CHECKING:
    import torch

__all__ = ["Written", "samples_of", "written"]


@dataclass(slots=True)
class _Desk:
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
    model = checkpoint.model
    endings = Endings(checkpoint)
    texts = writings_of(openings)
    attention = exact_attention(model)
    if attention is None:
        yield from plainly_written(model, texts, budget, endings)
        return
    room = WritingRoom.of(model, budget, is_given=is_given)
    desk = _Desk(model, attention, room, endings, deque(_in_order(texts)))
    while desk.waiting or desk.blocks:
        while _can_begin(desk):
            yield from _begun(desk)
        if desk.blocks:
            yield from _continued(desk)


def _in_order(texts: Sequence[Writing]) -> list[Writing]:
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


def _can_begin(desk: _Desk) -> bool:
    """Whether reading more prompts pays now; the model's own attention sees one block at a time."""
    if not desk.waiting or not desk.blocks:
        return bool(desk.waiting)
    if desk.attention == "model" or desk.room.max_rows - desk.n_rows < desk.room.worth_beginning:
        return False
    return desk.held + _reserved(desk, desk.waiting[0], 1) <= desk.room.tokens


def _reserved(desk: _Desk, writing: Writing, n_rows: int) -> int:
    """Tokens that rows like this one may come to hold, with their shared beginning."""
    whole = len(writing.opening.tokens) + writing.opening.limit
    if desk.attention == "model":
        return n_rows * whole
    return n_rows * (whole - writing.n_shared) + writing.n_shared


def _next_texts(desk: _Desk) -> list[Writing]:
    """The next waiting texts that fit, at least one; all of them share their beginning."""
    free = min(desk.room.block_rows, max(1, desk.room.max_rows - desk.n_rows))
    room = desk.room.tokens - desk.held
    taken: list[Writing] = []
    longest = desk.waiting[0]
    while desk.waiting and len(taken) < free:
        writing = desk.waiting[0]
        if taken and _beginning(writing) != _beginning(taken[0]):
            break
        if (
            len(writing.opening.tokens) + writing.opening.limit
            > len(longest.opening.tokens) + longest.opening.limit
        ):
            longest = writing
        if taken and _reserved(desk, longest, len(taken) + 1) > room:
            break
        taken.append(desk.waiting.popleft())
    return taken


def _beginning(writing: Writing) -> bytes:
    return writing.opening.tokens[: writing.n_shared].tobytes()


def _begun(desk: _Desk) -> Iterator[Written]:
    """Reads waiting prompts into a new block and takes their first tokens."""
    texts = _next_texts(desk)
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
        desk.room.shrink(_reserved(desk, texts[0], len(texts)), n_rows=desk.n_rows + len(texts))
        desk.waiting.extendleft(writing.again() for writing in reversed(texts))
        return
    yield from _ended(desk, block)
    if block.rows:
        desk.blocks.append(block)


def _read_block(desk: _Desk, texts: list[Writing], at_once: int) -> Block:
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


def _read_beginning(desk: _Desk, writing: Writing, at_once: int) -> Held:
    beginning = _beginning(writing)
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


def _continued(desk: _Desk) -> Iterator[Written]:
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


def _next_of_all(desk: _Desk) -> torch.Tensor:
    import torch

    with torch.inference_mode():
        return next_logits(desk.model, desk.blocks, attention=desk.attention)


def _ended(desk: _Desk, block: Block) -> Iterator[Written]:
    """Takes the texts that are done out of a block."""
    import torch

    done = [index for index, writing in enumerate(block.rows) if writing.is_done]
    texts = [block.rows[index] for index in done]
    if done:
        with torch.inference_mode():
            block.drop(done)
    for writing in texts:
        yield desk.endings.result(writing)


def _made_smaller(desk: _Desk) -> Iterator[Written]:
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
