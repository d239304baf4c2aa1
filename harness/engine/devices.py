"""Where a model runs and in which number format, chosen sensibly or as told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.errors import UsageError
from harness.core.naming import unknown_name

if TYPE_CHECKING:
    import torch

DTYPES = {
    "float32": "float32",
    "fp32": "float32",
    "bfloat16": "bfloat16",
    "bf16": "bfloat16",
    "float16": "float16",
    "fp16": "float16",
}
DEVICES = ("auto", "cpu", "cuda", "mps")


def chosen_device(name: str = "auto") -> torch.device:
    """The device of a name; `auto` is the first of cuda, mps and cpu that is there.

    Raises:
        UnknownName: If there is no such kind of device.
        UsageError: If this machine has none of it.

    Example:
        >>> chosen_device("cpu").type
        'cpu'
    """
    import torch

    kind, _, index = name.partition(":")
    if kind not in DEVICES or (index and not index.isdigit()):
        raise unknown_name("device", name, DEVICES)
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind == "auto":
        return torch.device(next(option for option in ("cuda", "mps", "cpu") if there[option]))
    if not there[kind]:
        raise UsageError(f"Device '{name}' is not available on this machine; use --device auto or cpu.")
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        raise UsageError(
            f"Device '{name}': this machine has {torch.cuda.device_count()} CUDA device(s), from cuda:0."
        )
    return torch.device(name)


def chosen_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number format of a name; `auto` is bf16 on a GPU that has it, fp16 on others, fp32 on the CPU.

    Raises:
        UnknownName: If there is no such format.

    Example:
        >>> chosen_dtype("auto", chosen_device("cpu"))
        torch.float32
    """
    import torch

    if name == "auto":
        if device.type == "cpu":
            return torch.float32
        has_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if has_bf16 else torch.float16
    if name not in DTYPES:
        raise unknown_name("dtype", name, ("auto", *DTYPES))
    dtype: torch.dtype = getattr(torch, DTYPES[name])
    return dtype


def device_name(device: torch.device) -> str:
    """What people call the device."""
    import platform

    import torch

    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return platform.processor() or platform.machine() or device.type
