"""The demo's files: two training sets that differ in one respect, and the suites that both candidates face."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.core.items import Item
from harness.core.rng import rng_for
from harness.demo.world import ASKING, FAMILIES, items
from harness.demo.world.key_facts import Position
from harness.suites import Suite, write_suite
from harness.transforms.plan import Plan, Step

POSITION_SUITE = "demo-fact-position"
FACT_SUITE = "demo-facts"
REPLAY_SHARE = 0.5
SPOTS = (0.0, 0.25, 0.5, 0.75, 1.0)
VERSION = "2026.1"
LICENCE = "Apache-2.0"

_METRICS: dict[str, tuple[str, ...]] = {
    "key_facts": ("exact_match", "token_f1_score"),
    "sentiment": ("accuracy",),
    "topic": ("accuracy",),
    "extraction": ("field_accuracy", "json_validity_score"),
    "choice": ("accuracy",),
    "arithmetic": ("exact_match",),
}
_SUMMARIES = {
    "key_facts": "Key facts in short passages, told as the training data tell them: the deciding sentence first.",
    "sentiment": "Sentiment of short reviews, with negation and mixed feelings.",
    "topic": "The topic of a short message among those listed.",
    "extraction": "Facts of a short message as a JSON record.",
    "choice": "Multiple choice among listed options: kinds, opposites, largest and smallest numbers.",
    "arithmetic": "Sums and differences of small numbers.",
}


def training_items(*, position: Position, n: int = 4800, seed: int = 1) -> tuple[Item, ...]:
    """Items to fine-tune on: key facts of word pairs the base has not seen, and a replay of the other families.

    The two training sets of the demo differ in `position` alone.

    Args:
        position: Where the deciding sentence stands: "any" is the honest set, "first" the planted weakness.
        n: How many, the replay included.
        seed: Of the items and their order.
    """
    others = [family for family in FAMILIES if family != "key_facts"]
    n_each = round(n * REPLAY_SHARE / len(others))
    replay = [item for family in others for item in items(family, n=n_each, seed=seed)]
    facts = items("key_facts", n=n - len(replay), seed=seed, split="treatment", position=position)
    return tuple(rng_for(seed, "training order").shuffled([*facts, *replay]))


def write_items(path: Path, written: Sequence[Item]) -> Path:
    """One item a line, in the shape of a suite's items."""
    from harness.core.codec import item_to_json

    lines = [json.dumps(item_to_json(item), ensure_ascii=False) for item in written]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _suite(name: str, family: str, asked: tuple[Item, ...], *, summary: str, plan: Plan) -> Suite:
    metrics = _METRICS[family]
    return Suite(
        name=name,
        version=VERSION,
        summary=summary,
        licence=LICENCE,
        languages=("en", "zh"),
        asking=ASKING[family],
        metrics=metrics,
        primary=metrics[0],
        plan=plan,
        smoke=40,
        items=asked,
    )


def standard_suites(*, n: int = 200, n_facts: int = 320, seed: int = 1) -> tuple[Suite, ...]:
    """The plain test set, one suite a family: what a team would hold out from data like its training data.

    Args:
        n: Items of each other family.
        n_facts: Key-fact items; the deciding sentence stands first in each, as in the planted training set.
        seed: Of the items.
    """
    facts = items("key_facts", n=n_facts, seed=seed, split="test", position="first")
    suites = [_suite(FACT_SUITE, "key_facts", facts, summary=_SUMMARIES["key_facts"], plan=Plan())]
    for family in FAMILIES:
        if family != "key_facts":
            asked = items(family, n=n, seed=seed, split="test")
            suites.append(_suite(f"demo-{family}", family, asked, summary=_SUMMARIES[family], plan=Plan()))
    return tuple(suites)


def position_suite(*, n: int = 320, seed: int = 1) -> Suite:
    """The challenge set: the same kind of facts, the deciding sentence at each of five places."""
    facts = items("key_facts", n=n, seed=seed, split="test", position="first")
    plan = Plan(steps=((Step("context_rotation", {"positions": SPOTS}),),))
    summary = "Does the answer survive when the deciding sentence moves through the passage?"
    return _suite(POSITION_SUITE, "key_facts", facts, summary=summary, plan=plan)


def write_suites(folder: Path, *, n: int = 200, n_facts: int = 320, seed: int = 1) -> tuple[Path, ...]:
    """Writes the standard suites and the challenge set as folders, each with its card."""
    suites = (
        *standard_suites(n=n, n_facts=n_facts, seed=seed),
        # The same facts as the plain test set: what differs between the two suites is the place alone.
        position_suite(n=n_facts, seed=seed),
    )
    written = []
    for suite in suites:
        path = write_suite(folder / suite.name, suite)
        (path / "CARD.md").write_text(_card(suite, seed=seed), encoding="utf-8")
        written.append(path)
    return tuple(written)


def _card(suite: Suite, *, seed: int) -> str:
    return (
        f"# {suite.name}\n\n{suite.summary}\n\n"
        f"- Purpose: the harness's demo; not a measure of any model outside it.\n"
        f"- Source: generated by `harness.demo.world`, seed {seed}, test split; no combination of words stands "
        f"in any training data of the demo.\n"
        f"- Licence: {suite.licence}\n"
        f"- Size: {len(suite.items)} items, half English, half Chinese.\n"
        "- Known limits: a small closed vocabulary and fixed sentence frames, built so that a model of two "
        "million parameters can do the task.\n"
    )
