"""The numbers that shape the passes of a run; a run that goes on under the same numbers scores bit for bit alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.core.errors import StoreError
from harness.engine.pass_costs import PassCosts
from harness.engine.path_probe import ScoringPath


@dataclass(frozen=True, slots=True)
class ScoringPlan:
    """How scoring is cut into passes.

    Args:
        path: The way of scoring.
        row_tokens: Most tokens of a packed row.
        pass_tokens: Most tokens of a pass, padding included.
        batch_tokens: Most tokens of a plain batch, padding included.
        costs: What passes cost, to decide which prefixes are kept.
    """

    path: ScoringPath
    row_tokens: int
    pass_tokens: int
    batch_tokens: int
    costs: PassCosts = PassCosts()

    def to_json(self) -> dict[str, Any]:
        """A JSON-able record.

        Example:
            >>> plan = ScoringPlan("tree", 256, 512, 2048)
            >>> ScoringPlan.from_json(plan.to_json()) == plan
            True
        """
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ScoringPlan:
        """The plan of a record.

        Raises:
            StoreError: If the record is not one of this version.
        """
        try:
            return cls(**{**record, "costs": PassCosts(**record["costs"])})
        except (KeyError, TypeError) as exc:
            raise StoreError(
                f"The stored scoring plan {dict(record)!r} is not one of this version ({exc}); remove the "
                "unfinished run and start it again."
            ) from exc
