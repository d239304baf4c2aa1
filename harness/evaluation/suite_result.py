"""From answers to the rows of one suite: predictions, scores and error classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from harness.core.codec import item_to_json
from harness.core.digest import canonical_json
from harness.core.exchange import (
    Answer,
    BackendFailure,
    Chosen,
    Conversation,
    Generate,
    Generated,
    Request,
    ScoreText,
    TextScored,
)
from harness.core.rows import ErrorRow, ItemRow, MetricFacts, OutputRow, ScoreRow, SuiteRecord, SuiteResult
from harness.core.scores import Case, Prediction, Score
from harness.core.variants import Variant
from harness.metrics import gold_text, score_case, specification
from harness.prompting import Asking, plain_text, read, request
from harness.suites import BuiltSuite
from harness.taxonomy import classify
from harness.taxonomy import specification as class_specification


@dataclass(frozen=True, slots=True)
class Question:
    """A variant with the request it makes."""

    variant: Variant
    request: Request


def questions(built: BuiltSuite, *, seed: int) -> tuple[Question, ...]:
    """Every variant's request, its id unique over suites; sampled generation takes the run's seed."""
    asked = []
    for variant in built.variants:
        made = request(variant, built.suite.asking)
        if isinstance(made, Generate):
            made = replace(made, settings=replace(made.settings, seed=seed))
        made = replace(made, request_id=f"{built.suite.name}/{variant.variant_id}")
        asked.append(Question(variant, made))
    return tuple(asked)


def suite_record(built: BuiltSuite) -> SuiteRecord:
    """The suite as the manifest names it."""
    suite = built.suite
    asking = suite.asking
    return SuiteRecord(
        name=suite.name,
        version=suite.version,
        digest=built.digest,
        primary=suite.primary,
        metrics=tuple(metric_facts(name) for name in suite.metrics),
        task=asking.task,
        asking=asking_json(asking),
        n_items=len({variant.item_id for variant in built.variants}),
        n_variants=len(built.variants),
        n_rejected=len(built.rejected),
    )


def metric_facts(name: str) -> MetricFacts:
    """What the manifest keeps of a metric."""
    spec = specification(name)
    return MetricFacts(
        name=spec.name,
        direction=spec.direction,
        bounds=spec.bounds,
        binary=spec.binary,
        corpus=spec.corpus,
        pass_at=spec.pass_at,
    )


def asking_json(asking: Asking) -> dict[str, object]:
    """How items were asked, as the manifest keeps it; unequal records are not comparable."""
    generation, reading = asking.generation, asking.reading
    return {
        "task": asking.task,
        "read": {"by": reading.by, "normalise": reading.normalise, "show_options": reading.lists_options},
        "generation": {
            "max_tokens": generation.max_tokens,
            "stop": list(generation.stop),
            "temperature": generation.temperature,
            "top_p": generation.top_p,
        },
        "samples": asking.samples,
    }


def prompt_of(made: Request) -> Conversation | str:
    """The prompt a request carries; a scored text is its own prompt."""
    return made.text if isinstance(made, ScoreText) else made.prompt


def item_row(question: Question) -> ItemRow:
    """The asked variant as the shared items table keeps it."""
    variant = question.variant
    prompt = prompt_of(question.request)
    return ItemRow(
        variant_id=variant.variant_id,
        item_id=variant.item_id,
        prompt_id=prompt_id_of(question.request),
        target_id=variant.item.target_id,
        language=variant.item.language,
        transform=variant.transform,
        family=variant.family,
        params=variant.params,
        position=variant.level.position,
        dose=variant.level.dose,
        level=variant.level.name,
        edits=canonical_json([[edit.part, edit.start, edit.before, edit.after] for edit in variant.edits]),
        tags=canonical_json(dict(variant.item.tags)),
        item=canonical_json(item_to_json(variant.item), sort_keys=False),
        prompt_text=plain_text(prompt) if isinstance(prompt, Conversation) else prompt,
        gold=gold_text(variant.item),
    )


def prompt_id_of(made: Request) -> str:
    """The id of what was asked, independent of any checkpoint's template."""
    prompt = prompt_of(made)
    if isinstance(prompt, Conversation):
        return prompt.prompt_id
    return Conversation((), cue=prompt).prompt_id


def _samples(answer: Answer) -> range:
    return range(len(answer.generations)) if isinstance(answer, Generated) else range(1)


