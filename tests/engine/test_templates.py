"""Chat templates render as in Transformers, but for the clock."""

from __future__ import annotations

import datetime

import pytest

from harness.core.errors import CheckpointError
from harness.core.exchange import Message
from harness.engine import Checkpoint
from harness.engine.templates import chat_template_of, end_of_turn, rendered

TURNS = (Message("user", "1 < 2?"), Message("assistant", "Yes & 是"), Message("user", "Bye\n"))
CHATML = (
    "{%- for message in messages %}\n"
    "    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
MARKED = (
    "{% for message in messages %}{% if message.role == 'assistant' %}{% generation %}{{ message.content }}"
    "{{ eos_token }}{% endgeneration %}{% else %}[{{ message.content | trim }}]{% endif %}{% endfor %}"
)
AS_JSON = (
    "{% set ns = namespace(n=0) %}{% for message in messages %}{% set ns.n = ns.n + 1 %}{% if ns.n > 2 %}{% break %}"
    "{% endif %}{{ message | tojson }}{% endfor %}"
)
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}"
)
DROPS_SYSTEM = "{% for message in messages if message.role != 'system' %}{{ message.content }}|{% endfor %}"


@pytest.mark.parametrize("text", [CHATML, MARKED, AS_JSON], ids=["chatml", "marked", "json"])
@pytest.mark.parametrize("answer_next", [True, False])
def test_templates_render_as_in_transformers(tiny: Checkpoint, text: str, answer_next: bool) -> None:
    ours = rendered(text, TURNS, tiny.tokenizer.special_tokens_map, answer_next=answer_next)
    theirs = tiny.tokenizer.apply_chat_template(
        [{"role": turn.role, "content": turn.content} for turn in TURNS],
        chat_template=text,
        tokenize=False,
        add_generation_prompt=answer_next,
    )
    assert ours == theirs


def test_a_template_that_reads_the_clock_renders_alike_on_any_day(
    tiny_chat: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.utils import chat_template_utils

    class Tomorrow(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return datetime.datetime(2031, 5, 6, tzinfo=tz)

    assert tiny_chat.template is not None
    monkeypatch.setattr(chat_template_utils, "datetime", Tomorrow)
    theirs = tiny_chat.tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)
    assert "2031-05-06" in theirs  # the fault this guards against
    assert "2026-01-01" in tiny_chat.template.render((Message("user", "Hi"),))


@pytest.mark.parametrize("text", [NO_SYSTEM, DROPS_SYSTEM], ids=["refuses", "drops silently"])
def test_a_system_message_the_template_cannot_take_goes_before_the_users(text: str) -> None:
    template = chat_template_of(text, {})
    assert not template.takes_system
    assert "Be brief.\n\nHi" in template.render((Message("system", "Be brief."), Message("user", "Hi")))


def test_a_system_message_stays_where_the_template_takes_it() -> None:
    template = chat_template_of(CHATML, {})
    assert template.takes_system
    assert "<|im_start|>system\nBe brief.<|im_end|>" in template.render(
        (Message("system", "Be brief."), Message("user", "Hi"))
    )


@pytest.mark.parametrize("text", ["{% for", "{{ raise_exception('no') }}", "{{ messages[0].content + 1 }}"])
def test_a_template_that_cannot_render_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match="--no-chat-template"):
        chat_template_of(text, {})


def test_a_template_cannot_reach_out_of_its_sandbox() -> None:
    with pytest.raises(CheckpointError, match="unsafe"):
        chat_template_of("{{ messages.__class__.__mro__ }}", {})


def test_the_end_of_a_turn_is_read_off_the_template() -> None:
    assert end_of_turn(chat_template_of(CHATML, {})) == "<|im_end|>\n"
    assert end_of_turn(chat_template_of(DROPS_SYSTEM, {})) == "|"
    assert end_of_turn(chat_template_of("{{ messages[0].content }}", {})) is None
