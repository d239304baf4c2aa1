"""Generated text is what the model writes alone, cut where it should be."""

from __future__ import annotations

import pytest
import torch

from harness.core.exchange import Answer, BackendFailure, Generate, Generated, GenerationSettings
from harness.engine import Checkpoint, LocalBackend, open_checkpoint
from harness.engine.sampling import drawn_token
from harness.engine.tokens import encoded

PROMPTS = (
    "The courier",
    "Which of these answers is right: A, B, C or D?",
    "快递员",
    "x",
    '{"name": "Ada", "city":',
    "The review is positive. " * 4,
    "这条评论是",
    "Question: A or B?\n\nAnswer:",
)
GREEDY = GenerationSettings(max_tokens=12)


def _requests(settings: GenerationSettings, *, n: int = 1) -> list[Generate]:
    return [Generate(f"g{index}", prompt, settings, n) for index, prompt in enumerate(PROMPTS)]


def _answers(backend: LocalBackend, requests: list[Generate]) -> dict[str, Answer]:
    answers = list(backend.answer(requests))
    assert sorted(request_id for request_id, _ in answers) == sorted(
        request.request_id for request in requests
    )
    return dict(answers)


def _texts(answer: Answer) -> list[str]:
    assert isinstance(answer, Generated)
    return [generation.text for generation in answer.generations]


def test_greedy_text_is_that_of_transformers_one_prompt_at_a_time(any_architecture: Checkpoint) -> None:
    answers = _answers(LocalBackend(any_architecture), _requests(GREEDY))
    for request in _requests(GREEDY):
        ids = torch.tensor(encoded(any_architecture.tokenizer, [str(request.prompt)]))
        whole = any_architecture.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, num_beams=1
        )[0, ids.shape[1] :]
        expected = any_architecture.tokenizer.decode(whole, skip_special_tokens=True)
        answer = answers[request.request_id]
        assert _texts(answer) == [expected]
        ended = bool(whole[-1] == any_architecture.tokenizer.eos_token_id)
        assert isinstance(answer, Generated)
        assert answer.generations[0].finish_reason == ("eos" if ended else "length")
        assert answer.generations[0].tokens == len(whole)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("batch_tokens", [1, 90, 4000])
def test_a_text_does_not_depend_on_its_batch(tiny: Checkpoint, temperature: float, batch_tokens: int) -> None:
    settings = GenerationSettings(max_tokens=12, temperature=temperature, top_p=0.9, seed=4)
    together = _answers(LocalBackend(tiny, batch_tokens=batch_tokens), _requests(settings, n=2))
    for request in _requests(settings, n=2):
        alone = _answers(LocalBackend(tiny), [request])[request.request_id]
        assert _texts(alone) == _texts(together[request.request_id])


def test_samples_differ_and_greedy_ones_are_alike(tiny: Checkpoint) -> None:
    drawn = GenerationSettings(max_tokens=12, temperature=1.0)
    assert len(set(_texts(_answers(LocalBackend(tiny), _requests(drawn, n=4))["g0"]))) > 1
    texts = _texts(_answers(LocalBackend(tiny), _requests(GREEDY, n=4))["g0"])
    assert len(texts) == 4 and len(set(texts)) == 1


def test_another_seed_draws_another_text(tiny: Checkpoint) -> None:
    first, second = (
        _texts(
            _answers(
                LocalBackend(tiny), _requests(GenerationSettings(max_tokens=12, temperature=1.0, seed=seed))
            )["g1"]
        )
        for seed in (0, 1)
    )
    assert first != second


def test_text_is_cut_before_a_stop_string(tiny: Checkpoint) -> None:
    [whole] = _texts(_answers(LocalBackend(tiny), _requests(GREEDY))["g0"])
    for start in range(1, len(whole) - 2):
        stop = whole[start : start + 2]
        answer = _answers(
            LocalBackend(tiny),
            [Generate("g", PROMPTS[0], GenerationSettings(max_tokens=12, stop=(stop, "\0")))],
        )["g"]
        assert isinstance(answer, Generated)
        assert answer.generations[0].text == whole[: whole.find(stop)]
        assert answer.generations[0].finish_reason == "stop"


def test_a_special_token_as_stop_string_is_seen(tiny: Checkpoint) -> None:
    [whole] = _texts(_answers(LocalBackend(tiny), _requests(GREEDY))["g0"])
    [first] = encoded(tiny.tokenizer, [PROMPTS[0]])
    with torch.inference_mode():
        likeliest = int(tiny.model(torch.tensor([first])).logits[0, -1].argmax())
    tokenizer_word = tiny.tokenizer.convert_ids_to_tokens(likeliest)
    checkpoint = open_checkpoint(tiny.location.path, device="cpu")
    checkpoint.tokenizer.add_special_tokens({"additional_special_tokens": [tokenizer_word]})
    request = Generate("g", PROMPTS[0], GenerationSettings(max_tokens=12, stop=(tokenizer_word,)))
    answer = _answers(LocalBackend(checkpoint), [request])["g"]
    assert isinstance(answer, Generated) and whole
    assert (answer.generations[0].text, answer.generations[0].finish_reason) == ("", "stop")


