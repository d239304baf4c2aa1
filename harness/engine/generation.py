"""Free text, greedy or sampled, by a key-value cache over batches padded on the left."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from harness.core.exchange import BackendFailure, FinishReason, Generation
from harness.engine.checkpoint import Checkpoint
from harness.engine.forward import accepts, has_prompt_learning
from harness.engine.memory import Budget, in_halves, packed
from harness.engine.planning import Opening
from harness.engine.sampling import drawn_token

if TYPE_CHECKING:
    import torch

_TAIL_TOKENS = 8  # beyond the stop string's own bytes: word starts and split characters


@dataclass(slots=True)
class _Writing:
    """One text while it is written."""

    opening: Opening
    sample: int
    tokens: list[int] = field(default_factory=list)
    finish: FinishReason | None = None
    failure: BackendFailure | None = None

    @property
    def request_id(self) -> str:
        return self.opening.request.request_id

    @property
    def is_done(self) -> bool:
        return self.finish is not None or self.failure is not None


@dataclass(frozen=True, slots=True)
class Written:
    """One finished text of a request, with its share of the batch's time."""

    request_id: str
    sample: int
    result: Generation | BackendFailure
    seconds: float


def samples_of(opening: Opening) -> int:
    """How many texts must be written: greedy samples are all alike, so one is enough."""
    return 1 if opening.request.settings.temperature <= 0 else opening.request.n


def room_taken(batch: Sequence[_Writing]) -> int:
    """Tokens a batch takes when it is done, padding included."""
    prompt = max(len(writing.opening.tokens) for writing in batch)
    return len(batch) * (prompt + max(writing.opening.limit for writing in batch))


def written(checkpoint: Checkpoint, openings: Sequence[Opening], budget: Budget) -> Iterator[Written]:
    """Each text as its batch is done, longest prompts first."""
    model = checkpoint.model
    caches = accepts(model, "past_key_values") and not has_prompt_learning(model)

    def size(batch: Sequence[_Writing]) -> int:
        # Adapters that put tokens before the input ignore positions, and models with another kind of cache are
        # read from the start at every step: such a batch holds one text, unpadded.
        return room_taken(batch) if caches or len(batch) == 1 else budget.tokens + 1

    def answer(batch: list[_Writing]) -> list[Written]:
        return _written_batch(checkpoint, batch, caches=caches)

    waiting = [_Writing(opening, sample) for opening in openings for sample in range(samples_of(opening))]
    waiting.sort(key=lambda writing: (-len(writing.opening.tokens), -writing.opening.limit))
    for batch in packed(waiting, budget, size=size):
        for part, results in in_halves(batch, answer, budget, size=size):
            if results is None:
                yield Written(part[0].request_id, part[0].sample, _does_not_fit(part[0]), 0.0)
            else:
                yield from results


def _written_batch(checkpoint: Checkpoint, batch: list[_Writing], *, caches: bool) -> list[Written]:
    import torch

    started = perf_counter()
    texts = [
        _Writing(writing.opening, writing.sample) for writing in batch
    ]  # a half that failed begins again
    ends = frozenset(checkpoint.end_tokens)
    stop_tokens = [_stop_tokens(checkpoint, writing) for writing in texts]
    with torch.inference_mode():
        steps = _steps(checkpoint.model, texts, caches=caches)
        for logits in steps:
            _write_one(checkpoint, texts, logits, ends, stop_tokens)
            if all(writing.is_done for writing in texts):
                steps.close()
    seconds = (perf_counter() - started) / len(texts)
    return [
        Written(writing.request_id, writing.sample, _result(checkpoint, writing, ends, stops), seconds)
        for writing, stops in zip(texts, stop_tokens, strict=True)
    ]


