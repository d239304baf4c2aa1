"""A candidate judged while it is asked: block by block, until the verdict is settled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.comparison.sides import Runs
from harness.core.errors import PolicyError, UsageError
from harness.core.exchange import Answer, Backend, Request
from harness.evaluation.evaluate import evaluate_with
from harness.evaluation.journalled import content_id
from harness.evaluation.settings import EvaluationSettings
from harness.gating.average import is_average
from harness.gating.gate import Judged, judged, overall, sentence
from harness.gating.looks import Evidence, Hypothesis, Reading, evidence_at, hypothesis_of, is_tested, settled
from harness.gating.order import cut_suites, drawn_order
from harness.gating.verdict import Judgement, Status, Verdict
from harness.policy import Policy
from harness.stats.sequential import equal_looks
from harness.store import CheckpointRecord, Store, StoredRun, open_store
from harness.suites import BuiltSuite

LOOKS = 5


@dataclass(frozen=True, slots=True)
class Look:
    """One look on the way.

    Attributes:
        share: Of each suite's source items asked so far.
        items: Source items asked so far, over all suites.
        status: What the gate would have said.
        reason: Why, in one sentence.
    """

    share: float
    items: int
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class StagedVerdict:
    """A verdict with what it cost.

    Attributes:
        verdict: As of `gate`.
        run: What was asked, stored; partial where the run stopped early.
        looks: Every look made.
        items: Source items asked.
        items_total: Source items there are.
        requests: Requests that reached the backend.
        requests_total: Requests that all suites would have taken.
    """

    verdict: Verdict
    run: StoredRun
    looks: tuple[Look, ...]
    items: int
    items_total: int
    requests: int
    requests_total: int

    @property
    def saved_share(self) -> float:
        """Share of the requests that never had to be made, 0 to 1."""
        return 1 - self.requests / self.requests_total if self.requests_total else 0.0


class RememberingBackend:
    """Asks a backend each distinct request once, however often it is asked (`core.exchange.Backend`).

    Attributes:
        asked: Distinct requests that reached the backend.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: dict[str, Answer] = {}

    @property
    def asked(self) -> int:
        """Distinct requests that reached the backend."""
        return len(self._known)

    def describe(self) -> dict[str, object]:
        """The backend's own description."""
        return self._backend.describe()

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        """Known answers first, then the backend's."""
        waiting: dict[str, list[str]] = {}
        todo: list[Request] = []
        for request in requests:
            key = content_id(request)
            if key in self._known:
                yield request.request_id, self._known[key]
            elif key in waiting:
                waiting[key].append(request.request_id)
            else:
                waiting[key] = [request.request_id]
                todo.append(replace(request, request_id=key))
        for key, answer in self._backend.answer(todo):
            self._known[key] = answer
            for request_id in waiting[key]:
                yield request_id, answer


def _quiet(look: Look) -> None:
    del look


def staged_gate(
    backend: Backend,
    identity: CheckpointRecord,
    suites: Sequence[BuiltSuite],
    *,
    baseline: Runs,
    policy: Policy,
    store: Store,
    settings: EvaluationSettings | None = None,
    looks: int = LOOKS,
    reading: Reading = "population",
    on_look: Callable[[Look], None] = _quiet,
) -> StagedVerdict:
    """Ask a candidate the same share of every suite at a time, and stop once no more answers can change the verdict.

    Items come in an order drawn from suite and candidate. As soon as one blocking rule has failed the build has; it
    passes once every blocking rule has. Floors and must-pass lists can fail early, but pass only when all is asked.

    Args:
        backend: What answers for the candidate.
        identity: The candidate's record.
        suites: Whole suites, built.
        baseline: A finished run of the same suites, or several.
        policy: The rules.
        store: Where the candidate's run is kept.
        settings: As for `evaluate`; without limit and smoke.
        looks: How often to look at most, the last time at everything.
        reading: "population": the items are a sample of what matters; "suite": they are all that matters, so that
            what is already known of them bounds the rest.
        on_look: Called after each look.

    Raises:
        UsageError: If there is nothing to ask, or only part of the suites is.
        PolicyError: If a rule cannot be applied.
    """
    settings = settings or EvaluationSettings()
    if not suites or settings.limit is not None or settings.smoke:
        raise UsageError(
            "A gate that stops early draws its own part of whole suites: name some, without a limit."
        )
    remembering = RememberingBackend(backend)
    orders = {
        built.suite.name: drawn_order(built, seed=settings.seed, names=[identity.digest]) for built in suites
    }
    shares = equal_looks(looks)
    family = _blocking_family(baseline, policy, names=frozenset(orders))
    history: list[dict[Hypothesis, Judgement]] = []
    made: list[Look] = []
    found: Judged | None = None
    with TemporaryDirectory() as folder:
        scratch = open_store(Path(folder), create=True)
        for share in shares:
            part = cut_suites(suites, orders, share)
            run = evaluate_with(remembering, identity, part, store=scratch, settings=settings)
            try:
                found = judged(candidate=run, baseline=baseline, policy=replace(policy, min_shared=0.0))
            except PolicyError:
                # So early a rule's slice may have no item yet; with everything asked it is a fault.
                if share == 1:
                    raise
                history.append({})
                continue
            found = _looked(found, history, orders, policy, shares=shares, reading=reading, family=family)
            made.append(_look(found, share, part))
            on_look(made[-1])
            if made[-1].status != "inconclusive":
                break
    assert found is not None
    part = cut_suites(suites, orders, made[-1].share)
    return _kept(found, part, suites, made, remembering, identity, store, settings, policy)


