"""What a page shows, as a value and as the query of its URL; every value of a URL is checked before use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

VERSION = "1"
TRANSITIONS = tuple(before + after for before in "rwn" for after in "rwn")
LONGEST, LONGEST_TEXT, MOST_SUITES = 200, 300, 60
_REF = re.compile(r"[\w.\-]{1,64}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # and lone surrogates, which no URL can hold


@dataclass(frozen=True, slots=True)
class View:
    """Everything a shared link must carry; a default is left out of the URL.

    Args:
        baseline: Run id or name; "" lets the page choose.
        candidate: The same of the candidate.
        suites: Only these; none means all.
        metric: Only this metric; "" means each suite's primary one.
        transform: Only this transform's variants.
        transition: Two letters, baseline then candidate: r right, w wrong, n no score; "" means every flip.
        error_class: Only items of this error class.
        text: Only items with this text.
        page: Of the item list, from 1.
        item: The variant shown whole.
    """

    baseline: str = ""
    candidate: str = ""
    suites: tuple[str, ...] = ()
    metric: str = ""
    transform: str = ""
    transition: str = ""
    error_class: str = ""
    text: str = ""
    page: int = 1
    item: str = ""


# The public names of the fields; they are a contract: links live longer than code.
_NAMES = {
    "baseline": "a",
    "candidate": "b",
    "suites": "s",
    "metric": "m",
    "transform": "sl",
    "transition": "tr",
    "error_class": "err",
    "text": "q",
    "page": "pg",
    "item": "item",
}


def parse(query: Mapping[str, str]) -> tuple[View, tuple[str, ...]]:
    """The view of a URL's query, and what of it was ignored, in words.

    Example:
        >>> parse({"v": "1", "a": "c28e88727116ab7c", "tr": "rw", "pg": "x"})[1]
        ("The link's page 'x' is not a number above 0; it was ignored.",)
    """
    faults: list[str] = []
    version = query.get("v", VERSION)
    if version != VERSION:
        faults.append(
            f"The link is of version '{version[:20]}', this dashboard reads version {VERSION}; what it can is shown."
        )
    texts = {
        field: _text(query.get(name, ""), LONGEST_TEXT if field == "text" else LONGEST)
        for field, name in _NAMES.items()
        if field not in ("suites", "page")
    }
    for field in ("baseline", "candidate", "item"):
        if texts[field] and not _REF.fullmatch(texts[field]):
            faults.append(f"The link's {field} '{texts[field][:40]}' is no id; it was ignored.")
            texts[field] = ""
    if texts["transition"] and texts["transition"] not in TRANSITIONS:
        faults.append(
            f"The link's transition '{texts['transition'][:20]}' is not two of r, w and n; it was ignored."
        )
        texts["transition"] = ""
    suites = [_text(name, LONGEST) for name in query.get("s", "").split(",")[:MOST_SUITES]]
    page = query.get("pg", "1")
    if not re.fullmatch(r"[1-9][0-9]{0,6}", page):
        faults.append(f"The link's page '{page[:20]}' is not a number above 0; it was ignored.")
        page = "1"
    view = View(**texts, suites=tuple(dict.fromkeys(name for name in suites if name)), page=int(page))
    return view, tuple(faults)


def _text(value: str, limit: int) -> str:
    return _CONTROLS.sub("", value)[:limit]


def to_query(view: View) -> dict[str, str]:
    """The query that `parse` reads back; defaults are left out.

    Example:
        >>> to_query(View(baseline="ab12", suites=("x", "y")))
        {'v': '1', 'a': 'ab12', 's': 'x,y'}
    """
    query = {"v": VERSION}
    for field, name in _NAMES.items():
        value = getattr(view, field)
        if value == View.__dataclass_fields__[field].default:
            continue
        query[name] = ",".join(value) if isinstance(value, tuple) else str(value)
    return query


def link(page: str, view: View) -> str:
    """A relative address of another page of this dashboard."""
    return f"{page}?{urlencode(to_query(view))}"
