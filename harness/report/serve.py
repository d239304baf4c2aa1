"""Starts the dashboard: Streamlit as a process of its own, on this machine only unless told otherwise."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode

from harness.core.errors import UsageError

_PACKAGE = Path(__file__).resolve().parents[1]
STORE_VARIABLE, POLICY_VARIABLE = "HARNESS_STORE", "HARNESS_POLICY"


def dashboard_folder() -> Path:
    """Where the pages lie: inside the installed package, or beside it in a checkout.

    Raises:
        UsageError: If they are in neither place.
    """
    for parent in (_PACKAGE / "_shipped", _PACKAGE.parent):
        if (parent / "dashboards" / "app.py").is_file():
            return parent / "dashboards"
    raise UsageError(f"The dashboard's pages are not installed beside {_PACKAGE}; install sft-harness again.")


def serve_dashboard(
    store: str,
    *,
    port: int = 8501,
    host: str = "127.0.0.1",
    expose: bool = False,
    opens: bool = False,
    policy: Path | None = None,
    page: str = "",
) -> int:
    """Serves the dashboard over a store until Ctrl-C.

    Args:
        store: The store's folder or address.
        port: A free port.
        host: The address to listen at.
        expose: Whether an address that other machines can reach is meant; there is no login.
        opens: Whether to open a browser.
        policy: A gate's policy for the Verdict page; None means the default policy.
        page: The page to begin at, as `lost_items` gives it; "" is the first.

    Returns:
        The exit code: 0 after Ctrl-C.

    Raises:
        UsageError: For an address that needs `expose`, a port in use, no such store, or a faulty policy.
    """
    from harness.policy import load_policy
    from harness.store import open_store

    check_host(host, expose=expose)
    open_store(store)
    if policy is not None:
        load_policy(policy)
    check_port(host, port)
    environment = serving_environment(store, policy)
    process = subprocess.Popen(serving_command(host, port), env=environment)
    url = f"http://{'localhost' if is_loopback(host) else host}:{port}{'/' if page else ''}{page}"
    print(f"Dashboard over {store}: {url}  (Ctrl-C ends it)", flush=True)  # noqa: T201
    if opens:
        threading.Thread(target=_open_when_up, args=(host, port, url), daemon=True).start()
    try:
        return process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _end(process)


def lost_items(baseline: str, candidate: str, *, suite: str | None = None) -> str:
    """The page of the items that a candidate lost, as the dashboard reads it from its address.

    Example:
        >>> lost_items("ba5e", "cada", suite="noisy-input")
        'items?v=1&a=ba5e&b=cada&s=noisy-input&tr=rw'
    """
    query = {"v": "1", "a": baseline, "b": candidate} | ({} if suite is None else {"s": suite}) | {"tr": "rw"}
    return f"items?{urlencode(query)}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("localhost")
        (True, True, False, True)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_host(host: str, *, expose: bool) -> None:
    """Refuses an address that other machines can reach unless that is meant."""
    if not is_loopback(host) and not expose:
        raise UsageError(
            f"Other machines could reach '{host}', and the dashboard has no login: add --expose if that is meant, "
            "or leave --host away to listen on this machine only."
        )


def check_port(host: str, port: int) -> None:
    """Refuses a port that is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"Port {port} of {host} cannot be used ({error.strerror}): another program, or an earlier dashboard, "
                f"may hold it. End that, or choose another: --port {port + 1 if port < 65535 else 8501}."
            ) from error


def serving_environment(store: str, policy: Path | None) -> dict[str, str]:
    """The process's environment: where the store, the policy and the pages' package are."""
    environment = {name: value for name, value in os.environ.items() if name != POLICY_VARIABLE}
    parents = [str(dashboard_folder().parent), str(_PACKAGE.parent)]
    inherited = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([*parents, *inherited]))
    environment[STORE_VARIABLE] = store
    if policy is not None:
        environment[POLICY_VARIABLE] = str(policy.resolve())
    return environment


def serving_command(host: str, port: int) -> list[str]:
    """Streamlit's command line: no phoning home, no source watcher, no foreign host names or origins."""
    folder = dashboard_folder()
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.enableCORS": "true",
        "server.enableXsrfProtection": "true",
        "server.enableStaticServing": "false",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": "localhost" if is_loopback(host) else host,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "full" if is_loopback(host) else "type",
        "logger.level": "warning",
        "logger.hideWelcomeMessage": "true",
        "theme.base": str(folder / "theme.toml"),
    }
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(folder / "app.py")]
    command += [f"--{name}={value}" for name, value in options.items()]
    # Against DNS rebinding; Streamlit knows the option since 1.61.
    if is_loopback(host) and _streamlit_version() >= (1, 61):
        command += [f"--server.allowedHosts={name}" for name in ("localhost", "127.0.0.1", "[::1]")]
    return command


def _streamlit_version() -> tuple[int, int]:
    major, minor = version("streamlit").split(".")[:2]
    return int(major), int(minor)


def _open_when_up(host: str, port: int, url: str) -> None:
    """Opens the browser once something answers, or gives up after half a minute."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with socket.create_connection((host, port), timeout=1):
                webbrowser.open(url)
                return
        except OSError:
            time.sleep(0.3)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the server politely, then firmly."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
