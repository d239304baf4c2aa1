"""What every transform must keep, whoever wrote it: run over all that are registered."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.codec import item_from_json, item_to_json
from harness.core.digest import digest
from harness.core.items import (
    Demonstration,
    Item,
    Label,
    OutputSpec,
    Passage,
    Prompt,
    Target,
    Text,
)
from harness.core.variants import Change, Variant
from harness.transforms import POOLS, TRANSFORMS, Preserves, specification
from harness.transforms.declaration import TransformSpec
from harness.transforms.plan import Plan, Step, apply_chain, bind, build_variants
from harness.transforms.protection import answers_of, protection
from harness.transforms.surface import parts_of

NAMES = TRANSFORMS.names()
NOISE = [name for name in NAMES if specification(name).is_noise]
GRADED = [name for name in NOISE if "severity" in {one.name for one in specification(name).parameters}]
FAMILY = "\U0001f468‍\U0001f469‍\U0001f467‍\U0001f466"
EXTENSION_B = "\U00020000\U0002a6d6"
DECOMPOSED = "cafe\u0301 au lait, n\u0303andu\u0301"
LONE = "\ud83d"

EN_LABELS = (
    Label("pos", ("positive", "favourable", "good", "upbeat")),
    Label("neg", ("negative", "unfavourable", "bad", "downbeat")),
)
ZH_LABELS = (Label("pos", ("正面", "积极", "好评", "满意")), Label("neg", ("负面", "消极", "差评", "不满")))


def _bank() -> Iterator[Item]:
    """Items of every kind in both languages, and texts that break careless code."""
    en = (
        Passage(
            "The museum on the hill closes at nine, not at 10:30; call 555-0100 or write to info@hill.org.",
            key=True,
        ),
        Passage("The bus was late again, and the driver said that the road was closed for repairs."),
        Passage(
            f"Visitors {FAMILY} like the {DECOMPOSED} served in the garden; see https://hill.org/menu?x=1."
        ),
    )
    zh = (
        Passage("山上的博物馆晚上九点关门，不是十点半；电话是555-0100，周末开放花园。", key=True),
        Passage("公交车又晚点了，司机说前面的道路正在维修，请大家耐心等待。"),
        Passage(f"游客{FAMILY}喜欢在花园里喝咖啡（Café Royal），{EXTENSION_B}是老板的名字。"),
    )
    yield Item(
        "en",
        Prompt(
            Text("You are brief."),
            Text("Answer from the passage."),
            context=en,
            question=Text("When does the museum close?"),
        ),
        Target(answers=("nine", "9")),
    )
    yield Item(
        "zh",
        Prompt(instruction=Text("根据短文回答。"), context=zh, question=Text("博物馆什么时候关门？")),
        Target(answers=("九点", "晚上九点")),
    )
    options = (
        "The moon pulls the water",
        "The wind pushes the water",
        "The sun heats the water",
        "None of the above",
    )
    yield Item(
        "en",
        Prompt(question=Text("Why do the tides rise and fall every day?"), options=options),
        Target(option=0),
    )
    yield Item(
        "zh",
        Prompt(
            question=Text("为什么每天都有潮水涨落？"),
            options=("月亮的引力", "风的推动", "太阳的热量", "以上都不是"),
        ),
        Target(option=0),
    )
    shown = tuple(
        Demonstration(Target(label=label), Text(text))
        for text, label in (
            ("Lovely room and friendly staff.", "pos"),
            ("The soup was cold.", "neg"),
            ("Great value!", "pos"),
        )
    )
    yield Item(
        "en",
        Prompt(
            instruction=Text("Is the review positive or negative?"),
            demonstrations=shown,
            question=Text("The waiter was rude, and I would never come back to this place."),
            labels=EN_LABELS,
        ),
        Target(label="neg"),
    )
    yield Item(
        "zh",
        Prompt(
            instruction=Text("判断评论是正面还是负面。"),
            question=Text("菜一点也不好吃，服务员态度很差。"),
            labels=ZH_LABELS,
        ),
        Target(label="neg"),
    )
    yield Item(
        "en",
        Prompt(
            instruction=Text("Extract the facts."),
            question=Text(
                "Anna arrives on Monday with `print(day)` and {placeholder} and <b>luggage</b>.", ("luggage",)
            ),
            output=OutputSpec("json", (("name", "string"), ("day", "string"))),
        ),
        Target(fields=(("name", "Anna"), ("day", "Monday"))),
    )
    yield Item(
        "zh",
        Prompt(
            instruction=Text("抽取信息。"),
            question=Text("王小明星期一带着行李到上海。"),
            output=OutputSpec("json", (("姓名", "string"),)),
        ),
        Target(fields=(("姓名", "王小明"),)),
    )
    yield Item(
        "en",
        Prompt(
            question=Text(f"What does {LONE} mean beside {FAMILY} in {EXTENSION_B}, according to readers?")
        ),
        Target(answers=("nothing",)),
    )
    yield Item(
        "zh",
        Prompt(question=Text(f"这个符号{LONE}和{FAMILY}还有{EXTENSION_B}是什么意思，请说明理由。")),
        Target(answers=("没有意思",)),
    )


def _contrast_bank() -> Iterator[Item]:
    """What transforms with another answer need: names, quantities and plain judgements."""
    en = (
        Passage("Anna gave Emma the blue case in Paris; it weighed 7 kg and nobody opened it.", key=True),
        Passage("The children didn't see the old dog. The dog chased the children yesterday."),
    )
    zh = (
        Passage("王芳在北京把蓝色箱子交给了李娜，箱子重7公斤，没有人打开它。", key=True),
        Passage("孩子们没看见那条狗。小明把杯子打碎了。因为天气炎热，他马上回家了。"),
    )
    ask = {"en": ("Who gave away the case?", "How heavy was it?"), "zh": ("是谁交出了箱子？", "箱子有多重？")}
    for language, context, answers in (("en", en, ("Anna", "7 kg")), ("zh", zh, ("王芳", "7公斤"))):
        for question, answer in zip(ask[language], answers, strict=True):
            yield Item(language, Prompt(context=context, question=Text(question)), Target(answers=(answer,)))
    text = "会议在星期二举行。"
    yield Item(
        "zh", Prompt(context=(Passage(text),), question=Text("会议在哪天？")), Target(answers=("星期二",))
    )
    for language, text, labels in (
        ("en", "The soup was very good. The waiters were really polite!", EN_LABELS),
        ("zh", "汤很好喝。服务员真热情！", ZH_LABELS),
    ):
        yield Item(language, Prompt(question=Text(text), labels=labels), Target(label="pos"))


BANK = (*_bank(), *_contrast_bank())
LANGUAGES = ("en", "zh")


def _changes(item: Item, name: str, *, pool: Any = "challenge", **params: Any) -> tuple[Change, ...]:
    return apply_chain(item, bind([Step(name, params)]), seed=3, pool=pool).changes


def _built(items: tuple[Item, ...], name: str, *, seed: int = 3) -> tuple[Variant, ...]:
    return build_variants(items, Plan(((Step(name),),)), seed=seed, allow_unchanged=True).variants


def _answer_shown(item: Item) -> str | None:
    """The text of the right answer, whatever it goes by."""
    target = item.target
    if target is None:
        return None
    if target.option is not None:
        return item.prompt.options[target.option]
    if target.label is not None:
        return next(label.names[0] for label in item.prompt.labels if label.id == target.label)
    return repr((target.answers, target.fields, target.references))


def _answer_is_right(source: Item, change: Change, spec: TransformSpec) -> bool:
    before, after = _answer_shown(source), _answer_shown(change.item)
    if spec.preserves is Preserves.ANSWER:
        return change.item.target == source.target and before == after
    if spec.preserves is Preserves.CHANGES:
        return change.item.target is not None and change.item.target != source.target
    if source.target is not None and source.target.label is not None:
        same_id = change.item.target is not None and change.item.target.label == source.target.label
        return same_id and dict(change.answer_map).get(str(before)) == after
    return before == after  # a moved option is found by its text


@pytest.mark.parametrize("name", NAMES)
def test_it_declares_what_the_readers_of_a_report_need(name: str) -> None:
    spec = specification(name)
    assert spec.name == name and spec.family and spec.unmet and spec.touches and spec.languages
    assert TRANSFORMS.get(name).__doc__
    assert spec.takes_pool


@pytest.mark.parametrize("name", NAMES)
def test_a_variant_depends_neither_on_its_neighbours_nor_on_their_order(name: str) -> None:
    together = {variant.variant_id: variant for variant in _built(BANK, name)}
    # Equal items that are other objects: nothing may hang on where an item lies in memory.
    copies = [item_from_json(item_to_json(item)) for item in reversed(BANK)]
    alone = {variant.variant_id: variant for item in copies for variant in _built((item,), name)}
    assert alone == together


def _digest_of_everything() -> str:
    variants = [variant for name in NAMES for variant in _built(BANK, name)]
    return digest("battery", [[one.variant_id, item_to_json(one.item)] for one in variants], length=64)


def test_another_process_with_another_hash_seed_builds_the_same() -> None:
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('battery', {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "print(module._digest_of_everything())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == _digest_of_everything(), done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_its_input_as_it_was(name: str) -> None:
    for item in BANK:
        before, record = copy.deepcopy(item), item_to_json(item)
        _changes(item, name)
        assert item == before and item_to_json(item) == record


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_is_an_item_that_can_be_stored_and_told_apart(name: str) -> None:
    variants = _built(BANK, name)
    assert len({variant.variant_id for variant in variants}) == len(variants)
    for variant in variants:
        assert item_from_json(item_to_json(variant.item)) == variant.item


@pytest.mark.parametrize("name", NAMES)
def test_the_right_answer_is_still_right(name: str) -> None:
    spec = specification(name)
    for item in BANK:
        for change in _changes(item, name):
            assert _answer_is_right(item, change, spec), (name, item.prompt, change)


@pytest.mark.parametrize("name", [name for name in NAMES if not specification(name).enumerates])
def test_no_variant_equals_its_source(name: str) -> None:
    for item in BANK:
        assert all(change.item != item for change in _changes(item, name))


@pytest.mark.parametrize("name", [name for name in NAMES if specification(name).enumerates])
def test_an_enumerating_transform_has_distinct_levels(name: str) -> None:
    for item in BANK:
        levels = [change.level for change in _changes(item, name)]
        assert len(set(levels)) == len(levels)


@pytest.mark.parametrize("name", NAMES)
def test_a_language_it_does_not_cover_is_rejected_by_name(name: str) -> None:
    french = Item(
        "fr", Prompt(question=Text("Où est le musée ?"), context=(Passage("Ici.", key=True), Passage("Là.")))
    )
    if specification(name).covers("fr"):
        return
    built = build_variants([french], Plan(((Step(name),),)), seed=0, allow_unchanged=True)
    assert len(built.variants) == 1 and "language 'fr'" in built.rejected[0].reason


def _marks(text: str) -> Counter[str]:
    """Emoji families, characters with their combining marks, rare and broken characters."""
    found = {FAMILY: text.count(FAMILY), EXTENSION_B: text.count(EXTENSION_B), LONE: text.count(LONE)}
    for at, character in enumerate(text):
        if unicodedata.combining(character):
            pair = unicodedata.normalize("NFC", text[at - 1].lower() + character)
            found[pair] = found.get(pair, 0) + 1
    return Counter(found)


@pytest.mark.parametrize("name", NOISE)
def test_noise_never_breaks_a_character(name: str) -> None:
    for item in BANK:
        for change in _changes(item, name, **({"severity": 0.5} if name in GRADED else {})):
            before = "".join(part.text for part in parts_of(item.prompt))
            after = "".join(part.text for part in parts_of(change.item.prompt))
            # Diacritics may be taken off whole; never one put on, or anything else broken.
            assert (
                _marks(after) <= _marks(before)
                if name == "missing_diacritics"
                else _marks(after) == _marks(before)
            )
            assert sum(0xD800 <= ord(one) < 0xE000 for one in after) == sum(
                0xD800 <= ord(one) < 0xE000 for one in before
            )


def _kept(item: Item, spec: TransformSpec) -> list[Counter[str]]:
    strings, words = answers_of(item), not spec.respells
    return [
        Counter(dict(protection(part.text, (*part.protect, *strings), words=words).counts))
        for part in parts_of(item.prompt)
    ]


def _only_question_and_context_differ(before: Prompt, after: Prompt) -> bool:
    same = (
        "system",
        "instruction",
        "demonstrations",
        "options",
        "labels",
        "output",
        "turns",
        "text",
        "order",
    )
    return all(getattr(before, name) == getattr(after, name) for name in same)


@pytest.mark.parametrize("name", NOISE)
def test_noise_leaves_protected_text_and_all_parts_but_question_and_context_alone(name: str) -> None:
    spec = specification(name)
    for item in BANK:
        for pool in POOLS:
            for change in _changes(item, name, pool=pool, **({"severity": 0.5} if name in GRADED else {})):
                assert _only_question_and_context_differ(item.prompt, change.item.prompt)
                changed = Item(item.language, change.item.prompt, item.target)
                assert _kept(changed, spec) == _kept(item, spec)


@pytest.mark.parametrize("name", NOISE)
def test_the_edits_listed_lead_from_the_source_to_the_variant(name: str) -> None:
    for item in BANK:
        for change in _changes(item, name):
            after = {part.name: part.text for part in parts_of(change.item.prompt)}
            for part in parts_of(item.prompt):
                text = part.text
                for edit in sorted(
                    (one for one in change.edits if one.part == part.name), key=lambda one: -one.start
                ):
                    assert text[edit.start : edit.start + len(edit.before)] == edit.before
                    text = text[: edit.start] + edit.after + text[edit.start + len(edit.before) :]
                assert text == after[part.name]


@pytest.mark.parametrize("name", GRADED)
def test_the_dose_grows_with_the_severity(name: str) -> None:
    doses = []
    for severity in (0.01, 0.1, 0.3, 1.0):
        chain = bind([Step(name, {"severity": severity})])
        # Several draws: a filler's length is chance, and in a short text the mildest dose is one filler too.
        applied = [apply_chain(item, chain, seed=3, draw=draw) for item in BANK for draw in range(8)]
        changes = [change for one in applied for change in one.changes]
        assert all(change.level.dose is not None and change.level.dose > 0 for change in changes)
        doses.append(sum(change.level.dose or 0 for change in changes) / len(changes))
    # Whole words and tags differ in length by chance, so a step may fall a little once every place is taken.
    assert all(later >= 0.9 * earlier for earlier, later in pairwise(doses))
    # Of these the bank holds one place or two an item: the mildest dose takes them all.
    scarce = ("missing_diacritics", "contractions", "sentence_patterns")
    assert doses[0] < doses[-1] or name in scarce


@pytest.mark.parametrize("name", GRADED)
def test_severity_zero_changes_nothing(name: str) -> None:
    assert not any(_changes(item, name, severity=0) for item in BANK)


# The least share of the bank's items of each language that a transform must change; what needs a part that most
# items lack is stated so. A transform without a row must change at least one item of each of its languages.
STATED_SHARES = {
    "typo": (1.0, 1.0),
    "spacing": (1.0, 1.0),
    "punctuation_noise": (1.0, 1.0),
    "full_width": (1.0, 0.8),
    "filler_words": (0.8, 0.8),
    "character_case": (1.0, 0.1),
    "traditional": (None, 1.0),
    "component_order": (0.6, 0.6),
    "ocr_confusion": (1.0, 1.0),
    "homophone": (None, 1.0),
    "glyph_confusion": (None, 1.0),
    "emoji_hashtags": (1.0, 1.0),
    "grammar_slips": (0.7, 0.6),
    "missing_diacritics": (0.1, 0.1),
    "synonyms": (0.1, 0.25),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_applies_to_the_share_of_items_that_is_stated(name: str, language: str) -> None:
    if not specification(name).covers(language):
        return
    items = [item for item in BANK if item.language == language]
    n_changed = sum(bool(_changes(item, name)) for item in items)
    stated = dict(zip(LANGUAGES, STATED_SHARES.get(name, (None, None)), strict=True))[language]
    if name == "demonstration_order" and language == "zh":
        return  # the bank's Chinese items bring no demonstrations
    assert n_changed >= max(1, (stated or 0) * len(items))


_ALPHABET = (
    "abcXYZ éïß,.;:!?\"'`{}<>()@-_ 09７，。；！？、的是在九不没好坏己已巳龘\n\t\u200b"
    + LONE
    + FAMILY
    + EXTENSION_B
)
_TEXTS = st.text(alphabet=st.sampled_from(_ALPHABET), max_size=60)


@st.composite
def _items(draw: st.DrawFn) -> Item:
    language = draw(st.sampled_from(LANGUAGES))
    answer = draw(st.sampled_from(("nine", "九点", "Xa", ".", "ß")))
    passages = draw(st.lists(_TEXTS, max_size=3))
    context = tuple(Passage(text + answer, key=at == 0, protect=("abc",)) for at, text in enumerate(passages))
    labels = draw(st.sampled_from(((), EN_LABELS, ZH_LABELS)))
    options = tuple(draw(st.lists(_TEXTS, max_size=4, unique=True)))
    target = Target(answers=(answer,))
    if options:
        target = Target(option=draw(st.integers(0, len(options) - 1)))
    elif labels:
        target = Target(label="pos")
    question = draw(st.none() | _TEXTS)
    prompt = Prompt(
        instruction=draw(st.none() | st.just(Text("Say positive or 负面."))),
        context=context,
        question=None if question is None else Text(question),
        options=options,
        labels=() if options else labels,
    )
    return Item(language, prompt, target)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(item=_items(), seed=st.integers(0, 3))
def test_whatever_the_item_the_answer_and_protected_text_survive(name: str, item: Item, seed: int) -> None:
    spec = specification(name)
    for pool in POOLS:
        applied = apply_chain(item, bind([Step(name)]), seed=seed, pool=pool)
        assert applied == apply_chain(item, bind([Step(name)]), seed=seed, pool=pool)
        for change in applied.changes:
            assert change.item.item_id and item_from_json(item_to_json(change.item)) == change.item
            assert _answer_is_right(item, change, spec)
            if spec.is_noise:
                assert change.item != item
                assert _only_question_and_context_differ(item.prompt, change.item.prompt)
                assert _kept(Item(item.language, change.item.prompt, item.target), spec) == _kept(item, spec)
