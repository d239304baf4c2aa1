"""A pair of runs with hostile outputs, and their comparison."""

from __future__ import annotations

import pytest

from harness.comparison import Comparison, compare
from harness.store import Store, open_store
from tests.report.pair_store import BASELINE, CANDIDATE, write_pair


@pytest.fixture(scope="session")
def pair_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = open_store(tmp_path_factory.mktemp("pair") / "runs", create=True)
    write_pair(store)
    return store


@pytest.fixture(scope="session")
def compared(pair_store: Store) -> Comparison:
    return compare(pair_store.run(BASELINE), pair_store.run(CANDIDATE))
