"""Files of a store, local or remote: each is written whole or not at all.

A local file is written beside its final name, flushed to the disk, then put in place in one step. An object
store has no such step and needs none: an object appears when its upload is complete.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from harness.core.errors import StoreError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# File systems without hard links answer with one of these.
NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
UNFINISHED = ".part-"  # what stands in the name of a local file that is being written


class Place:
    """A folder reached through fsspec; names inside it are relative, with slashes.

    Args:
        filesystem: The fsspec file system.
        root: The folder's path on it.
        url: What people call it.
        is_local: Whether it lies on this machine's own file system.
    """

    def __init__(self, filesystem: Any, root: str, *, url: str, is_local: bool) -> None:
        self.filesystem = filesystem
        self.root = root.rstrip("/") or "/"
        self.url = url.rstrip("/")
        self.is_local = is_local

    def path(self, name: str = "") -> str:
        """The path of a file as its file system knows it."""
        return f"{self.root}/{name}" if name else self.root

    def shown(self, name: str = "") -> str:
        """The path of a file as people know it."""
        return f"{self.url}/{name}" if name else self.url

    def read(self, name: str) -> bytes | None:
        """The bytes of a file, or None where there is none."""
        with self._translated("read", name):
            try:
                data = self.filesystem.cat_file(self.path(name))
            except (FileNotFoundError, NotADirectoryError):
                return None
        return bytes(data)

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        with self._translated("read", name):
            self.filesystem.invalidate_cache()
            return bool(self.filesystem.isfile(self.path(name)))

    def names(self, folder: str = "") -> list[str]:
        """The names of files and folders inside a folder, sorted; empty where there is no such folder."""
        with self._translated("list", folder):
            self.filesystem.invalidate_cache()
            try:
                entries = self.filesystem.ls(self.path(folder), detail=False)
            except (FileNotFoundError, NotADirectoryError):
                return []
        own = self.path(folder).strip("/")  # an object store may list the folder's own marker
        paths = {str(entry).rstrip("/") for entry in entries}
        names = {path.rsplit("/", 1)[-1] for path in paths if path.strip("/") != own}
        return sorted(name for name in names if UNFINISHED not in name)

    def create(self, name: str, data: bytes) -> bool:
        """Writes a file that must not exist yet; False where it does, and then nothing changed."""
        with self._translated("write", name):
            if self.is_local:
                return _create_local(Path(self.path(name)), data)
            try:
                self.filesystem.pipe_file(self.path(name), data, mode="create")
            except FileExistsError:
                return False
            return True

    def replace(self, name: str, data: bytes) -> None:
        """Writes a file, instead of the one there may be."""
        with self._translated("write", name):
            if not self.is_local:
                self.filesystem.pipe_file(self.path(name), data)
                return
            final = Path(self.path(name))
            part = _written_beside(final, data)
            os.replace(part, final)
            _flush_folder(final.parent)

    def make_folder(self, folder: str = "") -> None:
        """Makes a folder with those above it; object stores need none."""
        if not self.is_local:
            return
        with self._translated("write", folder):
            path = Path(self.path(folder))
            path.mkdir(parents=True, exist_ok=True)
            _flush_folder(path.parent)

    def remove(self, name: str) -> None:
        """Removes a file; none there is fine."""
        with self._translated("remove", name), suppress(FileNotFoundError):
            self.filesystem.rm_file(self.path(name))

    def remove_folder(self, folder: str) -> None:
        """Removes a folder with all it holds; none there is fine."""
        with self._translated("remove", folder), suppress(FileNotFoundError):
            if self.is_local:
                shutil.rmtree(self.path(folder))
            else:
                self.filesystem.rm(self.path(folder), recursive=True)

    def sweep(self, folder: str) -> None:
        """Removes what writers that were killed left half written."""
        if not self.is_local:
            return
        with self._translated("remove", folder):
            for part in Path(self.path(folder)).glob(f".*{UNFINISHED}*"):
                part.unlink(missing_ok=True)

    @contextmanager
    def _translated(self, action: str, name: str) -> Iterator[None]:
        try:
            yield
        except _failures() as error:
            raise StoreError(_message(action, self.shown(name), error)) from error


def place_of(url: str | Path) -> Place:
    """The place a path or url names.

    Raises:
        StoreError: If the url's protocol is unknown or its library is not installed.
    """
    from fsspec.core import url_to_fs
    from fsspec.implementations.local import LocalFileSystem

    text = os.fspath(url)
    if "://" not in text:
        folder = os.path.abspath(os.path.expanduser(text))
        return Place(LocalFileSystem(), folder, url=folder, is_local=True)
    try:
        filesystem, root = url_to_fs(text)
    except ImportError as error:
        raise StoreError(
            f"The store '{text}' needs a library that is not installed ({error}); "
            "for S3: pip install 'sft-harness[s3]'."
        ) from error
    except ValueError as error:
        raise StoreError(
            f"'{text}' is no place for a store: {error}. Give a folder or a url like s3://."
        ) from error
    protocols = (filesystem.protocol,) if isinstance(filesystem.protocol, str) else filesystem.protocol
    return Place(filesystem, root, url=text.removeprefix("file://"), is_local="file" in protocols)


def _create_local(final: Path, data: bytes) -> bool:
    if final.exists():
        return False
    part = _written_beside(final, data)
    try:
        os.link(part, final)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if final.exists():
            return False
        os.rename(part, final)
    finally:
        part.unlink(missing_ok=True)
    _flush_folder(final.parent)
    return True


def _written_beside(final: Path, data: bytes) -> Path:
    part = final.parent / f".{final.name}{UNFINISHED}{os.getpid()}-{os.urandom(4).hex()}"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        os.close(descriptor)
        part.unlink(missing_ok=True)
        raise
    os.close(descriptor)
    return part


def _flush_folder(folder: Path) -> None:
    """Makes a new name survive a power cut; some systems cannot open folders, and then the name is theirs."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except (PermissionError, IsADirectoryError):
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # network file systems that flush names by themselves
            raise
    finally:
        os.close(descriptor)


def _failures() -> tuple[type[Exception], ...]:
    """What a file system raises: OSError, and what the S3 client adds where it is loaded."""
    client = sys.modules.get("botocore.exceptions")
    return (OSError,) if client is None else (OSError, client.BotoCoreError, client.ClientError)


def _message(action: str, shown: str, error: Exception) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code in FULL:
        return f"No space left to {action} {shown} ({error})."
    if code in DENIED:
        return f"No permission to {action} {shown} ({error}); choose another store or change its permissions."
    return f"Could not {action} {shown}: {error or type(error).__name__}."
