"""JSON over HTTP with a deadline, retries and an honest failure: never an answer that the server did not give."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.backends.rate_limits import Backoff, RateLimit, retry_after_seconds
from harness.core.exchange import BackendFailure
from harness.core.visible import visible

if TYPE_CHECKING:
    from requests import Response

_AGAIN = frozenset({408, 409, 425, 429})  # besides every 5xx
_SHOWN = 200  # characters of a server's own words in a message
_MOST_BYTES = 256 * 1024 * 1024  # of one answer; an endless one must not fill the memory
_CHUNK = 64 * 1024
_PATIENCE = 20  # calls in a row that came to nothing; after that the rest is not asked any more


class HttpCalls:
    """Calls to one server, from any number of threads.

    Args:
        url: What every path is put after, e.g. http://localhost:8000/v1.
        key: Sent as a bearer token; None: no such header.
        timeout: Seconds from a call's start to the end of its answer.
        backoff: How often and how long to wait before asking again.
        limit: When the next call may go.

    Attributes:
        sent: Calls made, repeats included.
        repeated: Calls that were repeats.
    """

    def __init__(
        self, url: str, *, key: str | None = None, timeout: float = 120.0, backoff: Backoff, limit: RateLimit
    ) -> None:
        self.sent = 0
        self.repeated = 0
        self._url = url.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._backoff = backoff
        self._limit = limit
        self._own = threading.local()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._lost_in_a_row = 0

    def stop(self) -> None:
        """Lets waiting calls end now, unanswered."""
        self._stopped.set()

    def call(
        self, path: str, body: Mapping[str, Any] | None = None, *, name: str = ""
    ) -> dict[str, Any] | BackendFailure:
        """The JSON object that a POST (a GET without a body) is answered by, asked again where that may help.

        Args:
            path: After the server's URL.
            body: What is sent as JSON.
            name: What the call is for; seeds the jitter of its waits.
        """
        if self._lost_in_a_row >= _PATIENCE:
            return BackendFailure(
                "server", f"Not asked: the {_PATIENCE} calls before it came to nothing; is the server there?"
            )
        for attempt in range(self._backoff.retries + 1):
            self._stopped.wait(self._limit.reserve())
            if self._stopped.is_set():
                return BackendFailure("server", "Not asked: the run was broken off.")
            answer, asked_wait, may_help = self._once(path, body)
            with self._lock:
                self.sent += 1
                self.repeated += attempt > 0
            if not isinstance(answer, BackendFailure):
                self._lost_in_a_row = 0
                return answer
            failure = answer
            if not may_help or (asked_wait or 0.0) > self._backoff.longest:
                break
            if asked_wait is not None:
                self._limit.pause(asked_wait)
            if attempt < self._backoff.retries:
                self._stopped.wait(max(asked_wait or 0.0, self._backoff.seconds(name or path, attempt)))
        with self._lock:
            self._lost_in_a_row += failure.kind != "refused"
        return BackendFailure(failure.kind, f"{failure.message} (asked {attempt + 1} times)")

    def _once(
        self, path: str, body: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any] | BackendFailure, float | None, bool]:
        """The answer or the failure, the wait the server asks for, and whether asking again may help."""
        import requests
        import urllib3

        deadline = time.monotonic() + self._timeout
        url = f"{self._url}{path}"
        late = BackendFailure("timeout", f"{url}: no whole answer in {self._timeout:g} s."), None, True
        try:
            with self._session().request(
                "GET" if body is None else "POST",
                url,
                json=body,
                timeout=self._timeout,
                stream=True,
                allow_redirects=False,
            ) as response:
                content = _whole(deadline, response)
                return late if content is None else _read(response, content)
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
            return late
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            reason = visible(str(error))[:_SHOWN] or type(error).__name__
            return BackendFailure("server", f"{url}: the connection failed: {reason}"), None, True

    def _session(self) -> Any:
        """This thread's session: connections are kept, and a session is not made for several threads."""
        session = getattr(self._own, "session", None)
        if session is None:
            import requests

            session = self._own.session = requests.Session()
            session.headers["Accept-Encoding"] = "identity"  # so that bytes can be read as they come
            session.auth = self._signed  # a password in ~/.netrc would otherwise take the key's place
        return session

    def _signed(self, request: Any) -> Any:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _whole(deadline: float, response: Response) -> bytes | None:
    """The answer's bytes, None where they do not end in time: a server may trickle them without end."""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.raw.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if time.monotonic() > deadline or size > _MOST_BYTES:
            return None
    return b"".join(chunks)


def _read(response: Response, content: bytes) -> tuple[dict[str, Any] | BackendFailure, float | None, bool]:
    status = response.status_code
    shown = visible(content[: 2 * _SHOWN].decode("utf-8", "replace"))[:_SHOWN]
    if status == 429:
        wait = retry_after_seconds(response.headers.get("Retry-After"))
        return BackendFailure("rate_limited", f"{response.url}: HTTP 429: {shown}"), wait, True
    if status >= 500 or status in _AGAIN:
        wait = retry_after_seconds(response.headers.get("Retry-After"))
        return BackendFailure("server", f"{response.url}: HTTP {status}: {shown}"), wait, True
    if status in (400, 413, 422):  # this request, not the server
        return BackendFailure("refused", f"{response.url}: HTTP {status}: {shown}"), None, False
    if status != 200:
        return BackendFailure("server", f"{response.url}: HTTP {status}: {shown}"), None, False
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return BackendFailure("server", f"{response.url}: no JSON object: {shown!r}"), None, True
    if value.get("error"):
        return BackendFailure("server", f"{response.url}: {shown}"), None, True
    return value, None, False
