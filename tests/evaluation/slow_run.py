"""A run on a slow scripted backend, to be killed: python slow_run.py STORE LOG."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from harness.backends import scripted
from harness.core.exchange import Answer, Request
from harness.evaluation import journalled
from tests.evaluation.made_suites import answering, is_picked, run_of, suite

PACK = 5


def main(store: Path, log: Path) -> None:
    journalled.PACK_SIZE = PACK  # type: ignore[misc]
    answer = answering(lambda text: is_picked(text, 0.3))

    def slow(request: Request) -> Answer | str:
        with log.open("a") as lines:
            lines.write(f"{request.request_id}\n")
        time.sleep(0.01)
        return answer(request)

    run_of(scripted(slow, name="slow"), [suite(n=60, plan=[{"typo": {"severity": 0.1}}])], store)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
