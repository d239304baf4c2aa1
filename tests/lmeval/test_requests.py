"""lm-eval's generation settings and calls as requests."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import TaskError
from harness.core.exchange import Choose, Chosen, OptionScore
from harness.lmeval.requests import generation_settings, requests_of, responses_of


@given(
    st.dictionaries(
        st.sampled_from(["max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens"]),
        st.integers(1, 999),
    ),
    st.sampled_from([None, 0.0, 0.7]),
    st.sampled_from([None, False]),
    st.lists(st.sampled_from(["\n", "</s>", "Q:"]), max_size=3),
)
def test_settings_are_those_lm_eval_makes(
    limits: dict[str, int], temperature: float | None, do_sample: bool | None, until: list[str]
) -> None:
    """lm-eval's own `normalize_gen_kwargs` is the reference."""
    from lm_eval.models.utils import normalize_gen_kwargs

    kwargs: dict[str, object] = {**limits, "until": until}
    if temperature is not None:
        kwargs["temperature"] = temperature
    if do_sample is not None:
        kwargs["do_sample"] = do_sample
    theirs, ours = normalize_gen_kwargs(dict(kwargs)), generation_settings("t", kwargs)
    assert ours.max_tokens == theirs["max_gen_toks"]
    assert list(ours.stop) == theirs["until"]
    assert (ours.temperature > 0) == theirs["do_sample"]
    assert ours.temperature == theirs.get("temperature", 0.0)


@pytest.mark.parametrize(
    "kwargs",
    [{"num_beams": 4}, {"repetition_penalty": 1.2}, {"do_sample": True, "top_k": 40}, {"max_length": 90}],
)
def test_a_setting_that_would_change_the_text_and_cannot_be_asked_is_refused(
    kwargs: dict[str, object],
) -> None:
    with pytest.raises(TaskError, match=f"{list(kwargs)[-1]}="):
        generation_settings("t", kwargs)


@pytest.mark.parametrize("kwargs", [{"num_beams": 1}, {"do_sample": False, "top_k": 40, "top_p": 0.9}])
def test_a_setting_that_changes_nothing_is_accepted(kwargs: dict[str, object]) -> None:
    settings = generation_settings("t", kwargs)
    assert (settings.temperature, settings.top_p) == (0.0, 1.0)


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.text(max_size=3)), min_size=1, max_size=9))
def test_every_call_gets_its_own_score_back_whatever_the_contexts(calls: list[tuple[str, str]]) -> None:
    instances = [
        SimpleNamespace(request_type="loglikelihood", args=call, repeats=1, task_name="t") for call in calls
    ]
    asked = requests_of("t/0", instances)
    assert sorted(call for each in asked for call in each.calls) == list(range(len(calls)))
    assert len(asked) == len({context for context, _ in calls})
    for each in asked:
        request = each.request
        assert isinstance(request, Choose)
        answer = Chosen(tuple(OptionScore(-float(call), 1) for call in each.calls))
        for call, option, responses in zip(
            each.calls, request.options, responses_of(each, answer, repeats=2), strict=True
        ):
            assert (request.prompt, option) == calls[call]
            assert responses == [(-float(call), False)] * 2


def test_an_unknown_type_of_call_is_refused() -> None:
    with pytest.raises(TaskError, match="unknown type 'judge'"):
        requests_of("t/0", [SimpleNamespace(request_type="judge", args=("x",), repeats=1, task_name="t")])
