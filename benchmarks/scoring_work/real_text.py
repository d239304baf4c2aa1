"""Works over public benchmark data that lies in a folder of the user's: MMLU, BBH, LogiQA in Chinese."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from benchmarks.scoring_work.work import Question, Work

_OPTION = re.compile(r"^\(([A-Z])\) ", re.MULTILINE)
_BBH_TASKS = (
    "date_understanding",
    "disambiguation_qa",
    "logical_deduction_three_objects",
    "ruin_names",
    "snarks",
)
_MMLU_SUBJECTS = ("anatomy", "business_ethics", "computer_security", "global_facts", "marketing", "virology")
REAL_NAMES = ("mmlu_5shot", "bbh_3shot", "logiqa_zh_5shot")


def real_works(
    data: Path, *, limit: int, fits: Callable[[Question], bool], shots: bool = True
) -> Iterator[Work]:
    """Each public task as a work.

    Args:
        data: The folder with `mmlu`, `bbh` and `zh_agieval`.
        limit: Questions per work.
        fits: Whether a question fits the model's context; others are left out.
        shots: Whether solved examples stand before a question.
    """
    for name, questions in (
        ("mmlu_5shot", mmlu_questions(data / "mmlu", shots=5 * shots)),
        ("bbh_3shot", bbh_questions(data / "bbh", shots=3 * shots)),
        ("logiqa_zh_5shot", logiqa_questions(data / "zh_agieval" / "logiqa-zh.jsonl", shots=5 * shots)),
    ):
        # The first ones: neighbours share their shots.
        kept = tuple(islice((question for question in questions if fits(question)), limit))
        if kept:
            yield Work(name if shots else name.rpartition("_")[0] + "_0shot", "choose", kept)


def mmlu_questions(folder: Path, *, shots: int) -> Iterator[Question]:
    """Subjects by turns of 16 questions, each after its own solved examples; the answer is a letter."""
    parts = []
    for subject in _MMLU_SUBJECTS:
        solved = [_mmlu_text(row) + f" {row[5]}\n\n" for row in _rows(folder / "dev" / f"{subject}_dev.csv")]
        topic = subject.replace("_", " ")
        head = f"The following are multiple choice questions (with answers) about {topic}.\n\n"
        asked = _rows(folder / "test" / f"{subject}_test.csv")
        parts.append(
            [Question(head + "".join(solved[:shots]) + _mmlu_text(row), _letters(4)) for row in asked]
        )
    for start in range(0, max(len(part) for part in parts), 16):
        for part in parts:
            yield from part[start : start + 16]


def _mmlu_text(row: Sequence[str]) -> str:
    options = "\n".join(f"{letter}. {text}" for letter, text in zip("ABCD", row[1:5], strict=True))
    return f"{row[0].strip()}\n{options}\nAnswer:"


def bbh_questions(folder: Path, *, shots: int) -> Iterator[Question]:
    """Tasks with listed options; the options' whole texts are scored, which makes them several tokens long."""
    for task in _BBH_TASKS:
        examples = json.loads((folder / f"{task}.json").read_text(encoding="utf-8"))["examples"]
        head = "".join(
            f"Q: {each['input']}\nA: {_bbh_options(each['input'])[each['target'].strip('()')]}\n\n"
            for each in examples[:shots]
        )
        for each in examples[shots : shots + 40]:
            options = _bbh_options(each["input"])
            yield Question(f"{head}Q: {each['input']}\nA:", tuple(f" {text}" for text in options.values()))


def _bbh_options(text: str) -> Mapping[str, str]:
    """Letter to text of the options that a question lists."""
    pieces = _OPTION.split(text)
    return dict(zip(pieces[1::2], (piece.strip() for piece in pieces[2::2]), strict=True))


def logiqa_questions(path: Path, *, shots: int) -> Iterator[Question]:
    """Chinese reasoning questions; the answer is a letter."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    head = "".join(f"{_logiqa_text(row)} {row['label']}\n\n" for row in rows[:shots])
    for row in rows[shots:]:
        yield Question(head + _logiqa_text(row), _letters(len(row["options"])))


def _logiqa_text(row: Mapping[str, object]) -> str:
    options = row["options"]
    assert isinstance(options, list)
    listed = "\n".join(str(option) for option in options)
    return f"{row['passage']}\n问题：{row['question']}\n{listed}\n答案："


def _letters(count: int) -> tuple[str, ...]:
    return tuple(f" {letter}" for letter in "ABCDEFGH"[:count])


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))
