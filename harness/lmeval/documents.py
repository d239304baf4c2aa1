"""A document of an lm-eval task as an item: the same whether it was asked just now or read from a log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from harness.core.codec import item_to_json
from harness.core.digest import canonical_json, digest
from harness.core.items import Item, Prompt, Target, TaskShape, Text
from harness.core.rows import ItemRow
from harness.core.variants import Variant, source_variant
from harness.metrics import gold_text

OutputType = Literal["loglikelihood", "multiple_choice", "loglikelihood_rolling", "generate_until"]
OUTPUT_TYPES: tuple[OutputType, ...] = get_args(OutputType)

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_ENGLISH = re.compile(r"\b(?:the|is|are|was|of|to|and|what|which|he|she|it|with|for|that)\b", re.IGNORECASE)
_READ_CHARACTERS = 20_000  # enough to tell a language, and hostile documents must not cost more


@dataclass(frozen=True)
class Document:
    """One document with the calls that lm-eval makes for it.

    Not slotted: what is derived is computed once.

    Args:
        task: The task's name.
        doc_id: lm-eval's number of it, for people.
        doc_hash: lm-eval's own hash of its content, the identity.
        output_type: What the task asks for.
        calls: Per call its texts: (context, continuation), (text,) or (context,).
        target: The right answer as lm-eval logs it: `str` of what `doc_to_target` gives.
        language: From `language_of`.
        delimiter: What stands between context and option.
    """

    task: str
    doc_id: int
    doc_hash: str
    output_type: OutputType
    calls: tuple[tuple[str, ...], ...]
    target: str
    language: str
    delimiter: str = " "

    @property
    def options(self) -> tuple[str, ...]:
        """The options as the calls show them; () where the options stand in the contexts."""
        if self.output_type not in ("multiple_choice", "loglikelihood"):
            return ()
        first = self.calls[0][0]
        texts = [call[1] for call in self.calls if call[0] == first]
        if len(texts) < 2:
            return ()
        if self.delimiter and all(text.startswith(self.delimiter) for text in texts):
            texts = [text[len(self.delimiter) :] for text in texts]
        return tuple(texts)

    @property
    def shape(self) -> TaskShape:
        """The nearest task shape."""
        if self.output_type == "loglikelihood_rolling":
            return "likelihood"
        return "multiple_choice" if self.options else "short_answer"

    @property
    def prompt_id(self) -> str:
        """Digest of everything the calls say; few-shot examples included, generation settings not."""
        return digest("prompt/1", "lm_eval", [list(call) for call in self.calls])

    @property
    def prompt_text(self) -> str:
        """What the model read, for showing: the distinct contexts."""
        return "\n\n".join(dict.fromkeys(call[0] for call in self.calls))

    @cached_property
    def variant(self) -> Variant:
        """The document as an item; its id is made of task and document, not of the rendered prompt."""
        item = Item(
            language=self.language,
            prompt=Prompt(text=Text(self.calls[0][0]), options=self.options),
            target=None
            if self.output_type == "loglikelihood_rolling"
            else target_of(self.target, self.options),
            identity=f"lm_eval/{self.task}/{self.doc_hash}",
        )
        return source_variant(item)

    def row(self) -> ItemRow:
        """The document as the shared items table keeps it."""
        variant = self.variant
        return ItemRow(
            variant_id=variant.variant_id,
            item_id=variant.item_id,
            prompt_id=self.prompt_id,
            target_id=variant.item.target_id,
            language=self.language,
            transform=variant.transform,
            family=variant.family,
            params=variant.params,
            position=None,
            dose=None,
            level=None,
            edits="[]",
            tags="{}",
            item=canonical_json(item_to_json(variant.item)),
            prompt_text=self.prompt_text,
            gold=gold_text(variant.item),
        )


def target_of(target: str, options: tuple[str, ...]) -> Target:
    """The target from its printed form, which is all that a log holds.

    A number is an option's index where there are options; a printed list is a list of accepted answers.

    Example:
        >>> target_of("1", ("yes", "no")).option, target_of("no", ("yes", "no")).option
        (1, 1)
        >>> target_of("['four', '4']", ()).answers
        ('four', '4')
    """
    if options:
        if target.isascii() and target.isdigit() and int(target) < len(options):
            return Target(option=int(target))
        places = [index for index, option in enumerate(options) if option.strip() == target.strip()]
        if len(places) == 1:
            return Target(option=places[0])
    listed = _printed_list(target)
    if listed and options and all(isinstance(value, int) and 0 <= value < len(options) for value in listed):
        return Target(answers=tuple(options[value] for value in listed))
    if listed:
        return Target(answers=tuple(str(value) for value in listed))
    return Target(answers=(target,))


def _printed_list(text: str) -> list[Any] | None:
    """The list that a text prints, or None; only literals are read."""
    if not (text.startswith("[") and text.endswith("]")) or len(text) > _READ_CHARACTERS:
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def language_of(content: object) -> str:
    """A document's language as far as its own texts show it: "zh", "en" or "und" (undetermined).

    Few-shot examples are not looked at, so that the id of an item does not change with them.

    Example:
        >>> language_of({"question": "What is the capital of France?"}), language_of({"问题": "法国的首都是哪里？"})
        ('en', 'zh')
        >>> language_of("Où est la gare ?"), language_of("2 + 2 = ")
        ('und', 'und')
    """
    text = " ".join(_texts(content))[:_READ_CHARACTERS]
    letters = sum(character.isalpha() for character in text)
    if not letters:
        return "und"
    if len(_HAN.findall(text)) >= 0.2 * letters and not _KANA_OR_HANGUL.search(text):
        return "zh"
    plain = sum(character.isalpha() and character.isascii() for character in text)
    return "en" if plain >= 0.98 * letters and _ENGLISH.search(text) else "und"


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, (list, tuple)):
        for value in content:
            yield from _texts(value)
