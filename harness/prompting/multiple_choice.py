"""Multiple choice: by likelihood of the options' texts or letters, or from generated text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.core.errors import UsageError
from harness.core.exchange import Choose, Chosen, Generate, Request
from harness.core.scores import Prediction
from harness.core.variants import Variant
from harness.prompting.forms import answer_in, written
from harness.prompting.render import option_letter, render
from harness.prompting.thinking import without_thinking

if TYPE_CHECKING:
    from harness.prompting.asking import Asking, Normalise

SCANNED = 65_536  # characters of an output that are searched
# "B", "(B)", "B. text" or "B) text" at the start; a bare "A museum" is an article, not a letter.
_LEADING = re.compile(r"^[(（\[]?([A-Z]\d?)(?:[)）\].:：、,，。]|\s*$)")
# "the answer is B", "答案是B", "选B": the last one said counts, after whatever was reasoned before.
# A small letter only where the sentence ends with it: "the answer is a museum" names no letter.
_STATED = re.compile(
    r"(?:(?i:answer)\s*(?:(?i:is)|:|：)|答案\s*(?:应该)?\s*(?:是|为|选|:|：)|(?:应|故|因此|所以|正确)?选(?:择|项)?(?:是|为|:|：)?)"
    r"\s*[(（\[*]*([A-Z]\d?(?![A-Za-z])|[a-z](?=\s*(?:[)）\].。*,，;；]|$)))",
)


def request(variant: Variant, asking: Asking) -> Request:
    """Choose among the options, or generate where the suite reads free text."""
    reading = asking.reading
    by_letter = reading.by == "letter"
    options = variant.item.prompt.options
    if len(options) < 2:
        raise UsageError(
            f"Item {variant.item_id} has {len(options)} option(s); multiple choice needs at least 2. Add `options`."
        )
    prompt = render(variant.item, task=asking.task, show_options=reading.lists_options, by_letter=by_letter)
    if reading.by == "generation":
        return Generate(variant.variant_id, prompt, asking.generation, asking.samples)
    texts = tuple(option_letter(index) for index in range(len(options))) if by_letter else options
    output = variant.item.prompt.output
    return Choose(variant.variant_id, prompt, tuple(written(text, output) for text in texts))


def best_option(values: list[float]) -> int:
    """The index of the largest value; the first of equals, as in lm-eval."""
    return max(range(len(values)), key=lambda index: (values[index], -index))


def normalised(chosen: Chosen, texts: tuple[str, ...], normalise: Normalise) -> list[float]:
    """Log-likelihoods divided by each option's length in the unit named."""
    lengths: list[int]
    if normalise == "tokens":
        lengths = [option.tokens for option in chosen.options]
    elif normalise == "characters":
        lengths = [len(text) for text in texts]
    elif normalise == "bytes":
        lengths = [len(text.encode("utf-8")) for text in texts]
    else:
        lengths = [1] * len(texts)
    return [
        option.logprob_nats / max(1, length) for option, length in zip(chosen.options, lengths, strict=True)
    ]


def read_chosen(variant: Variant, answer: Chosen, asking: Asking) -> Prediction:
    """The likeliest option, or label where the options are label names."""
    prompt = variant.item.prompt
    if asking.task == "classification":
        names = tuple(written(label.names[0], prompt.output) for label in prompt.labels)
        place = best_option(normalised(answer, names, asking.reading.normalise))
        return Prediction("scored", label=prompt.labels[place].id)
    texts = prompt.options
    if asking.reading.by == "letter":
        texts = tuple(option_letter(index) for index in range(len(texts)))
    texts = tuple(written(text, prompt.output) for text in texts)
    return Prediction("scored", option=best_option(normalised(answer, texts, asking.reading.normalise)))


def read_text(variant: Variant, text: str) -> Prediction:
    """The option named in generated text: its exact text, its letter, or the one option text that occurs."""
    answer = without_thinking(text)
    if answer is None:
        return Prediction("unparsed", text=text, reason="the thinking block is not closed")
    options = variant.item.prompt.options
    inner = answer_in(answer, variant.item.prompt.output)
    if inner is None:
        return Prediction("unparsed", text=answer, reason="not in the declared form")
    answer = inner
    folded = answer.strip().strip(".。").casefold()
    exact = [index for index, option in enumerate(options) if option.strip().casefold() == folded]
    if len(exact) == 1:
        return Prediction("scored", option=exact[0], text=answer)
    letters = {option_letter(index): index for index in range(len(options))}
    stated = [found.upper() for found in _STATED.findall(answer[:SCANNED])]
    leading = _LEADING.match(answer.strip())
    letter = stated[-1] if stated else leading.group(1) if leading else None
    if letter in letters:
        return Prediction("scored", option=letters[letter], text=answer)
    inside = [
        index
        for index, option in enumerate(options)
        if option.strip().casefold() in folded and option.strip()
    ]
    if len(inside) == 1:
        return Prediction("scored", option=inside[0], text=answer)
    reason = "names several options" if inside else "names no option"
    return Prediction("unparsed", text=answer, reason=reason)
