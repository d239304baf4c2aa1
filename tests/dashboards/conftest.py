"""Stores in every state that a page must have words for."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.store import open_store
from tests.report import pair_store
from tests.report.pair_store import BASELINE, CANDIDATE, COLOURS, GEO, STRANGER, write_pair, write_run


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders by state."""
    root = tmp_path_factory.mktemp("stores")
    folders = {
        name: root / name for name in ("none", "empty", "one", "pair", "incomparable", "apart", "likelihood")
    }
    for name, folder in folders.items():
        if name != "none":
            open_store(folder, create=True)
    write_run(open_store(folders["one"]), BASELINE, is_candidate=False)
    write_pair(open_store(folders["pair"]))
    write_run(open_store(folders["incomparable"]), BASELINE, is_candidate=False)
    write_run(open_store(folders["incomparable"]), CANDIDATE, is_candidate=True, template="other")
    write_run(open_store(folders["apart"]), BASELINE, is_candidate=False, suites=(GEO,))
    write_run(open_store(folders["apart"]), STRANGER, is_candidate=True, suites=(COLOURS,))
    for run_id, is_candidate in ((BASELINE, False), (CANDIDATE, True)):
        write_run(
            open_store(folders["likelihood"]), run_id, is_candidate=is_candidate, suites=(pair_store.PROSE,)
        )
    return folders
