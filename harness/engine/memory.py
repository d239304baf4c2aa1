"""The token budget of a batch: a sensible start, halved when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

Work = TypeVar("Work")
Done = TypeVar("Done")

_OUT_OF_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "failed to allocate",
    "alloc_failed",
)
_CPU_OPERATIONS = 1e11  # about a second or a few on two cores, so that answers come in steadily
_MEMORY_SHARE = 0.4


class Budget:
    """How many tokens, padding included, one batch may hold; shrinks for good when memory runs out.

    Args:
        tokens: At least 1.
    """

    __slots__ = ("halvings", "tokens")

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.halvings = 0

    def halve(self, tried: int) -> None:
        """Takes note that `tried` tokens did not fit."""
        self.tokens = max(1, min(self.tokens, tried) // 2)
        self.halvings += 1


def default_batch_tokens(config: Any, n_parameters: int | None, device: torch.device) -> int:
    """A start for the budget: on a CPU a batch of about a second, on a GPU what its free memory holds.

    Only a start: a batch that does not fit is halved.
    """
    if device.type != "cuda":
        share = _CPU_OPERATIONS / (2 * (n_parameters or 1_000_000_000))
        return int(min(8192, max(512, share)))
    import torch

    text_config = getattr(config, "text_config", None) or config
    hidden = int(getattr(text_config, "hidden_size", 4096))
    inner = int(getattr(text_config, "intermediate_size", None) or 4 * hidden)
    bytes_per_token = 4 * (8 * hidden + 3 * inner)
    free = torch.cuda.mem_get_info(device)[0]
    return int(min(65_536, max(2_048, free * _MEMORY_SHARE / bytes_per_token)))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device.

    Example:
        >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: not enough memory: 9 bytes"))
        True
        >>> is_out_of_memory(RuntimeError("shapes differ"))
        False
    """
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def packed(
    work: Sequence[Work], budget: Budget, *, size: Callable[[Sequence[Work]], int]
) -> Iterator[list[Work]]:
    """Consecutive batches within the budget, at least one piece each; it may shrink meanwhile."""
    start = 0
    while start < len(work):
        stop = start + 1
        while stop < len(work) and size(work[start : stop + 1]) <= budget.tokens:
            stop += 1
        yield list(work[start:stop])
        start = stop


def in_halves(
    batch: list[Work],
    answer: Callable[[list[Work]], list[Done]],
    budget: Budget,
    *,
    size: Callable[[Sequence[Work]], int],
) -> Iterator[tuple[list[Work], list[Done] | None]]:
    """A batch's answers, in halves where memory runs out; None for a single piece that does not fit."""
    waiting = [batch]
    while waiting:
        part = waiting.pop()
        done = in_memory(partial(answer, part))
        if done is not None or len(part) == 1:
            yield part, done
            continue
        budget.halve(size(part))
        middle = len(part) // 2
        waiting += [part[middle:], part[:middle]]


def in_memory(work: Callable[[], Done]) -> Done | None:
    """What some work gives, or None where memory ran out; its error, which holds the tensors, is gone on return."""
    import torch

    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None
