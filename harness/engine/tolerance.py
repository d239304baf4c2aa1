"""How far two log-likelihoods of the same tokens may differ by rounding alone."""

from __future__ import annotations

# Per number format: nats, and nats per nat of the log-likelihood. fp32 was measured over batch shapes; the half
# formats follow from the spacing of logits of a few tens (2^-8 and 2^-11 of the value).
_ALLOWED = {"float32": (1e-4, 1e-6), "float16": (2e-2, 2e-3), "bfloat16": (1.5e-1, 1e-2)}


def tolerance_nats(dtype: str, logprob_nats: float) -> float:
    """The largest difference that rounding explains.

    Args:
        dtype: float32, float16 or bfloat16; any other counts as float32.
        logprob_nats: One of the two values.

    Example:
        >>> tolerance_nats("float32", -3.0), tolerance_nats("float32", -2900.0)
        (0.0001, 0.0029)
    """
    least, share = _ALLOWED.get(dtype, _ALLOWED["float32"])
    return max(least, share * abs(logprob_nats))
