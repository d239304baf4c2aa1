"""The pytest plugin: gates as tests.

It is loaded in every pytest session of whoever has the package installed, so it imports pytest alone, and does
nothing until a `*.gate.yaml` file is collected or a test asks for the fixture `gate`.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.pytest_plugin.collect import GateFile
    from harness.pytest_plugin.fixture import Gate
    from harness.pytest_plugin.session import GateSession

SUFFIX = ".gate.yaml"
SESSION = pytest.StashKey["GateSession"]()

_OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("store", "DIR", "Store of runs [default: HARNESS_STORE, else runs]."),
    (
        "candidate",
        "RUN|CHECKPOINT",
        "Run id or name, or a checkpoint's folder, which is then run as the baseline was.",
    ),
    ("baseline", "RUN", "Run id or name [default: the policy's]."),
    ("report", "FILE", "Write all verdicts to FILE, .json or .md."),
    ("inconclusive", "fail|warn", "What an inconclusive verdict does to a test [default: the policy's]."),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """--harness-*, each with its twin in the ini file."""
    group = parser.getgroup("harness", "gates for fine-tuned models (sft-harness)")
    for name, metavar, text in _OPTIONS:
        group.addoption(f"--harness-{name}", metavar=metavar, default=None, help=text)
        parser.addini(f"harness_{name}", text, default="")
    group.addoption(
        "--harness-update",
        action="store_true",
        help="Promote the candidate to the baseline's name where every blocking rule passed.",
    )
    group.addoption(
        "--harness-accept",
        metavar="REASON",
        default=None,
        help="With --harness-update: promote although rules did not pass.",
    )
    group.addoption(
        "--harness-allow-ci", action="store_true", help="With --harness-update: move a baseline even in CI."
    )
    group.addoption(
        "--harness-github",
        action="store_true",
        help="Print GitHub annotations and add to the step's summary.",
    )
    parser.addini(
        "harness_junit_properties",
        "Write effect, interval, n and MDE as JUnit properties.",
        type="bool",
        default=True,
    )


def pytest_configure(config: pytest.Config) -> None:
    """The markers; works under --strict-markers."""
    config.addinivalue_line(
        "markers",
        "harness_gate(candidate=, baseline=, suite=, policy=): a gate; the arguments are defaults for `gate()`.",
    )
    config.addinivalue_line("markers", "harness_advisory: a gate's rule that cannot fail the build.")
    report = config.getoption("harness_report") or config.getini("harness_report")
    if report and not str(report).endswith((".json", ".md")):
        raise pytest.UsageError(f"--harness-report {report}: end the name in .json or .md")
    config.pluginmanager.register(_Judgements(config), "harness_judgements")


def session_of(config: pytest.Config) -> GateSession:
    """This process's gate session, begun when first asked for."""
    if SESSION not in config.stash:
        from harness.pytest_plugin.session import GateSession

        config.stash[SESSION] = GateSession(config)
    return config.stash[SESSION]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: tells a worker where verdicts are shared, so that each is drawn once."""
    node.workerinput["harness_shared"] = str(session_of(node.config).shared_folder())


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> GateFile | None:
    """A policy file is a file of tests, one a rule."""
    if not file_path.name.endswith(SUFFIX):
        return None
    from harness.pytest_plugin.collect import GateFile

    return GateFile.from_parent(parent, path=file_path)


@pytest.fixture
def gate(request: pytest.FixtureRequest) -> Gate:
    """Judges a candidate against a baseline: gate(candidate=..., baseline=...).assert_no_regression(margin=0.05)."""
    from harness.pytest_plugin.fixture import Gate

    return Gate(session_of(request.config), request.node)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Puts what a gate found onto the report, which xdist carries to the controller."""
    made = yield
    if SESSION in item.config.stash:
        item.config.stash[SESSION].put_on(made.get_result(), item, call)


def pytest_report_teststatus(
    report: pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Inconclusive and unmeasured have their own letter and word."""
    word = getattr(report, "harness_word", None)
    if word is None:
        return None
    if word == "UNMEASURED":
        return "error", "U", (word, {"red": True})
    return "failed", "?", (word, {"yellow": True})


class _Judgements:
    """What the reports carried, in the process that talks to the user."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.outcomes: list[dict[str, Any]] = []
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keeps what a gate found."""
        self.outcomes += getattr(report, "harness_gate", ())

    def pytest_sessionfinish(self) -> None:
        """Reports and promotions, once everything has been judged."""
        if not self.outcomes or hasattr(self.config, "workerinput"):
            return
        from harness.pytest_plugin.ending import finish

        self.lines = finish(session_of(self.config), self.outcomes)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """One table of all rules, and the next step."""
        if self.lines:
            terminalreporter.section("gates")
            for line in self.lines:
                terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        """Takes the shared verdicts away."""
        if SESSION in self.config.stash:
            self.config.stash[SESSION].close()
