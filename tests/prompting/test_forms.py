"""Every form: what is written is read back, and what is not in the form is refused. Texts were written by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UnknownName
from harness.core.items import Item, Label, OutputSpec, Prompt, Target, Text
from harness.core.variants import source_variant
from harness.prompting import Asking, read, render
from harness.prompting.asking import Reading
from harness.prompting.classification import read_text, request
from harness.prompting.extraction import read_text as read_record_text
from harness.prompting.forms import FORMS, read_record, write_record

FIELDS = (("name", "string"), ("age", "number"), ("member", "boolean"))
GOLD = {"name": "Anna", "age": 5, "member": True}
LABELS = (Label("pos", ("positive",)), Label("neg", ("negative",)))
WORDS = st.text(alphabet="abcXYZ北京好é<>&\"'|#:", min_size=1, max_size=12)


@pytest.mark.parametrize("name", FORMS)
def test_a_record_written_in_a_form_is_read_back_with_its_types(name: str) -> None:
    output = OutputSpec(name, FIELDS)
    assert read_record(write_record(GOLD, output), output) == GOLD


@pytest.mark.parametrize("name", ["json", "xml", "yaml", "markdown_table"])
@given(value=WORDS)
def test_signs_of_the_form_inside_a_value_come_back_as_they_were(name: str, value: str) -> None:
    output = OutputSpec(name, (("text", "string"),))
    assert read_record(write_record({"text": value}, output), output) == {"text": value}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("json", 'Sure: {"name": "Anna"}'),
        ("json", '```json\n{"name": "Anna"}\n```'),
        ("json_extra", '{"name": "Anna"}'),  # lacks the declared source
        ("json_extra", '{"name": "Anna", "source": "book"}'),  # not the value that was told
        ("xml", "<answer><name>Anna</answer>"),
        ("xml", "<answer><name><b>Anna</b></name></answer>"),
        ("xml", "<answer><name>A & B</name></answer>"),
        ("xml", "<answer><name>Anna</name></answer> done"),
        ("xml", "<answer><name>Anna</name><name>Eva</name></answer>"),
        ("yaml", "- name: Anna"),
        ("yaml", "name: Anna\nname: Eva"),
        ("yaml", "name: [Anna]"),
        ("yaml", "Anna"),
        ("markdown_table", "| name |\n| Anna |"),
        ("markdown_table", "| name |\n|---|\n| Anna |\n| Eva |"),
        ("markdown_table", "| name | day |\n|---|---|\n| Anna |"),
        ("line", "Anna\nEva"),
        ("line", ""),
        ("key_value", "Anna"),
        ("key_value", "day: Monday"),
        ("key_value", "name:"),
        ("sentence", "Anna."),
        ("sentence", "I think the name is Anna."),
    ],
)
def test_what_is_not_in_the_form_is_refused(name: str, text: str) -> None:
    fields = (("name", "string"), ("source", 'always "text"')) if name == "json_extra" else FIELDS[:1]
    assert read_record(text, OutputSpec(name, fields)) is None


@pytest.mark.parametrize("name", FORMS)
@given(text=st.text(max_size=60))
def test_no_text_breaks_a_reader(name: str, text: str) -> None:
    record = read_record(text, OutputSpec(name, FIELDS))
    assert record is None or record


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("text", ["a" * 1_000_000, "<a>" * 200_000, "| a " * 200_000, "a: b\n" * 200_000])
def test_a_long_output_is_read_in_short_time(name: str, text: str) -> None:
    if name.startswith("json") or name == "yaml" or name == "markdown_table":
        assert read_record(text, OutputSpec(name, FIELDS)) is None
    else:
        read_record(text, OutputSpec(name, FIELDS))


def _item(output: OutputSpec | None) -> Item:
    prompt = Prompt(question=Text("Lovely room."), labels=LABELS, output=output)
    return Item("en", prompt, Target(label="pos"))


@pytest.mark.parametrize(
    ("name", "field", "said"),
    [
        ("key_value", "Category", "Category: positive"),
        ("sentence", "category", "The category is positive."),
        ("json", "output", '{"output": "positive"}'),
        ("xml", "label", "<answer><label>positive</label></answer>"),
        ("line", "label", "positive"),
    ],
)
def test_a_label_is_read_in_its_form_and_the_options_compared_are_in_it(
    name: str, field: str, said: str
) -> None:
    variant = source_variant(_item(OutputSpec(name, ((field, "string"),))))
    assert read_text(variant, said).label == "pos"
    asked = request(variant, Asking("classification", Reading(by="option_text")))
    assert asked.options[0] == said  # type: ignore[union-attr]
    if name != "line":
        assert read_text(variant, "positive").outcome == "unparsed"


def test_a_label_outside_the_set_is_unparsed_though_the_form_is_right() -> None:
    variant = source_variant(_item(OutputSpec("json", (("output", "string"),))))
    assert read_text(variant, '{"output": "lukewarm"}').reason == "names no label of the set"


def test_a_record_in_another_form_is_read_as_declared() -> None:
    output = OutputSpec("yaml", (("day", "string"),))
    item = Item("en", Prompt(question=Text("?"), output=output), Target(fields=(("day", "Monday"),)))
    assert read_record_text(source_variant(item), "day: Monday").fields == (("day", "Monday"),)
    assert read_record_text(source_variant(item), '{"day": "Monday"').outcome == "unparsed"


def test_the_wording_stands_in_the_prompt() -> None:
    output = OutputSpec("json", (("output", "string"),), "Only JSON with the key output.")
    body = render(_item(output), task="classification").messages[0].content
    assert "Only JSON with the key output." in body and "Answer as JSON" not in body


def test_an_unknown_form_is_named() -> None:
    with pytest.raises(UnknownName, match="No output format named 'jsn'. Did you mean 'json'"):
        read_record("x", OutputSpec("jsn", FIELDS))


def test_a_short_answer_in_a_form_is_unwrapped_before_it_is_compared() -> None:
    from harness.core.exchange import Generated, Generation

    item = Item(
        "en",
        Prompt(question=Text("?"), output=OutputSpec("json", (("result", "string"),))),
        Target(answers=("nine",)),
    )
    answer = Generated((Generation('{"result": "nine"}', "eos", 5),))
    assert read(source_variant(item), answer, Asking("short_answer")).text == "nine"
