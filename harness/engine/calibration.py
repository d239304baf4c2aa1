"""The scoring plan of a model on its device: from its memory, and from timing a few small passes."""

from __future__ import annotations

from math import log2, sqrt
from time import perf_counter
from typing import TYPE_CHECKING, Any

from harness.engine.checkpoint import Checkpoint
from harness.engine.forward import inner_model
from harness.engine.memory import default_batch_tokens
from harness.engine.memory_model import MemoryModel, memory_model
from harness.engine.pass_costs import PassCosts
from harness.engine.path_probe import PathChoice
from harness.engine.scoring_plan import ScoringPlan

if TYPE_CHECKING:
    import torch

_WORTH_TIMING = 300_000  # tokens of work, as given, below which timing would cost more than it could save
_TIMED_PARAMETERS = {"cpu": 400_000_000, "cuda": 100_000_000_000}  # larger ones would take long to time
_TIMED = {"cpu": (64, 256), "cuda": (512, 4096)}  # tokens of the passes timed
_ROW = {"cpu": 256, "cuda": 1024}  # untimed
_ROWS = {"cpu": (64, 1024), "cuda": (256, 4096)}  # the narrowest and widest packed row
_REREAD = 64  # tokens that a further row reads again, about: a question, or a context
_STEADY_SECONDS = 2.0  # a pass on a CPU takes no longer, so that answers come in steadily
_MOST_PASS = {"cpu": 2048, "cuda": 65_536}


def scoring_plan_of(
    checkpoint: Checkpoint, choice: PathChoice, *, limit: int | None, given_tokens: int, longest: int
) -> ScoringPlan:
    """The plan for some work on a checkpoint whose model is loaded.

    Args:
        checkpoint: What scores.
        choice: The way of scoring.
        limit: Most tokens in a pass, where the user says so.
        given_tokens: Tokens of all inputs, shared ones counted each time.
        longest: Tokens of the longest input.
    """
    device, model = checkpoint.device, checkpoint.model
    most = default_batch_tokens(checkpoint.config, checkpoint.identity.n_parameters, device)
    batch_tokens = most if limit is None else limit
    kind = "cuda" if device.type == "cuda" else "cpu"
    costs, seconds_per_token = None, None
    n_parameters = checkpoint.identity.n_parameters or 0
    if (
        choice.path != "plain"
        and given_tokens >= _WORTH_TIMING
        and n_parameters <= _TIMED_PARAMETERS[kind]
        and 2 * _TIMED[kind][1] <= checkpoint.max_tokens
        and _TIMED[kind][1] <= batch_tokens
    ):
        costs = timed_costs(model, sizes=_TIMED[kind])
        seconds_per_token = costs.token
    row = _ROW[kind] if costs is None else best_row(costs, *_ROWS[kind])
    memory = memory_model(inner_model(model), device)
    depth = max(0, longest - row)
    row = min(batch_tokens, memory.most_row_tokens(depth=depth, at_most=row))
    steady = max(2 * row, 512)
    if seconds_per_token:
        steady = max(row, int(min(steady, _STEADY_SECONDS / seconds_per_token)))
    wanted = steady if kind == "cpu" else _MOST_PASS["cuda"]
    pass_tokens = min(wanted, batch_tokens, _room(memory, row, depth))
    return ScoringPlan(choice.path, row, max(row, pass_tokens), batch_tokens, costs or PassCosts())


def _room(memory: MemoryModel, row: int, depth: int) -> int:
    return memory.most_pass_tokens(row_tokens=row, depth=depth)


def best_row(costs: PassCosts, least: int, most: int) -> int:
    """The packed row that costs least a token, a power of two.

    A row shares its pass's start and reads again what its neighbour holds too, over T tokens: (start + again) / T;
    and each of its tokens meets T others: cell x T. The sum is least at the root of their ratio.

    Example:
        >>> best_row(PassCosts(token=1.0, cell=1e-3, one_pass=50.0), 64, 1024)
        256
    """
    if costs.cell <= 0:
        return most
    width = sqrt((costs.one_pass + _REREAD * costs.token) / costs.cell)
    return int(min(most, max(least, 2 ** round(log2(max(1.0, width))))))


def timed_costs(model: Any, *, sizes: tuple[int, int], repeats: int = 2) -> PassCosts:
    """Seconds of a pass, a token and a cell, from three passes: a short one, a long one, and one after it.

    Falls back to the costs of a small model where the clock was too coarse or the machine too busy.
    """
    import torch

    from harness.engine.kept_prefix import KeptPrefix

    inner = inner_model(model)
    kept = KeptPrefix(int(inner.config.get_text_config().num_hidden_layers))
    short, long = sizes
    best = [float("inf")] * 3
    for _ in range(repeats + 1):  # the first warms up, and counts where it is fastest
        kept.cut(0)
        for index, (tokens, keeps) in enumerate(((short, False), (long, True), (long, False))):
            started = perf_counter()
            _one_pass(inner, kept, tokens)
            best[index] = min(best[index], perf_counter() - started)
            if keeps:
                kept.keep()
    kept.release()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return costs_of(best, short=short, long=long)


def costs_of(seconds: list[float], *, short: int, long: int) -> PassCosts:
    """The three terms from the times of `short` and `long` tokens at depth 0, and `long` tokens at depth `long`.

    Example:
        >>> truth = PassCosts(token=1e-3, cell=1e-6, one_pass=5e-3)
        >>> shapes = ((64, 0), (256, 0), (256, 256))
        >>> times = [truth.of(n_rows=1, width=width, depth=depth) for width, depth in shapes]
        >>> found = costs_of(times, short=64, long=256)
        >>> round(found.token, 6), round(found.cell, 9), round(found.one_pass, 6)
        (0.001, 1e-06, 0.005)
    """
    one, two, three = seconds
    cell = max(0.0, (three - two) / (long * long))
    token = ((two - one) - cell * (long * long - short * short)) / (long - short)
    if token <= 0:
        return PassCosts()
    return PassCosts(token=token, cell=cell, one_pass=max(0.0, one - short * token - short * short * cell))


def _one_pass(inner: Any, kept: Any, tokens: int) -> None:
    import torch

    device: torch.device = inner.device
    ids = torch.arange(tokens, device=device).remainder(int(inner.config.get_text_config().vocab_size))[None]
    positions = torch.arange(kept.depth, kept.depth + tokens, device=device)[None]
    kept.begin(1, tokens)
    mask = torch.zeros((1, 1, tokens, kept.depth + tokens), dtype=inner.dtype, device=device)
    with torch.inference_mode():
        inner.base_model(
            input_ids=ids, position_ids=positions, attention_mask=mask, past_key_values=kept, use_cache=True
        )
    if device.type == "cuda":
        torch.cuda.synchronize(device)
