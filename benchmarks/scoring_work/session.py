"""The whole measurement: every model, every work, memory, real text and the plot, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.scoring_work.checkpoints import MODELS, save_checkpoint
from benchmarks.scoring_work.lm_eval_side import stock_model
from benchmarks.scoring_work.measure import FULL, QUICK, Effort, Measured, Sides, measured
from benchmarks.scoring_work.memory_peak import Side, peaks_mb
from benchmarks.scoring_work.our_side import our_backend
from benchmarks.scoring_work.plot import MEASURED_QUESTIONS, draw_variants, variants_series
from benchmarks.scoring_work.progress import Progress
from benchmarks.scoring_work.real_text import real_works
from benchmarks.scoring_work.shapes import FULL_COUNTS, QUICK_COUNTS, work_of
from benchmarks.scoring_work.work import Question, Work, part_of

WIDE_WORKS = ("fewshot_multitoken", "cmmlu_5shot")  # what the wide vocabulary's memory is measured on
_WIDE_SHARE = 0.15
_QUICK_PEAKS = ("fewshot_multitoken",)
_PEAK_BATCHES = 2  # lm-eval's need shows in its first batches, the longest ones
_REAL_LIMIT = 96
QUICK_REAL_LIMIT = 6
_WEIGHTS = {"generation": 2.0, "hellaswag_10shot": 2.0, "blimp": 0.6, "hellaswag_0shot": 0.6}
_MODEL_WEIGHTS = {"small": 0.2, "medium_150k": 1.5}


@dataclass(frozen=True, slots=True)
class Choice:
    """What is measured, and where."""

    models: tuple[str, ...]
    works: tuple[str, ...]
    device: str
    dtype: str
    threads: int
    share: float
    is_quick: bool
    with_peaks: bool
    shared: Path | None
    plot: Path | None

    @property
    def effort(self) -> Effort:
        """How long each work may take."""
        if not self.is_quick:
            return FULL
        return QUICK if self.device == "cpu" else replace(QUICK, batch_sizes=(16, 64))


def run_all(choice: Choice, folder: Path) -> dict[str, Any]:
    """Every figure as one JSON-able record; checkpoints are made under `folder`."""
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(choice.threads)
    progress = Progress(_steps(choice))
    found: dict[str, Any] = {
        "device": _device_name(choice.device),
        "threads": choice.threads,
        "dtype": choice.dtype,
        "mode": "quick" if choice.is_quick else "full",
        "versions": {
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "lm_eval": _version("lm_eval"),
        },
        "models": {},
    }
    for name in choice.models:
        found["models"][name] = {"work": _model_works(choice, name, folder / name, progress)}
    if choice.shared is not None:
        found["models"] |= _real_models(choice, choice.shared, folder, progress)
    if choice.plot is not None:
        found["variants"] = _plotted(choice, choice.plot, folder, progress, found)
    return found


def _device_name(device: str) -> str:
    """The GPU's name, or the processor's as Linux tells it."""
    import torch

    from harness.engine.devices import device_name

    known = Path("/proc/cpuinfo")
    if device == "cpu" and known.is_file():
        for line in known.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return device_name(torch.device(device))


def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)


def _works_of(choice: Choice, model: str) -> list[Work]:
    counts = QUICK_COUNTS if choice.is_quick else FULL_COUNTS
    names = [name for name in choice.works if model != "medium_150k" or name in WIDE_WORKS]
    share = choice.share * (_WIDE_SHARE if model == "medium_150k" else 1.0)
    vocabulary = MODELS[model].vocabulary
    return [work_of(name, max(2, round(counts[name] * share)), vocabulary=vocabulary) for name in names]


def _steps(choice: Choice) -> dict[str, float]:
    """What will be done, with rough weights for the time that is left."""
    steps: dict[str, float] = {}
    for model in choice.models:
        slow = _MODEL_WEIGHTS.get(model, 1.0)
        for work in _works_of(choice, model):
            steps[f"{model} {work.name}"] = slow * _WEIGHTS.get(work.name, 1.0)
        if choice.with_peaks and choice.works:
            steps[f"{model} memory"] = 1.0 + slow
    if choice.shared is not None:
        steps |= {"real text": 4.0}
    if choice.plot is not None:
        steps |= {"variants per item": 3.0}
    return steps


@contextmanager
def _opened(choice: Choice, folder: Path) -> Iterator[Sides]:
    """Both sides over one folder, each with weights of its own; freed afterwards."""
    backend = our_backend(folder, device=choice.device, dtype=choice.dtype)
    try:
        yield Sides(backend, stock_model(folder, device=choice.device, dtype=choice.dtype))
    finally:
        backend.checkpoint.close()


def _model_works(choice: Choice, model: str, folder: Path, progress: Progress) -> dict[str, Any]:
    works = _works_of(choice, model)
    done: dict[str, Measured] = {}
    scoring = [work for work in works if work.kind != "generate"]
    for group, countdown in ((scoring, False), ([work for work in works if work not in scoring], True)):
        if not group:
            continue
        own = folder / ("countdown" if countdown else "plain")
        save_checkpoint(own, MODELS[model], dtype=choice.dtype, device=choice.device, countdown=countdown)
        with _opened(choice, own) as sides:
            for work in group:
                with progress.step(f"{model} {work.name}"):
                    done[work.name] = measured(sides, work, choice.effort)
    if choice.with_peaks and works:
        with progress.step(f"{model} memory"):
            _add_peaks(choice, folder / "plain", scoring, done)
            _add_peaks(choice, folder / "countdown", [work for work in works if work not in scoring], done)
    return {work.name: done[work.name].record for work in works}


def _add_peaks(choice: Choice, folder: Path, works: Sequence[Work], done: Mapping[str, Measured]) -> None:
    """Measures memory and writes it into the records: ours over the whole work, lm-eval's over a few batches."""
    wanted = [work for work in works if not choice.is_quick or work.name in _QUICK_PEAKS]
    if not wanted:
        return
    whole = [(work, done[work.name].batch_size, done[work.name].batch_tokens) for work in wanted]
    first = [
        (_longest(work, ceil(_PEAK_BATCHES * size / done[work.name].rows_per_question)), size, tokens)
        for work, size, tokens in whole
    ]

    def peaks(side: Side, asked: Sequence[tuple[Work, int, int]]) -> dict[str, float]:
        return peaks_mb(side, folder, asked, device=choice.device, dtype=choice.dtype, threads=choice.threads)

    ours, theirs = peaks("ours", whole), peaks("lm_eval", first)
    for work, _, tokens in whole:
        done[work.name].record.update(
            peak_mb=ours[work.name], lm_eval_peak_mb=theirs[work.name], peak_batch_tokens=tokens
        )


