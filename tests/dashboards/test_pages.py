"""Every page in every state of the store, by Streamlit's own test runner: words and a command, never a traceback."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboards
from tests.report.pair_store import BASELINE, CANDIDATE, COLOURS, GEO, PAYLOADS, STRANGER

APP = Path(dashboards.__file__).with_name("app.py")
PAGES = ["verdict", "compare", "robustness", "items"]
PAIR = {"a": BASELINE, "b": CANDIDATE}


@pytest.fixture(autouse=True)
def _default_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_POLICY", raising=False)


def visit(
    monkeypatch: pytest.MonkeyPatch, store: Path, page: str = "verdict", query: dict[str, str] | None = None
) -> AppTest:
    """The page as somebody sees it who opens its address."""
    monkeypatch.setenv("HARNESS_STORE", str(store))
    app = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in (query or {}).items():
        app.query_params[name] = value
    app.run()
    if page != "verdict":
        app.switch_page(f"screens/{page}.py").run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def words(app: AppTest) -> str:
    """Everything that stands on the page, in the sidebar too."""
    values = [
        part.value
        for kind in (app.title, app.subheader, app.markdown, app.caption, app.code)
        for part in kind
    ]
    values += [unescape(part.proto.body) for part in app.get("html")]
    return "\n".join(str(value) for value in values)


def commands(app: AppTest) -> list[str]:
    return [code.value for code in app.code if code.value.startswith("harness ")]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("state", "said", "command"),
    [
        ("none", "There is no store at", "harness run CHECKPOINT"),
        ("empty", "has no finished run yet", "harness run CHECKPOINT"),
        ("one", "add a second run", "harness run CHECKPOINT --suite"),
    ],
)
def test_a_page_without_two_runs_says_so_and_how_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path], page: str, state: str, said: str, command: str
) -> None:
    app = visit(monkeypatch, stores[state], page if state == "one" else "verdict")
    assert said in words(app)
    assert any(each.startswith(command) for each in commands(app))


def test_a_single_run_is_shown_with_its_scores(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["one"])
    assert "exact_match" in words(app) and GEO.name in words(app)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("state", "said"), [("incomparable", "the chat template differs"), ("apart", "only the")]
)
def test_runs_that_may_not_be_compared_are_explained(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path], page: str, state: str, said: str
) -> None:
    app = visit(monkeypatch, stores[state], page)
    assert said in words(app)
    assert any(each.startswith("harness compare") for each in commands(app))


def test_a_verdict_without_evidence_is_never_a_pass(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    text = words(visit(monkeypatch, stores["incomparable"]))
    assert "INCONCLUSIVE" in text and "PASS" not in text


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("field", ["a", "b"])
def test_a_run_that_is_not_in_the_store_is_named_and_nothing_else_shown(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path], page: str, field: str
) -> None:
    app = visit(monkeypatch, stores["pair"], page, {**PAIR, field: "feedfeedfeed"})
    assert "Run 'feedfeedfeed'" in words(app) and "is not in the store" in words(app)
    assert commands(app) == [f"harness runs list --store {stores['pair']}"]
    assert "FAIL" not in words(app)


def test_the_verdict_leads_with_its_word_and_links_to_lost_items(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    text = words(visit(monkeypatch, stores["pair"], query=PAIR))
    assert "✗ FAIL" in text and "beyond the margin of 0.05" in text
    assert f"items?v=1&a={BASELINE}&b={CANDIDATE}" in text and "tr=rw" in text


def test_the_default_pair_is_the_named_baseline_and_the_newest_run(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"])
    assert [box.value for box in app.sidebar.selectbox] == [BASELINE, CANDIDATE]


def test_the_address_carries_the_pair_so_that_it_can_be_shared(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"])
    query = {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}
    assert query == {"v": "1", "a": BASELINE, "b": CANDIDATE}


def test_a_name_and_the_beginning_of_an_id_work_in_a_link(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], query={"a": "production", "b": CANDIDATE[:8]})
    assert [box.value for box in app.sidebar.selectbox] == [BASELINE, CANDIDATE]


def test_swapping_the_runs_turns_the_verdict(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], query=PAIR)
    app.sidebar.button[0].click().run()
    assert [box.value for box in app.sidebar.selectbox] == [CANDIDATE, BASELINE]
    assert "✗ FAIL" not in words(app)


def test_a_policy_of_the_command_line_judges(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path], tmp_path: Path
) -> None:
    policy = tmp_path / "strict.yaml"
    policy.write_text("schema: 1\nrules:\n  - {suite: colours, margin: 0.9}\n")
    monkeypatch.setenv("HARNESS_POLICY", str(policy))
    text = words(visit(monkeypatch, stores["pair"], query=PAIR))
    assert "✓ PASS" in text and "strict.yaml" in text


def test_a_faulty_policy_is_told_with_its_line(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path], tmp_path: Path
) -> None:
    policy = tmp_path / "broken.yaml"
    policy.write_text("schema: 1\nrules:\n  - {suite: no-such-suite}\n")
    monkeypatch.setenv("HARNESS_POLICY", str(policy))
    text = words(visit(monkeypatch, stores["pair"], query=PAIR))
    assert "There is no verdict" in text and "broken.yaml:3" in text


def test_compare_shows_the_worst_suite_first_in_detail(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], "compare", PAIR)
    detail = next(box for box in app.main.selectbox if box.label.startswith("Suite in detail"))
    assert detail.value == GEO.name


def test_compare_says_that_a_metric_of_the_link_is_unknown(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], "compare", {**PAIR, "m": "bleu"})
    assert "No compared suite has the metric 'bleu'" in words(app)


def test_robustness_names_the_worst_cell_and_leads_to_its_items(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], "robustness", PAIR)
    assert "Worst cell" in words(app) and "-0\\.611" in words(app)
    next(button for button in app.button if button.label == "Show its items").click().run()
    assert not app.exception
    assert app.title[0].value == "What exactly changed?"
    assert "**22** of 72 compared variants" in words(app)


def test_robustness_without_transforms_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["likelihood"], "robustness")
    assert "no compared suite" in words(app).lower()
    assert commands(app)[0].startswith("harness run CHECKPOINT --suite noisy-input")


def test_items_without_right_and_wrong_say_so(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["likelihood"], "items")
    assert "no metric that tells right from wrong" in words(app)


def test_a_link_to_an_item_shows_that_item(monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]) -> None:
    app = visit(monkeypatch, stores["pair"], "items", {**PAIR, "item": "col-0-typo"})
    text = words(app)
    assert "2. 蓝色" in text and "3. green" in text and "variant col-0-typo" in text.replace("<code>", "")


def test_an_item_that_was_not_compared_is_named(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], "items", {**PAIR, "item": "no-such-item"})
    assert "Item 'no-such-item' was not compared" in words(app)


def test_filters_of_a_link_are_set_and_counted(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    query = {**PAIR, "s": COLOURS.name, "sl": "typo", "tr": "rw"}
    app = visit(monkeypatch, stores["pair"], "items", query)
    assert "**5** of 72 compared variants" in words(app)


def test_a_filter_that_leaves_nothing_says_so(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], "items", {**PAIR, "q": "occurs nowhere"})
    assert "No item fits these filters" in words(app)


def test_typing_a_text_filters_the_list_and_the_address(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], "items", PAIR)
    app.text_input[0].set_value("onerror").run()
    assert not app.exception
    assert "**2** of 72 compared variants" in words(app)
    assert "onerror" in str(app.query_params["q"])


def test_next_and_previous_walk_the_list_over_its_pages(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], "items", {**PAIR, "pg": "1"})

    def press(label: str) -> str:
        next(button for button in app.button if button.label == label).click().run()
        assert not app.exception
        return next(caption.value for caption in app.caption if caption.value.startswith("Item "))

    assert press("Next") == "Item 2 of 29"
    assert press("Next") == "Item 3 of 29"
    assert press("Previous") == "Item 2 of 29"
    for _ in range(24):
        told = press("Next")
    assert told == "Item 26 of 29"  # the second page's first
    assert "2" in str(app.query_params["pg"])


def test_an_item_outside_the_filters_is_still_shown_by_its_link(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], "items", {**PAIR, "tr": "wr", "item": "geo-0-source"})
    assert "Not in the list above" in words(app)


def test_hostile_outputs_reach_the_page_as_code_and_escaped_html_only(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    for number in range(11):
        app = visit(
            monkeypatch, stores["pair"], "items", {**PAIR, "item": f"geo-{number}-context_rotation-1"}
        )
        for part in app.get("html"):
            assert not any(payload in part.proto.body for payload in PAYLOADS if "<" in payload)
        # Only what the dashboard itself wrote goes through Markdown.
        said = "\n".join(str(part.value) for kind in (app.markdown, app.caption, app.title) for part in kind)
        assert not any(payload in said for payload in PAYLOADS)


def test_a_faulty_link_is_told_on_the_page(monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]) -> None:
    app = visit(monkeypatch, stores["pair"], query={**PAIR, "pg": "many"})
    assert "'many' is not a number above 0" in words(app)


def test_a_stranger_run_cannot_be_had_by_path(
    monkeypatch: pytest.MonkeyPatch, stores: dict[str, Path]
) -> None:
    app = visit(monkeypatch, stores["pair"], query={"a": f"../apart/{STRANGER}", "b": CANDIDATE})
    assert "is no id; it was ignored" in words(app)
