"""Real checkpoints over public data: int8 must pass, quantisation-aware training must fail, lm-eval must agree.

`python -m benchmarks.real_checkpoints --shared FOLDER [--json]`; the folder holds `models/` and `data/`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.real_suites import blimp_items, passage_items, real_suites

BASE, INT8, QAT = "stories260K", "stories260K-q80", "stories260K-qat_polishstrong"
POLICY = {
    "schema": 1,
    "rules": [
        {"suite": "blimp", "metric": "accuracy", "margin": 0.02},
        {"suite": "tinystories", "metric": "token_perplexity", "margin": "5%"},
        {"suite": "wikitext", "metric": "token_perplexity", "margin": "5%"},
        {"suite": "banking-eight", "metric": "accuracy", "margin": 0.05},
    ],
}


def gates(shared: Path, folder: Path, *, passages: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each candidate's verdict against the fp32 base, and every run's scores."""
    from harness.engine import open_checkpoint
    from harness.evaluation import evaluate
    from harness.gating import gate
    from harness.policy import policy_from_json
    from harness.report.runs import run_summary
    from harness.store import open_store

    suites = real_suites(shared / "data", folder / "suites", passages=passages)
    store = open_store(folder / "runs", create=True)
    runs = {}
    for name in (BASE, INT8, QAT):
        with open_checkpoint(shared / "models" / name) as model:
            runs[name] = evaluate(model, suites, store=store)
        yield (
            f"scores of {name}",
            {f"{line.suite} {line.metric}": line.value for line in run_summary(runs[name]).lines},
        )
    policy = policy_from_json(POLICY)
    for name in (INT8, QAT):
        verdict = gate(baseline=runs[BASE], candidate=runs[name], policy=policy)
        yield (
            f"verdict on {name}",
            {
                "status": verdict.status,
                "reason": verdict.reason,
                "rules": {each.title: each.status for each in verdict.judgements},
            },
        )


def agreement(shared: Path, *, n_pairs: int, n_texts: int) -> dict[str, Any]:
    """Our log-likelihoods against stock lm-eval's `hf` model on the same checkpoint, fp32."""
    from lm_eval.api.instance import Instance  # a peer here, not a part of the harness
    from lm_eval.models.huggingface import HFLM

    from harness.core.exchange import Choose, Chosen, Request, ScoreText, TextScored
    from harness.engine import LocalBackend, open_checkpoint

    pairs = list(blimp_items(shared / "data"))[:n_pairs]
    stories = shared / "data" / "tinystories_sample" / "tinystories_1000.json"
    texts = [item.prompt.text.text for item in passage_items(stories, limit=n_texts) if item.prompt.text]
    requests: list[Request] = [Choose(f"p{n}", "", item.prompt.options) for n, item in enumerate(pairs)]
    requests += [ScoreText(f"t{n}", text) for n, text in enumerate(texts)]
    with open_checkpoint(shared / "models" / BASE) as model:
        answers = dict(LocalBackend(model).answer(requests))
    ours: list[float] = []
    for n in range(len(pairs)):
        chosen = answers[f"p{n}"]
        assert isinstance(chosen, Chosen)
        ours += [option.logprob_nats for option in chosen.options]
    for n in range(len(texts)):
        scored = answers[f"t{n}"]
        assert isinstance(scored, TextScored)
        ours.append(scored.logprob_nats)
    stock = HFLM(pretrained=str(shared / "models" / BASE), dtype="float32", device="cpu", batch_size=32)
    options = [option for item in pairs for option in item.prompt.options]
    theirs = [
        float(ll)
        for ll, _ in stock.loglikelihood(
            [Instance("loglikelihood", {}, ("", option), n) for n, option in enumerate(options)]
        )
    ]
    theirs += [
        float(ll)
        for ll in stock.loglikelihood_rolling(
            [Instance("loglikelihood_rolling", {}, (text,), n) for n, text in enumerate(texts)]
        )
    ]
    return compared(ours, theirs, [item.target.option for item in pairs if item.target is not None])


def compared(ours: Sequence[float], theirs: Sequence[float], golds: Sequence[int | None]) -> dict[str, Any]:
    """Largest difference, how many lie outside max(1e-4, 1e-6 |ll|) nats, and both accuracies."""
    outside = sum(abs(a - b) > max(1e-4, 1e-6 * abs(b)) for a, b in zip(ours, theirs, strict=True))

    def accuracy(values: Sequence[float]) -> float:
        right = [(values[2 * n + 1] > values[2 * n]) == bool(gold) for n, gold in enumerate(golds)]
        return sum(right) / len(right)

    return {
        "n_log_likelihoods": len(ours),
        "max_abs_diff_nats": max(abs(a - b) for a, b in zip(ours, theirs, strict=True)),
        "outside_tolerance": outside,
        "accuracy_ours": accuracy(ours),
        "accuracy_lm_eval": accuracy(theirs),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder with models/ and data/")
    parser.add_argument("--passages", type=int, default=1000, help="texts of TinyStories and of WikiText")
    parser.add_argument("--pairs", type=int, default=1000, help="BLiMP pairs checked against lm-eval")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if not (arguments.shared / "models" / BASE).is_dir():
        sys.exit(f"{arguments.shared} holds no models/{BASE}")
    with tempfile.TemporaryDirectory() as folder:
        found = dict(gates(arguments.shared, Path(folder), passages=arguments.passages))
    found["against lm-eval hf"] = agreement(arguments.shared, n_pairs=arguments.pairs, n_texts=60)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for title, record in found.items():
        print(title)
        for name, value in record.items():
            print(f"  {name}: {value}")


if __name__ == "__main__":
    main()
