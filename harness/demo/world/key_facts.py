"""Key-information questions: one sentence of a passage decides, the others say other things."""

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


def _pair(
    domain: Domain, rng: Rng, *, language: Language, split: Split, taken: set[str]
) -> tuple[str, str] | None:
    """An entity and a value of the split, neither of them taken."""
    entities = [word for word in words(domain.entity, language) if word not in taken]
    values = [word for word in words(domain.value, language) if word not in taken]
    for entity in rng.shuffled(entities):
        fitting = [
            value for value in values if split_of("fact", language, domain.name, entity, value) == split
        ]
        if fitting:
            return entity, rng.choice(fitting)
    return None


def _sentence(template: str, entity: str, value: str) -> str:
    filled = template.format(e=entity, v=value)
    return filled[0].upper() + filled[1:]


def passage(
    rng: Rng, *, language: Language, split: Split, n: int = 5, slips: float = 0.0
) -> tuple[Fact, ...]:
    """`n` sentences, each of another domain, in the order they are told; no word stands in two of them.

    Args:
        rng: Where every choice comes from.
        language: "en" or "zh".
        split: Where all the pairs of words come from.
        n: How many sentences.
        slips: Share of slips of the pen (see `noise.with_slips`).
    """
    facts: list[Fact] = []
    taken: set[str] = set()
    for domain in rng.shuffled(domains(language)):
        pair = _pair(domain, rng, language=language, split=split, taken=taken)
        if pair is None:
            continue
        taken.update(pair)
        template = with_slips(rng.choice(domain.statements), rng, share=slips)
        facts.append(Fact(domain, *pair, template, _sentence(template, *pair)))
        if len(facts) == n:
            break
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
    n_distractors: tuple[int, int] = (4, 4),
) -> Item:
    """One item.

    Args:
        rng: Where every choice comes from.
        language: "en" or "zh".
        split: No pair of words is shared with another split.
        position: Whether the key sentence stands anywhere or always first.
        n_distractors: The fewest and the most sentences beside the key one.
    """
    fewest, most = n_distractors
    n = 1 + fewest + rng.integer(most - fewest + 1)
    facts = passage(rng, language=language, split=split, n=n)
    key = 0 if position == "first" else rng.integer(len(facts))
    return question_item(facts, key, rng, language=language)
