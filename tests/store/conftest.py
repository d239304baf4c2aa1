"""A store in a temporary folder, and the same in memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.store import Store, open_store


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "local":
        yield open_store(tmp_path / "runs", create=True)
        return
    import fsspec

    root = f"memory://{uuid.uuid4().hex}"
    yield open_store(root, create=True)
    memory = fsspec.filesystem("memory")
    if memory.exists(root):
        memory.rm(root, recursive=True)


@pytest.fixture
def local_store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "runs", create=True)
