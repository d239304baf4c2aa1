"""Suites over public data that lies in a folder of the user's; nothing of it is kept in the project."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.core.codec import item_to_json
from harness.core.items import Item, Label, Prompt, Target, Text

BANKING_CLASSES = (
    "card_arrival",
    "exchange_rate",
    "lost_or_stolen_card",
    "pin_blocked",
    "top_up_failed",
    "transfer_timing",
    "verify_my_identity",
    "cash_withdrawal_charge",
)


def blimp_items(shared: Path) -> Iterator[Item]:
    """Minimal pairs as multiple choice; which of the two stands first alternates, so position tells nothing."""
    seen: set[tuple[str, str]] = set()
    for path in sorted((shared / "blimp").glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            row = json.loads(line)
            pair = (row["sentence_good"], row["sentence_bad"])
            if pair in seen:
                continue
            seen.add(pair)
            good = number % 2
            options = pair if good == 0 else pair[::-1]
            yield Item(
                language="en",
                prompt=Prompt(options=options),
                target=Target(option=good),
                tags=(("field", row["field"]), ("uid", row["UID"])),
            )


def passage_items(path: Path, *, limit: int) -> Iterator[Item]:
    """Texts whose likelihood is measured, the first `limit` of the file."""
    texts = dict.fromkeys(
        text.strip() for text in json.loads(path.read_text(encoding="utf-8")) if text.strip()
    )
    for text in list(texts)[:limit]:
        yield Item(language="en", prompt=Prompt(text=Text(text)))


def banking_items(shared: Path) -> Iterator[Item]:
    """Eight classes of BANKING77's test part, asked without examples."""
    labels = tuple(Label(name, (name.replace("_", " "),)) for name in BANKING_CLASSES)
    with (shared / "banking77" / "test.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["category"] in BANKING_CLASSES:
                yield Item(
                    language="en",
                    prompt=Prompt(question=Text(row["text"].strip()), labels=labels),
                    target=Target(label=row["category"]),
                )


def write(
    folder: Path, name: str, *, task: str, metrics: list[str], items: Iterable[Item], read: str = ""
) -> Path:
    """A suite's folder."""
    path = folder / name
    path.mkdir(parents=True)
    lines = [
        "schema: 1",
        f"name: {name}",
        "version: '1'",
        f"summary: {name} over public data on this machine",
        "licence: see the data's SOURCE.txt",
        "languages: [en]",
        f"task: {task}",
        f"metrics: [{', '.join(metrics)}]",
        f"primary: {metrics[0]}",
    ]
    (path / "suite.yaml").write_text("\n".join([*lines, *([read] if read else [])]) + "\n", encoding="utf-8")
    records = [json.dumps(item_to_json(item), ensure_ascii=False) for item in items]
    (path / "items.jsonl").write_text("\n".join(records) + "\n", encoding="utf-8")
    (path / "CARD.md").write_text(f"# {name}\n\nMade for a measurement from public data.\n", encoding="utf-8")
    return path


def real_suites(shared: Path, folder: Path, *, passages: int = 1000) -> list[Path]:
    """BLiMP, TinyStories, WikiText and eight classes of BANKING77 as suites under `folder`."""
    stories = shared / "tinystories_sample"
    likelihood = ["nats_per_token_loss", "token_perplexity"]
    return [
        write(folder, "blimp", task="multiple_choice", metrics=["accuracy"], items=blimp_items(shared)),
        write(
            folder,
            "tinystories",
            task="likelihood",
            metrics=likelihood,
            items=passage_items(stories / "tinystories_1000.json", limit=passages),
        ),
        write(
            folder,
            "wikitext",
            task="likelihood",
            metrics=likelihood,
            items=passage_items(stories / "wikitext_1000.json", limit=passages),
        ),
        write(
            folder,
            "banking-eight",
            task="classification",
            metrics=["accuracy", "macro_f1_score"],
            items=banking_items(shared),
        ),
    ]
