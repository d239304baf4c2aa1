"""The HTML reports: they say what the comparison says, need no network, and nothing a model wrote becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from harness.comparison import Comparison
from harness.gating import gate
from harness.report.html import comparison_html, verdict_html
from harness.store import Store
from tests.report.pair_store import BASELINE, CANDIDATE, PAYLOADS

ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "main", "section", "footer", "figure", "h1", "h2", "h3", "p",
    "div", "span", "b", "em", "code", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary",
    "del", "ins", "svg", "desc", "g", "line", "rect", "circle", "text", "wbr",
}  # fmt: skip


class Reader(HTMLParser):
    """Collects tags, attributes and text as a browser would meet them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@pytest.fixture(scope="module")
def comparison_page(compared: Comparison) -> str:
    return comparison_html(compared)


@pytest.fixture(scope="module")
def verdict_page(pair_store: Store) -> str:
    return verdict_html(gate(baseline=BASELINE, candidate=CANDIDATE, store=pair_store), store=pair_store)


@pytest.fixture(params=["comparison_page", "verdict_page"])
def page(request: pytest.FixtureRequest) -> str:
    made: str = request.getfixturevalue(request.param)
    return made


def test_every_element_is_one_of_ours_and_is_closed(page: str) -> None:
    reader = read(page)
    assert {tag for tag, _ in reader.tags} <= ALLOWED
    assert reader.open == []


def test_nothing_is_loaded_and_nothing_runs(page: str) -> None:
    for tag, attributes in read(page).tags:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert not {"src", "srcset", "data", "formaction", "href", "xlink:href"} & set(attributes), (
            tag,
            attributes,
        )
    assert "@import" not in page and "url(" not in page


def test_the_page_forbids_scripts_and_connections_itself(page: str) -> None:
    policies = [
        a["content"] for tag, a in read(page).tags if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies and "default-src 'none'" in str(policies[0])


def test_hostile_outputs_are_text_for_the_reader(comparison_page: str) -> None:
    text = read(comparison_page).text
    for payload in (PAYLOADS[0], PAYLOADS[1], PAYLOADS[2], PAYLOADS[3], PAYLOADS[7], PAYLOADS[8]):
        assert payload in text


def test_invisible_characters_are_shown_as_escapes(page: str) -> None:
    assert "\u202e" not in page and "\x1b" not in page and "\x00" not in page
    text = read(page).text
    assert "safe\\u202etxet" in text and "\\x1b[31mred" in text


def test_a_hostile_checkpoint_name_stays_a_name(comparison_page: str) -> None:
    assert "sft-<b>lora</b> against base-模型" in read(comparison_page).text


def test_effects_stand_worst_first_with_their_numbers(comparison_page: str, compared: Comparison) -> None:
    text = read(comparison_page).text
    # By hand: of the 4 variants of 11 items, positions .5 and 1 are lost: 22 of 48 variants, 22 / 48 = .458.
    assert "-0.458" in text
    # 5 of 24 colour variants lost, 2 won: -3 / 24.
    assert "-0.125" in text
    assert text.index("geo-问答") < text.index("colours")


def test_metrics_of_other_units_have_axes_of_their_own(comparison_page: str) -> None:
    plots = [a["aria-label"] for tag, a in read(comparison_page).tags if tag == "svg"]
    assert "Paired differences with 95 % intervals, metrics from 0 to 1" in plots
    assert "Paired differences with 95 % intervals, token_perplexity" in plots


def test_every_chart_has_a_name_and_a_description(page: str) -> None:
    reader = read(page)
    n_charts = sum(tag == "svg" for tag, _ in reader.tags)
    assert n_charts > 0
    assert sum(tag == "desc" for tag, _ in reader.tags) == n_charts
    assert all(a.get("role") == "img" and a.get("aria-label") for tag, a in reader.tags if tag == "svg")


def test_the_options_text_is_shown_not_its_number(comparison_page: str) -> None:
    # Gold of the colour suite is option index 1, the second: 蓝色.
    assert "2. 蓝色" in read(comparison_page).text


def test_the_verdict_leads_the_page_and_names_its_reason(verdict_page: str) -> None:
    text = read(verdict_page).text
    assert "✗ FAIL" in text
    assert text.index("✗ FAIL") < text.index("Blocking rules")
    assert "beyond the margin of 0.05" in text


def test_a_verdict_without_its_runs_still_has_its_rules(pair_store: Store) -> None:
    verdict = gate(baseline=BASELINE, candidate=CANDIDATE, store=pair_store)
    text = read(verdict_html(verdict, store=None)).text
    assert "✗ FAIL" in text and "Items that flipped" not in text


def test_equal_inputs_give_equal_bytes(compared: Comparison) -> None:
    assert comparison_html(compared) == comparison_html(compared)
