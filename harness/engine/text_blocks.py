"""Keys and values of texts being written: a shared beginning held once, and blocks of rows of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.engine.writing import Writing

if TYPE_CHECKING:
    import torch

    LayerPair = tuple[torch.Tensor, torch.Tensor]

_STEP = 64  # columns by which a block grows


@dataclass(frozen=True, slots=True)
class Held:
    """Keys and values of consecutive tokens of one text.

    Args:
        n_tokens: How many.
        layers: Per layer, keys and values of shape (1, heads, n_tokens, size).
    """

    n_tokens: int = 0
    layers: Mapping[int, LayerPair] = field(default_factory=dict)

    def part(self, start: int, stop: int) -> Held:
        """A view of the tokens from start to stop."""
        return Held(
            stop - start,
            {
                layer: (keys[:, :, start:stop], values[:, :, start:stop])
                for layer, (keys, values) in self.layers.items()
            },
        )

    def then(self, later: Held) -> Held:
        """These tokens and those after them."""
        import torch

        if not self.n_tokens:
            return later
        return Held(
            self.n_tokens + later.n_tokens,
            {
                layer: (
                    torch.cat([keys, later.layers[layer][0]], dim=2),
                    torch.cat([values, later.layers[layer][1]], dim=2),
                )
                for layer, (keys, values) in self.layers.items()
            },
        )


@dataclass(slots=True)
class Block:
    """Texts of about one length, each in a row of its own: column j is the j-th token after the beginning.

    Args:
        before: The beginning they share.
        rows: The texts.
        lengths: Per row, how many columns are filled.
        limit: Columns that no row will exceed.
        capacity: Columns there are now.
        layers: Per layer, keys and values of shape (rows or more, heads, capacity, size).
    """

    before: Held
    rows: list[Writing]
    lengths: list[int]
    limit: int
    capacity: int
    layers: dict[int, LayerPair]

    @property
    def reserved(self) -> int:
        """Tokens the block holds or may come to hold."""
        return max(len(self.rows) * self.limit, self._n_places * self.capacity)

    @property
    def _n_places(self) -> int:
        return len(next(iter(self.layers.values()))[0])

    @property
    def width(self) -> int:
        """Columns looked at in this step: those of the longest row and its newest token."""
        return max(self.lengths) + 1

    def make_room(self) -> None:
        """Grows until the newest token of every row has a column."""
        import torch

        if self.width <= self.capacity:
            return
        wider = min(max(self.width + _STEP, self.capacity + self.capacity // 4), max(self.limit, self.width))
        n_rows = len(self.rows)
        for layer, (keys, values) in self.layers.items():
            grown = []
            for held in (keys, values):
                new = torch.zeros(
                    (n_rows, held.shape[1], wider, held.shape[3]), dtype=held.dtype, device=held.device
                )
                new[:, :, : self.capacity] = held[:n_rows]
                grown.append(new)
            self.layers[layer] = (grown[0], grown[1])
        self.capacity = wider

    def drop(self, done: Collection[int]) -> None:
        """Takes rows out; the last rows move into their places, so that they cost nothing more.

        The memory is given back when half of it is unused.
        """
        for index in sorted(done, reverse=True):
            last = len(self.rows) - 1
            if index != last:
                used = self.lengths[last]
                for keys, values in self.layers.values():
                    keys[index, :, :used] = keys[last, :, :used]
                    values[index, :, :used] = values[last, :, :used]
                self.rows[index], self.lengths[index] = self.rows[last], self.lengths[last]
            self.rows.pop()
            self.lengths.pop()
        n_rows = len(self.rows)
        if 2 * n_rows <= self._n_places:
            for layer, (keys, values) in self.layers.items():
                self.layers[layer] = (keys[:n_rows].clone(), values[:n_rows].clone())


def joined(first: Block, second: Block) -> Block:
    """One block with the rows of both, which share their beginning."""
    import torch

    lengths = [*first.lengths, *second.lengths]
    limit = max(first.limit, second.limit)
    capacity = min(max(lengths) + _STEP, max(limit, max(lengths) + 1))
    layers: dict[int, LayerPair] = {}
    for layer, own in first.layers.items():
        pairs = own, second.layers[layer]
        made = []
        for which in (0, 1):
            like = pairs[0][which]
            new = torch.zeros(
                (len(lengths), like.shape[1], capacity, like.shape[3]), dtype=like.dtype, device=like.device
            )
            start = 0
            for block, pair in zip((first, second), pairs, strict=True):
                n_rows, used = len(block.rows), max(block.lengths)
                new[start : start + n_rows, :, :used] = pair[which][:n_rows, :, :used]
                start += n_rows
            made.append(new)
        layers[layer] = (made[0], made[1])
    return Block(first.before, [*first.rows, *second.rows], lengths, limit, capacity, layers)


def block_of(before: Held, rows: Sequence[tuple[Writing, Held]]) -> Block:
    """A block whose rows hold their prompts' own tokens.

    Args:
        before: The beginning they share.
        rows: Texts, at least one, with keys and values of their own part of the prompt.
    """
    import torch

    lengths = [own.n_tokens for _, own in rows]
    longest = max(own.n_tokens + writing.opening.limit for writing, own in rows)
    capacity = min(max(lengths) + _STEP, longest)
    layers: dict[int, LayerPair] = {}
    for layer, pair in rows[0][1].layers.items():
        made = []
        for which, sample in enumerate(pair):
            # Zeros, not whatever was there: masked columns are multiplied by 0, which keeps a NaN.
            new = torch.zeros(
                (len(rows), sample.shape[1], capacity, sample.shape[3]),
                dtype=sample.dtype,
                device=sample.device,
            )
            for index, (_, own) in enumerate(rows):
                new[index, :, : own.n_tokens] = own.layers[layer][which][0]
            made.append(new)
        layers[layer] = (made[0], made[1])
    return Block(before, [writing for writing, _ in rows], lengths, longest, capacity, layers)
