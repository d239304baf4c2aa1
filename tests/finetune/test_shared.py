"""A real checkpoint fine-tuned on real instruction data in both languages."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness.core.exchange import ScoreText, TextScored
from harness.engine import LocalBackend, open_checkpoint
from harness.finetune import finetune, preview, recipe_from_json

pytestmark = pytest.mark.shared
COLUMNS = {"instruction": "instruction", "question": "input", "answer": "output"}


@pytest.mark.parametrize("method", ["full", "lora"])
def test_stories_260k_learns_from_alpaca_in_both_languages(
    shared_dir: Path, tmp_path: Path, method: str
) -> None:
    data = shared_dir / "data" / "llama_factory_sft"
    recipe = recipe_from_json(
        {
            "schema": 1,
            "base": str(shared_dir / "models" / "stories260K"),
            "data": [
                {"path": str(data / f"alpaca_{name}_demo.json"), "map": COLUMNS, "limit": 150}
                for name in ("en", "zh")
            ],
            "stages": [
                {
                    "method": method,
                    "steps": 12,
                    "batch_tokens": 2000,
                    "max_tokens": 400,
                    "schedule": {"peak": 3e-3},
                }
            ],
        }
    )
    shown = preview(recipe)
    record = shown.stages[0].record
    # `jq length` of the two files.
    assert [source.n_rows for source in shown.sources] == [999, 1000]
    assert [source.n_used for source in shown.sources] == [150, 150]
    assert record["rows"] + record["too_long"] == 300
    assert record["too_long"] > 0  # a 512-token vocabulary spells Chinese byte by byte
    trained = finetune(recipe, out=tmp_path / "out", device="cpu")
    curve = trained.manifest["stages"][0]["curve"]
    assert curve[-1]["nats_per_token_loss"] < curve[0]["nats_per_token_loss"]
    text = ScoreText("text", "Once upon a time, there was a little girl.")
    with open_checkpoint(trained.checkpoint, device="cpu") as opened:
        ((_, answer),) = LocalBackend(opened).answer([text])
    assert isinstance(answer, TextScored) and math.isfinite(answer.logprob_nats)
