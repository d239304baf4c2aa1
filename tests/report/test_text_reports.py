"""Verdicts and comparisons as text: counted right, and closed to hostile names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparison import Difference, Effect, Slice, compare
from harness.core.exchange import Request
from harness.core.visible import visible
from harness.gating import Judgement, Status, Verdict
from harness.policy import Rule
from harness.policy.rules import Tier
from harness.report.comparison import comparison_json, show_comparison
from harness.report.numbers import count_text, effect_text, value_text
from harness.report.runs import run_summary
from harness.report.verdict import show_verdict, verdict_junit, verdict_markdown
from tests.evaluation.made_suites import good, run_of, scripted, suite, wrong_on

HOSTILE = "a|b\n[x](http://y) <b>&amp; `c` \x1b[31m\u202e@all ]]> \x00\ufffe \\ **d**"


def judgement(
    status: Status = "pass", *, suite_name: str = "s", tier: Tier = "blocking", reason: str = "why."
) -> Judgement:
    effect = Effect(
        suite_name, "accuracy", Slice(), "higher", n=10, failed=0, n_scored=9, n_items=9, baseline=0.5, candidate=0.4,
        effect=-0.1, low=-0.2, high=0.0, harm_p=0.01, certify_p=0.5, lost=2, won=1, method="by hand",
    )  # fmt: skip
    return Judgement(Rule(tier=tier), effect, 0.05, status, reason, 0.01, 0.5, ((0.1, 0.08),), None)


def verdict(*judgements: Judgement, status: Status = "fail", warns_only: bool = False) -> Verdict:
    return Verdict(
        status, "reason.", judgements, (Difference("strays", "s", "strays.", 3),), (("b1", "base"),), (("c1", "cand"),),
        0.05, "digest", warns_only=warns_only,
    )  # fmt: skip


EVERY = (
    judgement("pass"),
    judgement("fail"),
    judgement("inconclusive"),
    judgement("fail", tier="advisory"),
    judgement("inconclusive", tier="advisory"),
    judgement("pass", tier="advisory"),
)


@pytest.mark.parametrize(
    ("given_verdict", "counts"),
    [
        # tests, failures, errors, skipped: advisory rules are skipped unless they pass
        (verdict(*EVERY), (6, 1, 1, 2)),
        (verdict(*EVERY, warns_only=True), (6, 1, 0, 3)),
        (verdict(status="inconclusive"), (1, 0, 1, 0)),
        (verdict(status="inconclusive", warns_only=True), (1, 0, 0, 1)),
        (verdict(judgement("pass"), status="pass"), (1, 0, 0, 0)),
    ],
)
def test_junit_counts_what_it_holds(given_verdict: Verdict, counts: tuple[int, ...]) -> None:
    root = ElementTree.fromstring(verdict_junit(given_verdict))
    stated = tuple(int(root.get(name, "")) for name in ("tests", "failures", "errors", "skipped"))
    held = tuple(len(root.findall(f".//{name}")) for name in ("testcase", "failure", "error", "skipped"))
    assert stated == held == counts


@given(st.text())
def test_junit_is_xml_whatever_a_suite_is_called(text: str) -> None:
    made = verdict_junit(verdict(judgement("fail", suite_name=text, reason=text)))
    ElementTree.fromstring(made.encode("utf-8"))


def test_hostile_names_stay_in_their_cell_of_the_markdown() -> None:
    hostile = replace(verdict(judgement(suite_name=HOSTILE)), candidate=(("c1", HOSTILE),), reason=HOSTILE)
    made = verdict_markdown(hostile)
    (row,) = (line for line in made.splitlines() if line.startswith("| ✓"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 11  # ten cells
    assert not re.search(r"(?<!\\)\[x\]", made)
    assert "<b>" not in made
    assert "@all" not in made
    assert not set("\x1b\x00\u202e") & set(made)


@given(st.text())
def test_visible_text_holds_nothing_that_moves_a_cursor_or_turns_the_line(text: str) -> None:
    shown = visible(text)
    assert all(character.isprintable() or character in "\n\t" or character.isspace() for character in shown)
    assert not set("\x1b\x07\r\u2028\u202e\u200b") & set(shown)


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_visible_leaves_plain_text_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.text(max_size=30), st.integers(0, 40))
def test_visible_says_when_it_cuts(text: str, limit: int) -> None:
    assert visible(text, limit=limit).endswith(" …") == (len(text) > limit) or text[:limit].endswith(" …")


def test_a_verdict_on_the_terminal_names_every_rule_and_what_to_do_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_verdict(verdict(*EVERY), store="my runs")
    out = capsys.readouterr().out
    assert "FAIL reason." in out
    assert out.count("s::accuracy::all") >= len(EVERY)
    assert out.count("(advisory)") == 3
    assert "! s: strays." in out
    assert "Next: harness compare b1 c1 --store 'my runs'" in out


def test_a_verdict_tells_the_worst_first_and_counts_the_passing_rules_on_rates(
    capsys: pytest.CaptureFixture[str],
) -> None:
    passing, failing = judgement("pass"), judgement("fail")
    rate = replace(passing, effect=replace(passing.effect, metric="unparsed_rate"))
    bad_rate = replace(failing, effect=replace(failing.effect, metric="abstained_rate"))
    show_verdict(verdict(passing, rate, bad_rate), store="runs")
    out = capsys.readouterr().out
    assert out.index("s::abstained_rate") < out.index("s::accuracy")
    assert "s::unparsed_rate" not in out and "and 1 rules on rates" in out


def test_hostile_output_is_shown_as_escapes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = [suite("free", 20, task="short_answer")]
    before = run_of(good(), own, tmp_path)

    def evil(request: Request) -> str:
        return "\x1b[2Jbeta\u202e[bold]x[/bold]\r\n"

    after = run_of(scripted(evil, name="\x1b[31mevil"), own, tmp_path)
    show_comparison(compare(before, after), everything=True)
    run_summary(after).show(store="x")
    out = capsys.readouterr().out
    assert not set("\x1b\u202e\r") & set(out)
    assert "\\x1b[2Jbeta\\u202e[bold]x[/bold]" in out
    assert "Flips: 20 right -> wrong, 0 wrong -> right." in out
    assert "18 more" in out
    assert "asked 'Question: Which letter does the long word number" in out


def test_a_summary_has_the_mean_over_items_and_how_many_were_scored(tmp_path: Path) -> None:
    run = run_of(wrong_on(0.3), [suite(n=50, plan=[{"typo": {"severity": 0.1}}])], tmp_path)
    (line,) = run_summary(run).lines
    scores = run.scores()
    assert line.value == pytest.approx(scores.groupby("item_id")["value"].mean().mean())  # pandas' own
    assert (line.n, line.n_scored, line.n_items) == (100, 100, 50)


def test_a_comparison_as_json_holds_no_path_of_the_machine(tmp_path: Path) -> None:
    own = [suite(n=10)]
    runs = [run_of(good(name), own, tmp_path) for name in "bc"]
    assert str(tmp_path) not in str(comparison_json(compare(*runs)))


@pytest.mark.parametrize(
    ("function", "number", "text"),
    [
        (value_text, 0.12345, "0.123"),
        (value_text, 1234.5, "1234"),
        (value_text, None, "-"),
        (effect_text, -0.0004, "0.000"),
        (effect_text, 0.05, "+0.050"),
        (count_text, 1234567, "1,234,567"),
    ],
)
def test_numbers_as_people_read_them(
    function: Callable[[float | None], str], number: float | None, text: str
) -> None:
    assert function(number) == text
