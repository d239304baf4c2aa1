"""What is written does not depend on what is written beside it, nor on how much memory there is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.exchange import Generate, Generated, Generation, GenerationSettings
from harness.engine import Checkpoint, LocalBackend, generation, writing_desk, writing_room
from harness.engine.text_blocks import Block
from harness.engine.tokens import encoded
from harness.engine.writing_probe import exact_attention

SHOTS = "Question: A or B?\nAnswer: A\n\n这条评论是正面的。\n\n"
QUESTIONS = ("The courier", "快递员", "x", "The review is positive. " * 3, "D?", '{"name":', "以下哪个答案")
PROMPTS = (*(SHOTS + question for question in QUESTIONS), *QUESTIONS[:3])

requests = st.builds(
    lambda prompt, limit, stop, temperature, n, seed: (
        prompt,
        GenerationSettings(
            max_tokens=limit, stop=tuple(stop), temperature=temperature, top_p=0.95, seed=seed
        ),
        n,
    ),
    st.sampled_from(PROMPTS),
    st.integers(1, 9),
    st.lists(st.sampled_from(["e", "A", "\n", "的", "。", "th", " "]), max_size=2),
    st.sampled_from([0.0, 0.0, 1.0]),
    st.integers(1, 3),
    st.integers(0, 1),
)


def _answers(backend: LocalBackend, asked: Sequence[Generate]) -> dict[str, Generated]:
    found = {}
    for request_id, answer in backend.answer(asked):
        assert isinstance(answer, Generated)
        found[request_id] = answer
    assert sorted(found) == sorted(request.request_id for request in asked)
    return found


def _texts(answers: dict[str, Generated]) -> dict[str, tuple[Generation, ...]]:
    return {request_id: answer.generations for request_id, answer in answers.items()}


@cache
def _greedy_tokens(checkpoint: Checkpoint, prompt: str) -> list[int]:
    """By transformers, alone."""
    ids = torch.tensor(encoded(checkpoint.tokenizer, [prompt]))
    whole = checkpoint.model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=9, do_sample=False
    )
    return [int(token) for token in whole[0, ids.shape[1] :]]


def _greedy(checkpoint: Checkpoint, request: Generate) -> tuple[str, str, int]:
    """Text, finish reason and token count, from transformers' tokens, decoded whole after each of them."""
    tokens = _greedy_tokens(checkpoint, str(request.prompt))[: request.settings.max_tokens]
    for count, token in enumerate(tokens, start=1):
        if token in checkpoint.end_tokens:
            return checkpoint.tokenizer.decode(tokens[: count - 1], skip_special_tokens=True), "eos", count
        text = checkpoint.tokenizer.decode(tokens[:count], skip_special_tokens=True)
        places = [text.find(stop) for stop in request.settings.stop if stop in text]
        if places:
            return text[: min(places)], "stop", count
    return checkpoint.tokenizer.decode(tokens, skip_special_tokens=True), "length", len(tokens)


@settings(max_examples=25)
@given(
    drawn=st.lists(requests, min_size=1, max_size=9),
    room=st.sampled_from([1, 150, 400, None]),
    data=st.data(),
)
def test_any_order_subset_and_budget_gives_the_same_texts(
    tiny: Checkpoint, drawn: list[Any], room: int | None, data: st.DataObject
) -> None:
    asked = [Generate(f"r{index}", prompt, setting, n) for index, (prompt, setting, n) in enumerate(drawn)]
    together = _answers(LocalBackend(tiny, batch_tokens=room), asked)
    some = data.draw(st.lists(st.sampled_from(asked), unique=True, min_size=1))
    again = _answers(LocalBackend(tiny), some)
    for request in asked:
        if request.settings.temperature == 0:
            written = together[request.request_id].generations
            expected = _greedy(tiny, request)
            assert [(text.text, text.finish_reason, text.tokens) for text in written] == [
                expected
            ] * request.n
    for request in some:
        assert again[request.request_id].generations == together[request.request_id].generations


def _tokens_read(checkpoint: Checkpoint, asked: Sequence[Generate], **options: Any) -> list[int]:
    exact_attention(checkpoint.model)  # what the probe reads is not counted
    read: list[int] = []
    hook = checkpoint.model.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    try:
        _answers(LocalBackend(checkpoint, **options), asked)
    finally:
        hook.remove()
    return read


def test_what_prompts_share_is_read_once(own_tiny: Checkpoint) -> None:
    shots = "The courier left the parcel with the neighbour at noon. " * 8
    ends = ("A", "The review", "x y z", "快递")
    asked = [
        Generate(f"g{index}", shots + end, GenerationSettings(max_tokens=1)) for index, end in enumerate(ends)
    ]
    prompts = encoded(own_tiny.tokenizer, [str(request.prompt) for request in asked])
    n_shared = next(place for place, column in enumerate(zip(*prompts, strict=False)) if len(set(column)) > 1)
    read = _tokens_read(own_tiny, asked)
    assert n_shared > 50
    assert sum(read) == n_shared + sum(len(prompt) - n_shared for prompt in prompts)


def test_samples_are_drawn_from_one_reading_of_the_prompt(own_tiny: Checkpoint) -> None:
    request = Generate("g", SHOTS, GenerationSettings(max_tokens=4, temperature=1.0), 5)
    [prompt] = encoded(own_tiny.tokenizer, [SHOTS])
    read = _tokens_read(own_tiny, [request])
    assert sum(read) <= len(prompt) + 5 * 3
    assert read[-1] <= 5  # one step for all of them


