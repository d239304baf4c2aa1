"""How a baseline moves: judged first, refused where the verdict is no pass and nobody says why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.core.errors import RunNotFound, UsageError
from harness.gating.gate import gate
from harness.policy import Policy
from harness.store import Promotion, Store

AUTHOR_VARIABLES = ("HARNESS_AUTHOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "USERNAME")


def promote_baseline(
    store: Store,
    name: str,
    ref: str,
    *,
    policy: Policy | str | Path | None = None,
    reason: str | None = None,
    author: str,
) -> Promotion:
    """Judges a run against the baseline of a name and makes it the baseline.

    Args:
        store: Where both lie.
        name: The baseline's name; a new one needs no verdict.
        ref: The run's id or name.
        policy: What it is judged by; None is the default policy.
        reason: Why; needed unless the verdict is a pass.
        author: Who.

    Raises:
        UsageError: If the verdict is no pass and no reason is given, or the run is the baseline already.
        StoreError: If the run is unknown or partial, or the name is not allowed.
    """
    store.check_name(name)
    current = store.names().get(name)
    run_id = store.run(ref).run_id
    if current is None:
        return store.promote(name, run_id, reason=reason or "the first baseline", author=author)
    if current == run_id:
        raise UsageError(f"Run '{run_id}' is the baseline '{name}' already.")
    shown = None if policy is None or isinstance(policy, Policy) else str(policy)
    try:
        baseline = store.run(current)
    except RunNotFound as error:
        if reason is None:
            raise UsageError(
                f"The baseline '{name}' cannot be judged against: {error} "
                "Say why another may take its place (--reason)."
            ) from error
        return store.promote(name, run_id, reason=reason, author=author, policy=shown)
    verdict = gate(candidate=store.run(run_id), baseline=baseline, policy=policy, store=store)
    return promote_judged(
        store, name, run_id, status=verdict.status, policy=shown or "the default policy", reason=reason,
        author=author, why=verdict.reason,
    )  # fmt: skip


def promote_judged(
    store: Store,
    name: str,
    run_id: str,
    *,
    status: str,
    policy: str,
    reason: str | None,
    author: str,
    why: str = "",
) -> Promotion:
    """Makes a run that was judged against the baseline of a name the baseline.

    Args:
        store: Where it lies.
        name: The baseline's name.
        run_id: The run.
        status: The verdict: pass, fail or inconclusive.
        policy: By which policy, for the history.
        reason: Why; needed unless the verdict is a pass.
        author: Who.
        why: The verdict's own sentence, for the refusal.

    Raises:
        UsageError: If the verdict is no pass and no reason is given.
    """
    if status != "pass" and not (reason and reason.strip()):
        raise UsageError(
            f"The verdict of run '{run_id}' against the baseline '{name}' is {status} ({policy}). {why} "
            "To promote it nevertheless, give a reason; it is kept in the history.".replace("  ", " ")
        )
    return store.promote(
        name,
        run_id,
        reason=reason or "every blocking rule passed",
        author=author,
        verdict=status,
        policy=policy,
    )


def in_ci(environment: Mapping[str, str]) -> bool:
    """Whether a build server runs this.

    Example:
        >>> in_ci({"CI": "true"}), in_ci({"CI": "0"}), in_ci({})
        (True, False, False)
    """
    return environment.get("CI", "").strip().lower() not in ("", "0", "false", "no")


def refuse_in_ci(environment: Mapping[str, str], *, allowed: bool, flag: str) -> None:
    """Refuses to move a baseline from a build unless that is meant: a person should.

    Raises:
        UsageError: In CI without the flag.
    """
    if in_ci(environment) and not allowed:
        raise UsageError(f"A baseline is not moved in CI (CI is set); promote it by hand, or add {flag}.")


def author_of(environment: Mapping[str, str]) -> str:
    """Who acts: HARNESS_AUTHOR, the build's user, or the account's name.

    Example:
        >>> author_of({"USER": "ada", "HARNESS_AUTHOR": "release bot"}), author_of({})
        ('release bot', 'unknown')
    """
    return next((environment[name] for name in AUTHOR_VARIABLES if environment.get(name)), "unknown")