def _blocking_family(baseline: Runs, policy: Policy, *, names: frozenset[str]) -> int:
    """How many blocking hypotheses there will be, counted on the baseline against itself."""
    own = judged(candidate=baseline, baseline=baseline, policy=replace(policy, min_shared=0.0)).verdict
    return sum(one.is_blocking and is_tested(one) and one.effect.suite in names for one in own.judgements)


def _looked(
    found: Judged,
    history: list[dict[Hypothesis, Judgement]],
    orders: dict[str, tuple[str, ...]],
    policy: Policy,
    *,
    shares: Sequence[float],
    reading: Reading,
    family: int,
) -> Judged:
    """The latest look judged with all looks before it."""
    # The average is tested with everything asked, by `gate`; an early look at it would need a path of its own.
    judgements = tuple(one for one in found.verdict.judgements if not is_average(one))
    history.append({hypothesis_of(one): one for one in judgements if is_tested(one)})
    evidence: dict[Hypothesis, Evidence] = {
        key: evidence_at(history, found, orders, hypothesis=key, shares=shares, reading=reading)
        for key in history[-1]
        if history[-1][key].status != "inconclusive" or _is_judgeable(history[-1][key], policy)
    }
    restated = settled(judgements, evidence, n_family=family, alpha=policy.alpha)
    if shares[len(history) - 1] < 1:
        restated = tuple(_not_yet(one) if one.rule.is_absolute else one for one in restated)
    status = overall(restated)
    verdict = replace(
        found.verdict,
        status=status,
        reason=sentence(status, restated),
        judgements=restated,
        differences=tuple(one for one in found.verdict.differences if one.kind != "strays"),
        policy_digest=policy.digest,
    )
    return replace(found, verdict=verdict)


def _is_judgeable(judgement: Judgement, policy: Policy) -> bool:
    """Whether too many failures, or unlike measurements, keep the numbers from being judged."""
    effect = judgement.effect
    return (
        bool(effect.n)
        and effect.failed / effect.n <= policy.max_failed_share
        and effect.certify_p is not None
    )


def _not_yet(judgement: Judgement) -> Judgement:
    """A floor or list that holds so far holds for sure only when all is asked."""
    if judgement.status != "pass" or not judgement.is_blocking:
        return judgement
    return replace(judgement, status="inconclusive", reason=f"so far: {judgement.reason}")


def _look(found: Judged, share: float, part: Sequence[BuiltSuite]) -> Look:
    return Look(share, sum(built.n_items for built in part), found.verdict.status, found.verdict.reason)


def _kept(
    found: Judged,
    part: tuple[BuiltSuite, ...],
    suites: Sequence[BuiltSuite],
    looks: list[Look],
    remembering: RememberingBackend,
    identity: CheckpointRecord,
    store: Store,
    settings: EvaluationSettings,
    policy: Policy,
) -> StagedVerdict:
    """The run as far as it went, stored, and the verdict that names it."""
    from harness.evaluation.suite_result import questions

    requests = {content_id(each.request) for built in suites for each in questions(built, seed=settings.seed)}
    n_asked = remembering.asked
    is_whole = looks[-1].share == 1
    # The largest part of a suite stands as the limit, which marks the run as partial: it cannot be promoted.
    limit = None if is_whole else max(built.n_items for built in part)
    lineage = {"stopped": {"looks": len(looks), "share": looks[-1].share, "policy": policy.digest}}
    run = evaluate_with(
        remembering, identity, part, store=store, settings=replace(settings, limit=limit),
        lineage={} if is_whole else lineage,
    )  # fmt: skip
    return StagedVerdict(
        verdict=replace(found.verdict, candidate=((run.run_id, run.manifest.checkpoint.name),)),
        run=run,
        looks=tuple(looks),
        items=looks[-1].items,
        items_total=sum(built.n_items for built in suites),
        requests=n_asked,
        requests_total=len(requests),
    )
