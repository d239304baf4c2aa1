"""Peak memory above the loaded model, one side per process: `python -m benchmarks.scoring_work.memory_peak`.

The process reads a job as JSON from standard input and prints `{work: {"peak_mb": ...}}`. Every work starts with
the peak reset, freed memory given back and all weights touched, so that only what the work needs is counted.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

from benchmarks.scoring_work.work import Question, Work

Side = Literal["ours", "lm_eval"]


def peaks_mb(
    side: Side,
    folder: Path,
    asked: Sequence[tuple[Work, int, int]],
    *,
    device: str,
    dtype: str,
    threads: int,
) -> dict[str, float]:
    """Peak of each work above the loaded model, in MiB, measured in a process of its own.

    Args:
        side: Whose.
        folder: The checkpoint.
        asked: Per work: the work, lm-eval's batch size, our tokens per batch.
        device: Where the model runs.
        dtype: Its number format.
        threads: Of the arithmetic.

    Raises:
        subprocess.CalledProcessError: If that process fails; its error stands on standard error.
    """
    job = {
        "side": side,
        "folder": str(folder),
        "device": device,
        "dtype": dtype,
        "threads": threads,
        "works": [{"work": asdict(work), "batch_size": size, "batch_tokens": n} for work, size, n in asked],
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scoring_work.memory_peak"],
        input=json.dumps(job),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"},
    )
    return {name: float(value) for name, value in json.loads(done.stdout.splitlines()[-1]).items()}


def work_from_json(record: Mapping[str, Any]) -> Work:
    """A work as `dataclasses.asdict` wrote it."""
    questions = tuple(Question(each["prompt"], tuple(each["options"])) for each in record["questions"])
    return Work(record["name"], record["kind"], questions, record["stop"], record["max_tokens"])


def _measured(job: Mapping[str, Any]) -> dict[str, float]:
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(job["threads"])
    model, answer = _side(job)
    with torch.inference_mode():
        for weight in model.parameters():
            weight.sum()
    is_cuda = job["device"].startswith("cuda")
    found = {}
    for each in job["works"]:
        work = work_from_json(each["work"])
        peak = _cuda_peak_bytes if is_cuda else _cpu_peak_bytes
        found[work.name] = peak(partial(answer, work, each)) / 2**20
    return found


def _side(job: Mapping[str, Any]) -> tuple[Any, Callable[[Work, Mapping[str, Any]], object]]:
    folder, place = Path(job["folder"]), {"device": job["device"], "dtype": job["dtype"]}
    if job["side"] == "lm_eval":
        from benchmarks.scoring_work.lm_eval_side import lm_eval_answers, stock_model

        stock = stock_model(folder, **place)
        return stock.model, lambda work, each: lm_eval_answers(stock, work, each["batch_size"])
    from benchmarks.scoring_work.our_side import our_answers, our_backend
    from harness.engine import LocalBackend

    checkpoint = our_backend(folder, **place).checkpoint
    return (
        checkpoint.model,
        lambda work, each: our_answers(LocalBackend(checkpoint, batch_tokens=each["batch_tokens"]), work),
    )


def _cuda_peak_bytes(call: Callable[[], object]) -> int:
    import torch

    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    return int(torch.cuda.max_memory_allocated()) - int(before)


def _cpu_peak_bytes(call: Callable[[], object]) -> int:
    gc.collect()
    if platform.system() != "Linux":
        # No way to reset the peak there: the largest so far, loading included, stands in for it.
        scale = 1 if platform.system() == "Darwin" else 1024
        first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        call()
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - first) * scale
    # The C library keeps what was freed; unasked it would hide the need of the next work.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status_bytes("VmRSS")
    call()
    return max(0, _status_bytes("VmHWM") - before)


def _status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    """Measure the job on standard input."""
    print(json.dumps(_measured(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
