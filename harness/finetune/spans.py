"""Examples as token rows: what the model reads, and which of its tokens are learned.

What is asked comes from the same calls as in evaluation, so that training and evaluation prompts cannot
differ. Learned tokens are found by where the prompt ends, never by which token stands there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.core.errors import CheckpointError, DataError, UsageError
from harness.core.exchange import Message, ScoreText
from harness.core.items import Item, Prompt, Target, Text, Turn
from harness.core.variants import source_variant
from harness.finetune.examples import Example, is_chinese
from harness.prompting import Asking, answer_text, request

if TYPE_CHECKING:
    from harness.engine import Checkpoint

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Written:
    """An example as text.

    Args:
        example: Where it comes from.
        text: Prompt and answer, or the whole conversation.
        spans: [start, stop) of the characters to learn, ascending.
        ends: Whether the end-of-sequence token is put after the text and learned (a template writes its own).
    """

    example: Example
    text: str
    spans: tuple[Span, ...]
    ends: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An example as tokens.

    Args:
        example: Where it comes from.
        ids: Token ids, one BOS at most.
        learned: Per token, whether it is learned.
        is_split: Whether the prompt's last characters would have merged with the answer's first ones, and
            were kept apart as they are when the model is asked.
    """

    example: Example
    ids: tuple[int, ...]
    learned: tuple[bool, ...]
    is_split: bool = False


def turn_end_of(checkpoint: Checkpoint) -> str | None:
    """What the template writes after an answer up to its first end token; None where it writes none."""
    from harness.engine.templates import end_of_turn

    if checkpoint.template is None:
        return None
    text = end_of_turn(checkpoint.template) or ""
    marks = checkpoint.tokenizer.convert_ids_to_tokens(list(checkpoint.end_tokens))
    stops = [text.index(mark) + len(mark) for mark in marks if mark and mark in text]
    return text[: min(stops)] if stops else None


def written(example: Example, checkpoint: Checkpoint, turn_end: str | None) -> tuple[Written, ...]:
    """An example as text: one row, or one for each answer of a conversation whose turns cannot share one."""
    if example.item is not None and example.asking is not None:
        return (_written_item(example, example.item, example.asking, checkpoint, turn_end),)
    if turn_end is not None:
        whole = _written_chat(example, checkpoint, turn_end)
        if whole is not None:
            return (whole,)
    return tuple(_turn_by_turn(example, checkpoint, turn_end))


def _written_item(
    example: Example, item: Item, asking: Asking, checkpoint: Checkpoint, turn_end: str | None
) -> Written:
    try:
        asked = request(source_variant(item), asking)
    except UsageError as error:
        raise DataError(str(error), path=example.path, line=example.line) from error
    if isinstance(asked, ScoreText):
        return Written(example, asked.text, ((0, len(asked.text)),), ends=True)
    assert item.target is not None  # examples of every other task are checked to have one
    answer = answer_text(item.target, item.prompt, by_letter=asking.reading.by == "letter")
    if not answer.strip():
        raise DataError(
            "the answer is empty: there is nothing to learn", path=example.path, line=example.line
        )
    prompt = checkpoint.render(asked.prompt)
    text = prompt + checkpoint.joiner(asked.prompt) + answer + (turn_end or "")
    return Written(example, text, ((len(prompt), len(text)),), ends=turn_end is None)


def _written_chat(example: Example, checkpoint: Checkpoint, turn_end: str) -> Written | None:
    """The whole conversation with a span per answer; None if the template rewrites earlier turns."""
    assert checkpoint.template is not None
    messages = example.messages
    last = max(place for place, message in enumerate(messages) if message.role == "assistant")
    text = _rendered(checkpoint, messages[: last + 1], example, answer_next=False)
    spans: list[Span] = []
    for place in range(last + 1):
        if messages[place].role != "assistant":
            continue
        before = _rendered(checkpoint, messages[:place], example, answer_next=True)
        start = len(before)
        stop = text.find(turn_end, start + len(messages[place].content.strip()))
        if not text.startswith(before) or stop < 0 or messages[place].content.strip() not in text[start:stop]:
            return None
        spans.append((start, stop + len(turn_end)))
    if any(left[1] > right[0] for left, right in zip(spans, spans[1:], strict=False)):
        return None
    return Written(example, text[: spans[-1][1]], tuple(spans), ends=False)


def _rendered(
    checkpoint: Checkpoint, messages: Sequence[Message], example: Example, *, answer_next: bool
) -> str:
    assert checkpoint.template is not None
    try:
        return checkpoint.template.render(messages, answer_next=answer_next)
    except CheckpointError as error:
        raise DataError(
            f"the chat template refuses the conversation ({error}); correct its turns",
            path=example.path,
            line=example.line,
        ) from error