def _output_row(
    suite: str, question: Question, answer: Answer, prediction: Prediction, sample: int
) -> OutputRow:
    variant = question.variant
    text = prediction.text
    blank = OutputRow(
        variant_id=variant.variant_id,
        item_id=variant.item_id,
        prompt_id=prompt_id_of(question.request),
        target_id=variant.item.target_id,
        suite=suite,
        sample=sample,
        kind=kind_of(question.request),
        text=text,
        predicted=prediction.shown if prediction.outcome == "scored" else None,
        gold=gold_text(variant.item),
        outcome=prediction.outcome,
        reason=prediction.reason,
        option_logprobs=None,
        option_tokens=None,
        option_greedy=None,
        logprob_nats=None,
        tokens=None,
        finish_reason=None,
        prompt_tokens=None,
        seconds=None,
    )
    if isinstance(answer, BackendFailure):
        return replace(blank, text=None)
    if isinstance(answer, Chosen):
        return replace(
            blank,
            option_logprobs=tuple(option.logprob_nats for option in answer.options),
            option_tokens=tuple(option.tokens for option in answer.options),
            option_greedy=tuple(option.is_greedy for option in answer.options),
            prompt_tokens=answer.prompt_tokens,
            seconds=answer.seconds,
        )
    if isinstance(answer, TextScored):
        return replace(blank, logprob_nats=answer.logprob_nats, tokens=answer.tokens, seconds=answer.seconds)
    if isinstance(answer, Generated):
        generation = answer.generations[sample]
        return replace(
            blank,
            text=generation.text,
            tokens=generation.tokens,
            finish_reason=generation.finish_reason,
            prompt_tokens=answer.prompt_tokens,
            seconds=answer.seconds,
        )
    assert_never(answer)


def kind_of(made: Request) -> Literal["choose", "score", "generate"]:
    """Which of the three kinds of request this is."""
    if isinstance(made, ScoreText):
        return "score"
    return "generate" if isinstance(made, Generate) else "choose"


def _score_row(suite: str, case: Case, score: Score, *, replicate: int) -> ScoreRow:
    variant = case.variant
    return ScoreRow(
        variant_id=variant.variant_id,
        item_id=variant.item_id,
        target_id=variant.item.target_id,
        suite=suite,
        family=variant.family,
        transform=variant.transform,
        params=variant.params,
        position=variant.level.position,
        dose=variant.level.dose,
        level=variant.level.name,
        language=variant.item.language,
        sample=case.sample,
        replicate=replicate,
        metric=score.metric,
        value=score.value,
        outcome=score.outcome,
    )


def _error_rows(record: SuiteRecord, case: Case, scores: list[Score]) -> Iterator[ErrorRow]:
    if record.task == "likelihood" or case.prediction.outcome == "failed":
        return  # nothing was predicted: there is no answer to find an error in
    classified = classify(case, correct=is_right(record, scores))
    for name in classified.flags:
        yield ErrorRow(
            variant_id=case.variant.variant_id,
            item_id=case.variant.item_id,
            suite=record.name,
            sample=case.sample,
            error_class=name,
            detector_version=class_specification(name).version,
            primary=name == classified.primary,
        )


def _score(case: Case, fact: MetricFacts) -> Score:
    """An item's score; a corpus metric has none for one item, only the outcome that counts it in."""
    if fact.corpus:
        return Score(case.variant.variant_id, fact.name, None, case.prediction.outcome, case.sample)
    return score_case(case, fact.name)


def is_right(record: SuiteRecord, scores: list[Score]) -> bool | None:
    """Whether the primary metric, or else the first that can tell, counts one item as right."""
    values = {score.metric: score.value for score in scores}
    for fact in sorted(record.metrics, key=lambda fact: fact.name != record.primary):
        value = values.get(fact.name)
        right = None if value is None else fact.is_right(value)
        if right is not None:
            return right
    return None


def suite_result(
    built: BuiltSuite, asked: tuple[Question, ...], answers: Mapping[str, Answer], *, replicate: int = 0
) -> SuiteResult:
    """All rows of one suite; `answers` by the request's id.

    Corpus metrics leave a row per item with no value, so that n scored of n is known.
    """
    record = suite_record(built)
    return result_of(record, built.suite.asking, asked, answers, replicate=replicate)


def result_of(
    record: SuiteRecord,
    asking: Asking,
    asked: tuple[Question, ...],
    answers: Mapping[str, Answer],
    *,
    replicate: int = 0,
) -> SuiteResult:
    """The rows of questions that were answered, read and scored as `asking` and `record` say."""
    scores: list[ScoreRow] = []
    outputs: list[OutputRow] = []
    errors: list[ErrorRow] = []
    for question in asked:
        answer = answers[question.request.request_id]
        for sample in _samples(answer):
            prediction = read(question.variant, answer, asking, sample=sample)
            case = Case(question.variant, prompt_of(question.request), answer, prediction, sample)
            made = [_score(case, fact) for fact in record.metrics]
            outputs.append(_output_row(record.name, question, answer, prediction, sample))
            scores.extend(_score_row(record.name, case, score, replicate=replicate) for score in made)
            errors.extend(_error_rows(record, case, made))
    return SuiteResult(
        record, tuple(item_row(question) for question in asked), tuple(scores), tuple(outputs), tuple(errors)
    )
