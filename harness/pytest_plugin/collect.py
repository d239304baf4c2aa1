"""Policy files as test files: one test a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.errors import BackendError, HarnessError, MeasurementError, PolicyError
from harness.pytest_plugin import session_of
from harness.pytest_plugin.session import WORD

if TYPE_CHECKING:
    from harness.policy import Policy
    from harness.pytest_plugin.session import Json


class GateFile(pytest.File):
    """A policy."""

    def collect(self) -> Iterator[GateItem]:
        """One test a rule, named by what the file says: no run is read before a test runs."""
        from harness.policy import load_policy

        fault = None
        try:
            policy = load_policy(self.path)
        except PolicyError as error:
            fault = str(error)
        if fault is not None:  # out of the handler, so that the message stands alone
            pytest.fail(fault, pytrace=False)
        seen = Counter(rule.title for rule in policy.demands)
        for index, rule in enumerate(policy.demands):
            again = f"::rule {index + 1}" if seen[rule.title] > 1 else ""
            yield GateItem.from_parent(self, name=f"gate[{rule.title}{again}]", policy=policy, index=index)


class GateItem(pytest.Item):
    """One rule of a policy; it takes its part of the verdict on the whole policy."""

    def __init__(self, *, policy: Policy, index: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.policy = policy
        self.index = index
        self.rule = policy.demands[index]
        self.outcomes: list[Json] = []
        self.record: Json = {}
        self.add_marker("harness_gate")
        if self.rule.tier == "advisory":
            self.add_marker("harness_advisory")

    def setup(self) -> None:
        """Judges the policy, or takes the verdict that was drawn already; what goes wrong here is an error."""
        from harness.pytest_plugin.judged import judged_record

        session = session_of(self.config)
        fault = None
        try:
            self.record = judged_record(
                session,
                self.policy,
                where=shown_path(self.path, self.config.rootpath),
                candidate=session.candidate(),
                baseline=session.option("baseline"),
            )
        except HarnessError as error:
            if isinstance(error, (BackendError, MeasurementError)):
                self.stash[WORD] = "UNMEASURED"
            fault = str(error)
        if fault is not None:  # out of the handler, so that the message stands alone
            pytest.fail(fault, pytrace=False)
        self.outcomes = [outcome for outcome in self.record["outcomes"] if outcome["rule"] == self.index]

    def runtest(self) -> None:
        """Fails, warns or passes."""
        from harness.pytest_plugin.judged import MOST_IN_FULL, text_of, worst

        session = session_of(self.config)
        session.note(self, [outcome | {"key": self.record["key"]} for outcome in self.outcomes])
        if not self.outcomes:
            if not self.record["outcomes"]:
                self._end("inconclusive", self.record["reason"])
                return
            pytest.skip("an earlier rule of the file demands the same of the same items")
        is_advice = self.rule.tier == "advisory"
        self._end(worst(self.outcomes), text_of(self.outcomes, in_full=0 if is_advice else MOST_IN_FULL))

    def _end(self, status: str, text: str) -> None:
        is_warning = self.rule.tier == "advisory" or (status == "inconclusive" and self.record["warns_only"])
        session_of(self.config).settle(self, status, text, is_warning=is_warning)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The text alone: nobody needs our traceback."""
        if isinstance(excinfo.value, AssertionError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The policy's file and the rule's line."""
        return self.path, None if self.rule.line is None else self.rule.line - 1, self.name


def shown_path(path: Path, root: Path) -> str:
    """A path as it is shown: below the root without it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
