"""Items drawn at random, of every part a prompt can have."""

from __future__ import annotations

from hypothesis import strategies as st

from harness.core.items import (
    DEFAULT_ORDER,
    Demonstration,
    Item,
    Label,
    OutputSpec,
    Passage,
    Prompt,
    Target,
    Text,
    Turn,
)

words = st.text(min_size=1, max_size=12)
tuples = st.lists(words, max_size=3).map(tuple)
texts = st.builds(Text, words, tuples)
passages = st.lists(st.builds(Passage, words, st.booleans(), st.none() | words, tuples), max_size=3).map(
    tuple
)
plain_values = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | words
pairs = st.dictionaries(words, plain_values, min_size=1, max_size=3).map(lambda record: tuple(record.items()))
targets = st.one_of(
    st.builds(Target, label=words),
    st.builds(Target, option=st.integers(0, 5)),
    st.builds(Target, answers=st.lists(words, min_size=1, max_size=3).map(tuple)),
    st.builds(Target, fields=pairs),
    st.builds(Target, references=st.lists(words, min_size=1, max_size=3).map(tuple)),
)
outputs = st.builds(
    OutputSpec,
    st.sampled_from(["json", "xml"]),
    st.dictionaries(words, words, min_size=1, max_size=3).map(lambda record: tuple(record.items())),
    st.none() | words,
)
demonstrations = st.builds(Demonstration, targets, st.none() | texts, passages, tuples)
prompts = st.builds(
    Prompt,
    system=st.none() | texts,
    instruction=st.none() | texts,
    demonstrations=st.lists(demonstrations, max_size=2).map(tuple),
    context=passages,
    question=st.none() | texts,
    options=tuples,
    labels=st.lists(
        st.builds(Label, words, st.lists(words, min_size=1, max_size=2).map(tuple)), max_size=3
    ).map(tuple),
    output=st.none() | outputs,
    turns=st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), words, tuples), max_size=3).map(
        tuple
    ),
    text=st.none() | texts,
    order=st.permutations(DEFAULT_ORDER).map(tuple),
)
items = st.builds(
    Item,
    language=st.sampled_from(["en", "zh", "zh-TW"]),
    prompt=prompts,
    target=st.none() | targets,
    tags=st.dictionaries(words, words, max_size=2).map(lambda record: tuple(sorted(record.items()))),
    identity=st.none() | words,
)
