"""What a run would cost and what it could decide, before anything is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.core.exchange import Choose, Generate, Request, ScoreText
from harness.core.rows import MetricFacts, SuiteRecord
from harness.evaluation.journalled import content_id
from harness.evaluation.settings import EvaluationSettings
from harness.evaluation.suite_result import metric_facts, questions
from harness.stats.power import can_decide, detectable_effects
from harness.suites import BuiltSuite

if TYPE_CHECKING:
    from harness.engine import Checkpoint
    from harness.lmeval import PreparedTasks

PROBE_SECONDS = 2.0
LIKELY_DISCORDANCE = 0.10  # between two checkpoints of one family, where no past run says


@dataclass(frozen=True, slots=True)
class SuiteForecast:
    """One suite or task.

    Args:
        items: Source items.
        variants: Asked variants; for a task, its documents.
        rejected: Variants that a transform could not make.
        requests: Distinct requests.
        prompt_tokens: Tokens to be read, options included; None where not counted (tasks).
        output_tokens: Tokens that may be written at most.
        too_long: Prompts that do not fit the context.
        detectable: (discordance, smallest loss found with 80 % power) pairs, for 0-1 metrics.
        decides: Why the suite could not decide at the margin, or "" where it can.
        margin: Largest loss that would still be accepted.
    """

    name: str
    items: int
    variants: int
    rejected: int
    requests: int
    prompt_tokens: int | None
    output_tokens: int
    too_long: int
    detectable: tuple[tuple[float, float | None], ...]
    decides: str
    margin: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The whole run: its parts, and the time it should take."""

    checkpoint: str
    device: str
    suites: tuple[SuiteForecast, ...]
    tokens_per_second: float | None
    seconds: float | None

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def foresee(
    checkpoint: Checkpoint,
    suites: Sequence[BuiltSuite],
    tasks: PreparedTasks | None,
    *,
    settings: EvaluationSettings,
    margin_of: Callable[[str], float],
    alpha: float,
) -> Forecast:
    """Count what would be asked, and measure a short probe of it for the time.

    Args:
        checkpoint: An open checkpoint; its tokenizer counts, its model is probed for about two seconds.
        suites: What would be asked.
        tasks: lm-eval tasks, counted by requests.
        settings: The run's settings.
        margin_of: A suite's name -> the largest loss that would still be accepted of it.
        alpha: One-sided level of the judgement.
    """
    parts, requests = [], []
    for built in suites:
        asked = [question.request for question in questions(built, seed=settings.seed)]
        distinct = list({content_id(request): request for request in asked}.values())
        requests += distinct
        margin = margin_of(built.suite.name)
        parts.append(_suite(checkpoint, built, distinct, margin=margin, alpha=alpha))
    if tasks is not None:
        parts += [
            _task(record, tasks, margin=margin_of(record.name), alpha=alpha) for record in tasks.records
        ]
    rate = _probe(checkpoint, requests, settings) if requests else None
    tokens = sum((part.prompt_tokens or 0) + part.output_tokens for part in parts)
    return Forecast(
        checkpoint=checkpoint.identity.name,
        device=str(checkpoint.describe().get("device")),
        suites=tuple(parts),
        tokens_per_second=rate,
        seconds=None if rate is None or tasks is not None else tokens / rate,
    )


def request_tokens(checkpoint: Checkpoint, request: Request) -> tuple[int, int, int]:
    """(tokens read, tokens written at most, longest single prompt) of one request on the plain path."""
    if isinstance(request, ScoreText):
        n_tokens = checkpoint.count_tokens(request.text)
        return n_tokens, 0, 0  # longer texts are scored in windows
    prompt = checkpoint.count_tokens(checkpoint.render(request.prompt))
    if isinstance(request, Generate):
        return prompt, request.settings.max_tokens * request.n, prompt + 1
    assert isinstance(request, Choose)
    options = [checkpoint.count_tokens(option) for option in request.options]
    return sum(prompt + option for option in options), 0, prompt + max(options)


def _suite(
    checkpoint: Checkpoint, built: BuiltSuite, requests: list[Request], *, margin: float, alpha: float
) -> SuiteForecast:
    counted = [request_tokens(checkpoint, request) for request in requests]
    n_items = len({variant.item_id for variant in built.variants})
    primary = metric_facts(built.suite.primary)
    return SuiteForecast(
        name=built.suite.name,
        items=n_items,
        variants=len(built.variants),
        rejected=len(built.rejected),
        requests=len(requests),
        prompt_tokens=sum(read for read, _, _ in counted),
        output_tokens=sum(written for _, written, _ in counted),
        too_long=sum(longest > checkpoint.max_tokens for _, _, longest in counted),
        detectable=_detectable(primary, n_items, alpha),
        decides=_faults(primary, n_items, margin, alpha, is_clustered=len(built.variants) > n_items),
        margin=margin,
    )


def _task(record: SuiteRecord, tasks: PreparedTasks, *, margin: float, alpha: float) -> SuiteForecast:
    primary = next(fact for fact in record.metrics if fact.name == record.primary)
    return SuiteForecast(
        name=record.name,
        items=record.n_items,
        variants=record.n_variants,
        rejected=record.n_rejected,
        requests=tasks.requests_of(record.name),
        prompt_tokens=None,
        output_tokens=0,
        too_long=0,
        detectable=_detectable(primary, record.n_items, alpha),
        decides=_faults(primary, record.n_items, margin, alpha, is_clustered=False),
        margin=margin,
    )


def _detectable(primary: MetricFacts, n_items: int, alpha: float) -> tuple[tuple[float, float | None], ...]:
    if not primary.binary:
        return ()
    return tuple((each.discordance, each.effect) for each in detectable_effects(n_items, alpha=alpha))


def _faults(primary: MetricFacts, n_items: int, margin: float, alpha: float, *, is_clustered: bool) -> str:
    """Why the suite could not decide, or ""; nothing is known beforehand of scores that are not 0 or 1."""
    if not primary.binary or margin >= 1:
        return ""
    ever = can_decide(n_items, margin=margin, alpha=alpha, is_clustered=is_clustered)
    if ever.reason:
        return ever.reason
    likely = can_decide(
        n_items, margin=margin, discordance=LIKELY_DISCORDANCE, alpha=alpha, is_clustered=is_clustered
    )
    if likely.passes_unchanged:
        return ""
    return f"Could not pass an unchanged checkpoint of which {LIKELY_DISCORDANCE:.0%} of the answers differ."


def _probe(checkpoint: Checkpoint, requests: list[Request], settings: EvaluationSettings) -> float | None:
    """Tokens per second over a spread-out sample of the requests, for about two seconds."""
    from harness.engine import LocalBackend

    backend = LocalBackend(checkpoint, batch_tokens=settings.batch_tokens, too_long="skip")
    step = max(1, len(requests) // 64)
    sample = requests[::step][:64]
    # Loading and the first call are paid once, whatever the run's length.
    for _ in backend.answer(sample[:1]):
        pass
    started, tokens = time.monotonic(), 0
    for place in range(0, len(sample), 8):
        part = sample[place : place + 8]
        for _ in backend.answer(part):
            pass
        tokens += sum(sum(request_tokens(checkpoint, request)[:2]) for request in part)
        if time.monotonic() - started > PROBE_SECONDS:
            break
    elapsed = time.monotonic() - started
    return tokens / elapsed if elapsed > 0 else None
