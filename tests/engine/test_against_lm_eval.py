"""Real checkpoints score as in stock lm-eval's `hf` model, fp32, within max(1e-4, 1e-6 |ll|) nats."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.exchange import (
    Choose,
    Chosen,
    Generate,
    Generated,
    GenerationSettings,
    ScoreText,
    TextScored,
)
from harness.engine import LocalBackend, open_checkpoint

pytestmark = [pytest.mark.shared, pytest.mark.slow]
MODELS = ("stories260K", "stories260K-qat_polishstrong")


def _lines(path: Path, count: int) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line, _ in zip(stream, range(count), strict=False)]


@pytest.fixture(scope="module", params=MODELS)
def both(request: pytest.FixtureRequest, shared_dir: Path, own_cache: Path) -> tuple[LocalBackend, Any]:
    """Our backend and lm-eval's on one checkpoint."""
    from lm_eval.models.huggingface import HFLM

    folder = shared_dir / "models" / request.param
    stock = HFLM(pretrained=str(folder), device="cpu", dtype="float32", batch_size=8)
    return LocalBackend(open_checkpoint(folder, device="cpu"), too_long="truncate-left"), stock


def _instances(kind: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
    from lm_eval.api.instance import Instance

    return [
        Instance(request_type=kind, doc={}, arguments=own, idx=index) for index, own in enumerate(arguments)
    ]


def _close(found: float, expected: float) -> bool:
    return abs(found - expected) <= max(1e-4, 1e-6 * abs(expected))


def _compare_choices(both: tuple[LocalBackend, Any], requests: list[Choose]) -> None:
    backend, stock = both
    pairs = [(str(request.prompt), option) for request in requests for option in request.options]
    expected = iter(stock.loglikelihood(_instances("loglikelihood", pairs), disable_tqdm=True))
    answers = dict(backend.answer(requests))
    for request in requests:
        answer = answers[request.request_id]
        assert isinstance(answer, Chosen)
        for option in answer.options:
            logprob_nats, is_greedy = next(expected)
            assert _close(option.logprob_nats, logprob_nats), request
            assert option.is_greedy is is_greedy


def test_minimal_pairs_without_context(both: tuple[LocalBackend, Any], shared_dir: Path) -> None:
    rows = _lines(shared_dir / "data/blimp/anaphor_gender_agreement.jsonl", 60)
    _compare_choices(
        both, [Choose(str(n), "", (row["sentence_good"], row["sentence_bad"])) for n, row in enumerate(rows)]
    )


def test_class_names_after_a_question(both: tuple[LocalBackend, Any], shared_dir: Path) -> None:
    with (shared_dir / "data/banking77/test.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row, _ in zip(csv.DictReader(stream), range(30), strict=False)]
    names = (" card arrival", " exchange rate", " lost or stolen card", " top up failed")
    _compare_choices(
        both, [Choose(str(n), f"Text: {row['text']}\nLabel:", names) for n, row in enumerate(rows)]
    )


def test_letters_and_contexts_longer_than_the_model_reads(
    both: tuple[LocalBackend, Any], shared_dir: Path
) -> None:
    stories = json.loads((shared_dir / "data/tinystories_sample/tinystories_1000.json").read_text())
    requests = [
        Choose(str(n), story * (1 + n % 3) + "\nAnswer: ", ("A", "B", "C"))
        for n, story in enumerate(stories[:8])
    ]
    _compare_choices(both, requests)
    assert both[0].describe()["truncated"] != 0


@pytest.mark.parametrize("file", ["tinystories_1000.json", "wikitext_1000.json"])
def test_texts_of_any_length(both: tuple[LocalBackend, Any], shared_dir: Path, file: str) -> None:
    backend, stock = both
    passages = json.loads((shared_dir / "data/tinystories_sample" / file).read_text())
    texts = [*passages[:15], " ".join(passages[15:20])]  # the last is several windows long
    expected = stock.loglikelihood_rolling(
        _instances("loglikelihood_rolling", [(text,) for text in texts]), disable_tqdm=True
    )
    answers = dict(backend.answer([ScoreText(str(n), text) for n, text in enumerate(texts)]))
    for n, logprob_nats in enumerate(expected):
        answer = answers[str(n)]
        assert isinstance(answer, TextScored)
        assert _close(answer.logprob_nats, logprob_nats)


def test_greedy_text(both: tuple[LocalBackend, Any], shared_dir: Path) -> None:
    backend, stock = both
    stories = json.loads((shared_dir / "data/tinystories_sample/tinystories_1000.json").read_text())
    prompts = [story[: 20 + 9 * n] for n, story in enumerate(stories[:10])]
    expected = stock.generate_until(
        _instances("generate_until", [(prompt, {"until": ["."], "max_gen_toks": 24}) for prompt in prompts]),
        disable_tqdm=True,
    )
    settings = GenerationSettings(max_tokens=24, stop=(".",))
    answers = dict(backend.answer([Generate(str(n), prompt, settings) for n, prompt in enumerate(prompts)]))
    for n, text in enumerate(expected):
        answer = answers[str(n)]
        assert isinstance(answer, Generated)
        assert answer.generations[0].text == text
