"""What stands around every page: the choice of runs, what is compared, and what to do where nothing can be shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any

import streamlit as st

from dashboards import data, session
from harness.comparison import Comparison
from harness.core.errors import EmptyComparison, HarnessError, StoreError
from harness.report.figures import DARK, LIGHT, Palette
from harness.report.markup import element, shown
from harness.report.numbers import count_text, scored_text, value_text
from harness.report.parts import differences_box, table, wrapped
from harness.store import Manifest


@dataclass(frozen=True, slots=True)
class Chosen:
    """The two runs that a page shows."""

    url: str
    baseline: str
    candidate: str


def empty(message: str, command: str | None = None) -> None:
    """Says why there is nothing to show and the one command that mends it, and ends the page."""
    st.html(wrapped(element("section", element("p", shown(message)), class_="h-note", role="status")))
    if command is not None:
        st.caption("This mends it:")
        st.code(command, language="bash", wrap_lines=True)
    st.stop()


def plain(text: str) -> str:
    """Text for a Streamlit label, where Markdown would be read: every sign of it escaped.

    Example:
        >>> plain("a*b [x](y)")
        'a\\\\*b \\\\[x\\\\]\\\\(y\\\\)'
    """
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|$:~" else sign for sign in shown(text))


def runs_here() -> tuple[Manifest, ...]:
    """The store's finished runs; ends the page where there are none."""
    url = data.store_url()
    try:
        found = data.manifests(url)
    except StoreError as error:
        empty(str(error), f"harness run CHECKPOINT --suite key-info-position --store {url}")
    if not found:
        empty(
            f"The store '{url}' has no finished run yet.",
            f"harness run CHECKPOINT --suite key-info-position --store {url}",
        )
    return found


def sidebar(found: tuple[Manifest, ...]) -> None:
    """Lets a person choose the two runs and the suites."""
    ids = [manifest.run_id for manifest in found]
    titles = _titles(found)
    session.settle(candidate=_default("candidate", found), baseline=_default("baseline", found))
    view = session.view()
    with st.sidebar:
        for field, label in (("baseline", "Baseline"), ("candidate", "Candidate")):
            st.selectbox(
                label,
                ids,
                format_func=lambda run_id: titles.get(run_id, run_id),
                placeholder="Choose a run",
                **session.bound(field, _known(getattr(view, field), ids)),
            )
        suites = list(dict.fromkeys(record.name for manifest in found for record in manifest.suites))
        st.multiselect(
            "Suites",
            suites,
            placeholder="All suites",
            **session.bound("suites", [name for name in view.suites if name in suites]),
        )
        st.button("Swap the two runs", on_click=_swap, width="stretch")
        st.caption(f"{len(found)} runs in {plain(data.store_url())}")
        for reason in data.unreadable(data.store_url()):
            st.caption(f"Left out: {plain(reason)}")


def _titles(found: tuple[Manifest, ...]) -> dict[str, str]:
    named = data.names_by_run(data.store_url())
    return {
        manifest.run_id: " · ".join(
            part
            for part in (
                shown(manifest.checkpoint.name, limit=60),
                named.get(manifest.run_id, ""),
                manifest.run_id[:8],
            )
            if part
        )
        for manifest in found
    }


def _swap() -> None:
    view = session.view()
    session.change(baseline=view.candidate, candidate=view.baseline)


def _known(ref: str, ids: list[str]) -> str | None:
    """The run id that an id, a name or the beginning of an id means; None where none does."""
    if not ref:
        return None
    try:
        run_id = data.open_configured().run(ref).run_id
    except StoreError:
        return None
    return run_id if run_id in ids else None


def _default(field: str, found: tuple[Manifest, ...]) -> str:
    """Candidate: the newest run. Baseline: the policy's, else the newest named one, else the run before."""
    if field == "candidate":
        view = session.view()
        given = _known(view.baseline, [manifest.run_id for manifest in found])
        others = [manifest.run_id for manifest in found if manifest.run_id != given]
        return others[0] if others else found[0].run_id
    candidate = _known(session.view().candidate, [manifest.run_id for manifest in found]) or _default(
        "candidate", found
    )
    try:
        wanted = data.policy().baseline or ""
    except HarnessError:
        wanted = ""  # the Verdict page tells what is wrong with the policy
    run_id = _known(wanted, [manifest.run_id for manifest in found])
    if run_id is not None:
        return run_id
    named = data.names_by_run(data.store_url())
    others = [manifest.run_id for manifest in found if manifest.run_id != candidate]
    return next((other for other in others if other in named), others[0] if others else "")


