"""Suites made in memory, answered by scripts of known accuracy: what a comparison of them must say is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from harness.backends import ScriptedBackend, scripted
from harness.core.exchange import Answer, Choose, Request
from harness.core.items import Item, Prompt, Target, TaskShape, Text
from harness.core.rng import rng_for
from harness.evaluation import EvaluationSettings
from harness.evaluation.evaluate import build, evaluate_with
from harness.prompting import Asking
from harness.store import CheckpointRecord, Store, StoredRun, open_store
from harness.suites import Suite
from harness.transforms.plan import Plan, plan_from_json

METRICS: dict[TaskShape, tuple[str, ...]] = {
    "multiple_choice": ("accuracy",),
    "short_answer": ("exact_match", "token_f1_score"),
}


def question(number: int) -> str:
    return f"Which letter does the long word number {number} begin with, please?"


def item(
    number: int, *, language: str = "en", task: TaskShape = "multiple_choice", gold: str = "alpha"
) -> Item:
    """An item whose right answer is `gold`: of the options alpha, beta, gamma, or a text."""
    options = ("alpha", "beta", "gamma") if task == "multiple_choice" else ()
    target = Target(option=options.index(gold)) if options else Target(answers=(gold,))
    return Item(
        language=language,
        prompt=Prompt(question=Text(question(number)), options=options),
        target=target,
        tags=(("parity", "even" if number % 2 == 0 else "odd"),),
    )


def suite(
    name: str = "letters",
    n: int = 40,
    *,
    first: int = 0,
    task: TaskShape = "multiple_choice",
    metrics: tuple[str, ...] | None = None,
    plan: Iterable[object] = (),
    languages: tuple[str, ...] = ("en",),
    asking: Asking | None = None,
) -> Suite:
    """A suite of n items whose right answer is always alpha."""
    metrics = metrics or METRICS[task]
    items = tuple(
        item(number, language=languages[number % len(languages)], task=task)
        for number in range(first, first + n)
    )
    return Suite(
        name=name,
        version="1",
        summary="Made for a test.",
        licence="Apache-2.0",
        languages=languages,
        asking=asking or Asking(task=task),
        metrics=metrics,
        primary=metrics[0],
        plan=plan_from_json(list(plan)) if plan else Plan(),
        smoke=10,
        items=items,
    )


def is_picked(text: str, share: float, *, seed: str = "wrong") -> bool:
    """Whether a text belongs to a share of all texts, fixed by its content."""
    return rng_for(0, seed, text).random() < share


def prompt_text(request: Request) -> str:
    prompt = request.text if not hasattr(request, "prompt") else request.prompt  # type: ignore[union-attr]
    return prompt if isinstance(prompt, str) else "\n".join(message.content for message in prompt.messages)


def answering(wrong: Callable[[str], bool] = lambda text: False) -> Callable[[Request], Answer | str]:
    """A script that answers alpha, and beta where `wrong` says so of the prompt."""

    def script(request: Request) -> str:
        answer = "beta" if wrong(prompt_text(request)) else "alpha"
        if isinstance(request, Choose):
            return next(option for option in request.options if answer in option)
        return answer

    return script


def good(name: str = "good") -> ScriptedBackend:
    return scripted(answering(), name=name)


def wrong_on(share: float, *, name: str = "worse", seed: str = "wrong") -> ScriptedBackend:
    """Wrong on about this share of the prompts."""
    return scripted(answering(lambda text: is_picked(text, share, seed=seed)), name=name)


def run_of(
    backend: ScriptedBackend,
    suites: Iterable[Suite],
    store: Store | Path,
    *,
    settings: EvaluationSettings | None = None,
    checkpoint: str | None = None,
) -> StoredRun:
    """A finished run; the backend's name stands for the checkpoint."""
    settings = settings or EvaluationSettings()
    name = checkpoint or str(backend.describe()["name"])
    kept = store if isinstance(store, Store) else open_store(store, create=True)
    return evaluate_with(
        backend,
        CheckpointRecord(digest=name, name=name),
        build(list(suites), settings),
        store=kept,
        settings=settings,
    )
