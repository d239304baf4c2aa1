"""Treatments: on a share of the items, from their own pool, counted, and never for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.core.errors import RecipeError
from harness.core.items import Item, Target
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.finetune import Recipe
from harness.finetune.examples import Example, read_source
from harness.finetune.treat import TreatmentCount, treated

ROWS = [
    {"q": f"Who left parcel {n}?", "a": "Ada", "c": [f"Ada left {n}.", "Bob slept.", "Cid ate."]}
    for n in range(200)
]
SOURCE = {"map": {"question": "q", "answer": "a", "context": "c"}}
CHAT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}


def _treated(recipe: Recipe) -> tuple[tuple[Example, ...], tuple[Example, ...], tuple[TreatmentCount, ...]]:
    shape = recipe.shape.data[0]
    before = read_source(recipe, ("data", 0), shape, recipe.file(shape.path)).examples
    return (before, *treated(recipe, before))


def test_about_the_share_is_treated_and_counted(recipe_over: Callable[..., Recipe]) -> None:
    top = {"treatments": [{"transform": "component_order", "share": 0.5}]}
    before, after, (count,) = _treated(recipe_over(ROWS, source=SOURCE, top=top))
    changed = sum(one.item != other.item for one, other in zip(before, after, strict=True))
    assert 70 < count.n_drawn < 130  # four standard deviations of a binomial(200, 0.5)
    assert changed == count.n_changed <= count.n_drawn
    assert [one.line for one in after] == [one.line for one in before]


def test_a_treatment_of_an_item_does_not_depend_on_its_neighbours(recipe_over: Callable[..., Recipe]) -> None:
    top = {"treatments": [{"transform": "typo", "share": 0.5}]}
    _, whole, _ = _treated(recipe_over(ROWS, source=SOURCE, top=top))
    _, half, _ = _treated(recipe_over(ROWS[::2], source=SOURCE, top=top))
    assert [one.item for one in half] == [one.item for one in whole[::2]]


def test_the_answer_moves_with_what_it_names(recipe_over: Callable[..., Recipe]) -> None:
    rows = [{"q": f"Which, {n}?", "a": "left", "o": ["left", "noon", "parcel"]} for n in range(60)]
    source = {"map": {"question": "q", "answer": "a", "options": "o"}, "task": "multiple_choice"}
    top = {"treatments": [{"transform": "option_order"}]}
    _, after, (count,) = _treated(recipe_over(rows, source=source, top=top))
    assert count.n_changed > 20
    for one in after:
        assert one.item is not None and one.item.target is not None and one.item.target.option is not None
        assert one.item.prompt.options[one.item.target.option] == "left"


def test_treatments_draw_from_their_own_pool(
    recipe_over: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.transforms import TRANSFORMS, typo
    from harness.transforms.declaration import transform

    seen = set()
    original = typo.typo

    def watched(item: Item, rng: Rng, *, pool: str = "challenge", **params: Any) -> Iterator[Change]:
        seen.add(pool)
        return original(item, rng, pool=pool, **params)

    watched.specification = original.specification  # type: ignore[attr-defined]
    assert transform is not None
    monkeypatch.setattr(type(TRANSFORMS), "get", lambda self, name: watched)
    _treated(recipe_over(ROWS[:9], source=SOURCE, top={"treatments": [{"transform": "typo"}]}))
    assert seen == {"treatment"}


@pytest.mark.parametrize(
    ("rows", "source", "treatment", "told"),
    [
        ([CHAT] * 3, {}, {"transform": "typo"}, "a conversation has no typed parts to change (3)"),
        (
            ROWS[:4],
            SOURCE,
            {"transform": "option_order"},
            "treatments[0]: Treatment 'option_order' changed nothing",
        ),
        (
            ROWS[:1],
            SOURCE,
            {"transform": "typo", "share": 0.001},
            "fell on none of 1 examples with share 0.001",
        ),
    ],
)
def test_a_treatment_that_changes_nothing_is_an_error(
    recipe_over: Callable[..., Recipe],
    rows: list[Any],
    source: dict[str, Any],
    treatment: dict[str, Any],
    told: str,
) -> None:
    with pytest.raises(RecipeError) as caught:
        _treated(recipe_over(rows, source=source, top={"treatments": [treatment]}))
    assert told in str(caught.value)


def test_a_transform_that_spoils_the_answer_is_not_learned_from(
    recipe_over: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from harness.transforms import TRANSFORMS, Preserves
    from harness.transforms.declaration import transform

    @transform(family="order", preserves=Preserves.ANSWER, touches={"question"})
    def liar(item: Item, rng: Rng) -> Iterator[Change]:
        yield Change(replace(item, target=Target(answers=("Bob",))))

    monkeypatch.setattr(type(TRANSFORMS), "get", lambda self, name: liar)
    with pytest.raises(RecipeError, match="it changed the answer though it declares to keep it"):
        _treated(recipe_over(ROWS[:4], source=SOURCE, top={"treatments": [{"transform": "liar"}]}))
