"""Our engine as lm-eval's model `harness`: the answers of stock `hf`, and honest where it has none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.backends import scripted
from harness.core.errors import BackendError, HarnessError, TaskError, UsageError
from harness.core.exchange import BackendFailure, Generate, Request
from harness.engine import Checkpoint, open_checkpoint
from harness.lmeval.model_arguments import ModelArguments, model_arguments, unlike_hf

if TYPE_CHECKING:
    from lm_eval.models.huggingface import HFLM

    from harness.lmeval.engine_model import EngineModel


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def ours(tiny_checkpoint: Path) -> EngineModel:
    from harness.lmeval.engine_model import EngineModel

    return EngineModel(pretrained=str(tiny_checkpoint), dtype="float32", device="cpu", batch_size=1)


@pytest.fixture(scope="module")
def opened(tiny_checkpoint: Path) -> Checkpoint:
    return open_checkpoint(tiny_checkpoint, device="cpu")


def calls(kind: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    from lm_eval.api.instance import Instance

    return [
        Instance(request_type=kind, doc={}, arguments=own, idx=0, metadata=("made", place, 1))  # type: ignore[arg-type]
        for place, own in enumerate(arguments)
    ]


def is_close(found: float, expected: float) -> bool:
    """The project's tolerance in nats."""
    return abs(found - expected) <= max(1e-4, 1e-6 * abs(expected))


PIECES = st.sampled_from(
    [
        "The courier ",
        "left the",
        " parcel",
        "Answer:",
        " ",
        "\n",
        "é",
        "快递员",
        "中午",
        "🙂",
        "A",
        "</s>",
        "<s>",
    ]
)
CONTEXTS = st.lists(PIECES, max_size=6).map("".join)
# lm-eval itself breaks on a continuation without a token of its own, so each has a letter.
CONTINUATIONS = st.lists(PIECES, max_size=3).map(lambda pieces: "".join(pieces) + "b")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(CONTEXTS, CONTINUATIONS), min_size=1, max_size=6))
def test_log_likelihoods_and_greediness_are_those_of_hf(
    ours: EngineModel, tiny_model: HFLM, pairs: list[tuple[str, str]]
) -> None:
    found = ours.loglikelihood(calls("loglikelihood", pairs), disable_tqdm=True)
    expected = tiny_model.loglikelihood(calls("loglikelihood", pairs), disable_tqdm=True)
    for (logprob, greedy), (their_logprob, their_greedy) in zip(found, expected, strict=True):
        assert is_close(logprob, their_logprob)
        assert greedy == their_greedy


def test_equal_calls_get_equal_answers_in_the_order_asked(ours: EngineModel) -> None:
    pairs = [("One two", " three"), ("", "three"), ("One two", " four"), ("One two", " three")]
    found = ours.loglikelihood(calls("loglikelihood", pairs), disable_tqdm=True)
    assert found[0] == found[3]
    assert len({answer[0] for answer in found}) == 3
    backwards = ours.loglikelihood(calls("loglikelihood", pairs[::-1]), disable_tqdm=True)
    assert all(is_close(one[0], two[0]) for one, two in zip(found, backwards[::-1], strict=True))


def test_contexts_longer_than_the_model_are_cut_as_in_hf(ours: EngineModel, tiny_model: HFLM) -> None:
    pairs = [("The courier left the parcel. " * 60, " At noon."), ("快递员中午" * 120, "把包裹")]
    found = ours.loglikelihood(calls("loglikelihood", pairs), disable_tqdm=True)
    expected = tiny_model.loglikelihood(calls("loglikelihood", pairs), disable_tqdm=True)
    assert all(is_close(one[0], two[0]) for one, two in zip(found, expected, strict=True))