def _turn_by_turn(example: Example, checkpoint: Checkpoint, turn_end: str | None) -> Iterable[Written]:
    """Each answer with what came before it, asked as the harness asks a conversation."""
    messages = example.messages
    for place, message in enumerate(messages):
        if message.role != "assistant":
            continue
        before = messages[:place]
        if not before or before[-1].role != "user":
            raise DataError(
                f"messages[{place}]: an answer must follow a turn of the user here; correct its turns",
                path=example.path,
                line=example.line,
            )
        turns = tuple(Turn(one.role, one.content) for one in before if one.role != "system")
        system = "\n\n".join(one.content for one in before if one.role == "system")
        item = Item(
            language="zh" if is_chinese(turns[-1].text) else "en",
            prompt=Prompt(system=Text(system) if system else None, turns=turns),
            target=Target(answers=(message.content,)),
        )
        yield _written_item(example, item, Asking("conversation"), checkpoint, turn_end)


def token_rows(written_rows: Sequence[Written], checkpoint: Checkpoint, *, objective: str) -> list[TokenRow]:
    """Texts as token rows, each text encoded whole and cut where its prompt, encoded as when asked, ends.

    Where a token would reach over that place, prompt and answer are encoded apart: when asked, the model
    never sees the token that joins them.

    Raises:
        CheckpointError: If the tokenizer has no end-of-sequence token and the template writes none.
        DataError: If a row has nothing to learn.
    """
    from harness.engine.tokens import encoded

    tokenizer = checkpoint.tokenizer
    texts = [row.text for row in written_rows]
    heads = [row.text[:edge] for row in written_rows for edge in _edges(row)]
    ids_of = dict(zip([*texts, *heads], encoded(tokenizer, [*texts, *heads]), strict=True))
    end = _end_token(checkpoint) if any(row.ends for row in written_rows) else None
    made = []
    for row in written_rows:
        token_row = _token_row(row, ids_of, tokenizer)
        if row.ends and end is not None:
            token_row = replace(token_row, ids=(*token_row.ids, end), learned=(*token_row.learned, True))
        if objective == "all_tokens":
            token_row = replace(token_row, learned=(True,) * len(token_row.ids))
        # Nothing predicts the first token.
        token_row = replace(token_row, learned=(False, *token_row.learned[1:]))
        if not any(token_row.learned):
            raise DataError(
                "no token of the row is learned; correct its answer",
                path=row.example.path,
                line=row.example.line,
            )
        made.append(token_row)
    return made


def _edges(row: Written) -> list[int]:
    """Places inside the text where learning starts or stops."""
    return sorted({edge for span in row.spans for edge in span if edge < len(row.text)})


def _token_row(row: Written, ids_of: dict[str, list[int]], tokenizer: Any) -> TokenRow:
    whole = ids_of[row.text]
    stops = {0: 0, len(row.text): len(whole)}
    for edge in _edges(row):
        head = ids_of[row.text[:edge]]
        if whole[: len(head)] != head:
            return _apart(row, ids_of, tokenizer)
        stops[edge] = len(head)
    learned = [False] * len(whole)
    for start, stop in row.spans:
        for place in range(stops[start], stops[stop]):
            learned[place] = True
    return TokenRow(row.example, tuple(whole), tuple(learned))


def _apart(row: Written, ids_of: dict[str, list[int]], tokenizer: Any) -> TokenRow:
    """The row encoded piece by piece, the first piece as the prompt is when asked."""
    edges = [*_edges(row), len(row.text)]
    ids = list(ids_of[row.text[: edges[0]]])
    learned = [False] * len(ids)  # before the first edge stands the prompt
    for start, stop in zip(edges, edges[1:], strict=False):
        piece = tokenizer(row.text[start:stop], add_special_tokens=False, verbose=False)["input_ids"]
        inside = any(left <= start and stop <= right for left, right in row.spans)
        ids += piece
        learned += [inside] * len(piece)
    return TokenRow(row.example, tuple(ids), tuple(learned), is_split=True)


def _end_token(checkpoint: Checkpoint) -> int:
    end = checkpoint.tokenizer.eos_token_id
    if end is None and checkpoint.end_tokens:
        end = checkpoint.end_tokens[0]
    if end is None:
        raise CheckpointError(
            f"{checkpoint.identity.name}: the tokenizer has no end-of-sequence token, so the model would never "
            "learn to stop; set eos_token in tokenizer_config.json."
        )
    return int(end)


def rows_digest(rows: Iterable[TokenRow]) -> str:
    """Of the token ids and what of them is learned, in order: two data sets that train alike are equal.

    Example:
        >>> from pathlib import Path
        >>> row = TokenRow(Example(Path("a"), 1, 0), (1, 2), (False, True))
        >>> rows_digest([row]) == rows_digest([replace(row, learned=(False, False))])
        False
    """
    import hashlib

    from harness.core.digest import ID_LENGTH

    found = hashlib.sha256(b"rows/1")
    for row in rows:
        marked = [identity * 2 + mark for identity, mark in zip(row.ids, row.learned, strict=True)]
        found.update(len(marked).to_bytes(8, "little"))
        for value in marked:
            found.update(value.to_bytes(8, "little"))
    return found.hexdigest()[:ID_LENGTH]
