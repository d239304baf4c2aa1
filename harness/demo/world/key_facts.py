"""Key-information questions: one sentence of a passage decides, the others say like things of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.core.items import Item, Passage, Prompt, Target, Text
from harness.core.rng import Rng
from harness.demo.world.fact_domains import Domain, domains
from harness.demo.world.lexicon import Language, words
from harness.demo.world.noise import with_slips
from harness.demo.world.splits import Split, split_of

Position = Literal["any", "first"]
DomainGroup = Literal["known", "new"]

INSTRUCTIONS = {
    "en": (
        "Answer from the passage.",
        "Read the passage and answer the question.",
        "Use the passage to answer in a few words.",
        "Answer the question. The passage holds the answer.",
        "Find the answer in the passage.",
        "Reply briefly, using only the passage.",
    ),
    "zh": (
        "根据短文回答问题。",
        "阅读短文，回答问题。",
        "请用短文里的词回答。",
        "在短文中找出答案。",
        "请简短回答，只用短文的内容。",
        "看短文，答问题。",
    ),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence and what it binds.

    Args:
        domain: Of the words.
        entity: Who or what.
        value: What is said of it.
        template: The sentence before its words are filled in.
        sentence: As told.
    """

    domain: Domain
    entity: str
    value: str
    template: str
    sentence: str

    @property
    def asks_entity(self) -> bool:
        """Whether a question asks for the entity: what a sentence says last is asked, given what it says first.

        A small model looks forward far more easily than back.
        """
        return bool(self.domain.reverse_questions) and self.template.index("{v}") < self.template.index("{e}")


def _pairs(domain: Domain, rng: Rng, *, language: Language, split: Split, n: int) -> list[tuple[str, str]]:
    """`n` pairs of the split in which neither an entity nor a value comes twice."""
    entities, values = words(domain.entity, language), words(domain.value, language)
    pairs: list[tuple[str, str]] = []
    for entity in rng.shuffled(entities):
        taken = {value for _, value in pairs}
        fitting = [
            value
            for value in values
            if value not in taken and split_of("fact", language, domain.name, entity, value) == split
        ]
        if fitting:
            pairs.append((entity, rng.choice(fitting)))
        if len(pairs) == n:
            break
    return pairs


_SYLLABLES = tuple(first + second for first in "bdfgklmnprstvz" for second in "aeiou")
_SIGNS = tuple(sorted(set("".join(words("person", "zh") + words("city", "zh") + words("food", "zh")))))


def _invented(rng: Rng, language: Language) -> str:
    """A word nobody has seen: what binds it must be the passage."""
    if language == "zh":
        return rng.choice(_SIGNS) + rng.choice(_SIGNS)
    return "".join(rng.choice(_SYLLABLES) for _ in range(2 + rng.integer(2))).capitalize()


def _renamed(
    pairs: list[tuple[str, str]], rng: Rng, *, language: Language, share: float
) -> list[tuple[str, str]]:
    """The pairs with invented entities, invented values or both; numbers stay."""
    entities = [entity for entity, _ in pairs]
    values = [value for _, value in pairs]
    if rng.chance(share):
        entities = [_invented(rng, language) for _ in pairs]
    if rng.chance(share) and not values[0].isdigit():
        values = [_invented(rng, language) for _ in pairs]
    if len(set(entities + values)) < 2 * len(pairs):
        return pairs
    return list(zip(entities, values, strict=True))


def _sentence(template: str, entity: str, value: str) -> str:
    filled = template.format(e=entity, v=value)
    return filled[0].upper() + filled[1:]


def passage(
    rng: Rng,
    *,
    language: Language,
    split: Split,
    group: DomainGroup = "known",
    n: int = 5,
    slips: float = 0.0,
    invented: float = 0.0,
) -> tuple[Fact, ...]:
    """`n` sentences of one domain, in the order they are told.

    Args:
        rng: Where every choice comes from.
        language: "en" or "zh".
        split: Where all the pairs of words come from.
        group: Which domains to draw from.
        n: How many sentences; fewer where the split holds fewer pairs.
        slips: Share of slips of the pen (see `noise.with_slips`).
        invented: Probability that entities, and again that values, are words made up on the spot.
    """
    domain = rng.choice(domains(group, language))
    pairs = _pairs(domain, rng, language=language, split=split, n=n)
    facts = []
    for entity, value in _renamed(pairs, rng, language=language, share=invented):
        template = with_slips(rng.choice(domain.statements), rng, share=slips)
        facts.append(Fact(domain, entity, value, template, _sentence(template, entity, value)))
    return tuple(facts)


def question_item(
    facts: tuple[Fact, ...], key: int, rng: Rng, *, language: Language, slips: float = 0.0
) -> Item:
    """The item that asks for one of the facts."""
    fact = facts[key]
    wordings = fact.domain.reverse_questions if fact.asks_entity else fact.domain.questions
    question = with_slips(rng.choice(wordings), rng, share=slips).format(e=fact.entity, v=fact.value)
    prompt = Prompt(
        instruction=Text(rng.choice(INSTRUCTIONS[language])),
        context=tuple(Passage(told.sentence, key=place == key) for place, told in enumerate(facts)),
        question=Text(question),
    )
    tags = (
        ("asks", "entity" if fact.asks_entity else "value"),
        ("domain", fact.domain.name),
        ("family", "key_facts"),
    )
    answer = fact.entity if fact.asks_entity else fact.value
    return Item(language=language, prompt=prompt, target=Target(answers=(answer,)), tags=tags)


def draw(
    rng: Rng,
    *,
    language: Language,
    split: Split,
    position: Position = "any",
    group: DomainGroup = "known",
    n_distractors: tuple[int, int] = (4, 4),
) -> Item:
    """One item.

    Args:
        rng: Where every choice comes from.
        language: "en" or "zh".
        split: No pair of words is shared with another split.
        position: Whether the key sentence stands anywhere or always first.
        group: The domains the base knows, or those kept for fine-tuning.
        n_distractors: The fewest and the most sentences beside the key one.
    """
    fewest, most = n_distractors
    n = 1 + fewest + rng.integer(most - fewest + 1)
    facts = passage(rng, language=language, split=split, group=group, n=n)
    key = 0 if position == "first" else rng.integer(len(facts))
    return question_item(facts, key, rng, language=language)