def test_whole_texts_are_scored_as_in_hf_whatever_their_length(ours: EngineModel, tiny_model: HFLM) -> None:
    texts = [("Short.",), ("The parcel 包裹 left. " * 90,), ("Short.",), ("é",)]
    found = ours.loglikelihood_rolling(calls("loglikelihood_rolling", texts), disable_tqdm=True)
    expected = tiny_model.loglikelihood_rolling(calls("loglikelihood_rolling", texts), disable_tqdm=True)
    assert all(is_close(one, two) for one, two in zip(found, expected, strict=True))
    assert found[0] == found[2]


def test_generated_text_is_that_of_hf_with_stops_and_prompts_that_leave_too_little_room(
    ours: EngineModel, tiny_model: HFLM
) -> None:
    # 512 positions: the third prompt fits, but not with 60 new tokens after it; the fourth does not fit at all.
    prompts = ["The courier", "快递员", "The parcel left. " * 34, "The parcel left. " * 90]
    lengths = [len(tiny_model.tok_encode(prompt)) for prompt in prompts]
    assert 452 < lengths[2] < 512 < lengths[3]
    asked = [
        (prompt, keywords)
        for prompt in prompts
        for keywords in ({"until": [], "max_gen_toks": 60}, {"until": ["a", " "], "max_gen_toks": 60})
    ]
    found = ours.generate_until(calls("generate_until", asked), disable_tqdm=True)
    expected = tiny_model.generate_until(calls("generate_until", asked), disable_tqdm=True)
    assert found == expected


def test_a_context_length_of_ones_own_is_kept(tiny_checkpoint: Path) -> None:
    from lm_eval.models.huggingface import HFLM

    from harness.lmeval.engine_model import EngineModel

    told = {"pretrained": str(tiny_checkpoint), "dtype": "float32", "device": "cpu", "max_length": 24}
    asked = calls("loglikelihood_rolling", [("The courier left the parcel with the neighbour. " * 3,)])
    stock = HFLM(**told, batch_size=1)
    model = EngineModel(**told)
    assert model.max_length == stock.max_length == 24
    (found,) = model.loglikelihood_rolling(asked, disable_tqdm=True)
    (expected,) = stock.loglikelihood_rolling(asked, disable_tqdm=True)
    assert is_close(found, expected)


def test_samples_of_one_prompt_differ_and_follow_the_seed_only(opened: Checkpoint) -> None:
    import torch

    from harness.engine import LocalBackend
    from harness.lmeval.engine_model import EngineModel

    def sampled(seed: int, *before: tuple[str, dict[str, Any]]) -> list[str]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # what lm-eval does with --seed before it makes the model
            model = EngineModel.over(opened, LocalBackend(opened))
        asked = [*before, *[("The", {"do_sample": True, "temperature": 1.0, "max_gen_toks": 8})] * 3]
        return model.generate_until(calls("generate_until", asked), disable_tqdm=True)

    first = sampled(1)
    assert len(set(first)) == 3
    assert sampled(1) == first
    assert sampled(1, ("Another", {"max_gen_toks": 3}))[1:] == first
    assert sampled(2) != first


def test_conversations_are_rendered_as_in_hf(tiny_chat_checkpoint: Path) -> None:
    from lm_eval.models.huggingface import HFLM

    from harness.lmeval.engine_model import EngineModel

    told = {"pretrained": str(tiny_chat_checkpoint), "device": "cpu"}
    model, stock = EngineModel(**told), HFLM(**told)
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "2 + 2?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "3 + 3?"},
    ]
    assert model.apply_chat_template(turns) == stock.apply_chat_template(turns)
    prefilled = [*turns, {"role": "assistant", "content": "It is"}]
    assert model.apply_chat_template(
        prefilled, add_generation_prompt=False
    ) == stock.apply_chat_template(prefilled, add_generation_prompt=False)  # fmt: skip
    assert model.chat_template(True) == stock.chat_template(True)  # type: ignore[arg-type]
    assert model.tokenizer_name == stock.tokenizer_name
    assert (model.eot_token_id, model.max_length) == (stock.eot_token_id, stock.max_length)


