from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.core.exchange import (
    Answer,
    Choose,
    Chosen,
    Generated,
    Generation,
    OptionScore,
    Request,
    ScoreText,
    TextScored,
)

if TYPE_CHECKING:
    from lm_eval.models.huggingface import HFLM

TASKS = Path(__file__).parent / "tasks"


class HflmBackend:
    """lm-eval's own model class behind our interface: what differs from stock lm-eval is then ours."""

    def __init__(self, model: HFLM) -> None:
        self._model = model

    def describe(self) -> dict[str, object]:
        return {"kind": "hflm"}

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        for request in requests:
            yield request.request_id, self._answered(request)

    def _answered(self, request: Request) -> Answer:
        from lm_eval.api.instance import Instance

        def instance(kind: str, *arguments: object) -> Instance:
            return Instance(request_type=kind, doc={}, arguments=arguments, idx=0)  # type: ignore[arg-type]

        if isinstance(request, Choose):
            calls = [instance("loglikelihood", request.prompt, option) for option in request.options]
            pairs = self._model.loglikelihood(calls, disable_tqdm=True)
            return Chosen(tuple(OptionScore(logprob, 1, bool(greedy)) for logprob, greedy in pairs))
        if isinstance(request, ScoreText):
            (logprob,) = self._model.loglikelihood_rolling(
                [instance("rolling", request.text)], disable_tqdm=True
            )
            return TextScored(logprob, 1)
        settings = {
            "until": list(request.settings.stop),
            "max_gen_toks": request.settings.max_tokens,
            "do_sample": False,
        }
        texts = self._model.generate_until(
            [instance("generate_until", request.prompt, settings)], disable_tqdm=True
        )
        return Generated(tuple(Generation(text, "unknown", 1) for text in texts))


def stock_model(folder: Path) -> HFLM:
    """lm-eval's model on a checkpoint, one request at a time so that no padding rounds differently."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=str(folder), batch_size=1, device="cpu", dtype="float32", logits_cache=False)


@pytest.fixture(scope="session")
def tiny_model(tiny_checkpoint: Path) -> HFLM:
    return stock_model(tiny_checkpoint)


@pytest.fixture(scope="session")
def tasks_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The task files away from the repository, so that a test may stand beside them or elsewhere."""
    return Path(shutil.copytree(TASKS, tmp_path_factory.mktemp("lmeval") / "tasks"))


@pytest.fixture
def stock_run(tasks_copy: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict]:
    """Plain lm-eval on local tasks, standing in their folder because it looks for their data from there."""

    def run(model: object, names: Sequence[str], *, folder: Path = tasks_copy, **settings: object) -> dict:
        import lm_eval
        from lm_eval.tasks import TaskManager

        monkeypatch.chdir(folder)
        manager = TaskManager(include_path=str(folder), include_defaults=False)
        results = lm_eval.simple_evaluate(
            model=model,
            tasks=list(names),
            task_manager=manager,
            bootstrap_iters=0,
            log_samples=True,
            **settings,
        )
        assert results is not None
        return results

    return run
