"""Begins a suite of one's own: a small commented folder that loads as it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from harness.core.errors import SuiteError
from harness.core.items import TASK_SHAPES, TaskShape
from harness.core.naming import unknown_name
from harness.suites.item_shape import LANGUAGE
from harness.suites.load import CARD
from harness.suites.shipped import SUITE_FILE

Json = dict[str, Any]

_METRICS: dict[TaskShape, tuple[str, ...]] = {
    "multiple_choice": ("accuracy",),
    "classification": ("accuracy",),
    "extraction": ("field_accuracy",),
    "short_answer": ("exact_match", "token_f1_score"),
    "free_text": ("rouge_l_score",),
    "likelihood": ("bits_per_byte_loss",),
    "conversation": ("exact_match",),
}


def scaffold(
    path: str | Path, *, task: TaskShape = "short_answer", languages: Sequence[str] = ("en", "zh")
) -> Path:
    """Writes a starter suite with one item a language, and returns its folder.

    Args:
        path: A folder that is not there yet, or is empty; its name becomes the suite's.
        task: The task shape.
        languages: Language tags; each gets one item to replace, Chinese for zh and English for the others.

    Raises:
        SuiteError: If the folder holds files, its name cannot be a suite's, or a language is no tag.
        UnknownName: If the task shape is unknown.
    """
    folder = Path(path)
    if task not in get_args(TaskShape):
        raise unknown_name("task shape", task, TASK_SHAPES)
    wrong = [language for language in languages if not re.match(LANGUAGE, language)]
    if wrong or len(set(languages)) != len(languages) or not languages:
        raise SuiteError(f"expected different language tags such as 'en' and 'zh', got {list(languages)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SuiteError("is not an empty folder; choose a new one", path=folder)
    words = "".join(mark if mark.isalnum() else " " for mark in folder.resolve().name.casefold())
    name = "-".join(words.split())
    if not name.isascii() or not name:
        message = "a suite's name is small letters, digits and hyphens; rename the folder"
        raise SuiteError(message, path=folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SUITE_FILE).write_text(_suite_text(name, task, languages), encoding="utf-8")
    items = [_item(task, language) for language in languages]
    text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
    (folder / "items.jsonl").write_text(text, encoding="utf-8")
    (folder / CARD).write_text(_card_text(name), encoding="utf-8")
    return folder


def _suite_text(name: str, task: TaskShape, languages: Sequence[str]) -> str:
    metrics = _METRICS[task]
    lines = [
        "# A suite: this file says how the items are asked and scored; items.jsonl holds one item a line.",
        "schema: 1",
        f"name: {name}",
        "version: 2026.1                # raise it when items change",
        "summary: What does this suite ask, in one sentence?",
        "licence: Apache-2.0",
        f"languages: [{', '.join(languages)}]",
        f"task: {task}",
        f"metrics: [{', '.join(metrics)}]",
        f"primary: {metrics[0]}          # what a gate judges",
        *_reading_lines(task),
        *_prompt_lines(task, languages),
        *_variant_lines(task),
        "smoke: 40                      # items of the quick subset, chosen by id",
    ]
    return "\n".join(lines) + "\n"


def _reading_lines(task: TaskShape) -> list[str]:
    if task in ("multiple_choice", "classification"):
        return [
            "# option_text compares the likelihood of the answers' texts; generation reads free text",
            f"read: {{by: {'letter' if task == 'multiple_choice' else 'option_text'}}}",
        ]
    if task == "likelihood":
        return []
    if task == "short_answer":
        return ['generation: {max_tokens: 64, stop: ["\\n"]}']
    return ["generation: {max_tokens: 128}"]


def _is_chinese(language: str) -> bool:
    return language.split("-")[0] == "zh"


def _prompt_lines(task: TaskShape, languages: Sequence[str]) -> list[str]:
    """Parts shared by every item of a language."""
    if task not in ("classification", "extraction"):
        return []
    lines = ["# merged under each item's prompt; an item's own part wins", "prompt:"]
    for language in languages:
        zh = _is_chinese(language)
        if task == "classification":
            names = ("[正面, 积极]", "[负面, 消极]") if zh else ("[positive]", "[negative]")
            lines += [
                f"  {language}:",
                f"    instruction: {'判断文本的情感。' if zh else 'Is the text positive or negative?'}",
                "    labels:",
                f"      - {{id: positive, names: {names[0]}}}",
                f"      - {{id: negative, names: {names[1]}}}",
            ]
        else:
            lines += [
                f"  {language}:",
                f"    instruction: {'提取文中的信息。' if zh else 'Extract the facts.'}",
                "    output: {format: json, fields: {name: string, day: string}}",
            ]
    return lines


def _variant_lines(task: TaskShape) -> list[str]:
    if task == "likelihood":
        return ["variants: []"]
    return [
        "# what is asked besides the items as they stand; every variant keeps its source's answer",
        "variants:",
        "  - typo: {severity: 0.05, parts: [turns]}"
        if task == "conversation"
        else "  - typo: {severity: 0.05}",
    ]


def _item(task: TaskShape, language: str) -> Json:
    """One item to replace."""
    zh = _is_chinese(language)
    prompt: Json
    target: Json | None
    match task:
        case "multiple_choice":
            question = "下列哪一个是偶数？" if zh else "Which of these numbers is even?"
            prompt, target = {"question": question, "options": ["3", "4", "5"]}, {"option": 1}
        case "classification":
            question = "菜很好吃，下次还来。" if zh else "The food was lovely and we will come again."
            prompt, target = {"question": question}, {"label": "positive"}
        case "extraction":
            question = "李娜星期一到。" if zh else "Anna arrives on Monday."
            fields = {"name": "李娜", "day": "星期一"} if zh else {"name": "Anna", "day": "Monday"}
            prompt, target = {"question": question}, {"fields": fields}
        case "short_answer":
            question = "一周有几天？" if zh else "How many days are in a week?"
            answers = ["7", "七", "七天"] if zh else ["7", "seven"]
            prompt, target = {"question": question}, {"answers": answers}
        case "free_text":
            question = "用一句话说明什么是彩虹。" if zh else "Say in one sentence what a rainbow is."
            answer = (
                "彩虹是阳光在雨滴中折射和反射形成的彩色圆弧。"
                if zh
                else "A rainbow is an arc of colours made by sunlight bending in raindrops."
            )
            prompt, target = {"question": question}, {"references": [answer]}
        case "likelihood":
            text = "太阳从东方升起。" if zh else "The sun rises in the east."
            prompt, target = {"text": text}, None
        case "conversation":
            text = (
                "一打是多少个？只回答数字。" if zh else "How many make a dozen? Answer with the number only."
            )
            prompt, target = {"turns": [{"role": "user", "text": text}]}, {"answers": ["12"]}
    record: Json = {"language": language, "prompt": prompt}
    if target is not None:
        record["target"] = target
    return {**record, "tags": {"topic": "example"}}


def _card_text(name: str) -> str:
    return (
        f"# {name}\n\n"
        "- Purpose: what failure would this suite show, that a plain test set hides?\n"
        "- Source: who wrote the items, from what\n"
        "- Licence: Apache-2.0\n"
        "- Size: how many items, in which languages, how they were balanced\n"
        "- How checked: who read every item, and what was looked for\n"
        "- Known limits: what a good score does not show\n"
    )
