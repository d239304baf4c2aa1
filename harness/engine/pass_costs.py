"""What a pass of the model costs, in a model of three stated terms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PassCosts:
    """Cost of a pass: each token, each attention cell, and the pass itself, in any one unit.

    With the defaults the unit is the time of one token through the body of a small model on a CPU; measured
    seconds serve as well, since only ratios decide.

    Args:
        token: Of one token through every layer, attention left out.
        cell: Of one pair of a query and a key through every layer, masked pairs included.
        one_pass: Of starting a pass, whatever it holds.
    """

    token: float = 1.0
    cell: float = 3e-4
    one_pass: float = 60.0

    def of(self, *, n_rows: int, width: int, depth: int) -> float:
        """Cost of a pass of `n_rows` rows padded to `width` tokens after `depth` kept ones.

        Example:
            >>> PassCosts(token=1, cell=0.5, one_pass=10).of(n_rows=2, width=3, depth=4)
            37.0
        """
        return self.one_pass + n_rows * width * (self.token + self.cell * (depth + width))