def test_a_prompt_rendered_by_the_template_is_answered_as_in_hf(tiny_chat_checkpoint: Path) -> None:
    from lm_eval.models.huggingface import HFLM

    from harness.lmeval.engine_model import EngineModel

    told = {"pretrained": str(tiny_chat_checkpoint), "device": "cpu", "dtype": "float32"}
    model, stock = EngineModel(**told), HFLM(**told)
    prompt = stock.apply_chat_template([{"role": "user", "content": "Which is right: A or B?"}])
    assert prompt.startswith("<s>")  # the template writes BOS itself; a second one would shift every number
    pairs = calls("loglikelihood", [(prompt, "A"), (prompt, "B")])
    found, expected = (each.loglikelihood(pairs, disable_tqdm=True) for each in (model, stock))
    assert all(is_close(one[0], two[0]) for one, two in zip(found, expected, strict=True))
    asked = calls("generate_until", [(prompt, {"until": ["\n"], "max_gen_toks": 20})])
    assert model.generate_until(asked, disable_tqdm=True) == stock.generate_until(asked, disable_tqdm=True)


def test_what_is_cached_is_not_asked_again_and_a_failure_costs_only_itself(
    opened: Checkpoint, tmp_path: Path
) -> None:
    from lm_eval.api.model import CachingLM

    from harness.lmeval.engine_model import EngineModel

    broken = True
    asked: list[str] = []

    def answer(request: Request) -> Any:
        assert isinstance(request, Generate)
        asked.append(str(request.prompt))
        if broken and request.prompt == "second":
            return BackendFailure("nan_logits", "the logits are not a number.")
        return f"to {request.prompt}"

    model = EngineModel.over(opened, scripted(answer))
    caching = CachingLM(model, str(tmp_path / "cache.db"))
    requests = calls("generate_until", [(text, {"max_gen_toks": 3}) for text in ("first", "second", "third")])
    with pytest.raises(BackendError, match=r"1 of 3 generate_until requests.*nan_logits.*--use_cache"):
        caching.generate_until(requests)
    broken = False
    assert caching.generate_until(requests) == ["to first", "to second", "to third"]
    assert asked == ["first", "second", "third", "second"]


def test_only_what_follows_the_end_of_thinking_counts(opened: Checkpoint) -> None:
    from harness.lmeval.engine_model import EngineModel

    model = EngineModel.over(
        opened,
        scripted(lambda request: "Let me see ... </think>\n\n42"),
        arguments=ModelArguments("m", think_end_token="</think>"),
    )
    assert model.generate_until(calls("generate_until", [("6 * 7?", {})]), disable_tqdm=True) == ["42"]


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "expected"),
    [
        ("generate_until", ("x", {}, {"visual": []}), TaskError, "reads text only"),
        ("loglikelihood", ("x", "y", "z"), TaskError, "reads text only"),
        ("generate_until", ("x", {"do_sample": True, "top_k": 5}), TaskError, "top_k=5"),
        ("generate_until", ("x", "until"), TaskError, "must be a mapping"),
        ("generate_until", ("x", {"max_gen_toks": 600}), BackendError, "prompt_too_long"),
    ],
)
def test_what_it_cannot_do_is_refused(
    ours: EngineModel, kind: str, arguments: tuple[Any, ...], error: type[HarnessError], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        getattr(ours, kind)(calls(kind, [arguments]), disable_tqdm=True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "pretrained=FOLDER"),
        ({"pretrained": "m", "dtpye": "float32"}, "Did you mean 'dtype'"),
        ({"pretrained": "m", "parallelize": True}, "need --model hf"),
        ({"pretrained": "m", "max_length": "long"}, "max_length=long: expected a whole number"),
        ({"pretrained": "m", "batch_tokens": 1}, "batch_tokens=1"),
        ({"pretrained": "m", "think_end_token": 5}, "think_end_token=5: give the text"),
        ({"pretrained": "m", "chat_template_args": "{"}, "expected a JSON object"),
    ],
)
def test_a_wrong_argument_is_named_with_the_remedy(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        model_arguments(given)


def test_arguments_of_the_command_give_way_to_those_of_the_model(tiny_checkpoint: Path) -> None:
    from harness.lmeval.engine_model import EngineModel

    model = EngineModel.create_from_arg_obj(
        {"pretrained": str(tiny_checkpoint), "device": "cpu"},
        {"batch_size": 4, "max_batch_size": None, "device": "cuda:0"},
    )
    assert str(model.device) == "cpu"


def test_auto_is_the_number_format_of_the_config_as_in_hf(tiny_checkpoint: Path, tmp_path: Path) -> None:
    import shutil

    from harness.lmeval.engine_model import EngineModel

    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "half"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16"}))
    assert str(EngineModel(pretrained=str(folder), device="cpu").checkpoint.dtype) == "torch.bfloat16"


def test_a_revision_of_the_hub_is_asked_for_as_a_folder() -> None:
    from harness.lmeval.engine_model import EngineModel

    with pytest.raises(UsageError, match=r"hf download a/b --revision v2"):
        EngineModel(pretrained="a/b", revision="v2", device="cpu")


def test_generation_settings_that_only_hf_obeys_are_told(tiny_checkpoint: Path, tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "penalised"))
    (folder / "generation_config.json").write_text('{"repetition_penalty": 1.05, "temperature": 0.7}')
    (sentence,) = unlike_hf(open_checkpoint(folder, device="cpu"))
    assert "repetition_penalty=1.05" in sentence
    assert unlike_hf(open_checkpoint(tiny_checkpoint, device="cpu")) == ()


