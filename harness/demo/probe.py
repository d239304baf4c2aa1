"""How often greedy generation would give the right answer, found in one forward pass.

Greedy generation equals an answer exactly when each of its tokens, and the end of sequence after it, is the
likeliest at its place; so nothing needs to be generated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.core.items import Item
from harness.demo.rows import asked
from harness.demo.world import FAMILIES, items

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_BATCH = 50


def _rotated(item: Item, place: int) -> Item:
    """The item with its key sentence at a place, the others in their order."""
    from dataclasses import replace

    key = [passage for passage in item.prompt.context if passage.key]
    rest = [passage for passage in item.prompt.context if not passage.key]
    return replace(item, prompt=replace(item.prompt, context=(*rest[:place], *key, *rest[place:])))


def greedy_hits(model: Any, tokenizer: PreTrainedTokenizerFast, chosen: Sequence[Item]) -> list[bool]:
    """Per item, whether greedy generation gives its answer and stops."""
    import torch

    hits: list[bool] = []
    for start in range(0, len(chosen), _BATCH):
        shown = [asked(item) for item in chosen[start : start + _BATCH]]
        prompts = tokenizer([one.prompt for one in shown])["input_ids"]
        answers = [
            ids + [tokenizer.eos_token_id] for ids in tokenizer([one.answer for one in shown])["input_ids"]
        ]
        longest = max(len(left) + len(right) for left, right in zip(prompts, answers, strict=True))
        rows = torch.full((len(shown), longest), tokenizer.pad_token_id)
        for row, left, right in zip(rows, prompts, answers, strict=True):
            row[: len(left) + len(right)] = torch.tensor(left + right)
        with torch.no_grad():
            likeliest = model(input_ids=rows).logits.argmax(-1)
        for row, left, right in zip(likeliest, prompts, answers, strict=True):
            hits.append(row[len(left) - 1 : len(left) + len(right) - 1].tolist() == right)
    return hits


def figures(model: Any, tokenizer: PreTrainedTokenizerFast, *, n: int, seed: int) -> dict[str, float]:
    """Shares of right answers on the test split, by family and language, and for key facts by place of five.

    Args:
        model: A causal language model in evaluation mode.
        tokenizer: Its tokenizer.
        n: Items per family (key facts: per place).
        seed: Of the items.
    """
    hits: dict[str, list[bool]] = defaultdict(list)
    for family in FAMILIES:
        options = {"position": "first"} if family == "key_facts" else {}
        drawn = items(family, n=n, seed=seed, split="test", **options)
        for place in range(5) if family == "key_facts" else (None,):
            asked_items = drawn if place is None else [_rotated(item, place) for item in drawn]
            for item, hit in zip(asked_items, greedy_hits(model, tokenizer, asked_items), strict=True):
                hits[f"{family}.{item.language}"].append(hit)
                if place is not None:
                    hits[f"{family}.{item.language}.{place + 1}"].append(hit)
    return {name: round(sum(found) / len(found), 3) for name, found in sorted(hits.items())}
