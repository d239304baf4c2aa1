"""A typed prompt laid out as messages, the same for every checkpoint."""

from __future__ import annotations

from string import ascii_uppercase

from harness.core.exchange import Conversation, Message
from harness.core.items import Component, Demonstration, Item, OutputSpec, Prompt, Target, TaskShape
from harness.prompting.forms import write_record, written
from harness.prompting.wordings import Wordings, wordings_of

FORMAT_NAMES = {
    "json": "JSON",
    "json_extra": "JSON",
    "xml": "XML",
    "yaml": "YAML",
    "markdown_table": "Markdown",
}


def option_letter(index: int) -> str:
    """A, B, ... Z, then A1, B1 ...

    Example:
        >>> option_letter(1), option_letter(26)
        ('B', 'A1')
    """
    turn, place = divmod(index, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(turn) if turn else "")


def options_block(options: tuple[str, ...]) -> str:
    """Lettered options, one a line."""
    return "\n".join(f"{option_letter(index)}. {option}" for index, option in enumerate(options))


def answer_text(target: Target, prompt: Prompt, *, by_letter: bool, options: tuple[str, ...] = ()) -> str:
    """What answers a prompt rightly: the label's name, an option or its letter, a record, or the first answer.

    Where the prompt declares a form of the answer, it is written in that form.

    Args:
        target: What is right.
        prompt: Where labels (and options, unless given) are looked up.
        by_letter: Whether options are answered by letter.
        options: Options other than the prompt's, for demonstrations that bring their own.
    """
    if target.fields:
        return write_record(dict(target.fields), prompt.output or OutputSpec())
    if target.label is not None:
        bare = next(label.names[0] for label in prompt.labels if label.id == target.label)
    elif target.option is not None:
        bare = option_letter(target.option) if by_letter else (options or prompt.options)[target.option]
    else:
        texts = target.answers or target.references
        bare = texts[0] if texts else ""
    return written(bare, prompt.output)


def _context_block(passages: tuple[str, ...], words: Wordings) -> str:
    return f"{words.passage}{words.colon.rstrip()}\n" + "\n".join(passages)


def _passages(prompt: Prompt | Demonstration) -> tuple[str, ...]:
    return tuple(
        f"[{passage.source}] {passage.text}" if passage.source else passage.text for passage in prompt.context
    )


def _question_name(task: TaskShape, words: Wordings) -> str:
    return words.text if task in ("classification", "extraction") else words.question


def _demonstration(
    shown: Demonstration,
    prompt: Prompt,
    words: Wordings,
    *,
    task: TaskShape,
    show_options: bool,
    by_letter: bool,
) -> str:
    lines = []
    if shown.context:
        lines.append(_context_block(_passages(shown), words))
    if shown.question is not None:
        lines.append(f"{_question_name(task, words)}{words.colon}{shown.question.text}")
    if shown.options and show_options:
        lines.append(options_block(shown.options))
    answer = answer_text(shown.answer, prompt, by_letter=by_letter, options=shown.options)
    lines.append(f"{words.answer}{words.colon}{answer}")
    return "\n".join(lines)


def _component(
    name: Component, prompt: Prompt, words: Wordings, *, task: TaskShape, show_options: bool, by_letter: bool
) -> str | None:
    """The text of one component, or None where the prompt has none."""
    if name == "instruction":
        return prompt.instruction.text if prompt.instruction is not None else None
    if name == "labels":
        names = words.separator.join(label.names[0] for label in prompt.labels)
        return f"{words.labels}{words.colon}{names}" if names else None
    if name == "output":
        if prompt.output is None or not prompt.output.fields:
            return None
        if prompt.output.wording is not None:
            return prompt.output.wording
        fields = words.separator.join(f'"{field}" ({kind})' for field, kind in prompt.output.fields)
        return words.fields.format(
            format=FORMAT_NAMES.get(prompt.output.format, prompt.output.format), fields=fields
        )
    if name == "demonstrations":
        blocks = [
            _demonstration(shown, prompt, words, task=task, show_options=show_options, by_letter=by_letter)
            for shown in prompt.demonstrations
        ]
        return "\n\n".join(blocks) or None
    if name == "context":
        return _context_block(_passages(prompt), words) if prompt.context else None
    if name == "question":
        if prompt.question is None:
            return None
        return f"{_question_name(task, words)}{words.colon}{prompt.question.text}"
    return options_block(prompt.options) if prompt.options and show_options else None


def render(
    item: Item, *, task: TaskShape, show_options: bool = True, by_letter: bool = False
) -> Conversation:
    """The messages of an item; the checkpoint applies its template to them, or `plain_text` does without one.

    Args:
        item: The item to ask.
        task: Its task shape, which names the question ("Text" for classification and extraction).
        show_options: Whether the options are listed in the prompt (false for cloze scoring).
        by_letter: Whether demonstrations answer by option letter.

    Example:
        >>> from harness.core.items import Text
        >>> item = Item(language="en", prompt=Prompt(instruction=Text("Be brief."), question=Text("2 + 2?")))
        >>> plain_text(render(item, task="short_answer"))
        'Be brief.\\n\\nQuestion: 2 + 2?\\n\\nAnswer:'
    """
    prompt, words = item.prompt, wordings_of(item.language)
    system = () if prompt.system is None else (Message("system", prompt.system.text),)
    blocks = [
        _component(name, prompt, words, task=task, show_options=show_options, by_letter=by_letter)
        for name in prompt.order
    ]
    body = "\n\n".join(block for block in blocks if block)
    if prompt.turns:
        lead = (Message("user", body),) if body else ()
        turns = tuple(Message(turn.role, turn.text) for turn in prompt.turns)
        if lead and turns[0].role == "user":  # one user message, not two in a row
            turns = (Message("user", f"{body}\n\n{turns[0].content}"), *turns[1:])
            lead = ()
        return Conversation((*system, *lead, *turns), words.assistant + words.colon.rstrip(), words.joiner)
    if not body and not system:
        return Conversation(())  # bare options: the sentences themselves are compared
    return Conversation(
        (*system, Message("user", body)), cue=words.answer + words.colon.rstrip(), joiner=words.joiner
    )


def plain_text(conversation: Conversation, *, language: str = "en") -> str:
    """The conversation for a checkpoint without a chat template.

    One user message stands bare; several turns are led by the role's name.

    Example:
        >>> plain_text(Conversation((Message("user", "Hi?"),), cue="Answer:", joiner=" "))
        'Hi?\\n\\nAnswer:'
        >>> turns = (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Bye"))
        >>> plain_text(Conversation(turns, cue="Assistant:", joiner=" "))
        'User: Hi\\n\\nAssistant: Hello\\n\\nUser: Bye\\n\\nAssistant:'
    """
    words = wordings_of("zh" if conversation.cue.endswith("：") else language)
    roles = [message.role for message in conversation.messages]
    bare = roles.count("user") <= 1 and "assistant" not in roles
    names = {"user": words.user, "assistant": words.assistant, "system": ""}
    blocks = [
        message.content
        if bare or message.role == "system"
        else names[message.role] + words.colon + message.content
        for message in conversation.messages
    ]
    if conversation.cue:
        blocks.append(conversation.cue)
    return "\n\n".join(blocks)