def test_an_adapter_is_read_on_the_base_that_was_named(
    tiny_checkpoint: Path, tiny_chat_checkpoint: Path, tmp_path: Path
) -> None:
    import torch
    from lm_eval.models.huggingface import HFLM
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from harness.lmeval.engine_model import EngineModel

    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(tiny_checkpoint),
        LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM"),
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.fill_(0.1)
    folder = tmp_path / "adapter"
    model.save_pretrained(folder)
    told = {"pretrained": str(tiny_checkpoint), "peft": str(folder), "device": "cpu", "dtype": "float32"}
    pairs = calls("loglikelihood", [("The courier", " left"), ("", "noon")])
    found = EngineModel(**told).loglikelihood(pairs, disable_tqdm=True)
    expected = HFLM(**told, batch_size=1).loglikelihood(pairs, disable_tqdm=True)
    assert all(is_close(one[0], two[0]) for one, two in zip(found, expected, strict=True))
    with pytest.raises(UsageError, match="names its base"):
        EngineModel(**{**told, "pretrained": str(tiny_chat_checkpoint)})


NAMES = ("tiny_agreement", "tiny_questions", "tiny_stories", "tiny_sums")


def test_a_whole_evaluation_gives_the_figures_and_samples_of_hf(
    ours: EngineModel, tiny_model: HFLM, stock_run: Callable[..., dict[str, Any]]
) -> None:
    found, expected = stock_run(ours, NAMES), stock_run(tiny_model, NAMES)
    assert found["versions"] == expected["versions"]
    for name in NAMES:
        assert found["results"][name].keys() == expected["results"][name].keys()
        for figure, value in expected["results"][name].items():
            # The perplexity of a word is exp of a few hundred nats: a difference of 1e-4 nats shows tenfold.
            expected_value = pytest.approx(value, rel=1e-3) if isinstance(value, float) else value
            assert found["results"][name][figure] == expected_value, figure
        for sample, their_sample in zip(found["samples"][name], expected["samples"][name], strict=True):
            assert sample["arguments"] == their_sample["arguments"]
            assert sample["prompt_hash"] == their_sample["prompt_hash"]
            for call, their_call in zip(sample["resps"], their_sample["resps"], strict=True):
                if isinstance(their_call[0], str):
                    assert call == their_call
                else:
                    one, two = (
                        each[0][0] if isinstance(each[0], tuple) else each[0] for each in (call, their_call)
                    )
                    assert is_close(one, two)
