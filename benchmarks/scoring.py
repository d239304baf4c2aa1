"""How fast we score and generate, against lm-eval `hf` and the floor. `python -m benchmarks.scoring --json`

Ratios are taken in one process, the sides working by turns; memory is measured in a process per side.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Before any import of a library that reads them once, at its own import.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from benchmarks.scoring_work.checkpoints import MODELS
from benchmarks.scoring_work.session import Choice, run_all
from benchmarks.scoring_work.shapes import WORK_NAMES

# Of the 58 M model on a CPU, over the synthetic shapes: against lm-eval hf, against the floor.
BARS: Mapping[str, tuple[float, float | None]] = {
    "fewshot_multitoken": (18, 0.80),
    "cmmlu_5shot": (10, 0.75),
    "hellaswag_0shot": (2.3, 0.85),
    "hellaswag_10shot": (24, 0.85),
    "challenge_20_variants": (40, 0.60),
    "generation": (3, None),
}


def main() -> None:
    """Measure and print."""
    arguments = _parser().parse_args()
    if arguments.shared is not None and not (arguments.shared / "data").is_dir():
        sys.exit(f"{arguments.shared} holds no data/")
    with tempfile.TemporaryDirectory() as folder:
        found = run_all(_choice(arguments), Path(folder))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2) if arguments.json else table(found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="small counts: two minutes on two quiet cores")
    parser.add_argument("--models", nargs="+", choices=sorted(MODELS), metavar="NAME", help=", ".join(MODELS))
    parser.add_argument("--works", nargs="*", choices=WORK_NAMES, metavar="NAME", help=", ".join(WORK_NAMES))
    parser.add_argument("--share", type=float, default=1.0, help="share of each work's questions")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    parser.add_argument("--dtype", default="auto", help="auto: float32 on a CPU, bfloat16 on a GPU")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of the arithmetic")
    parser.add_argument("--no-peaks", action="store_true", help="leave the memory out")
    parser.add_argument("--shared", type=Path, help="folder with data/ and models/, for works over real text")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw seconds against variants per item")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON to a file as well")
    return parser


def _choice(arguments: argparse.Namespace) -> Choice:
    import torch

    device = arguments.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = arguments.dtype
    if dtype == "auto":
        dtype = "bfloat16" if device.startswith("cuda") else "float32"
    usual = ("medium",) if arguments.quick else ("small", "medium", "medium_150k")
    return Choice(
        models=tuple(arguments.models or (usual if device == "cpu" else ("qwen2_0.5b", "llama_8b"))),
        works=WORK_NAMES if arguments.works is None else tuple(arguments.works),
        device=device,
        dtype=dtype,
        threads=arguments.threads,
        share=arguments.share,
        is_quick=arguments.quick,
        with_peaks=not arguments.no_peaks,
        shared=arguments.shared,
        plot=arguments.plot,
    )


def table(found: Mapping[str, Any]) -> str:
    """The figures for people, the bars of the medium model beside them."""
    lines = [f"{found['device']}, {found['threads']} threads, {found['dtype']}"]
    for model, record in found["models"].items():
        lines.append(f"{model}: x lm-eval (limit here), share of the floor, seconds, peak MiB (lm-eval)")
        for name, figures in record["work"].items():
            peaks = [figures[key] for key in ("peak_mb", "lm_eval_peak_mb")]
            peak = " ".join("-" if value is None else f"{value:.0f}" for value in peaks)
            lines.append(
                f"  {name:22} {figures['vs_lm_eval']:6.1f} ({figures['limit_vs_lm_eval']:.1f})"
                f" {figures['vs_floor']:5.2f} {figures['seconds']:7.2f} s  {peak}"
                f"{_verdict(model, name, figures)}"
            )
    return "\n".join(lines)


def _verdict(model: str, name: str, figures: Mapping[str, Any]) -> str:
    if model != "medium" or name not in BARS:
        return ""
    speed, floor = BARS[name]
    is_met = figures["vs_lm_eval"] >= speed and (floor is None or figures["vs_floor"] >= floor)
    return f"  bar {speed:g}{'' if floor is None else f', {floor:.2f}'}: {'met' if is_met else 'missed'}"


if __name__ == "__main__":
    main()