def _longest(work: Work, n_questions: int) -> Work:
    """The longest questions of a work: lm-eval reads them first."""
    longest = sorted(
        range(len(work.questions)),
        key=lambda place: -len(work.questions[place].prompt) - len("".join(work.questions[place].options)),
    )
    return part_of(work, sorted(longest[:n_questions]))


def _real_models(choice: Choice, shared: Path, folder: Path, progress: Progress) -> dict[str, Any]:
    """Public data on a real checkpoint, and on the medium shape with that checkpoint's tokenizer.

    The real one holds 512 tokens, so it is asked without examples; these figures stand for themselves, no bar is
    meant for them.
    """
    from transformers import AutoTokenizer

    real = shared / "models" / "stories260K"
    tokenizer = AutoTokenizer.from_pretrained(str(real))
    medium = save_checkpoint(
        folder / "medium_real_text",
        MODELS["medium"],
        dtype=choice.dtype,
        device=choice.device,
        tokenizer=tokenizer,
    )
    limit = QUICK_REAL_LIMIT if choice.is_quick else max(4, round(_REAL_LIMIT * choice.share))
    effort = replace(choice.effort, batch_sizes=(2,)) if choice.is_quick else choice.effort
    found: dict[str, Any] = {}
    with progress.step("real text"):
        for name, own, room, shots in (
            ("stories260K", real, 512, False),
            ("medium_real_text", medium, 8192, True),
        ):

            def fits(question: Question, room: int = room) -> bool:
                longest = max(question.options, key=len)
                return len(tokenizer(question.prompt + longest)["input_ids"]) <= room

            with _opened(choice, own) as sides:
                works = real_works(shared / "data", limit=limit, fits=fits, shots=shots)
                found[name] = {"work": {work.name: measured(sides, work, effort).record for work in works}}
    return found


def _plotted(
    choice: Choice, path: Path, folder: Path, progress: Progress, found: Mapping[str, Any]
) -> list[dict[str, float]]:
    """Measures and draws seconds against variants per item, lm-eval at the batch size found before."""
    model = "medium" if "medium" in choice.models else choice.models[-1]
    own = folder / model / "plain"
    if not own.is_dir():
        save_checkpoint(own, MODELS[model], dtype=choice.dtype, device=choice.device)
    known = found["models"].get(model, {"work": {}})["work"].get("challenge_20_variants", {})
    usual = 4 if choice.device == "cpu" else 64
    with progress.step("variants per item"), _opened(choice, own) as sides:
        series = variants_series(
            sides,
            n_items=2 if choice.is_quick else 8,
            batch_size=known.get("lm_eval_batch_size", usual),
            vocabulary=MODELS[model].vocabulary,
        )
    n_items = series[0]["questions"] / series[0]["variants"]
    where = f"{found['device']}, {choice.threads} threads" if choice.device == "cpu" else found["device"]
    draw_variants(
        series,
        path,
        title=f"A challenge suite of {n_items:.0f} items, {model} model",
        note=f"{where}, {choice.dtype}; lm-eval read {MEASURED_QUESTIONS} questions per point at most, scaled",
    )
    return series
