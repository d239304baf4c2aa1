"""What the pages read: the store, comparisons and verdicts, computed once per pair of runs.

Finished runs never change, so a result is kept by the runs' ids and the policy's digest.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import streamlit as st

from harness.comparison import Comparison, compare
from harness.gating import Verdict, gate
from harness.policy import Policy, default_policy, load_policy
from harness.report.item_queries import Tables, items_frame, tables_of
from harness.report.runs import RunSummary, run_summary
from harness.store import Manifest, Store, open_store

if TYPE_CHECKING:
    import pandas as pd

STORE_VARIABLE, POLICY_VARIABLE = "HARNESS_STORE", "HARNESS_POLICY"


def store_url() -> str:
    """Which store the command was started over."""
    return os.environ.get(STORE_VARIABLE) or "runs"


def open_configured() -> Store:
    """The store.

    Raises:
        StoreError: If there is none.
    """
    return open_store(store_url())


def policy() -> Policy:
    """The policy of the command line, else the default; never one of a URL.

    Raises:
        PolicyError: If its file cannot be read.
    """
    path = os.environ.get(POLICY_VARIABLE)
    return load_policy(path) if path else default_policy()


# A short life: a run that just finished shows up at the next look.
@st.cache_data(max_entries=4, ttl=10, show_spinner=False)
def manifests(url: str) -> tuple[Manifest, ...]:
    """The finished runs, newest first."""
    return tuple(open_store(url).runs())


@st.cache_data(max_entries=4, ttl=10, show_spinner=False)
def unreadable(url: str) -> tuple[str, ...]:
    """Why runs of the store cannot be read, a sentence each."""
    return tuple(str(error) for error in open_store(url).unreadable())


@st.cache_data(max_entries=4, ttl=10, show_spinner=False)
def names_by_run(url: str) -> dict[str, str]:
    """Run id -> its names."""
    named: dict[str, list[str]] = {}
    for name, run_id in sorted(open_store(url).names().items()):
        named.setdefault(run_id, []).append(name)
    return {run_id: ", ".join(names) for run_id, names in named.items()}


# The object itself, not a pickled copy for each reader: it holds both runs' tables, and no page writes to it.
@st.cache_resource(max_entries=4, show_spinner="Comparing the two runs …")
def comparison(url: str, baseline: str, candidate: str) -> Comparison:
    """Two runs compared.

    Raises:
        EmptyComparison: If they share nothing.
    """
    store = open_store(url)
    return compare(store.run(baseline), store.run(candidate))


@st.cache_resource(max_entries=4, show_spinner="Reading the items …")
def items(url: str, baseline: str, candidate: str) -> pd.DataFrame:
    """Every compared variant; not to be written to."""
    return items_frame(comparison(url, baseline, candidate))


@st.cache_resource(max_entries=8, show_spinner="Reading the prompts …")
def tables(url: str, baseline: str, candidate: str, suite: str) -> Tables:
    """What an item's page reads of one suite; not to be written to."""
    return tables_of(comparison(url, baseline, candidate), suite)


def verdict(url: str, baseline: str, candidate: str, chosen: Policy) -> Verdict:
    """What the gate says of two runs."""
    return _verdict(url, baseline, candidate, chosen.digest, chosen)


@st.cache_data(max_entries=32, show_spinner="Judging the candidate …")
def _verdict(url: str, baseline: str, candidate: str, policy_digest: str, _policy: Policy) -> Verdict:
    store = open_store(url)
    return gate(baseline=store.run(baseline), candidate=store.run(candidate), policy=_policy)


@st.cache_data(max_entries=32, show_spinner="Reading the run …")
def summary(url: str, run_id: str) -> RunSummary:
    """One run's scores."""
    return run_summary(open_store(url).run(run_id))
