"""Texts to token ids, with lm-eval's rules for where a context ends and its continuation begins.

The rules are those of lm-eval 0.4 (`TemplateLM._encode_pair`, `HFLM.tok_encode`,
`get_rolling_token_windows`), so that log-likelihoods are equal to its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_UNBOUNDED = 10**18  # tokenizers without a limit say 1e30
_DEFAULT_MAX_TOKENS = 2048


def prefix_token(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """What stands before a text without context: BOS, else EOS, else nothing."""
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    return None


def max_tokens_of(config: Any, tokenizer: PreTrainedTokenizerBase) -> int:
    """The context length: the text model's positions, else the tokenizer's limit, else 2048."""
    text_config = getattr(config, "text_config", None) or config
    for name in ("n_positions", "max_position_embeddings", "n_ctx"):
        value = getattr(text_config, name, None)
        if value is not None:
            return int(value)
    limit = tokenizer.model_max_length
    return int(limit) if limit is not None and limit < _UNBOUNDED else _DEFAULT_MAX_TOKENS


def encoded(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, special: bool | None = None
) -> list[list[int]]:
    """Token ids of each text in one call, each distinct text encoded once.

    Args:
        tokenizer: The checkpoint's.
        texts: Any texts.
        special: Whether the tokenizer adds its special tokens; None: unless the text begins with BOS already.
    """
    prefix = prefix_token(tokenizer)
    lead = "" if prefix is None else tokenizer.decode([prefix])
    wanted = {
        text: (not (lead and text.startswith(lead))) if special is None else special
        for text in dict.fromkeys(texts)
    }
    known: dict[str, list[int]] = {}
    for adds in (True, False):
        group = [text for text, flag in wanted.items() if flag is adds]
        if group:
            ids = tokenizer(group, add_special_tokens=adds, verbose=False)["input_ids"]
            known.update(zip(group, ids, strict=True))
    return [known[text] for text in texts]


def encoded_pairs(
    tokenizer: PreTrainedTokenizerBase, pairs: Sequence[tuple[str, str]]
) -> list[tuple[list[int], list[int]]]:
    """Token ids of each (context, continuation).

    Spaces at a context's end move to the continuation; the whole is encoded and cut at the context's length;
    an empty context is the prefix token. A continuation may come out empty: it cannot be scored then.
    """
    split = [_moved_spaces(context, continuation) for context, continuation in pairs]
    bare = encoded(tokenizer, [text for context, text in pairs if context == ""], special=False)
    contexts = encoded(
        tokenizer, [context for (full, _), (context, _) in zip(pairs, split, strict=True) if full]
    )
    wholes = encoded(
        tokenizer,
        [context + text for (full, _), (context, text) in zip(pairs, split, strict=True) if full],
    )
    bare_ids, context_ids, whole_ids = iter(bare), iter(contexts), iter(wholes)
    prefix = prefix_token(tokenizer)
    return [
        _after_context(prefix, next(context_ids), next(whole_ids))
        if full
        else _after_prefix(prefix, next(bare_ids))
        for full, _ in pairs
    ]


def rolling_windows(
    tokens: Sequence[int], prefix: int | None, max_tokens: int
) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """(input, predicted tokens) windows that predict each token once, with as much context as fits.

    The model reads `input` and its last `len(predicted)` outputs are scored. Without a prefix token the first
    token is given, not predicted.

    Example:
        >>> list(rolling_windows([1, 2, 3, 4, 5], 0, 3))
        [([0, 1, 2], [1, 2, 3]), ([2, 3, 4], [4, 5])]
    """
    if prefix is None:
        prefix, tokens = (tokens[0], tokens[1:]) if tokens else (0, tokens)
    full = [prefix, *tokens]
    done = 0
    while done < len(tokens):
        end = min(done + max_tokens, len(tokens))
        yield full[max(0, end - max_tokens) : end], list(tokens[done:end])
        done = end


def end_tokens_of(
    tokenizer: PreTrainedTokenizerBase, generation_config: Mapping[str, Any], *, turn_end: str | None = None
) -> tuple[int, ...]:
    """Every token that ends a generation: those of config, tokenizer and chat template.

    Args:
        tokenizer: The checkpoint's.
        generation_config: Content of `generation_config.json`, or of the config where there is none.
        turn_end: What the chat template writes after an assistant's message.
    """
    listed = generation_config.get("eos_token_id")
    ends = {int(token) for token in (listed if isinstance(listed, list) else [listed]) if token is not None}
    if tokenizer.eos_token_id is not None:
        ends.add(int(tokenizer.eos_token_id))
    if turn_end:
        added = tokenizer.added_tokens_decoder
        ids = tokenizer(turn_end, add_special_tokens=False)["input_ids"]
        if ids and ids[0] in added:
            ends.add(int(ids[0]))
    return tuple(sorted(ends))


def _moved_spaces(context: str, continuation: str) -> tuple[str, str]:
    kept = context.rstrip()
    return kept, context[len(kept) :] + continuation


def _after_context(prefix: int | None, context: list[int], whole: list[int]) -> tuple[list[int], list[int]]:
    if not context:  # nothing but spaces, and a tokenizer that puts no token before a text
        return _after_prefix(prefix, whole)
    return context, whole[len(context) :]


def _after_prefix(prefix: int | None, continuation: list[int]) -> tuple[list[int], list[int]]:
    if prefix is None or continuation[:1] == [prefix]:
        return continuation[:1], continuation[1:]
    return [prefix], continuation
