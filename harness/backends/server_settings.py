"""What is said of a server on the command line: `--backend-args url=...,api=chat`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal
from urllib.parse import urlsplit

from harness.core.errors import UsageError
from harness.core.naming import unknown_name

Api = Literal["completions", "chat"]


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """An OpenAI-compatible server, and how it is asked.

    Args:
        url: Up to and with the version, e.g. http://localhost:8000/v1.
        api: `completions` (rendered text; log-probabilities where the server echoes them) or `chat` (messages,
            the server's own template; text only).
        tokenizer: Folder or hub id of the model's tokenizer: prompts then go as token ids, the boundary between
            prompt and option is exact, and texts can be scored. None: prompts go as text.
        concurrent: Requests under way at a time.
        requests_per_minute: At most so many calls; None: as fast as they come.
        timeout: Seconds until a call is given up.
        retries: How often a call that failed is repeated.
        first_wait: Bound of the wait before the first repeat, in seconds; doubles each time.
        longest_wait: No wait is longer; a server that asks for more is not waited for.
        max_length: Context length in tokens, where the server does not tell.
        key_env: Environment variable that holds the key. The key itself is never an argument: arguments are kept.
        revision: Any word of yours that tells weights behind one name apart.
    """

    url: str
    api: Api = "completions"
    tokenizer: str | None = None
    concurrent: int = 8
    requests_per_minute: float | None = None
    timeout: float = 120.0
    retries: int = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0
    max_length: int | None = None
    key_env: str = "OPENAI_API_KEY"
    revision: str | None = None


def server_settings(given: Mapping[str, str]) -> ServerSettings:
    """The settings from words, checked.

    Raises:
        UnknownName: If one is not known.
        UsageError: If one is missing or out of range.

    Example:
        >>> server_settings({"url": "http://localhost:8000/v1", "concurrent": "2"}).concurrent
        2
    """
    known = [each.name for each in fields(ServerSettings)]
    for name in given:
        if name in ("key", "api_key", "auth_token", "token", "header"):
            raise UsageError(
                f"--backend-args {name}: arguments are kept with the run; put the key into an environment variable "
                "(OPENAI_API_KEY, or another that key_env names)."
            )
        if name not in known:
            raise unknown_name("argument of the backend 'openai'", name, known)
    if "url" not in given:
        raise UsageError("Say where the server is: --backend-args url=http://localhost:8000/v1.")
    read: dict[str, Any] = {
        name: _READ[name](name, value) if name in _READ else value for name, value in given.items()
    }
    settings = ServerSettings(**read)
    _check_url(settings.url)
    if settings.api not in ("completions", "chat"):
        raise unknown_name("api", settings.api, ("completions", "chat"))
    return settings


def arguments_of(texts: tuple[str, ...]) -> dict[str, str]:
    """`("a=1,b=2", "c=3")` as a mapping.

    Raises:
        UsageError: If a part has no `=` or a name is given twice.

    Example:
        >>> arguments_of(("a=1,b=x=y", "c=3"))
        {'a': '1', 'b': 'x=y', 'c': '3'}
    """
    found: dict[str, str] = {}
    for part in (part for text in texts for part in text.split(",") if part):
        name, sign, value = part.partition("=")
        if not sign or not name:
            raise UsageError(f"--backend-args {part}: expected NAME=VALUE.")
        if name in found:
            raise UsageError(f"--backend-args {name}: given twice ({found[name]} and {value}).")
        found[name] = value
    return found


def _number(name: str, value: str, *, least: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < least:
        raise UsageError(f"--backend-args {name}={value}: expected a number of at least {least:g}.")
    return number


def _whole(name: str, value: str, *, least: int) -> int:
    number = _number(name, value, least=least)
    if number != int(number):
        raise UsageError(f"--backend-args {name}={value}: expected a whole number.")
    return int(number)


_READ: Mapping[str, Callable[[str, str], Any]] = {
    "concurrent": lambda name, value: _whole(name, value, least=1),
    "requests_per_minute": lambda name, value: _number(name, value, least=0.001),
    "timeout": lambda name, value: _number(name, value, least=0.001),
    "retries": lambda name, value: _whole(name, value, least=0),
    "first_wait": lambda name, value: _number(name, value, least=0),
    "longest_wait": lambda name, value: _number(name, value, least=0),
    "max_length": lambda name, value: _whole(name, value, least=8),
}


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"--backend-args url={url}: expected an address such as http://localhost:8000/v1.")
    if parts.username or parts.password:
        raise UsageError(
            "--backend-args url: it holds a user or a password, and is kept with the run; put the key into the "
            "environment variable that key_env names."
        )
