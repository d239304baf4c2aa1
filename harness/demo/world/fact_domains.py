"""A domain of facts: which words meet in its sentences, and how one asks for either of them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.demo.world.fact_domains_en import KNOWN_EN, NEW_EN
from harness.demo.world.fact_domains_zh import KNOWN_ZH, NEW_ZH
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


_TABLES = {
    ("known", "en"): KNOWN_EN,
    ("new", "en"): NEW_EN,
    ("known", "zh"): KNOWN_ZH,
    ("new", "zh"): NEW_ZH,
}


def domains(group: str, language: Language) -> tuple[Domain, ...]:
    """The domains that the base was trained on ("known"), or those kept for fine-tuning ("new").

    Example:
        >>> [domain.name for domain in domains("known", "en")][:3]
        ['carries', 'lives', 'opens']
    """
    return tuple(Domain(*row) for row in _TABLES[(group, language)])
