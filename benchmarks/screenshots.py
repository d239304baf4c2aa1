"""Pictures of the dashboard's pages over a store: `python -m benchmarks.screenshots --store DIR --out DIR`."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from harness.report.serve import serving_command, serving_environment

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PAGES = {"verdict": "", "compare": "compare", "robustness": "robustness", "items": "items"}
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-default-apps",
    "--hide-scrollbars", "--force-device-scale-factor=1",
)  # fmt: skip


def free_port() -> int:
    """A port that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(store: str | Path, *, policy: Path | None = None) -> Iterator[str]:
    """The dashboard over a store, on a free port of this machine; gives its address."""
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            serving_command("127.0.0.1", port),
            env=serving_environment(str(store), policy),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_up(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=15)


def _wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("the dashboard did not come up within a minute")


@contextmanager
def browser(*, width: int = 1440, height: int = 1000, dark: bool = False) -> Iterator[Chrome]:
    """A headless Chromium with a profile of its own, which keeps its console and its requests."""
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = os.environ.get("CHROME_BINARY") or shutil.which("chromium") or "chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--window-size={width},{height}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options.add_argument(f"--user-data-dir={profile}")
        driver = Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))
        try:
            if dark:
                feature = {"name": "prefers-color-scheme", "value": "dark"}
                driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            yield driver
        finally:
            driver.quit()


def settled(driver: Chrome, *, seconds: float = 60) -> None:
    """Waits until the page's script has ended and the page no longer changes."""
    until = time.monotonic() + seconds
    last, same = "", 0
    while time.monotonic() < until:
        state = driver.execute_script(
            "const app = document.querySelector('[data-testid=\"stApp\"]');"
            "return app && app.getAttribute('data-test-script-state') === 'notRunning'"
            " ? String(document.body.innerHTML.length) : '';"
        )
        same = same + 1 if state and state == last else 0
        if same >= 4:
            return
        last = state
        time.sleep(0.25)
    raise TimeoutError(f"{driver.current_url} still changes after {seconds:g} s")


def picture(driver: Chrome, path: Path, *, width: int = 1440, most: int = 3200) -> None:
    """The whole page, not only its first screen, up to `most` pixels of height."""
    height = driver.execute_script(
        "return Math.max(...[...document.querySelectorAll('[data-testid=\"stMain\"], section')]"
        ".map(part => part.scrollHeight), 600);"
    )
    driver.set_window_size(width, min(int(height) + 140, most))
    settled(driver)
    driver.save_screenshot(str(path))


def main() -> None:
    """Writes one picture a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", required=True, help="the store to show")
    parser.add_argument("--out", required=True, type=Path, help="folder for the pictures")
    parser.add_argument("--query", default="", help="query of the address, such as 'v=1&a=RUN&b=RUN'")
    parser.add_argument("--page", choices=list(PAGES), action="append", help="only these pages")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--most", type=int, default=3200, help="greatest height in pixels")
    parser.add_argument("--dark", action="store_true")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with serving(chosen.store) as address:
        for name in chosen.page or PAGES:
            with browser(width=chosen.width, dark=chosen.dark) as driver:
                driver.get(f"{address}/{PAGES[name]}" + (f"?{chosen.query}" if chosen.query else ""))
                settled(driver)
                path = chosen.out / f"{name}{'-dark' if chosen.dark else ''}.png"
                picture(driver, path, width=chosen.width, most=chosen.most)
                print(path)


if __name__ == "__main__":
    main()
