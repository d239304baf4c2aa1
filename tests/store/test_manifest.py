from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import StoreError, UnknownName
from harness.core.rows import MetricFacts, SuiteRecord
from harness.store import CheckpointRecord, Manifest, manifest_from_json, manifest_to_json
from harness.store.manifest import manifest_from_bytes, manifest_to_bytes
from tests.store.tiny_run import manifest

texts = st.text(max_size=6)
maybe = st.none() | texts
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(texts, values, max_size=3)
checkpoints = st.builds(
    CheckpointRecord,
    texts,
    texts,
    maybe,
    maybe,
    maybe,
    maybe,
    maybe,
    st.none() | st.integers(0, 10**12),
    maybe,
)
bounds = st.tuples(st.none() | st.floats(-9, 9), st.none() | st.floats(-9, 9))
facts = st.builds(
    MetricFacts, texts, st.sampled_from(["higher", "lower"]), bounds, st.booleans(), st.booleans(), st.none()
)
suites = st.builds(
    SuiteRecord,
    name=texts,
    version=texts,
    digest=texts,
    primary=texts,
    metrics=st.lists(facts, max_size=3).map(tuple),
    task=texts,
    asking=objects,
    n_items=st.integers(0, 10**9),
    n_variants=st.integers(0, 10**9),
    source=st.sampled_from(["suite", "lm_eval", "import"]),
)
manifests = st.builds(
    Manifest,
    run_id=texts,
    created=texts,
    checkpoint=checkpoints,
    suites=st.lists(suites, max_size=2).map(tuple),
    settings=objects,
    environment=objects,
    counts=st.dictionaries(texts, st.integers(0, 10**9), max_size=2),
    timings=st.dictionaries(texts, st.floats(0, 1e9), max_size=2),
    lineage=objects,
    files=st.dictionaries(texts, texts, max_size=2),
)


@settings(max_examples=40, deadline=None)
@given(manifests)
def test_every_manifest_survives_json_text(written: Manifest) -> None:
    assert manifest_from_json(json.loads(json.dumps(manifest_to_json(written)))) == written


@settings(max_examples=40, deadline=None)
@given(manifests)
def test_every_manifest_survives_its_file(written: Manifest) -> None:
    assert manifest_from_bytes(manifest_to_bytes(written), path="m") == written


def test_a_path_that_is_not_utf_8_is_kept() -> None:
    # os.fsdecode gives lone surrogates for such a path
    written = manifest()
    written = replace(written, checkpoint=replace(written.checkpoint, path="models/\udcff"))
    assert manifest_from_bytes(manifest_to_bytes(written), path="m") == written


def test_equal_manifests_are_equal_bytes_whatever_the_order_of_their_settings() -> None:
    first = manifest(settings={"seed": 0, "limit": 5})
    second = manifest(settings={"limit": 5, "seed": 0})
    assert manifest_to_bytes(first) == manifest_to_bytes(second)


def test_a_newer_schema_asks_for_an_upgrade() -> None:
    record = {**manifest_to_json(manifest()), "schema": 2}
    with pytest.raises(StoreError, match=r"runs/x/manifest.json: schema: 2 is newer than 1.*upgrade"):
        manifest_from_json(record, path="runs/x/manifest.json")
    with pytest.raises(StoreError, match="schema: 2 is newer"):
        manifest_from_bytes(json.dumps({**record, "seal": "made in another way"}).encode(), path="m")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"schema": "one"}, "schema"),
        ({"schema": 0}, "schema"),
        ({"suites": 3}, "suites: expected a list"),
        ({"suites": ["geo"]}, r"suites\[0\]: expected an object"),
        ({"suites": [{"name": "geo"}]}, r"suites\[0\].*version"),
        (
            {"suites": [{"name": "geo", "metrics": ["exact_match"]}]},
            r"suites\[0\].metrics\[0\]: expected an ob",
        ),
        ({"checkpoint": None}, "checkpoint: expected an object"),
        ({"checkpoint": {"digest": "d", "name": "n", "colour": "red"}}, "checkpoint.colour: unknown field"),
        ({"mood": "good"}, "mood: unknown field"),
    ],
)
def test_a_misshapen_manifest_names_the_field(change: dict[str, object], expected: str) -> None:
    with pytest.raises(StoreError, match=expected):
        manifest_from_json({**manifest_to_json(manifest()), **change})


def test_a_manifest_edited_by_hand_is_found() -> None:
    data = manifest_to_bytes(manifest())
    with pytest.raises(StoreError, match="m.json was changed after it was written"):
        manifest_from_bytes(data.replace(b'"failed": 1', b'"failed": 0'), path="m.json")


def test_a_manifest_cut_at_any_byte_is_never_taken_for_whole() -> None:
    data = manifest_to_bytes(manifest())
    for end in range(0, len(data) - 1, 7):  # the last byte is the newline after the closing brace
        with pytest.raises(StoreError, match="damaged|changed"):
            manifest_from_bytes(data[:end], path="m")


@pytest.mark.parametrize("data", [b"[]", b"\xff\xfe", b"null"])
def test_what_is_no_manifest_is_damaged(data: bytes) -> None:
    with pytest.raises(StoreError, match="damaged"):
        manifest_from_bytes(data, path="m")


def test_an_unknown_suite_suggests_the_near_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'geo'"):
        manifest().suite("geos")
