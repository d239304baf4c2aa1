"""How long the plan of a million requests takes, and what it takes of memory. `python -m benchmarks.planning --json`"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import time
from array import array
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from harness.engine.packing import passes
from harness.engine.plan_size import plan_size
from harness.engine.trie import trie_of

VOCABULARY = 32_000
ROW_TOKENS = 512
PASS_TOKENS = 8192
N_READS = 1_000_000

Read = tuple[np.ndarray, int]


@dataclass(frozen=True, slots=True)
class Figures:
    """What planning one shape of work took.

    Args:
        n: Reads given.
        seconds: Of the wall clock, for the trie and all passes.
        trie_seconds: Of them, for the trie.
        cpu_seconds: Of one core, for both; less than `seconds` where other work has the core too.
        peak_mb: Memory at its peak, above the reads that were given.
        given_mb: Memory with the reads alone.
        distinct_share: Distinct tokens of given tokens.
        computed_share: Tokens that the passes compute, padding included, of the distinct tokens.
        n_passes: Passes.
    """

    n: int
    seconds: float
    trie_seconds: float
    cpu_seconds: float
    peak_mb: float
    given_mb: float
    distinct_share: float
    computed_share: float
    n_passes: int


def multi_token_options(n_reads: int, rng: np.random.Generator) -> Iterator[Read]:
    """400 tokens of shots for all; 40-80 of question; four options of 8-20."""
    shots = rng.integers(VOCABULARY, size=400)
    for _ in range(n_reads // 4):
        context = np.concatenate([shots, rng.integers(VOCABULARY, size=rng.integers(40, 81))])
        for size in rng.integers(8, 21, size=4).tolist():
            yield np.concatenate([context, rng.integers(VOCABULARY, size=size - 1)]), size


def letters_by_subject(n_reads: int, rng: np.random.Generator) -> Iterator[Read]:
    """67 subjects, each with 420 tokens of shots; 40-90 of question; one scored position."""
    for start in range(67):
        shots = rng.integers(VOCABULARY, size=420)
        for _ in range(start, n_reads, 67):
            yield np.concatenate([shots, rng.integers(VOCABULARY, size=rng.integers(40, 91))]), 1


def variants(n_reads: int, rng: np.random.Generator) -> Iterator[Read]:
    """300 tokens of shots; 60 of question, one of them changed per variant; four options of 2-3."""
    shots = rng.integers(VOCABULARY, size=300)
    for _ in range(n_reads // 80):
        question = rng.integers(VOCABULARY, size=60)
        options = [rng.integers(VOCABULARY, size=size) for size in rng.integers(2, 4, size=4).tolist()]
        for _ in range(20):
            changed = question.copy()
            changed[rng.integers(60)] = rng.integers(VOCABULARY)
            for option in options:
                yield np.concatenate([shots, changed, option[:-1]]), len(option)


def nothing_shared(n_reads: int, rng: np.random.Generator) -> Iterator[Read]:
    """100-500 tokens each, every position scored."""
    for size in rng.integers(100, 501, size=n_reads).tolist():
        yield rng.integers(VOCABULARY, size=size), size


SHAPES = {
    "multi_token_options": multi_token_options,
    "letters_by_subject": letters_by_subject,
    "variants": variants,
    "nothing_shared": nothing_shared,
}


def resident_mb() -> float:
    """Most memory this process has ever held."""
    scale = 1 if platform.system() == "Darwin" else 1024  # bytes there, kilobytes on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 2**20


def measure(shape: str, n_reads: int) -> Figures:
    """Plans one shape of work, its reads given in random order; the peak is right once per process."""
    rng = np.random.default_rng(0)
    reads, n_scored = [], []
    for tokens, scored in SHAPES[shape](n_reads, rng):
        reads.append(array("i", tokens.astype(np.int32).tobytes()))
        n_scored.append(scored)
    order = rng.permutation(len(reads)).tolist()
    reads, n_scored = [reads[place] for place in order], [n_scored[place] for place in order]
    given_mb = resident_mb()
    started, cpu_started = time.perf_counter(), time.process_time()
    trie = trie_of(reads, n_scored)
    met = time.perf_counter()
    plan = list(passes(trie, row_tokens=ROW_TOKENS, pass_tokens=PASS_TOKENS))
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    peak_mb = resident_mb() - given_mb
    return Figures(
        n=len(reads),
        seconds=round(seconds, 2),
        trie_seconds=round(met - started, 2),
        cpu_seconds=round(cpu_seconds, 2),
        peak_mb=round(peak_mb),
        given_mb=round(given_mb),
        distinct_share=round(trie.n_distinct_tokens / trie.n_given_tokens, 4),
        computed_share=round(plan_size(trie, plan).padded_tokens / trie.n_distinct_tokens, 4),
        n_passes=len(plan),
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--shape", choices=list(SHAPES), default="multi_token_options")
    parser.add_argument("--n", type=int, default=N_READS, metavar="READS", help="how many reads to plan")
    arguments = parser.parse_args()
    found = {
        "shape": arguments.shape,
        **asdict(measure(arguments.shape, arguments.n)),
        "cores": os.cpu_count(),
    }
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
