"""The most memory that a device held while a backend answered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_STATUS = Path("/proc/self/status")
_FORGET = Path("/proc/self/clear_refs")
_FORGET_PEAK = "5"  # proc(5): resets VmHWM to what is held now


def forget_peak(device: torch.device) -> None:
    """Begins a new peak; where the system cannot, the peak of the whole process stays."""
    if device.type == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats(device)
        return
    try:
        _FORGET.write_text(_FORGET_PEAK, encoding="ascii")
    except OSError:
        return  # not Linux, or a closed container: the peak of the process since it began is still true


def peak_bytes(device: torch.device) -> int | None:
    """Bytes at the peak: of the device on CUDA, of this process's resident memory elsewhere; None if not known."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    if _STATUS.is_file():
        for line in _STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return _whole_process()


def _whole_process() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
