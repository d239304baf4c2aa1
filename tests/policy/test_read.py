"""A policy file is read strictly; every fault is told at its line."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harness.core.errors import PolicyError
from harness.formats.json_schema import json_schema
from harness.policy import Margin, Policy, Rule, default_policy, load_policy, policy_from_json
from harness.policy.rules import MustPass, Quarantine, ValuesFile
from harness.policy.schema_file import SCHEMA, policy_schema_text
from harness.policy.shape import PolicyShape

WHOLE = """\
schema: 1
alpha: 0.1
baseline:
  run: production
inconclusive: warn
min_shared: 0.9
max_failed_share: 0.02
rules:
  - suite: noisy-*
    metric: exact_match
    margin: 10%
    transform: typo
    family: noise
    slice:
      language: zh
      tags:
        level: 3
    by: position
    tier: advisory
  - suite: edge-cases
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "gate.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def message_of(folder: Path, text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        load_policy(written(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


def test_every_field_of_a_policy_is_read(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, WHOLE))
    assert policy == Policy(
        rules=(
            Rule(
                suite="noisy-*",
                metric="exact_match",
                margin=Margin(0.1, is_relative=True),
                transform="typo",
                family="noise",
                language="zh",
                tags=(("level", "3"),),
                by="position",
                tier="advisory",
                line=9,
            ),
            Rule(suite="edge-cases", line=20),
        ),
        alpha=0.1,
        baseline="production",
        inconclusive="warn",
        min_shared=0.9,
        max_failed_share=0.02,
        path=str(tmp_path / "gate.yaml"),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "gate.yaml: is empty; begin it with `schema: 1`"),
        ("- a\n", "gate.yaml:1:1: expected a mapping, got ['a']"),
        ("schema: 2\nrules: [{}]\n", "gate.yaml:1:1: schema: expected 1, got 2"),
        ("schema: 1\nrules: []\n", "gate.yaml:2:1: rules: must not be empty"),
        ("schema: 1\n", "gate.yaml:1:1: rules: is missing; add it"),
        (
            "schema: 1\nrules:\n  - sute: a\n",
            "gate.yaml:3:5: rules[0].sute: unknown key 'sute'. Did you mean",
        ),
        ("schema: 1\nrules:\n  - threshold: 1\n", "Did you mean 'margin'?"),
        (
            "schema: 1\nrules:\n  - {margin: 0}\n",
            "gate.yaml:3:6: rules[0].margin: expected more than 0, got 0",
        ),
        ("schema: 1\nrules: [{margin: .inf}]\n", "expected a number such as 0.05 or a share such as '10%'"),
        ("schema: 1\nrules: [{margin: 1e999}]\n", "rules[0].margin: expected a finite number, got inf"),
        ("schema: 1\nrules: [{margin: 0%}]\n", "or a share such as '10%', got '0%'"),
        ("schema: 1\nrules: [{margin: 100%}]\n", "or a share such as '10%', got '100%'"),
        ("schema: 1\nrules: [{margin: true}]\n", "rules[0].margin: expected a number, got True"),
        ("schema: 1\nrules: [{by: transfrom}]\n", "Did you mean 'transform'?"),
        ("schema: 1\nrules: [{tier: block}]\n", "Did you mean 'blocking'?"),
        ("schema: 1\nalpha: 0\nrules: [{}]\n", "gate.yaml:2:1: alpha: expected more than 0, got 0"),
        ("schema: 1\nalpha: 0.6\nrules: [{}]\n", "alpha: expected at most 0.5, got 0.6"),
        ("schema: 1\nbaseline: prod\nrules: [{}]\n", "baseline: expected a mapping, got 'prod'"),
        ("schema: 1\nrules: [{}]\nrules: [{}]\n", "key 'rules' stands twice (lines 2 and 3); keep one"),
        ("schema: 1\nrules: [\n", "is not valid YAML"),
        (
            "schema: 1\nrules:\n  - floor: 0.9\n    margin: 0.1\n",
            "gate.yaml:4:5: rules[0].margin: 'margin' does not go with 'floor': a floor is judged on the candidate",
        ),
        ("schema: 1\nrules: [{measure: tokens_per_secnd}]\n", "Did you mean 'tokens_per_second' or"),
        (
            "schema: 1\nrules: [{measure: tokens_per_second, metric: f1}]\n",
            "'metric' does not go with 'measure'",
        ),
        (
            "schema: 1\nrules:\n  - values: {path: a.csv}\n",
            "gate.yaml:3:5: rules[0].values: values need a name",
        ),
        ("schema: 1\nrules: [{values: {pth: a.csv}, metric: m}]\n", "Did you mean 'path'?"),
        (
            "schema: 1\nrules: [{values: {path: a.csv}, metric: m, by: language}]\n",
            "'by' does not go with 'values'",
        ),
        ("schema: 1\nrules: [{minimum: 0.9}]\n", "Did you mean 'floor'?"),
        (
            "schema: 1\nrules: [{}]\nmust_pass: [{path: a, variants: some}]\n",
            "must_pass[0].variants: expected",
        ),
        (
            "schema: 1\nrules: [{}]\nquarantine:\n  - {item: abcd, until: 2026-02-31, reason: r}\n",
            "gate.yaml:4:18: quarantine[0].until: expected a day such as 2026-12-31, got '2026-02-31'",
        ),
        (
            "schema: 1\nrules: [{}]\nquarantine: [{item: abc, until: 2026-12-31, reason: r}]\n",
            "expected at least four letters of an id",
        ),
        (
            "schema: 1\nrules: [{}]\nquarantine: [{item: abcd, until: 2026-12-31}]\n",
            "quarantine[0].reason: is missing; add it",
        ),
    ],
)
def test_a_fault_is_told_with_its_place_and_remedy(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in message_of(tmp_path, text)


def test_every_kind_of_demand_is_read_with_its_line(tmp_path: Path) -> None:
    policy = load_policy(
        written(
            tmp_path,
            "schema: 1\n"
            "rules:\n"
            "  - {suite: a, metric: json_validity_score, floor: 0.95}\n"
            "  - {measure: tokens_per_answer, ceiling: 200, tier: advisory}\n"
            "  - {values: {path: refunds.csv, item: who, direction: lower, bounds: [0, null]}, metric: euro}\n"
            "must_pass: [items/a.jsonl, {path: b.jsonl, variants: all, tier: advisory}]\n"
            "quarantine: [{item: a91f3c, until: 2026-12-31, reason: gold under review}]\n",
        )
    )
    assert policy.rules == (
        Rule(suite="a", metric="json_validity_score", floor=0.95, line=3),
        Rule(measure="tokens_per_answer", ceiling=200.0, tier="advisory", line=4),
        Rule(
            metric="euro",
            values=ValuesFile("refunds.csv", item="who", direction="lower", bounds=(0.0, None)),
            line=5,
        ),
    )
    assert [(rule.title, rule.tier, rule.must_pass) for rule in policy.must_pass] == [
        ("items/a.jsonl::must_pass::all", "blocking", MustPass("items/a.jsonl")),
        ("b.jsonl::must_pass::all", "advisory", MustPass("b.jsonl", variants="all")),
    ]
    assert policy.quarantine == (Quarantine("a91f3c", date(2026, 12, 31), "gold under review", line=7),)
    assert [rule.is_absolute for rule in policy.demands] == [True, True, False, True, True]
    assert policy.folder == tmp_path


def test_the_digest_is_of_all_demands(tmp_path: Path) -> None:
    start = "schema: 1\nrules: [{}]\n"
    texts = (
        start,
        start + "must_pass: [a.jsonl]\n",
        start + "quarantine: [{item: abcd, until: 2026-12-31, reason: r}]\n",
        start + "quarantine: [{item: abcd, until: 2026-12-30, reason: r}]\n",
        "schema: 1\nrules: [{floor: 0.9}]\n",
    )
    assert len({load_policy(written(tmp_path, text)).digest for text in texts}) == len(texts)


def test_a_second_fault_is_told_after_the_first(tmp_path: Path) -> None:
    message = message_of(tmp_path, "schema: 1\nrules:\n  - {margin: -1}\n  - {tyer: x}\n")
    assert (
        message.splitlines()[1]
        == "  also gate.yaml:4:6: rules[1].tyer: unknown key 'tyer'. Did you mean 'tier'?"
    )


def test_a_missing_file_is_an_error_that_shows_a_first_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no such policy file; a first one is `schema: 1`"):
        load_policy(tmp_path / "none.yaml")


@given(st.floats(0.01, 99.98))
def test_a_share_is_that_share_of_the_baseline(percent: float) -> None:
    text = f"{percent:.2f}%"
    (rule,) = policy_from_json({"schema": 1, "rules": [{"margin": text}]}).rules
    assert rule.margin.absolute(-2.0) == pytest.approx(2.0 * float(text[:-1]) / 100)


def test_the_digest_is_of_the_demands_not_of_their_place(tmp_path: Path) -> None:
    one = load_policy(written(tmp_path, "schema: 1\nrules:\n  - {suite: a}\n"))
    two = load_policy(written(tmp_path, "# why\n\nschema: 1\nrules: [{suite: a, margin: 0.05}]\n"))
    other = load_policy(written(tmp_path, "schema: 1\nrules: [{suite: a, margin: 0.04}]\n"))
    assert one.digest == two.digest != other.digest


def test_the_smallest_margin_is_of_the_blocking_rules_that_match() -> None:
    policy = policy_from_json(
        {
            "schema": 1,
            "rules": [
                {"suite": "a*", "margin": 0.03},
                {"suite": "ab", "margin": "2%"},
                {"suite": "*", "margin": 0.001, "tier": "advisory"},
            ],
        }
    )
    assert [policy.smallest_margin(name) for name in ("ab", "ac", "z")] == [0.02, 0.03, 0.05]


def test_the_default_judges_every_suite_and_only_advises_on_transforms() -> None:
    everything, by_transform = default_policy().rules
    assert (everything.suite, everything.tier, everything.by) == ("*", "blocking", None)
    assert (by_transform.by, by_transform.tier) == ("transform", "advisory")


def test_the_published_schema_is_current() -> None:
    expected = "run `python -m harness.policy.schema_file`"
    assert SCHEMA.read_text(encoding="utf-8") == policy_schema_text(), expected


def test_the_published_schema_is_a_schema_and_accepts_what_is_read() -> None:
    schema = json_schema(PolicyShape)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(yaml.safe_load(WHOLE))
    assert json.loads(SCHEMA.read_text(encoding="utf-8"))["$schema"] == schema["$schema"]


rules = st.fixed_dictionaries(
    {},
    optional={
        "suite": st.sampled_from(["*", "a", ""]),
        "margin": st.sampled_from([0.05, 1, 0, -1, "5%", "0%", "100%", True, None, [1]]),
        "by": st.sampled_from(["transform", "level", "other", None]),
        "tier": st.sampled_from(["blocking", "advisory", "", 1]),
        "floor": st.sampled_from([0.9, 1, None, "x", True]),
        "ceiling": st.sampled_from([0.9, None]),
        "measure": st.sampled_from(["tokens_per_second", "other", None]),
        "values": st.sampled_from([{"path": "a.csv"}, {"path": ""}, {"path": "a", "bounds": [0]}, None]),
        "metric": st.sampled_from(["accuracy", ""]),
        "slice": st.sampled_from([{}, {"language": "zh"}, {"tags": {"a": 1}}, {"tags": ["a"]}, {"x": 1}]),
        "other": st.just(1),
    },
)
policies = st.fixed_dictionaries(
    {"schema": st.sampled_from([1, 2]), "rules": st.lists(rules, max_size=2)},
    optional={
        "alpha": st.sampled_from([0.05, 0, 0.9, "x"]),
        "baseline": st.sampled_from([{"run": "a"}, {}]),
        "must_pass": st.lists(
            st.sampled_from(["a.jsonl", "", {"path": "a"}, {"path": "a", "variants": "some"}, 3]), max_size=2
        ),
        "quarantine": st.lists(
            st.fixed_dictionaries(
                {
                    "item": st.sampled_from(["abcd", "abc", "a bcd"]),
                    "until": st.sampled_from(["2026-12-31", "soon"]),
                },
                optional={"reason": st.sampled_from(["r", ""])},
            ),
            max_size=1,
        ),
    },
)


@given(policies)
def test_the_schema_refuses_exactly_what_the_reader_refuses(value: dict[str, Any]) -> None:
    try:
        policy_from_json(value)
    except PolicyError:
        is_read = False
    else:
        is_read = True
    assert Draft202012Validator(json_schema(PolicyShape)).is_valid(value) == is_read
