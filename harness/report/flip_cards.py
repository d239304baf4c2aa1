"""Items whose correctness changed, one card each: prompt, gold, both outputs, what changed between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.comparison import Comparison, Flip
from harness.report.item_text import ItemText, item_texts
from harness.report.markup import Content, Markup, element, shown
from harness.report.word_diff import diff_markup

MOST_LOST, MOST_WON = 25, 5
_WORDS = {"lost": "right → wrong", "won": "wrong → right"}


def flip_sections(found: Comparison) -> Iterator[Markup]:
    """One section a suite with flips: its losses first, a few of its gains."""
    for pairs in found.suites:
        own = [flip for flip in found.flips if flip.suite == pairs.record.name]
        if not own:
            continue
        lost = [flip for flip in own if flip.kind == "lost"]
        won = [flip for flip in own if flip.kind == "won"]
        picked = [*lost[:MOST_LOST], *won[:MOST_WON]]
        texts = item_texts(found.candidate[0], pairs.record.name, [flip.variant_id for flip in picked])
        yield element("h3", f"{shown(pairs.record.name)}: {len(lost)} lost, {len(won)} won")
        yield from (flip_card(flip, texts.get(flip.variant_id)) for flip in picked)
        left = len(own) - len(picked)
        if left:
            yield element("p", f"{left:,} more: harness dashboard, or harness compare --json", class_="h-dim")


def flip_card(flip: Flip, text: ItemText | None) -> Markup:
    """One flip, folded."""
    asked = text or ItemText("")
    where = f" at position {flip.position:g}" if flip.position is not None else ""
    before, after = asked.answer(flip.baseline_output), asked.answer(flip.candidate_output)
    tone = "h-fail" if flip.kind == "lost" else "h-pass"
    return element(
        "details",
        element(
            "summary",
            element("span", _WORDS[flip.kind], class_=f"h-pill {tone}"),
            " ",
            shown(f"{flip.transform}{where} · {flip.language} · "),
            element("code", flip.variant_id),
        ),
        element(
            "div",
            _labelled("Prompt", asked.prompt or "(nothing stands before the answer)"),
            _labelled("Gold", asked.answer(flip.gold)),
            element(
                "div",
                _labelled("Baseline's output", before),
                _labelled("Candidate's output", after),
                class_="h-pairwise",
            ),
            element("div", "What changed", class_="h-label"),
            element("div", diff_markup(before, after), class_="h-text"),
        ),
    )


def _labelled(label: str, text: str | None) -> Markup:
    content: Content = shown(text) if text else element("em", "(nothing)", class_="h-dim")
    return element(
        "div", element("div", label, class_="h-label"), element("div", content, class_="h-text", dir="auto")
    )


def flips_counted(flips: Sequence[Flip]) -> Mapping[str, int]:
    """How many were lost and how many won."""
    return {kind: sum(flip.kind == kind for flip in flips) for kind in ("lost", "won")}
