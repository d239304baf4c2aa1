"""One line of a suite's `variants:` read into chains of steps: chain, choose, repeat and sweep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from harness.core.errors import TransformError
from harness.core.naming import suggestion

_ENTRY_KEYS = ("chain", "draws", "choose", "repeat", "sweep")
_MOST_REPEATS = 20
_MOST_SWEPT = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One transform with the parameters that are not left at their defaults, or a choice between such.

    Args:
        transform: Its name; empty for a choice.
        params: Given parameters.
        choices: Steps that one is drawn from for each item.
    """

    transform: str
    params: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[Step, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in a chain's name."""
        return (
            f"choose({', '.join(one.transform for one in self.choices)})" if self.choices else self.transform
        )


Entry = tuple[Step, ...]


def step_to_json(step: Step) -> dict[str, Any]:
    """The step as it is written in a suite."""
    if step.choices:
        return {"choose": [step_to_json(one) for one in step.choices]}
    return {step.transform: dict(step.params)}


def _step(value: Any, place: str) -> Step:
    """A name, `{name: {...}}` or `{choose: [...]}`."""
    if isinstance(value, str):
        return Step(value)
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, given),) = value.items()
        if name == "choose":
            if not isinstance(given, list | tuple) or len(given) < 2:
                raise TransformError(
                    f"{place}: choose is {given!r}; write a list of at least two transforms."
                )
            choices = tuple(_step(one, f"{place}.choose[{at}]") for at, one in enumerate(given))
            if any(one.choices for one in choices):
                raise TransformError(f"{place}: choose stands inside choose; write one list.")
            return Step("", choices=choices)
        if isinstance(name, str) and (given is None or isinstance(given, Mapping)):
            return Step(name, dict(given or {}))
    raise TransformError(f"{place} is {value!r}; write a transform's name or {{name: {{parameter: value}}}}.")


def _whole(value: Any, what: str, most: int, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise TransformError(f"{place}: {what} is {value!r}; allowed is a whole number, 1 to {most}.")
    return value


def _alone(entry: Mapping[str, Any], key: str, place: str) -> None:
    if entry:
        raise TransformError(f"{place}: '{min(entry)}' cannot stand beside '{key}'; put it into the {key}.")


def entries_of(value: Any, place: str) -> Iterator[tuple[Entry, int]]:
    """The chains that one line stands for, each with its number of draws.

    Raises:
        TransformError: For a line of another shape, or a number out of range.

    Example:
        >>> swept = {"sweep": "typo", "over": {"severity": [0.02, 0.1]}}
        >>> [chain[0].params for chain, draws in entries_of(swept, "variants[0]")]
        [{'severity': 0.02}, {'severity': 0.1}]
        >>> [[step.transform for step in chain] for chain, _ in entries_of({"repeat": "typo", "times": 2}, "here")]
        [['typo', 'typo']]
    """
    if not isinstance(value, Mapping):
        yield (_step(value, place),), 1
        return
    entry = dict(value)
    draws = _whole(entry.pop("draws", 1), "draws", 1000, place)
    if "sweep" in entry:
        yield from ((steps, draws) for steps in _swept(entry, place))
    elif "repeat" in entry:
        step = _step(entry.pop("repeat"), f"{place}.repeat")
        times = _whole(entry.pop("times", 2), "times", _MOST_REPEATS, place)
        _alone(entry, "repeat", place)
        yield (step,) * times, draws
    elif "chain" in entry:
        links = entry.pop("chain")
        _alone(entry, "chain", place)
        if not isinstance(links, list | tuple) or not links:
            raise TransformError(f"{place}: chain is {links!r}; write a list of at least one transform.")
        yield tuple(_step(link, f"{place}.chain[{at}]") for at, link in enumerate(links)), draws
    elif len(entry) > 1:
        names = ", ".join(sorted(map(str, entry)))
        hint = "".join(suggestion(str(name), _ENTRY_KEYS) for name in sorted(entry, key=str))
        raise TransformError(f"{place} names {names} together; give each its own line or use chain.{hint}")
    else:
        yield (_step(entry, place),), draws


def _swept(entry: dict[str, Any], place: str) -> Iterator[Entry]:
    """One step per combination of the values listed under `over`."""
    step = _step(entry.pop("sweep"), f"{place}.sweep")
    over = entry.pop("over", None)
    _alone(entry, "sweep", place)
    if not isinstance(over, Mapping) or not over or step.choices:
        raise TransformError(f"{place}: over is {over!r}; write {{parameter: [values]}}.")
    for name, values in over.items():
        if not isinstance(values, list | tuple) or not values:
            raise TransformError(f"{place}: over.{name} is {values!r}; write a list of values.")
    combinations = list(product(*over.values()))
    if len(combinations) > _MOST_SWEPT:
        raise TransformError(f"{place}: the sweep has {len(combinations)} steps; the most is {_MOST_SWEPT}.")
    for values in combinations:
        yield (Step(step.transform, {**step.params, **dict(zip(over, values, strict=True))}),)
