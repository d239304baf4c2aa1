"""How the dashboard is started: loopback unless meant otherwise, nothing phoned home, faults told at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from harness.core.errors import PolicyError, StoreError, UsageError
from harness.report import serve
from harness.report.serve import check_host, check_port, serve_dashboard, serving_command, serving_environment
from harness.store import open_store


@pytest.fixture
def store(tmp_path: Path) -> str:
    open_store(tmp_path / "runs", create=True)
    return str(tmp_path / "runs")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been started."""
    commands: list[list[str]] = []

    class Started:
        def __init__(self, command: list[str], env: dict[str, str]) -> None:
            commands.append(command)

        def wait(self, timeout: float | None = None) -> int:
            raise KeyboardInterrupt

        def poll(self) -> int:
            return 0

    monkeypatch.setattr(serve.subprocess, "Popen", Started)
    return commands


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.example.org", ""])
def test_an_address_others_can_reach_needs_expose(host: str, store: str, started: list[list[str]]) -> None:
    with pytest.raises(UsageError, match="--expose"):
        serve_dashboard(store, host=host)
    assert started == []
    check_host(host, expose=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.53"])
def test_loopback_needs_nothing(host: str) -> None:
    check_host(host, expose=False)


def test_a_busy_port_is_named_with_the_remedy(store: str, started: list[list[str]]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(UsageError, match=rf"Port {port} .*--port {port + 1}"):
            serve_dashboard(store, port=port)
    assert started == []


def test_a_free_port_is_accepted() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    check_port("127.0.0.1", port)


def test_no_store_is_told_before_a_server_runs(tmp_path: Path, started: list[list[str]]) -> None:
    with pytest.raises(StoreError, match="no store"):
        serve_dashboard(str(tmp_path / "nothing"))
    assert started == []


def test_a_faulty_policy_is_told_before_a_server_runs(
    tmp_path: Path, store: str, started: list[list[str]]
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("schema: 1\nrules: []\n")
    with pytest.raises(PolicyError):
        serve_dashboard(store, policy=policy)
    assert started == []


def test_control_c_ends_it_as_a_success(
    store: str, started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert serve_dashboard(store, port=port) == 0
    assert f"http://localhost:{port}" in capsys.readouterr().out
    assert len(started) == 1


def test_the_server_phones_nobody_and_trusts_no_foreign_host() -> None:
    options = serving_command("127.0.0.1", 8501)
    for expected in (
        "--server.address=127.0.0.1", "--browser.gatherUsageStats=false", "--server.enableXsrfProtection=true",
        "--server.enableCORS=true", "--server.fileWatcherType=none", "--server.headless=true",
        "--client.toolbarMode=viewer", "--server.enableStaticServing=false",
    ):  # fmt: skip
        assert expected in options


def test_an_exposed_server_shows_no_tracebacks() -> None:
    assert "--client.showErrorDetails=type" in serving_command("0.0.0.0", 8501)


def test_the_current_folder_cannot_slip_in_modules() -> None:
    # -P keeps the current folder, which may hold anybody's `dashboards`, out of the module path.
    assert serving_command("127.0.0.1", 8501)[1] == "-P"


def test_store_and_policy_travel_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_POLICY", "inherited.yaml")
    assert "HARNESS_POLICY" not in serving_environment("s3://bucket/runs", None)
    environment = serving_environment("s3://bucket/runs", tmp_path / "gate.yaml")
    assert environment["HARNESS_STORE"] == "s3://bucket/runs"
    assert environment["HARNESS_POLICY"] == str(tmp_path / "gate.yaml")
    parent = Path(environment["PYTHONPATH"].split(os.pathsep)[0])
    assert (parent / "dashboards" / "app.py").is_file()
