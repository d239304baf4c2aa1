"""The fixture `gate`: a comparison in one's own test, and what may be asserted of it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.policy import Policy
    from harness.pytest_plugin.session import GateSession, Json


class Gate:
    """Judges a candidate against a baseline. Ask for it as the fixture `gate`."""

    def __init__(self, session: GateSession, node: pytest.Item) -> None:
        self._session = session
        self._node = node

    def __repr__(self) -> str:
        return f"gate(store={self._session.store!r}, candidate={self._session.option('candidate')!r})"

    def __call__(
        self,
        *,
        candidate: str | os.PathLike[str] | None = None,
        baseline: str | None = None,
        suite: str | None = None,
        policy: Policy | str | Path | None = None,
    ) -> Gated:
        """What may be asserted of a candidate against a baseline.

        A flag of the command line wins over an argument, an argument over the marker `harness_gate`, and that over
        the ini file and the policy.

        Args:
            candidate: A run's id or name, or a checkpoint's folder, which is then run as the baseline was.
            baseline: A run's id or name.
            suite: Only this suite.
            policy: A policy or its file; without one, each assertion makes a rule of its own.
        """
        marker = self._node.get_closest_marker("harness_gate")
        defaults: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
        given = None if candidate is None else os.fspath(candidate)
        return Gated(
            self._session,
            self._node,
            candidate=self._session.candidate(given or defaults.get("candidate")),
            baseline=self._chosen("baseline", baseline or defaults.get("baseline")),
            suite=suite or defaults.get("suite"),
            policy=policy or defaults.get("policy"),
        )

    def _chosen(self, name: str, given: str | None) -> str | None:
        return self._session.config.getoption(f"harness_{name}") or given or self._session.option(name)


class Gated:
    """One comparison. Each assertion is a family of its own, judged at the policy's level."""

    def __init__(
        self,
        session: GateSession,
        node: pytest.Item,
        *,
        candidate: str,
        baseline: str | None,
        suite: str | None,
        policy: Policy | str | Path | None,
    ) -> None:
        self._session = session
        self._node = node
        self._candidate, self._baseline, self._suite = candidate, baseline, suite
        self._policy = policy

    def verdict(self) -> Json:
        """The verdict as JSON, for assertions of one's own."""
        found: Json = self._judged(self._whole_policy())["verdict"]
        return found

    def assert_no_regression(self, **rule: Any) -> None:
        """Fails where the candidate is shown to be worse by more than the margin; undecided is what the policy says.

        Args:
            rule: A rule's keys as a policy file has them (margin, metric, transform, family, slice, by); none of
                them where the gate was given a policy.
        """
        __tracebackhide__ = True
        self._assert(self._judged(self._policy_of(rule)), must_pass=False)

    def assert_non_inferior(self, **rule: Any) -> None:
        """Fails unless a loss of the margin or more is ruled out; undecided is a failure, whatever the policy says.

        Args:
            rule: As for `assert_no_regression`.
        """
        __tracebackhide__ = True
        self._assert(self._judged(self._policy_of(rule)), must_pass=True)

    def _policy_of(self, rule: dict[str, Any]) -> Policy:
        from harness.policy import policy_from_json

        if self._policy is not None:
            if rule:
                raise UsageError(
                    f"The gate has a policy and its rules; leave out {', '.join(sorted(rule))}, or the policy."
                )
            return self._whole_policy()
        return policy_from_json({"schema": 1, "rules": [rule]})

    def _whole_policy(self) -> Policy:
        from harness.policy import Policy, default_policy, load_policy

        if self._policy is None:
            return default_policy()
        return self._policy if isinstance(self._policy, Policy) else load_policy(self._policy)

    def _judged(self, policy: Policy) -> Json:
        from harness.pytest_plugin.judged import judged_record

        return judged_record(
            self._session,
            replace(policy, path=policy.path or None),
            where=self._node.nodeid,
            candidate=self._candidate,
            baseline=self._baseline,
            suite=self._suite,
        )

    def _assert(self, record: Json, *, must_pass: bool) -> None:
        from harness.pytest_plugin.judged import text_of

        __tracebackhide__ = True
        self._session.note(self._node, [outcome | {"key": record["key"]} for outcome in record["outcomes"]])
        blocking = [outcome for outcome in record["outcomes"] if outcome["blocking"]]
        text = text_of(blocking) or str(record["reason"])
        is_warning = record["status"] == "inconclusive" and bool(record["warns_only"]) and not must_pass
        self._session.settle(self._node, record["status"], text, is_warning=is_warning)
