"""Hand-checked cases of transforms, one file each: what may come of a text, and where nothing may.

Every line was written by hand; where a run gave a right result that had been forgotten, that was judged by hand and
added. `one_of` lists all right results, whichever pool the draw comes from; null says that nothing must come of it.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.core.codec import item_from_json, item_to_json
from harness.core.items import Item, Prompt, Target, Text
from harness.transforms import POOLS, specification
from harness.transforms.plan import Step, apply_chain, bind

FOLDER = Path(__file__).parent / "transforms"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def _cases(name: str) -> list[dict[str, Any]]:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


CASES = [(name, at, case) for name in NAMES for at, case in enumerate(_cases(name))]


def _item(case: dict[str, Any]) -> Item:
    """The item as written, or one whose only part is a question."""
    if "item" in case:
        return item_from_json(case["item"])
    question = Text(case["text"], tuple(case.get("protect", ())))
    answers = tuple(case.get("answers", ()))
    return Item(case["language"], Prompt(question=question), Target(answers=answers) if answers else None)


def _made(case: dict[str, Any], name: str, item: Item) -> list[Any]:
    """What every pool makes of the item in three draws: texts, or whole items where the case says one."""
    chain = bind([Step(name, case.get("params", {}))])
    applied = [apply_chain(item, chain, seed=1, pool=pool, draw=draw) for pool in POOLS for draw in range(3)]
    made = [change.item for one in applied for change in one.changes]
    if "item" in case:
        records = [item_to_json(one) for one in made]
        return [{"prompt": one["prompt"], "target": one.get("target")} for one in records]
    return [one.prompt.question.text for one in made if one.prompt.question is not None]


@pytest.mark.parametrize(("name", "at", "case"), CASES, ids=[f"{name}-{at}" for name, at, _ in CASES])
def test_what_comes_of_a_text_was_foreseen_by_hand(name: str, at: int, case: dict[str, Any]) -> None:
    item = _item(case)
    made = _made(case, name, item)
    if case["one_of"] is None:
        assert not made
        return
    allowed = case["one_of"]
    if "item" in case:  # only what a result changes is written down
        source = item_to_json(item)
        allowed = [
            {
                "prompt": {**source["prompt"], **one.get("prompt", {})},
                "target": one.get("target", source.get("target")),
            }
            for one in allowed
        ]
    assert made and all(one in allowed for one in made), [one for one in made if one not in allowed][:2]


@pytest.mark.parametrize("name", NAMES)
def test_every_language_has_four_cases_that_apply_and_two_that_do_not(name: str) -> None:
    counts: Counter[tuple[str, bool]] = Counter()
    for case in _cases(name):
        language = case["item"]["language"] if "item" in case else case["language"]
        counts[(language, case["one_of"] is not None)] += 1
    for language in ("en", "zh"):
        if specification(name).covers(language):
            assert counts[(language, True)] >= 4 and counts[(language, False)] >= 2, (name, language, counts)
