"""The dashboard in a real headless Chromium: it draws, runs nothing a model wrote, and talks to this machine only."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from benchmarks.screenshots import PAGES, browser, picture, serving, settled
from harness.report.html import comparison_html
from harness.store import open_store
from tests.report.pair_store import BASELINE, CANDIDATE, GEO, write_pair

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        shutil.which("chromium") is None or shutil.which("chromedriver") is None,
        reason="needs chromium and chromedriver on the PATH",
    ),
]
QUERY = f"v=1&a={BASELINE}&b={CANDIDATE}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser") / "runs"
    write_pair(open_store(folder, create=True))
    return folder


@pytest.fixture(scope="module")
def address(store: Path) -> Iterator[str]:
    with serving(store) as url:
        yield url


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go: $HARNESS_SCREENSHOTS, or a folder of the test run."""
    folder = Path(os.environ.get("HARNESS_SCREENSHOTS") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def visit(driver: Chrome, url: str) -> str:
    """Opens an address and gives the text that a person reads."""
    driver.get_log("browser")
    driver.get(url)
    settled(driver)
    return str(driver.execute_script("return document.body.innerText"))


def complaints(driver: Chrome) -> list[str]:
    """Errors of the console; not Streamlit's own search for its base path, below a page's address first."""
    probing = re.compile(r"/(compare|robustness|items)/_stcore/(health|host-config) .*404")
    messages = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    return [message for message in messages if not probing.search(message)]


def hosts_asked(driver: Chrome) -> set[str]:
    """Every host that the browser sent a request to."""
    hosts = set()
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            params = message["params"]
            url = params["request"]["url"] if "request" in params else params["url"]
            if urlsplit(url).scheme in ("http", "https", "ws", "wss"):
                hosts.add(str(urlsplit(url).hostname))
    return hosts


TEXTS = {
    "verdict": ("Can this candidate ship?", "FAIL", "geo-问答", "Blocking rules"),
    "compare": ("Which suites moved", "base-模型", "sft-<b>lora</b>", "Its slices"),
    "robustness": ("Does a changed prompt break it?", "Worst cell", "context_rotation"),
    "items": ("What exactly changed?", "Lost: right → wrong", "五十元", "Baseline's output"),
}


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_by_its_address_and_talks_to_this_machine_only(
    driver: Chrome, address: str, pictures: Path, page: str
) -> None:
    driver.get_log("performance")
    text = visit(driver, f"{address}/{PAGES[page]}?{QUERY}")
    for expected in TEXTS[page]:
        assert expected in text
    assert "Traceback" not in text
    assert complaints(driver) == []
    assert hosts_asked(driver) == {"127.0.0.1"}
    assert driver.execute_script("return window.pwned") is None
    picture(driver, pictures / f"{page}.png")


@pytest.mark.parametrize("number", range(11))
def test_no_hostile_output_becomes_an_element(driver: Chrome, address: str, number: int) -> None:
    text = visit(driver, f"{address}/items?{QUERY}&item=geo-{number}-context_rotation-1")
    assert "variant geo-" in text
    assert driver.execute_script("return window.pwned") is None
    found = driver.execute_script(
        "return [...document.querySelectorAll('[data-testid=\"stMain\"] *')].filter(part =>"
        " [...part.attributes].some(a => a.name.startsWith('on') || /javascript:|evil\\.invalid/i.test(a.value)))"
        ".map(part => part.outerHTML)"
    )
    assert found == []
    assert (
        driver.execute_script("return document.querySelectorAll('[data-testid=\"stMain\"] script').length")
        == 0
    )


def test_the_first_visit_may_go_straight_to_a_page(store: Path) -> None:
    # A fresh server that has never run its entry file: Streamlit must not run the page without the frame.
    with serving(store) as url, browser() as fresh:
        text = visit(fresh, f"{url}/items?{QUERY}&s=colours&tr=rw")
        assert "5 of 72 compared variants" in text


def test_next_by_the_keyboard_changes_item_and_address(driver: Chrome, address: str) -> None:
    from selenium.webdriver import ActionChains

    visit(driver, f"{address}/items?{QUERY}&tr=rw")
    ActionChains(driver).send_keys("j").perform()
    settled(driver)
    assert "Item 2 of 27" in driver.execute_script("return document.body.innerText")
    assert "item=" in driver.current_url


def test_a_click_on_a_row_shows_its_item(driver: Chrome, address: str) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    visit(driver, f"{address}/items?{QUERY}&tr=rw")
    grid = driver.find_element(By.CSS_SELECTOR, '[data-testid="stDataFrame"] canvas')
    # The grid is one canvas: its header is a row high, the box to tick stands at the left of each row.
    third_row = (-grid.size["width"] // 2 + 18, -grid.size["height"] // 2 + 35 * 3 + 17)
    ActionChains(driver).move_to_element_with_offset(grid, *third_row).click().perform()
    settled(driver)
    assert "Item 3 of 27" in driver.execute_script("return document.body.innerText")


def test_a_click_on_a_cell_of_the_heat_map_picks_it(driver: Chrome, address: str) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    visit(driver, f"{address}/robustness?{QUERY}")
    assert "Worst cell" in driver.execute_script("return document.body.innerText")
    chart = driver.find_element(By.CSS_SELECTOR, '[data-testid="stVegaLiteChart"]')
    # Lower right: the last suite's last transform.
    corner = (int(chart.size["width"] * 0.5) - 60, int(chart.size["height"] * 0.5) - 40)
    ActionChains(driver).move_to_element_with_offset(chart, *corner).click().perform()
    settled(driver)
    text = driver.execute_script("return document.body.innerText")
    assert "Picked: colours · typo" in text


def test_a_reload_of_the_shared_address_shows_the_same_item(driver: Chrome, address: str) -> None:
    visit(driver, f"{address}/items?{QUERY}&s=colours&tr=rw&item=col-2-typo")
    assert "variant col-2-typo" in visit(driver, driver.current_url)


def test_a_rules_name_leads_to_the_items_it_lost(driver: Chrome, address: str) -> None:
    from selenium.webdriver.common.by import By

    visit(driver, f"{address}/?{QUERY}")
    driver.find_element(By.LINK_TEXT, GEO.name).click()
    settled(driver)
    text = driver.execute_script("return document.body.innerText")
    assert "What exactly changed?" in text and "22 of 72 compared variants" in text


def test_the_server_listens_on_loopback_only(address: str) -> None:
    port = urlsplit(address).port
    assert port is not None
    # The address by which other machines would come: a UDP socket picks it without sending anything.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        own = probe.getsockname()[0]
    with pytest.raises(OSError):
        socket.create_connection((own, port), timeout=2).close()


def stream_status(address: str, *, host: str, origin: str) -> bytes:
    """What the server answers to the opening of the line over which a page's data comes."""
    port = urlsplit(address).port
    assert port is not None
    head = (
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}:{port}",
        f"Origin: {origin}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall("\r\n".join([*head, "", ""]).encode())
        return line.recv(200).split(b"\r\n")[0]


def test_a_foreign_host_name_or_origin_gets_no_data(address: str) -> None:
    assert b"101" in stream_status(address, host="127.0.0.1", origin=address)
    # A name that an attacker points at this machine after the page was loaded (DNS rebinding).
    assert b"403" in stream_status(address, host="rebound.invalid", origin="http://rebound.invalid")
    assert b"403" in stream_status(address, host="127.0.0.1", origin="https://evil.invalid")


@pytest.mark.parametrize("dark", [False, True])
def test_the_html_report_draws_in_both_modes_and_runs_nothing(
    store: Path, tmp_path: Path, pictures: Path, dark: bool
) -> None:
    opened = open_store(store)
    file = tmp_path / "report.html"
    file.write_text(comparison_html_of(opened), encoding="utf-8")
    with browser(height=2400, dark=dark) as fresh:
        fresh.get(file.as_uri())
        fresh.execute_script("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert fresh.execute_script("return window.pwned") is None
        assert complaints(fresh) == []
        assert hosts_asked(fresh) == set()
        assert "答案是：五十元<b>（不是）</b>" in fresh.execute_script("return document.body.innerText")
        width = fresh.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert width <= 0, "the report must not scroll sideways"
        fresh.save_screenshot(str(pictures / f"report{'-dark' if dark else ''}.png"))


def comparison_html_of(store: object) -> str:
    from harness.comparison import compare
    from harness.store import Store

    assert isinstance(store, Store)
    return comparison_html(compare(store.run(BASELINE), store.run(CANDIDATE)))