def test_every_end_token_of_the_generation_config_ends_a_text(copied: object, tiny: Checkpoint) -> None:
    import json
    from pathlib import Path

    [ids] = encoded(tiny.tokenizer, [PROMPTS[0]])
    with torch.inference_mode():
        likeliest = int(tiny.model(torch.tensor([ids])).logits[0, -1].argmax())
    ends = [tiny.tokenizer.eos_token_id, likeliest]
    (Path(str(copied)) / "generation_config.json").write_text(json.dumps({"eos_token_id": ends}))
    answer = _answers(LocalBackend(open_checkpoint(str(copied), device="cpu")), _requests(GREEDY))["g0"]
    assert isinstance(answer, Generated)
    assert [(text.text, text.finish_reason, text.tokens) for text in answer.generations] == [("", "eos", 1)]


def test_a_text_ends_where_the_context_does(tiny: Checkpoint) -> None:
    prompt = "The courier left the parcel. " * 60
    [ids] = encoded(tiny.tokenizer, [prompt])
    request = Generate("g", prompt, GenerationSettings(max_tokens=100))
    answer = _answers(LocalBackend(tiny, too_long="truncate-left"), [request])["g"]
    assert len(ids) > tiny.max_tokens
    assert isinstance(answer, Generated)
    assert answer.generations[0].tokens <= 100
    nearly = Generate("g", tiny.tokenizer.decode(ids[1:505]), GenerationSettings(max_tokens=100))
    [again] = encoded(tiny.tokenizer, [str(nearly.prompt)])
    answer = _answers(LocalBackend(tiny), [nearly])["g"]
    assert isinstance(answer, Generated)
    assert answer.generations[0].finish_reason in ("length", "eos")
    assert answer.generations[0].tokens <= tiny.max_tokens - len(again)


def test_an_adapter_that_puts_tokens_first_writes_what_peft_writes(
    tiny: Checkpoint, tmp_path: object
) -> None:
    from peft import PromptTuningConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(tiny.location.path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        tuned = get_peft_model(base, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)).eval()
    tuned.peft_config["default"].base_model_name_or_path = str(tiny.location.path)
    tuned.save_pretrained(f"{tmp_path}/adapter")
    checkpoint = open_checkpoint(f"{tmp_path}/adapter", device="cpu")
    answers = _answers(LocalBackend(checkpoint), _requests(GREEDY))
    for request in _requests(GREEDY)[:3]:
        ids = torch.tensor(encoded(tiny.tokenizer, [str(request.prompt)]))
        whole = tuned.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False
        )[0, ids.shape[1] :]
        assert _texts(answers[request.request_id]) == [tiny.tokenizer.decode(whole, skip_special_tokens=True)]


def test_nan_logits_fail_by_name(own_tiny: Checkpoint) -> None:
    with torch.no_grad():
        own_tiny.model.model.norm.weight.fill_(float("nan"))
    for request_id, answer in LocalBackend(own_tiny).answer(_requests(GREEDY)):
        assert isinstance(answer, BackendFailure)
        assert (answer.kind, f"Request {request_id}:" in answer.message) == ("nan_logits", True)


def test_out_of_memory_halves_the_batch_and_changes_no_text(own_tiny: Checkpoint, tiny: Checkpoint) -> None:
    def refuse(module: object, args: object, kwargs: dict[str, torch.Tensor]) -> None:
        if kwargs["input_ids"].shape[0] > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    own_tiny.model.register_forward_pre_hook(refuse, with_kwargs=True)
    backend = LocalBackend(own_tiny, batch_tokens=4000)
    found = _answers(backend, _requests(GREEDY))
    expected = _answers(LocalBackend(tiny), _requests(GREEDY))
    assert {key: _texts(answer) for key, answer in found.items()} == {
        key: _texts(answer) for key, answer in expected.items()
    }
    assert backend.describe()["out_of_memory_halvings"] != 0


def _frequencies(logits: torch.Tensor, settings: GenerationSettings, draws: int = 3000) -> list[float]:
    tokens = [drawn_token(logits, settings, request_id="q", sample=0, step=step) for step in range(draws)]
    return [tokens.count(token) / draws for token in range(len(logits))]


def test_draws_follow_the_softmax_at_the_temperature() -> None:
    # Shares .5 .3 .2 at temperature 1; squared and renormalised (25 9 4 of 38) at temperature 1/2.
    logits = torch.tensor([0.3, 0.5, 0.2]).log()
    sigma = 0.5 / 3000**0.5
    assert _frequencies(logits, GenerationSettings(temperature=1.0)) == pytest.approx(
        [0.3, 0.5, 0.2], abs=4 * sigma
    )
    assert _frequencies(logits, GenerationSettings(temperature=0.5)) == pytest.approx(
        [9 / 38, 25 / 38, 4 / 38], abs=4 * sigma
    )


def test_draws_stay_in_the_nucleus() -> None:
    # .5 alone does not reach .6, .5 + .3 does: shares 5/8 and 3/8.
    logits = torch.tensor([0.3, 0.5, 0.2]).log()
    found = _frequencies(logits, GenerationSettings(temperature=1.0, top_p=0.6))
    assert found == pytest.approx([3 / 8, 5 / 8, 0.0], abs=4 * 0.5 / 3000**0.5)
    assert _frequencies(logits, GenerationSettings(temperature=1.0, top_p=0.01), 50) == [0.0, 1.0, 0.0]
