"""Log-likelihoods are the model's own, whatever the batch, and a fault stays with its request."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.exchange import Answer, BackendFailure, Choose, Chosen, Request, ScoreText, TextScored
from harness.engine import Checkpoint, LocalBackend
from harness.engine.forward import has_head_apart
from harness.engine.local_backend import Scoring
from harness.engine.path_probe import ScoringPath
from harness.engine.scoring_plan import ScoringPlan
from harness.engine.tokens import encoded, encoded_pairs

LETTERS = ("A", "B", "C", "D")
REQUESTS: tuple[Request, ...] = (
    Choose("letters", "Which of these answers is right: A, B, C or D?", LETTERS),
    Choose("words", "The review is", (" positive.", " negative.", " pos", "")),
    Choose("bare", "", ("这条评论是正面的。", "这条评论是负面的。")),
    Choose("long", "快递员中午把包裹交给了邻居。" * 6, (" yes, at noon", " no")),
    ScoreText("text", "The courier left the parcel with the neighbour at noon. " * 3),
    ScoreText("rolling", "Which of these answers is right? " * 50),
    ScoreText("short", "x"),
)
ANSWERABLE = tuple(request for request in REQUESTS if request.request_id != "words")


def _answers(backend: LocalBackend, requests: tuple[Request, ...] = REQUESTS) -> dict[str, Answer]:
    answers = list(backend.answer(requests))
    assert sorted(request_id for request_id, _ in answers) == sorted(
        request.request_id for request in requests
    )
    return dict(answers)


def _alone(checkpoint: Checkpoint, read: list[int], wanted: list[int]) -> tuple[float, bool]:
    """The definition: one forward pass of one sequence, all logits, log-softmax in fp32."""
    with torch.inference_mode():
        logits = checkpoint.model(torch.tensor([read])).logits[0, -len(wanted) :].float()
    chosen = torch.log_softmax(logits, dim=-1)[range(len(wanted)), wanted]
    return float(chosen.double().sum()), logits.argmax(dim=-1).tolist() == wanted


def _nats(answers: dict[str, Answer]) -> dict[str, list[float]]:
    found = {}
    for request_id, answer in answers.items():
        if isinstance(answer, Chosen):
            found[request_id] = [option.logprob_nats for option in answer.options]
        elif isinstance(answer, TextScored):
            found[request_id] = [answer.logprob_nats]
    return found


def test_options_score_as_one_pass_each_alone(any_architecture: Checkpoint) -> None:
    requests = tuple(request for request in ANSWERABLE if isinstance(request, Choose))
    answers = _answers(LocalBackend(any_architecture, too_long="truncate-left"), requests)
    for request in requests:
        assert isinstance(request.prompt, str)
        pairs = encoded_pairs(
            any_architecture.tokenizer, [(request.prompt, text) for text in request.options]
        )
        answer = answers[request.request_id]
        assert isinstance(answer, Chosen)
        for option, (before, after) in zip(answer.options, pairs, strict=True):
            expected, greedy = _alone(any_architecture, [*before, *after][:-1][-128:], after)
            assert option.logprob_nats == pytest.approx(expected, rel=1e-6, abs=1e-4)
            assert (option.tokens, option.is_greedy) == (len(after), greedy)


def test_an_option_that_greedy_decoding_writes_is_marked(tiny: Checkpoint) -> None:
    # A prompt after which the likeliest token is a whole character, not a part of its bytes.
    for prompt in (f"The review is {number}" for number in range(100)):
        [ids] = encoded(tiny.tokenizer, [prompt])
        with torch.inference_mode():
            likeliest = int(tiny.model(torch.tensor([ids])).logits[0, -1].argmax())
        option = tiny.tokenizer.decode([likeliest])
        if encoded_pairs(tiny.tokenizer, [(prompt, option)]) == [(ids, [likeliest])]:
            break
    [(_, answer)] = LocalBackend(tiny).answer([Choose("q", prompt, (option, "#" if option == "?" else "?"))])
    assert isinstance(answer, Chosen)
    assert [scored.is_greedy for scored in answer.options] == [True, False]


def test_a_text_longer_than_the_context_is_scored_whole(tiny: Checkpoint) -> None:
    answer = _answers(LocalBackend(tiny))["rolling"]
    [ids] = encoded(tiny.tokenizer, ["Which of these answers is right? " * 50])
    assert len(ids) > tiny.max_tokens
    assert isinstance(answer, TextScored)
    assert answer.tokens == len(ids)


def test_an_option_without_a_token_fails_alone(tiny: Checkpoint) -> None:
    answers = _answers(LocalBackend(tiny))
    failure = answers.pop("words")
    assert isinstance(failure, BackendFailure)
    assert (failure.kind, "option 3" in failure.message) == ("nothing_to_score", True)
    assert not [answer for answer in answers.values() if isinstance(answer, BackendFailure)]


@settings(max_examples=12, deadline=None)
@given(order=st.permutations(REQUESTS), batch_tokens=st.integers(1, 4000))
def test_neither_order_nor_batch_budget_changes_a_score(
    tiny: Checkpoint, order: list[Request], batch_tokens: int
) -> None:
    expected = _nats(_answers(LocalBackend(tiny)))
    found = _nats(_answers(LocalBackend(tiny, batch_tokens=batch_tokens), tuple(order)))
    for request_id, values in expected.items():
        assert found[request_id] == pytest.approx(values, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("scoring", ["auto", "plain"])
def test_options_of_one_token_are_read_in_one_row(own_tiny: Checkpoint, scoring: Scoring) -> None:
    rows: list[int] = []
    own_tiny.model.model.register_forward_pre_hook(
        lambda module, args, kwargs: rows.append(kwargs["input_ids"].shape[0]), with_kwargs=True
    )
    backend = LocalBackend(own_tiny, scoring=scoring)
    _answers(backend, (REQUESTS[0],))
    rows.clear()  # the first call tries the model first
    _answers(backend, (REQUESTS[0],))
    assert rows == [1]  # four options, one row


def test_the_head_is_applied_apart_only_where_that_is_exact(any_architecture: Checkpoint) -> None:
    # Gemma 2 caps its logits after the head (final_logit_softcapping); the others do nothing after it.
    assert has_head_apart(any_architecture.model) is (any_architecture.config.model_type != "gemma2")


def test_logits_in_small_blocks_give_the_same_scores(
    tiny: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.engine import forward

    expected = _nats(_answers(LocalBackend(tiny)))
    monkeypatch.setitem(forward._PROJECTED, "cpu", 7 * len(tiny.tokenizer))
    found = _nats(_answers(LocalBackend(tiny)))
    assert found.keys() == expected.keys()
    for request_id, values in expected.items():
        assert found[request_id] == pytest.approx(values, rel=1e-6, abs=1e-4)


def test_an_adapter_is_scored_with_its_weights(adapter: Path, tiny: Checkpoint) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from harness.engine import open_checkpoint

    tuned = open_checkpoint(adapter, device="cpu")
    answer = _answers(LocalBackend(tuned), (REQUESTS[3],))["long"]
    plain = _answers(LocalBackend(tiny), (REQUESTS[3],))["long"]
    # peft's own merge of the adapter into its base, scored by the definition
    merged = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(adapter.parent / "base"), adapter
    ).merge_and_unload()
    request = REQUESTS[3]
    assert isinstance(request, Choose) and isinstance(answer, Chosen) and isinstance(plain, Chosen)
    assert has_head_apart(tuned.model)
    for index, text in enumerate(request.options):
        [(before, after)] = encoded_pairs(tuned.tokenizer, [(str(request.prompt), text)])
        with torch.inference_mode():
            logits = merged(torch.tensor([[*before, *after][:-1]])).logits[0, -len(after) :]
        expected = float(torch.log_softmax(logits, dim=-1)[range(len(after)), after].sum())
        assert answer.options[index].logprob_nats == pytest.approx(expected, rel=1e-6, abs=1e-4)
        assert abs(answer.options[index].logprob_nats - plain.options[index].logprob_nats) > 0.01


def test_an_adapter_that_puts_tokens_first_is_scored_whole(tiny: Checkpoint, tmp_path: Path) -> None:
    from peft import PromptTuningConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from harness.engine import open_checkpoint

    base = AutoModelForCausalLM.from_pretrained(tiny.location.path)
    tuned = get_peft_model(base, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3))
    tuned.peft_config["default"].base_model_name_or_path = str(tiny.location.path)
    tuned.save_pretrained(tmp_path / "adapter")
    checkpoint = open_checkpoint(tmp_path / "adapter", device="cpu")
    assert not has_head_apart(checkpoint.model)
    request = REQUESTS[3]
    assert isinstance(request, Choose)
    answers = _answers(LocalBackend(checkpoint), ANSWERABLE)
    for value, text in zip(_nats(answers)["long"], request.options, strict=True):
        [(before, after)] = encoded_pairs(tiny.tokenizer, [(str(request.prompt), text)])
        expected, _ = _alone(checkpoint, [*before, *after][:-1], after)
        assert value == pytest.approx(expected, rel=1e-6, abs=1e-4)


def test_nan_logits_fail_by_name_and_leave_the_neighbours_alone(
    own_tiny: Checkpoint, tiny: Checkpoint
) -> None:
    model = own_tiny.model
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())  # no longer tied
    [[*_, faulty]] = encoded(own_tiny.tokenizer, ["?"])
    with torch.no_grad():
        model.model.embed_tokens.weight[faulty] = math.nan
    requests = (
        Choose("clean", "The review is", (" positive.", " bad")),
        Choose("faulty", "A or B?", (" A", " B")),
    )
    answers = _answers(LocalBackend(own_tiny), requests)
    failure = answers["faulty"]
    assert isinstance(failure, BackendFailure)
    assert failure.kind == "nan_logits"
    assert "Request faulty" in failure.message
    assert _nats(answers)["clean"] == pytest.approx(
        _nats(_answers(LocalBackend(tiny), requests))["clean"], abs=1e-4
    )


def test_a_model_of_nan_fails_every_request(own_tiny: Checkpoint) -> None:
    with torch.no_grad():
        own_tiny.model.model.norm.weight.fill_(math.nan)
    answers = _answers(LocalBackend(own_tiny), ANSWERABLE)
    assert {answer.kind for answer in answers.values() if isinstance(answer, BackendFailure)} == {
        "nan_logits"
    }
    assert not _nats(answers)


def _limit_memory(checkpoint: Checkpoint, most: int, error: Exception) -> None:
    """The body raises on more than `most` tokens at once, padding included."""

    def refuse(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if kwargs["input_ids"].numel() > most:
            raise error

    checkpoint.model.model.register_forward_pre_hook(refuse, with_kwargs=True)


@pytest.mark.parametrize("path", ["tree", "batched", "plain"])
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory: you tried to allocate 9"
        ),
    ],
    ids=["cuda", "cpu"],
)
def test_out_of_memory_halves_the_batch_and_loses_nothing(
    own_tiny: Checkpoint, tiny: Checkpoint, error: Exception, path: ScoringPath
) -> None:
    _limit_memory(own_tiny, 600, error)
    backend = LocalBackend(own_tiny)
    backend.follow(ScoringPlan(path, row_tokens=4000, pass_tokens=8000, batch_tokens=8000).to_json())
    found, expected = _nats(_answers(backend, ANSWERABLE)), _nats(_answers(LocalBackend(tiny), ANSWERABLE))
    assert found.keys() == expected.keys()
    for request_id, values in expected.items():
        assert found[request_id] == pytest.approx(values, rel=1e-6, abs=1e-4)
    assert backend.batch_tokens < 8000
    description = backend.describe()
    assert description["out_of_memory_halvings"] >= 1  # type: ignore[operator]
    assert any("Memory ran out" in str(note) for note in description["notes"])  # type: ignore[attr-defined]


def test_one_request_too_large_for_memory_fails_and_the_rest_go_on(own_tiny: Checkpoint) -> None:
    _limit_memory(own_tiny, 300, torch.OutOfMemoryError("CUDA out of memory."))
    answers = _answers(LocalBackend(own_tiny), ANSWERABLE)
    failure = answers.pop("rolling")
    assert isinstance(failure, BackendFailure)
    assert failure.kind == "out_of_memory"
    assert not [answer for answer in answers.values() if isinstance(answer, BackendFailure)]


def test_an_error_that_is_not_about_memory_stops_the_run(own_tiny: Checkpoint) -> None:
    _limit_memory(own_tiny, 300, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        _answers(LocalBackend(own_tiny), ANSWERABLE)
