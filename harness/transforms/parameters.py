"""Parameters of a transform checked against its signature, with the allowed range in the message."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from harness.core.errors import TransformError
from harness.core.naming import suggestion
from harness.transforms.declaration import TransformSpec


@dataclass(frozen=True, slots=True)
class Between:
    """The closed range of a number, or of a list's length: `Annotated[float, Between(0, 1)]`."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


Share = Annotated[float, Between(0.0, 1.0)]


class _Refused(ValueError):
    """Carries what was expected, up to the message that names transform and parameter."""


def _number(value: Any, *, integer: bool) -> Any:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or (integer and value != int(value)):
        raise _Refused("a whole number" if integer else "a number")
    return int(value) if integer else float(value)


def _alternatives(value: Any, options: tuple[Any, ...]) -> Any:
    expected = []
    for option in options:
        try:
            return _checked(value, option)
        except _Refused as refused:
            expected.append(str(refused))
    raise _Refused(" or ".join(expected))


def _checked(value: Any, annotation: Any) -> Any:
    """The value in the annotation's type (JSON lists become tuples), or `_Refused`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return value
    if annotation is None or annotation is type(None):
        if value is not None:
            raise _Refused("null")
        return None
    if origin is Annotated:
        inner = _checked(value, arguments[0])
        for limit in arguments[1:]:
            measured = inner if isinstance(inner, int | float) else len(inner)
            if isinstance(limit, Between) and not limit.low <= measured <= limit.high:
                unit = "" if isinstance(inner, int | float) else " entries"
                raise _Refused(f"{limit}{unit}")
        return inner
    if origin is Literal:
        if value not in arguments or isinstance(value, bool) != isinstance(arguments[0], bool):
            listed = ", ".join(map(str, arguments))
            hint = suggestion(value, map(str, arguments)) if isinstance(value, str) else ""
            raise _Refused(f"one of {listed}.{hint}".rstrip("."))
        return value
    if origin is Union or origin is types.UnionType:
        return _alternatives(value, arguments)
    if origin in (tuple, Sequence):
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise _Refused("a list")
        return tuple(_checked(entry, arguments[0]) for entry in value)
    if annotation in (int, float):
        return _number(value, integer=annotation is int)
    if not isinstance(value, annotation):
        raise _Refused(
            {"str": "a text", "bool": "true or false"}.get(annotation.__name__, annotation.__name__)
        )
    return value


def checked_params(spec: TransformSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters, the given ones checked and the others at their defaults.

    Raises:
        TransformError: For an unknown parameter ("did you mean"), a wrong type, or a value out of range.

    Example:
        >>> from harness.transforms import specification
        >>> checked_params(specification("context_rotation"), {"positions": [0, 1]})
        {'positions': (0.0, 1.0)}
    """
    known = {parameter.name: parameter for parameter in spec.parameters}
    for name in given:
        if name not in known:
            listed = f" It takes: {', '.join(known) or 'nothing'}."
            raise TransformError(
                f"Transform '{spec.name}' has no parameter '{name}'.{suggestion(str(name), known) or listed}"
            )
    values = {}
    for name, parameter in known.items():
        value = given.get(name, parameter.default)
        try:
            values[name] = _checked(value, parameter.annotation)
        except _Refused as refused:
            raise TransformError(
                f"Transform '{spec.name}': {name} is {value!r}; allowed is {refused}."
            ) from refused
    return values
