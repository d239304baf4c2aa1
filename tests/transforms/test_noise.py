"""Golden cases of the noise transforms; expected texts are written by hand, drawn ones are held to a rule."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.items import Item, Passage, Prompt, Target, Text, Turn
from harness.core.rng import rng_for
from harness.core.variants import Change
from harness.transforms.character_case import character_case
from harness.transforms.filler_words import filler_words
from harness.transforms.full_width import full_width
from harness.transforms.plan import build_variants, plan_from_json
from harness.transforms.punctuation_noise import punctuation_noise
from harness.transforms.spacing import spacing
from harness.transforms.traditional import traditional
from harness.transforms.typo import neighbours, typo


def _item(text: str, language: str = "en", *answers: str, protect: tuple[str, ...] = ()) -> Item:
    return Item(language, Prompt(question=Text(text, protect)), Target(answers=answers) if answers else None)


def _text(found: Any) -> str | None:
    changes: list[Change] = list(found)
    return changes[0].item.prompt.question.text if changes else None  # type: ignore[union-attr]


def _rng() -> Any:
    return rng_for(0, "golden")


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        ("When does it close?", "upper", "WHEN DOES IT CLOSE?"),
        ("When Does It Close?", "lower", "when does it close?"),
        ("when does IT close?", "title", "When Does It Close?"),
        ("straße ŉ", "upper", "STRAßE ŉ"),  # a longer or one-way other case stays
        ("用iPhone打开", "upper", "用IPHONE打开"),
        ("它几点关门？", "upper", None),
        ("It costs 5kg, not A4.", "upper", "IT COSTS 5kg, not A4."),
    ],
)
def test_case_changes_letters_and_nothing_else(text: str, style: Any, expected: str | None) -> None:
    assert _text(character_case(_item(text), _rng(), severity=1, style=style)) == expected


@pytest.mark.parametrize(
    ("text", "language", "kind", "expected"),
    [
        ("The cat sat", "en", "join", "Thecatsat"),
        ("The cat sat", "en", "double", "The  cat  sat"),
        ("on 3 5 hens", "en", "join", None),  # no space beside a number goes
        ("cat", "en", "split", "c a t"),
        ("好吃", "zh", "split", "好 吃"),
        ("不好吃", "zh", "split", "不好 吃"),  # a negation stays with its word
        ("猫", "zh", "split", None),
        ("e\u0301a", "en", "split", None),  # a mark stays with its letter
    ],
)
def test_spaces_go_where_the_rule_says(text: str, language: str, kind: Any, expected: str | None) -> None:
    assert _text(spacing(_item(text, language), _rng(), severity=1, kinds=(kind,))) == expected


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("Yes, now.", "drop", "Yes now"),
        ("Yes, now.", "double", "Yes,, now.."),
        ("是的，现在。", "drop", "是的现在"),
        ("是的，现在。", "double", "是的，，现在。。"),
        ("It is 10.5 at 10:30", "drop", None),  # marks inside numbers stay
        ('{"a": "b", "c": "d"}', "drop", '{"a": "b" "c": "d"}'),  # keys and quotes stay
        ("你好", "drop", None),
    ],
)
def test_marks_are_edited_and_words_are_not(text: str, kind: Any, expected: str | None) -> None:
    assert _text(punctuation_noise(_item(text), _rng(), severity=1, kinds=(kind,))) == expected


@pytest.mark.parametrize(
    ("text", "direction", "expected"),
    [
        ("Go, Tom!", "full", "Ｇｏ， Ｔｏｍ！"),
        ("好，Ｔｏｍ！", "half", "好,Tom!"),
        ("用Word，好", "both", "用Ｗｏｒｄ,好"),
        ("第3页", "full", None),  # digits stay
        ("see https://a.org now", "full", "ｓｅｅ https://a.org ｎｏｗ"),
        ("你好。", "both", None),  # the Chinese full stop has no narrow form in ASCII
    ],
)
def test_width_changes_letters_and_marks(text: str, direction: Any, expected: str | None) -> None:
    assert _text(full_width(_item(text), _rng(), severity=1, direction=direction)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("头发发展", "頭髮發展"),  # one simplified character, two traditional ones by its word
        ("皇后在后面", "皇后在後面"),
        ("三只猫不见了", "三隻貓不見了"),  # number words and negations are respelt too
        ("漢語", None),
        ("人口", None),
        ("坏\ud83d发", "壞\ud83d發"),
    ],
)
def test_simplified_becomes_traditional(text: str, expected: str | None) -> None:
    assert _text(traditional(_item(text, "zh"), _rng())) == expected


def test_an_answer_in_the_text_is_not_converted() -> None:
    assert _text(traditional(_item("他住在广东，爱看电视", "zh", "广东"), _rng())) == "他住在广东，愛看電視"


@pytest.mark.parametrize("kind", ["neighbour", "swap", "drop", "double"])
def test_each_slip_of_a_key_is_what_its_name_says(kind: Any) -> None:
    source = "close"
    made = _text(typo(_item(source), _rng(), severity=0.2, kinds=(kind,)))
    assert made is not None and made != source
    if kind == "neighbour":
        ((before, after),) = [(one, two) for one, two in zip(source, made, strict=True) if one != two]
        assert after in neighbours("challenge")[before]
    elif kind == "swap":
        assert sorted(made) == sorted(source)
    else:
        assert len(made) == len(source) + (1 if kind == "double" else -1)


def test_a_homophone_sounds_alike_and_a_look_alike_stands_in_the_table() -> None:
    from pypinyin import Style, pinyin

    from harness.transforms.lexicons import shape_alike

    text = "公园门口的石桥已经修好，游客可以通行，请大家慢走"
    for kind in ("homophone", "shape"):
        made = _text(typo(_item(text, "zh"), _rng(), severity=0.3, kinds=(kind,)))  # type: ignore[arg-type]
        assert made is not None and len(made) == len(text)
        for before, after in ((one, two) for one, two in zip(text, made, strict=True) if one != two):
            if kind == "shape":
                assert after in shape_alike()[before]
            else:
                # pypinyin lists every reading of a character: the two share one, tone included.
                one, two = (set(pinyin(c, style=Style.TONE, heteronym=True)[0]) for c in (before, after))
                assert one & two


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("不 9 十", "zh"),
        ("no not 3", "en"),
        ("a b c", "en"),
        ("", "en"),
        ("é ñ", "en"),
        ("\U00020000\U0002a6d6", "zh"),
        ("游\ufe00", "zh"),  # a variation selector stays with its character
    ],
)
def test_what_must_not_be_mistyped_is_not(text: str, language: str) -> None:
    assert _text(typo(_item(text, language), _rng(), severity=1)) is None


def test_the_dose_is_edits_per_character() -> None:
    item = _item("a" * 10 + " " + "b" * 9)
    (change,) = typo(item, _rng(), severity=0.1, kinds=("drop",))
    # By hand: 20 characters, 0.1 of them is two.
    assert len(change.edits) == 2 and change.level.dose == pytest.approx(0.1)


def test_marked_strings_answers_and_other_parts_are_left_alone() -> None:
    item = Item(
        "en",
        Prompt(
            instruction=Text("Answer from the passage."),
            context=(
                Passage("The museum closes at midnight; ask Rosalind about it.", protect=("Rosalind",)),
            ),
            question=Text("When does the museum close?"),
        ),
        Target(answers=("midnight",)),
    )
    for seed in range(20):
        (change,) = typo(item, rng_for(seed), severity=1)
        text = change.item.prompt.context[0].text
        assert "Rosalind" in text and "midnight" in text and text != item.prompt.context[0].text
        assert change.item.prompt.instruction == item.prompt.instruction


def test_other_parts_are_edited_when_they_are_named() -> None:
    prompt = Prompt(
        instruction=Text("Answer."), turns=(Turn("user", "Hello there"), Turn("assistant", "Hello"))
    )
    (change,) = character_case(Item("en", prompt), _rng(), severity=1, style="upper", parts=("turns",))
    assert [turn.text for turn in change.item.prompt.turns] == ["HELLO THERE", "Hello"]
    assert change.item.prompt.instruction == prompt.instruction


@pytest.mark.parametrize(
    ("text", "language", "rest"), [("菜好吃吗？", "zh", "菜好吃吗？"), ("Is it good?", "en", "Is it good?")]
)
def test_a_filler_is_put_in_and_nothing_is_taken_out(text: str, language: str, rest: str) -> None:
    from harness.transforms.lexicons import fillers

    (change,) = filler_words(_item(text, language), _rng(), severity=0.05)
    (edit,) = change.edits
    assert edit.before == "" and edit.after.strip() in fillers()[(language, "challenge")]
    assert change.item.prompt.question.text.replace(edit.after, "") == rest  # type: ignore[union-attr]


def test_no_replacement_serves_two_pools() -> None:
    from harness.transforms.lexicons import fillers
    from harness.transforms.typo import _wrong_characters

    by_pool = [
        _wrong_characters(("homophone", "shape"), pool) for pool in ("challenge", "treatment", "sealed")
    ]
    pairs = [{(one, two) for one, others in table.items() for two in others} for table in by_pool]
    shared = [pairs[0] & pairs[1], pairs[0] & pairs[2], pairs[1] & pairs[2]]
    assert not any(shared) and min(map(len, pairs)) > 1000
    words = [
        fillers()[(language, pool)]
        for language in ("en", "zh")
        for pool in ("challenge", "treatment", "sealed")
    ]
    assert len({word for group in words for word in group}) == sum(map(len, words))


def test_noise_on_a_passage_is_the_same_wherever_a_rotation_put_it() -> None:
    passages = (
        Passage("The museum closes late.", key=True),
        Passage("It rained all week."),
        Passage("Buses came."),
    )
    item = Item(
        "en", Prompt(context=passages, question=Text("When does it close?")), Target(answers=("late",))
    )
    chain = {"chain": [{"context_rotation": {"positions": [0, 0.5, 1]}}, {"typo": {"severity": 0.1}}]}
    built = build_variants([item], plan_from_json([chain]), seed=0).variants[1:]
    assert len(built) == 3
    assert len({tuple(sorted(passage.text for passage in one.item.prompt.context)) for one in built}) == 1


def test_a_draw_that_makes_a_negation_is_drawn_again() -> None:
    items = [_item(f"{letter} notebook") for letter in "abcdefghijklmnopqrstuvwxyz"]
    plan = plan_from_json([{"spacing": {"kinds": ["split"], "severity": 0.1}}])
    rejected = build_variants(items, plan, seed=0).rejected
    # By hand: two of the seven places make "no" or "not"; one draw would lose about 7 of 26, four draws 1 in 150.
    assert len(rejected) <= 2


def test_noise_that_finds_nothing_is_counted_with_its_reason() -> None:
    items = [_item("When does it close?"), _item("3 + 4 = 7")]
    built = build_variants(items, plan_from_json(["typo"]), seed=0)
    assert [(one.item_id, one.reason) for one in built.rejected] == [
        (items[1].item_id, "no character that could be mistyped")
    ]