def test_equal_greedy_requests_are_written_once_and_answered_each(own_tiny: Checkpoint) -> None:
    asked = [
        Generate(name, SHOTS, GenerationSettings(max_tokens=4, stop=stop))
        for name, stop in (("a", ()), ("b", ()), ("c", ("zz",)), ("d", ()))
    ]
    answers = _texts(_answers(LocalBackend(own_tiny), asked))
    assert answers["a"] == answers["b"] == answers["d"]
    [prompt] = encoded(own_tiny.tokenizer, [SHOTS])
    read = _tokens_read(own_tiny, asked)
    # One row with the stop string and one without, from one reading of the prompt.
    assert sum(read) == len(prompt) + 2 * (answers["a"][0].tokens - 1)


def test_ended_texts_cost_nothing_and_waiting_ones_take_their_place(own_tiny: Checkpoint) -> None:
    limits = [9, 2, 2, 9, 9, 2]
    asked = [
        Generate(f"g{index}", "x" * (index + 1), GenerationSettings(max_tokens=limit, temperature=1.0))
        for index, limit in enumerate(limits)
    ]
    answers = _answers(LocalBackend(own_tiny), asked)
    n_written = sum(text.tokens for answer in answers.values() for text in answer.generations)
    prompts = encoded(own_tiny.tokenizer, [str(request.prompt) for request in asked])
    read = _tokens_read(own_tiny, asked)
    # Every prompt token once, every written token but each text's last once, and nothing else.
    assert sum(read) == sum(map(len, prompts)) + n_written - len(asked)


@pytest.mark.parametrize("budget", [120, 300, 1000])
def test_what_is_held_stays_within_a_chosen_budget(
    tiny: Checkpoint, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    held = []
    right = generation.next_logits

    def watched(model: Any, blocks: list[Block], *, attention: Any) -> Any:
        logits = right(model, blocks, attention=attention)
        beginnings = {id(block.before): block.before.n_tokens for block in blocks}
        rows = [len(next(iter(block.layers.values()))[0]) * block.capacity for block in blocks]
        held.append(sum(rows) + sum(beginnings.values()))
        return logits

    monkeypatch.setattr(generation, "next_logits", watched)
    asked = [
        Generate(f"g{index}", prompt, GenerationSettings(max_tokens=8))
        for index, prompt in enumerate(PROMPTS)
    ]
    longest = max(map(len, encoded(tiny.tokenizer, list(PROMPTS)))) + 8
    _answers(LocalBackend(tiny, batch_tokens=budget), asked)
    assert held and max(held) <= max(budget, longest)


@pytest.mark.parametrize("most", [1, 5, 40])
def test_out_of_memory_at_any_size_of_a_pass_changes_no_text(
    own_tiny: Checkpoint, tiny: Checkpoint, most: int
) -> None:
    asked = [
        Generate(f"g{index}", prompt, GenerationSettings(max_tokens=8, temperature=0.7), 2)
        for index, prompt in enumerate(PROMPTS)
    ]
    expected = _answers(LocalBackend(tiny), asked)

    def refuse(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        rows, width = kwargs["input_ids"].shape
        if rows > most or width > max(most, 20):
            raise torch.OutOfMemoryError("CUDA out of memory.")

    exact_attention(own_tiny.model)
    own_tiny.model.register_forward_pre_hook(refuse, with_kwargs=True)
    backend = LocalBackend(own_tiny)
    assert _texts(_answers(backend, asked)) == _texts(expected)
    assert backend.describe()["out_of_memory_halvings"] != 0


def test_a_text_that_does_not_fit_alone_fails_and_the_others_go_on(own_tiny: Checkpoint) -> None:
    asked = [
        Generate("long", "x y z. " * 20, GenerationSettings(max_tokens=8)),
        *(Generate(f"g{index}", "x", GenerationSettings(max_tokens=4)) for index in range(3)),
    ]

    def refuse(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if int(kwargs["position_ids"].max()) > 50:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    exact_attention(own_tiny.model)
    own_tiny.model.register_forward_pre_hook(refuse, with_kwargs=True)
    answers: dict[str, Any] = dict(LocalBackend(own_tiny).answer(asked))
    assert answers["long"].kind == "out_of_memory"
    assert all(isinstance(answers[f"g{index}"], Generated) for index in range(3))


def test_small_blocks_are_joined_and_no_text_changes(
    tiny: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [
        Generate(f"g{index}", prompt + "x" * index, GenerationSettings(max_tokens=1 + index % 9), 1)
        for index, prompt in enumerate(PROMPTS * 2)
    ]
    expected = _answers(LocalBackend(tiny), asked)
    n_joined = []
    right = writing_desk.joined

    def counted(first: Block, second: Block) -> Block:
        n_joined.append(len(first.rows) + len(second.rows))
        return right(first, second)

    monkeypatch.setattr(writing_desk, "joined", counted)
    monkeypatch.setitem(writing_room._ROWS, "cpu", 7)
    monkeypatch.setitem(writing_room._BLOCK_ROWS, "cpu", 5)
    assert _texts(_answers(LocalBackend(tiny), asked)) == _texts(expected)
    assert n_joined and max(n_joined) <= 5


def test_times_are_recorded_for_every_text(tiny: Checkpoint) -> None:
    asked = [
        Generate("one", "x", GenerationSettings(max_tokens=1)),
        Generate("many", SHOTS, GenerationSettings(max_tokens=6, temperature=1.0), 3),
    ]
    answers = _answers(LocalBackend(tiny), asked)
    [alone] = answers["one"].generations
    assert alone.first_token_seconds is not None and alone.first_token_seconds > 0
    assert alone.seconds_per_token is None
    for text in answers["many"].generations:
        assert text.first_token_seconds is not None and text.first_token_seconds > 0
        assert (text.seconds_per_token is None) == (text.tokens == 1)
