"""How many variants a second each transform makes, on typed prompts of 400 characters, checks and ids included.

    python -m benchmarks.transforms --json

Times are processor seconds of one core. `char_variants_per_s` and `lexicon_variants_per_s` are the medians over the
transforms of that kind and both languages.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

from harness.core.items import Item, Label, Passage, Prompt, Target, Text
from harness.transforms import TRANSFORMS, specification
from harness.transforms.plan import Plan, Step, build_variants

CHARACTER = (
    "typo", "character_case", "spacing", "punctuation_noise", "full_width", "traditional", "ocr_confusion",
    "homophone", "glyph_confusion", "missing_diacritics",
)  # fmt: skip
LEXICON = ("filler_words", "emoji_hashtags", "grammar_slips", "synonyms", "contractions", "sentence_patterns")
N_ITEMS, N_DRAWS, CHARACTERS = 30, 20, 400
_SENTENCES = {
    "en": (
        "The museum on the hill opens early and does not close before nine.",
        "Anna gave Emma the blue case in the café; it weighed 7 kg.",
        "Visitors who arrive after work quickly find the large garden behind the house.",
        "The driver will tell you when to get out, although the bus is often late.",
        "It is cold at night, so bring a warm coat and a naïve sense of fun.",
        "The old dog chased the children yesterday.",
    ),
    "zh": (
        "山上的博物馆清早开门，晚上九点以前不关门。",
        "王芳在咖啡馆（Café）把蓝色箱子交给了李娜，箱子重7公斤。",
        "下班以后来的游客马上就能找到房子后面的大花园，因为路牌非常清楚。",
        "司机会告诉你什么时候下车，但是公交车经常晚点。",
        "夜里天气寒冷，所以请带上暖和的衣服，Bus 票也要带好。",
        "小明把杯子打碎了。",
    ),
}
_ASKED = {"en": ("Answer from the passage.", "When does it close?"), "zh": ("根据短文回答。", "几点关门？")}
_ANSWERS = {"en": ("nine", "9"), "zh": ("九点",)}
_LABELS = {
    "en": (
        Label("pos", ("positive", "good", "fine", "happy")),
        Label("neg", ("negative", "bad", "poor", "sad")),
    ),
    "zh": (Label("pos", ("正面", "积极", "好评", "满意")), Label("neg", ("负面", "消极", "差评", "不满"))),
}


def reading_item(language: str, number: int) -> Item:
    """A question on three passages, 400 characters in all; the number makes it another item."""
    sentences = _SENTENCES[language]
    turned = sentences[number % len(sentences) :] + sentences[: number % len(sentences)]
    instruction, question = _ASKED[language]
    length = CHARACTERS - len(instruction) - len(question)
    text = f"{number}. " + "".join(turned) * 10 if language == "zh" else f"{number}. " + " ".join(turned * 10)
    text = text[:length]
    third = length // 3
    passages = (text[:third], text[third : 2 * third], text[2 * third :])
    key = max(0, *(at for at, one in enumerate(passages) if _ANSWERS[language][0] in one), 0)
    context = tuple(Passage(one, key=at == key) for at, one in enumerate(passages))
    prompt = Prompt(instruction=Text(instruction), context=context, question=Text(question))
    return Item(language, prompt, Target(answers=_ANSWERS[language]))


def judging_item(language: str, number: int) -> Item:
    """A review with two labels, for transforms that need those."""
    text = {"en": "The soup was very good. " * 15 + "Table {n}", "zh": "汤很好喝。" * 75 + "桌号{n}"}[
        language
    ]
    text = text.rsplit("Table" if language == "en" else "桌号", 1)[0].strip() if number < 0 else text
    question = Text(text.replace("{n}", str(number)))
    return Item(language, Prompt(question=question, labels=_LABELS[language]), Target(label="pos"))


def choosing_item(language: str, number: int) -> Item:
    """Four options, for transforms of those."""
    options = tuple(f"{word} {number}" for word in ("north", "south", "east", "west"))
    return Item(
        language, Prompt(question=Text(_SENTENCES[language][0] * 5), options=options), Target(option=0)
    )


def rate_of(name: str, language: str) -> dict[str, Any]:
    """Variants per processor second of one transform, the first item's left out as warming up."""
    makers = (reading_item, judging_item, choosing_item)
    items = [maker(language, number) for number in range(N_ITEMS // 2) for maker in makers]
    draws = N_DRAWS if name in CHARACTER + LEXICON else 1
    if name in CHARACTER + LEXICON:
        items = [reading_item(language, number) for number in range(N_ITEMS)]
    plan = Plan(((Step(name),),), (draws,))
    build_variants([reading_item(language, 1000)], plan, seed=1, allow_unchanged=True)
    begun = time.process_time()
    built = build_variants(items, plan, seed=0, allow_unchanged=True)
    ids = {(one.variant_id, one.item.item_id) for one in built.variants}
    seconds = time.process_time() - begun
    made = sum(one.transform != "source" for one in built.variants)
    # Draws that gave an equal item or none were worked on as well.
    tried = len(items) * draws
    return {
        "transform": name,
        "language": language,
        "kind": "character" if name in CHARACTER else "lexicon" if name in LEXICON else "parts",
        "variants": made,
        "draws": tried,
        "draws_per_s": round(tried / seconds) if seconds else None,
        "variants_per_s": round(len(ids) / seconds) if seconds and made else None,
    }


def measured(names: Sequence[str]) -> dict[str, Any]:
    """All rows, and the median rate of each kind."""
    rows = [
        rate_of(name, language)
        for name in names
        for language in ("en", "zh")
        if specification(name).covers(language)
    ]

    def median(kind: str) -> float | None:
        rates = [row["draws_per_s"] for row in rows if row["kind"] == kind and row["draws_per_s"]]
        return statistics.median(rates) if rates else None

    return {
        "char_variants_per_s": median("character"),
        "lexicon_variants_per_s": median("lexicon"),
        "characters": CHARACTERS,
        "rows": rows,
    }


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="JSON for machines")
    parser.add_argument("--only", action="append", metavar="NAME", help="one transform; may be repeated")
    given = parser.parse_args()
    found = measured(given.only or TRANSFORMS.names())
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for row in found["rows"]:
        print(
            f"{row['transform']:22} {row['language']}  {row['draws_per_s']} draws/s, {row['variants']} variants"
        )
    print(
        f"character {found['char_variants_per_s']}, lexicon {found['lexicon_variants_per_s']} per second and core"
    )


if __name__ == "__main__":
    main()