def _steps(model: Any, texts: list[_Writing], *, caches: bool) -> Generator[torch.Tensor, None, None]:
    """The logits of every text's next token, again and again; the caller appends to `tokens` in between."""
    import torch

    device = model.device
    takes_positions = caches and accepts(model, "position_ids")
    keeps_last = {"logits_to_keep": 1} if accepts(model, "logits_to_keep") else {}
    width = max(len(writing.opening.tokens) for writing in texts)
    ids = torch.tensor(
        [[*[0] * (width - len(writing.opening.tokens)), *writing.opening.tokens] for writing in texts],
        device=device,
    )
    mask = torch.tensor(
        [
            [*[0] * (width - len(writing.opening.tokens)), *[1] * len(writing.opening.tokens)]
            for writing in texts
        ],
        device=device,
    )
    positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)
    past = None
    while True:
        placed = {"position_ids": positions} if takes_positions else {}
        out = model(
            input_ids=ids, attention_mask=mask, past_key_values=past, use_cache=caches, **placed, **keeps_last
        )
        yield out.logits[:, -1].float()
        newest = torch.tensor(
            [[writing.tokens[-1] if writing.tokens else 0] for writing in texts], device=device
        )
        mask = torch.cat([mask, torch.ones_like(newest)], dim=1)
        if caches:
            past, ids = out.past_key_values, newest
            positions = positions[:, -1:] + 1
        else:
            ids = torch.cat([ids, newest], dim=1)


def _write_one(
    checkpoint: Checkpoint,
    texts: list[_Writing],
    logits: torch.Tensor,
    ends: frozenset[int],
    stop_tokens: list[frozenset[int]],
) -> None:
    """Appends one token to every text that is not done, and notes which are done with it."""
    broken = (logits.isnan() | logits.isposinf()).any(dim=-1).tolist()
    likeliest = logits.argmax(dim=-1).tolist()
    for index, writing in enumerate(texts):
        if writing.is_done:
            continue
        if broken[index]:
            writing.failure = _broken(writing)
            continue
        settings = writing.opening.request.settings
        token = likeliest[index]
        if settings.temperature > 0:
            token = drawn_token(
                logits[index],
                settings,
                request_id=writing.request_id,
                sample=writing.sample,
                step=len(writing.tokens),
            )
        writing.tokens.append(token)
        if token in ends:
            writing.finish = "eos"
        elif token in stop_tokens[index] or _holds_stop(checkpoint, writing):
            writing.finish = "stop"
        elif len(writing.tokens) >= writing.opening.limit:
            writing.finish = "length"


def _stop_tokens(checkpoint: Checkpoint, writing: _Writing) -> frozenset[int]:
    """Stop strings that are tokens of their own, such as `<|im_end|>`: decoding would drop them unseen."""
    if not writing.opening.request.settings.stop:
        return frozenset()
    added = {str(token): index for index, token in checkpoint.tokenizer.added_tokens_decoder.items()}
    return frozenset(added[text] for text in writing.opening.request.settings.stop if text in added)


def _holds_stop(checkpoint: Checkpoint, writing: _Writing) -> bool:
    """Whether the text written so far holds a stop string; only the tokens that could hold it are decoded."""
    stops = [text for text in writing.opening.request.settings.stop if text]
    if not stops:
        return False
    reach = max(len(text.encode("utf-8")) for text in stops) + _TAIL_TOKENS
    tail = _decoded(checkpoint, writing.tokens[-reach:])
    return (
        any(text in tail for text in stops)
        and _cut_place(_decoded(checkpoint, writing.tokens), stops) is not None
    )


def _cut_place(text: str, stops: Sequence[str]) -> int | None:
    places = [text.find(stop) for stop in stops if stop and stop in text]
    return min(places) if places else None


def _decoded(checkpoint: Checkpoint, tokens: Sequence[int]) -> str:
    text = checkpoint.tokenizer.decode(
        list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return str(text)


def _result(
    checkpoint: Checkpoint, writing: _Writing, ends: frozenset[int], stops: frozenset[int]
) -> Generation | BackendFailure:
    if writing.failure is not None or writing.finish is None:
        return writing.failure or _broken(writing)
    kept = writing.tokens
    if kept and kept[-1] in ends | stops:
        kept = kept[:-1]
    text = _decoded(checkpoint, kept)
    place = _cut_place(text, writing.opening.request.settings.stop)
    return Generation(text if place is None else text[:place], writing.finish, len(writing.tokens))


def _broken(writing: _Writing) -> BackendFailure:
    return BackendFailure(
        "nan_logits",
        f"Request {writing.request_id}: the model's logits are not a number at token "
        f"{len(writing.tokens)}; its "
        "weights or its number format are at fault.",
    )


def _does_not_fit(writing: _Writing) -> BackendFailure:
    n_tokens = len(writing.opening.tokens) + writing.opening.limit
    return BackendFailure(
        "out_of_memory", f"Request {writing.request_id}: {n_tokens} tokens do not fit the memory even alone."
    )
