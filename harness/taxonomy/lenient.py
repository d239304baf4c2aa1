"""A lenient second reading: where in a text an answer usually stands, and the golds to find there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from harness.core.items import Item, Target
from harness.metrics.normalise_answer import normalise_answer
from harness.prompting.extraction import strict_json
from harness.prompting.render import option_letter
from harness.taxonomy.output_text import SPECIAL_TOKEN

MOST_ANNOUNCED = 32
LONGEST = 400  # of a candidate; an answer in the middle of more text than this is not one
_SENTENCE_END = re.compile(r"(?<=[。！？!?])|(?<=\.)(?=\s)|\n")
_ANNOUNCED = re.compile(
    r"(?:####|\banswer(?:\s(?:is|would\sbe))?|\b(?:label|category|class|option|choice)\s(?:is|would\sbe)"
    r"|(?:答案|结论|選項|选项|类别|標籤|标签)(?:应该|應該)?(?:是|为|為)?|(?:应|應)?(?:选|選)(?:择|擇)?(?:是)?|属于)"
    r"[】\]\s]{0,3}[:：]?\s{0,2}(?=([^\n]{1,400}))",  # looked at, not taken: another may follow in the line
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"\*\*([^*\n]{1,400})\*\*|\\boxed\s?\{([^{}\n]{1,400})\}|【([^】\n]{1,400})】|`([^`\n]{1,400})`"
    r"|\"([^\"\n]{1,400})\"|“([^”\n]{1,400})”"
)
_CLAUSE_END = re.compile(r"[,;，；。！!]|\.(?:\s|$)")


def candidates(text: str) -> Iterator[str]:
    """Where an answer may stand: after the last announcement; else marked, quoted, in the first or last line.

    The last announcement overrules what was said before it, as "so the answer is D" does.
    """
    stripped = SPECIAL_TOKEN.sub("", text).strip()
    found = [match.group(1) for match in _ANNOUNCED.finditer(stripped)]
    announced = [said for said in found[-MOST_ANNOUNCED:] if re.search(r"\w", said)]
    if announced:
        yield announced[-1]
        yield _CLAUSE_END.split(announced[-1], maxsplit=1)[0]
        return
    for match in _MARKED.finditer(stripped):
        yield next(group for group in match.groups() if group is not None)
    lines = [line for line in stripped.splitlines() if line.strip()]
    for line in (lines[0], lines[-1]) if lines else ():
        if len(line) <= LONGEST:
            yield line
            yield _CLAUSE_END.split(line, maxsplit=1)[0]


def accepted_texts(item: Item) -> tuple[str, ...]:
    """Every text that answers an item rightly: answers, the label's names, the option and its letter.

    Example:
        >>> from harness.metrics.examples import Example, example_item
        >>> accepted_texts(example_item(Example(options=("3", "4"), option=1)))
        ('4', 'B', 'B. 4')
    """
    target = item.target or Target()
    if target.label is not None:
        named = (label.names for label in item.prompt.labels if label.id == target.label)
        return next(named, (target.label,))
    if target.option is not None:
        text, letter = item.prompt.options[target.option], option_letter(target.option)
        return (text, letter, f"{letter}. {text}")
    return (*target.answers, *target.references)


def is_accepted(text: str, item: Item) -> bool:
    """Whether a text is one of the accepted ones, normalised."""
    given = normalise_answer(text, language=item.language)
    return any(given == normalise_answer(gold, language=item.language) for gold in accepted_texts(item))


def lenient_hit(text: str, item: Item) -> str | None:
    """The candidate in which a lenient reading finds the gold, or None.

    Example:
        >>> from harness.metrics.examples import Example, example_item
        >>> lenient_hit("Well. The answer is nine, of course.", example_item(Example(answers=("nine",))))
        'nine'
    """
    for candidate in candidates(text):
        if is_accepted(candidate, item):
            return candidate.strip()
    return None


def embedded_record(text: str) -> dict[str, Any] | None:
    """The JSON object inside prose or a fence, from the first brace to the last, or None.

    Example:
        >>> embedded_record('Sure: {"a": 1}.')
        {'a': 1}
    """
    start, end = text.find("{"), text.rfind("}")
    return strict_json(text[start : end + 1]) if 0 <= start < end else None


def first_record_end(text: str) -> int | None:
    """Where a JSON object that opens the text ends, or None."""
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] != "{":
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return end


def first_statement_end(text: str) -> int:
    """Where the first line or sentence of a text ends."""
    start = len(text) - len(text.lstrip())
    match = _SENTENCE_END.search(text, start)
    return match.start() if match else len(text)
