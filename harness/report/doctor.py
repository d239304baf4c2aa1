"""What `harness doctor` checks: versions, device, store, and a checkpoint's weights, tokenizer and template."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.report.terminal import console, table
from harness.store import open_store

PACKAGES = (
    "sft-harness", "torch", "transformers", "peft", "accelerate", "lm-eval", "safetensors", "datasets",
    "scikit-learn", "rouge-score", "pandas", "pyarrow", "duckdb", "streamlit", "jieba", "pypinyin", "opencc",
)  # fmt: skip
MARKS = {"fine": "✓", "note": "·", "fault": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; a fault would stop a run."""

    name: str
    status: Literal["fine", "note", "fault"]
    message: str

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def examine(*, store: str, checkpoint: str | None = None) -> list[Finding]:
    """Everything a run needs, looked at one by one; a fault never hides the next."""
    findings = [*_versions(), *_device(), _store(store)]
    if checkpoint is not None:
        findings += _checkpoint(checkpoint)
    return findings


def show_findings(findings: list[Finding]) -> None:
    """Print them, faults last in the eye."""
    rows = table("", "what", "found")
    for finding in findings:
        rows.add_row(MARKS[finding.status], finding.name, finding.message)
    console().print(rows)
    faults = sum(finding.status == "fault" for finding in findings)
    console().print(
        "Everything a run needs is here." if not faults else f"{faults} faults to mend, marked ✗."
    )


def _versions() -> Iterator[Finding]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding(
        "python", "fine" if sys.version_info >= (3, 11) else "fault", f"{python} (3.11 or newer is needed)"
    )
    for package in PACKAGES:
        try:
            yield Finding(package, "fine", version(package))
        except PackageNotFoundError:
            yield Finding(package, "fault", f"not installed; run: pip install {package}")


def _device() -> Iterator[Finding]:
    import torch

    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            name = torch.cuda.get_device_name(index)
            yield Finding(
                f"cuda:{index}", "fine", f"{name}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
            )
    elif torch.backends.mps.is_available():
        yield Finding("mps", "fine", "Apple GPU")
    else:
        cores = os.cpu_count()
        yield Finding(
            "device", "note", f"no GPU: runs use the CPU, {torch.get_num_threads()} threads of {cores} cores"
        )
    yield Finding("offline", "note", f"HF_HUB_OFFLINE={os.environ.get('HF_HUB_OFFLINE', 'unset')}")


def _store(store: str) -> Finding:
    try:
        kept = open_store(store)
        runs = kept.runs()
    except HarnessError as error:
        if "://" not in store and not Path(store).exists():
            return _future_store(Path(store))
        return Finding("store", "fault", str(error))
    return Finding("store", "fine", f"{store}: {len(runs)} finished runs")


def _future_store(store: Path) -> Finding:
    folder = next(parent for parent in store.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        return Finding("store", "fault", f"{store} cannot be made: {folder} is not writable")
    return Finding("store", "note", f"{store} is not there yet; the first run makes it")


def _checkpoint(checkpoint: str) -> list[Finding]:
    from harness.engine import open_checkpoint

    try:
        with open_checkpoint(checkpoint) as model:
            identity, described = model.identity, model.describe()
            found = [
                Finding("weights", "fine", f"{identity.architecture}, digest {identity.weights}"),
                Finding("checkpoint", "fine", f"{identity.name}, digest {identity.digest}"),
                Finding("context", "fine", f"{model.max_tokens} tokens"),
                Finding("dtype and device", "fine", f"{described.get('dtype')} on {described.get('device')}"),
            ]
            found += [_template(described), *_tokenizer(model, described)]
            return found
    except HarnessError as error:
        return [Finding("checkpoint", "fault", str(error))]


def _template(described: dict[str, Any]) -> Finding:
    facts = described["template"]
    if facts["kind"] == "plain":
        return Finding("chat template", "note", "none applied: plain delimiters")
    return Finding(
        "chat template", "fine", f"applied, clock pinned to {facts['clock']}, system {facts['system']}"
    )


def _tokenizer(model: Any, described: dict[str, Any]) -> Iterator[Finding]:
    samples: tuple[tuple[str, str], ...] = (
        ("English", "The museum closes at nine."),
        ("Chinese", "博物馆九点关门。"),
    )
    count: Callable[[str], int] = model.count_tokens
    for language, text in samples:
        n_tokens = count(text)
        yield Finding(f"tokenizer, {language}", "fine", f"{n_tokens} tokens for {len(text)} characters")
    for note in described["warnings"]:
        yield Finding("note", "note", str(note))
