"""A domain of facts: which words meet in its sentences, and how one asks for either of them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.demo.world.fact_domains_en import DOMAINS_EN
from harness.demo.world.fact_domains_zh import DOMAINS_ZH
from harness.demo.world.lexicon import Language


@dataclass(frozen=True, slots=True)
class Domain:
    """Sentences that bind an entity to a value.

    Args:
        name: e.g. "lives".
        entity: The slot of `{e}`.
        value: The slot of `{v}`.
        statements: Sentences with `{e}` and `{v}`.
        questions: Ask for the value, given `{e}`.
        reverse_questions: Ask for the entity, given `{v}`.
    """

    name: str
    entity: str
    value: str
    statements: tuple[str, ...]
    questions: tuple[str, ...]
    reverse_questions: tuple[str, ...] = ()


_TABLES = {"en": DOMAINS_EN, "zh": DOMAINS_ZH}


def domains(language: Language) -> tuple[Domain, ...]:
    """The domains of a language; both have the same ones.

    Example:
        >>> [domain.name for domain in domains("en")][:3]
        ['carries', 'lives', 'opens']
    """
    return tuple(Domain(*row) for row in _TABLES[language])