def chosen_runs() -> Chosen:
    """The two runs of the view; ends the page, saying why, where there are not two."""
    found = runs_here()
    url = data.store_url()
    ids = [manifest.run_id for manifest in found]
    view = session.view()
    resolved: dict[str, str] = {}
    for field in ("baseline", "candidate"):
        given = getattr(view, field)
        run_id = _known(given, ids)
        if given and run_id is None:
            empty(
                f"Run '{given}', the link's {field}, is not in the store '{url}'. Choose another at the left.",
                f"harness runs list --store {url}",
            )
        if run_id is not None:
            resolved[field] = run_id
    if len(resolved) < 2:
        single_run(found[0])
    return Chosen(url, resolved["baseline"], resolved["candidate"])


def single_run(manifest: Manifest) -> None:
    """The only run's scores, and how to get a second one; ends the page."""
    url = data.store_url()
    lines = data.summary(url, manifest.run_id).lines
    rows = [
        element(
            "tr",
            element("td", element("b", shown(line.suite)), class_="h-rule"),
            element("td", shown(line.metric) + ("" if line.direction == "higher" else " ↓")),
            element("td", value_text(line.value), class_="h-number"),
            element("td", scored_text(line.n_scored, line.n), class_="h-number"),
            element("td", count_text(line.n_items), class_="h-number"),
        )
        for line in lines
    ]
    head = ("Suite", "Metric", "Score", "Scored", "Items")
    st.subheader("One run so far")
    st.html(
        wrapped(
            element(
                "p", "Run ", element("b", shown(manifest.checkpoint.name)), f" ({manifest.run_id}) has these scores. A "
                "comparison needs a second run on the same suites.",
            ),
            table(head, rows, numbers=(2, 3, 4)),
        )
    )  # fmt: skip
    suites = " ".join(f"--suite {record.name}" for record in manifest.suites if record.source == "suite")
    empty(
        "There is nothing to compare yet: add a second run.", f"harness run CHECKPOINT {suites} --store {url}"
    )


def compared(chosen: Chosen) -> Comparison:
    """The comparison of the two runs; ends the page, saying why, where nothing may be compared."""
    try:
        return data.comparison(chosen.url, chosen.baseline, chosen.candidate)
    except EmptyComparison as error:
        empty(str(error), f"harness compare {chosen.baseline} {chosen.candidate} --store {chosen.url}")
        raise  # not reached: `empty` ends the page
    except StoreError as error:
        empty(str(error), f"harness doctor --store {chosen.url}")
        raise


def described(show: Callable[..., Any], text: str) -> dict[str, str]:
    """The argument that gives a chart or table its words for a screen reader, where this Streamlit knows it."""
    return {"alt": text} if "alt" in signature(show).parameters else {}


def palette() -> Palette:
    """The charts' colours in the mode that the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def header(found: Comparison) -> None:
    """What is compared, how much of it, and what else differs."""
    before, after = found.baseline[0].manifest.checkpoint.name, found.candidate[0].manifest.checkpoint.name
    n_shared = sum(pairs.n_shared for pairs in found.suites)
    n_all = sum(pairs.n_baseline + pairs.n_candidate - pairs.n_shared for pairs in found.suites)
    same = " Both are the same checkpoint." if found.is_same_checkpoint else ""
    told = f" · {scored_text(n_shared, n_all)} variants in {len(found.suites)} suites compared.{same}"
    line = element(
        "p", "Candidate ", element("b", shown(after)), " against baseline ", element("b", shown(before)), told,
        class_="h-dim",
    )  # fmt: skip
    st.html(wrapped(line, differences_box(found.differences)))
    unknown = [
        name for name in session.view().suites if name not in {pairs.record.name for pairs in found.suites}
    ]
    if unknown:
        names = ", ".join(unknown)
        st.html(wrapped(element("section", shown(f"Not compared here: {names}."), class_="h-note")))
