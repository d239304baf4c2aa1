"""The decorator that makes a function a transform, and what it declares of itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from harness.core.errors import TransformError

Pool = Literal["challenge", "treatment", "sealed"]
POOLS: tuple[Pool, ...] = get_args(Pool)
ANY_LANGUAGE = "*"
FIXED_PARAMETERS = frozenset({"item", "rng", "pool"})

Function = TypeVar("Function", bound=Callable[..., Any])


class Preserves(Enum):
    """What a transform does to the right answer.

    ANSWER: it stays. MOVES: it moves with a known map (an option's index, a label's name).
    CHANGES: it becomes another, known answer.
    """

    ANSWER = "answer"
    MOVES = "moves"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a transform: its annotation, which says type and range, and its default."""

    name: str
    annotation: Any
    default: Any


@dataclass(frozen=True, slots=True)
class TransformSpec:
    """What a transform declares.

    Args:
        name: The function's name, which is its key.
        family: position, noise, order, labels ... Noise and meaning are held to the rules of
            `validity.py`.
        preserves: What becomes of the right answer.
        touches: Prompt parts it may edit under its default parameters.
        languages: Primary language tags; "*" for every language.
        enumerates: Whether it lists levels (positions, orders) and so keeps the identity among them.
        respells: Whether it rewrites characters wholesale (script, width), number words included.
        unmet: Why an item gives nothing, for the count of rejections.
        parameters: Its parameters, in order.
        takes_pool: Whether its function takes `pool`.
        in_place: Whether it is held to the rules of `validity.py` though its family is another.
    """

    name: str
    family: str
    preserves: Preserves
    touches: frozenset[str]
    languages: frozenset[str]
    enumerates: bool = False
    respells: bool = False
    unmet: str = "nothing to change"
    parameters: tuple[Parameter, ...] = ()
    takes_pool: bool = True
    in_place: bool = False

    def covers(self, language: str) -> bool:
        """Whether items of this language may be given to it."""
        return ANY_LANGUAGE in self.languages or language.split("-")[0] in self.languages

    @property
    def is_noise(self) -> bool:
        """Whether it edits texts in place: its results must keep protected text and differ from their source."""
        return self.in_place or self.family in ("noise", "meaning")


def _parameters(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    hints = get_type_hints(function, include_extras=True)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in FIXED_PARAMETERS:
            continue
        if (
            parameter.kind is not inspect.Parameter.KEYWORD_ONLY
            or parameter.default is inspect.Parameter.empty
        ):
            raise TransformError(
                f"Transform '{function.__name__}': parameter '{name}' must be keyword-only with a default."
            )
        found.append(Parameter(name, hints.get(name, Any), parameter.default))
    return tuple(found)


def transform(
    *,
    family: str = "noise",
    preserves: Preserves,
    touches: Collection[str],
    languages: Collection[str] = (ANY_LANGUAGE,),
    enumerates: bool = False,
    respells: bool = False,
    in_place: bool = False,
    unmet: str = "nothing to change",
) -> Callable[[Function], Function]:
    """Attaches a `TransformSpec` to `function(item, rng, *, pool="challenge", **params) -> Iterable[Change]`.

    The function stays as it is and may be called directly. `pool` may be left out of its signature.
    The arguments are those of `TransformSpec`.

    Example:
        >>> @transform(preserves=Preserves.ANSWER, touches={"question"}, languages={"en"})
        ... def shout(item, rng, *, severity: float = 0.5):
        ...     return ()
        >>> [parameter.name for parameter in specification_of(shout).parameters]
        ['severity']
    """

    def attach(function: Function) -> Function:
        function.specification = TransformSpec(  # type: ignore[attr-defined]
            name=function.__name__,
            family=family,
            preserves=preserves,
            touches=frozenset(touches),
            languages=frozenset(languages),
            enumerates=enumerates,
            respells=respells,
            unmet=unmet,
            parameters=_parameters(function),
            in_place=in_place,
            takes_pool="pool" in inspect.signature(function).parameters,
        )
        return function

    return attach


def specification_of(function: Callable[..., Any], name: str | None = None) -> TransformSpec:
    """The specification that `transform` attached.

    Raises:
        TransformError: If the function carries none.
    """
    spec = getattr(function, "specification", None)
    if not isinstance(spec, TransformSpec):
        called = name or getattr(function, "__name__", repr(function))
        raise TransformError(f"Transform '{called}' declares nothing; put @transform(...) above it.")
    return spec
