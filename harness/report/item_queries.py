"""The compared variants one by one: found by what happened to them, paged, and shown whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison import Comparison, SuitePairs
from harness.comparison.flips import correctness, deciding_metric
from harness.core.naming import unknown_name
from harness.report.item_text import ItemText, texts_of
from harness.store import StoredRun

if TYPE_CHECKING:
    import pandas as pd

PAGE_SIZE = 25
LETTERS = {"r": "right", "w": "wrong", "n": "no score"}
COLUMNS = (
    "suite", "variant_id", "item_id", "transform", "position", "level", "language", "transition", "error_baseline",
    "error_candidate", "gold", "output_baseline", "output_candidate",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which variants to list.

    Args:
        suites: Only these; none named means all.
        transform: Only this transform.
        transition: Two letters, baseline then candidate: r right, w wrong, n no score; "" means every flip.
        error_class: Primary class of the candidate's error, or of the baseline's.
        text: Must occur, case aside, in an output, the gold or the id. Not a pattern.
    """

    suites: tuple[str, ...] = ()
    transform: str | None = None
    transition: str = ""
    error_class: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One side's answer to a variant.

    Args:
        output: What was generated or picked, as offered.
        predicted: What was read from it.
        error_classes: All classes found, the primary one first.
        scores: (metric, value) pairs; None where missing.
    """

    output: str | None
    predicted: str | None
    outcome: str
    reason: str | None
    finish_reason: str | None
    tokens: int | None
    prompt_tokens: int | None
    error_classes: tuple[str, ...]
    scores: tuple[tuple[str, float | None], ...]
    is_right: bool | None


@dataclass(frozen=True, slots=True)
class ItemDetail:
    """Everything known of one compared variant."""

    suite: str
    variant_id: str
    item_id: str
    transform: str
    position: float | None
    language: str
    text: ItemText
    gold: str | None
    baseline: Said
    candidate: Said


def items_frame(found: Comparison) -> pd.DataFrame:
    """One row per compared variant of every suite that can tell right from wrong, in the suites' order."""
    import pandas as pd

    errors = {side: _primary_classes(runs[0]) for side, runs in _sides(found).items()}
    parts = [part for pairs in found.suites if len(part := _suite_items(pairs, errors))]
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(parts, ignore_index=True)


def _sides(found: Comparison) -> dict[str, tuple[StoredRun, ...]]:
    return {"baseline": found.baseline, "candidate": found.candidate}


def _suite_items(pairs: SuitePairs, errors: dict[str, dict[tuple[str, str], str]]) -> pd.DataFrame:
    import pandas as pd

    table = correctness(pairs).reset_index(drop=True)
    ids = table["variant_id"].to_list()
    outputs = pairs.outputs.reindex(ids)
    letters = [
        _letter(before) + _letter(after)
        for before, after in zip(table["right_baseline"], table["right_candidate"], strict=True)
    ]
    columns = {
        "suite": pairs.record.name,
        **{
            name: table[name]
            for name in ("variant_id", "item_id", "transform", "position", "level", "language")
        },
        "transition": letters,
        "gold": outputs["gold_candidate"].to_list(),
    }
    for side in ("baseline", "candidate"):
        columns[f"error_{side}"] = [errors[side].get((pairs.record.name, variant_id)) for variant_id in ids]
        texts = zip(outputs[f"text_{side}"], outputs[f"predicted_{side}"], strict=True)
        columns[f"output_{side}"] = [_str(text) or _str(predicted) for text, predicted in texts]
    return pd.DataFrame(columns, columns=list(COLUMNS), index=table.index).astype({"gold": object})


def _letter(right: object) -> str:
    return "n" if right is None or right != right else "r" if right else "w"


def _primary_classes(run: StoredRun) -> dict[tuple[str, str], str]:
    rows = run.errors()
    rows = rows[rows["primary"] & (rows["sample"] == 0)]
    keys = zip(rows["suite"], rows["variant_id"], strict=True)
    return dict(zip(keys, rows["error_class"], strict=True))


def select_items(frame: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """The rows that are wanted, losses first and otherwise in the suites' order."""
    import numpy as np

    transition = frame["transition"]
    if wanted.transition:
        mask = (transition == wanted.transition).to_numpy(bool)
    else:
        mask = transition.isin(["rw", "wr", "rn", "nr", "wn", "nw"]).to_numpy(bool)
    if wanted.suites:
        mask = mask & frame["suite"].isin(wanted.suites).to_numpy(bool)
    if wanted.transform is not None:
        mask = mask & (frame["transform"] == wanted.transform).to_numpy(bool)
    if wanted.error_class is not None:
        held = (frame["error_candidate"] == wanted.error_class) | (
            frame["error_baseline"] == wanted.error_class
        )
        mask = mask & held.to_numpy(bool)
    chosen = frame[mask]
    if wanted.text:
        needle = wanted.text.casefold()
        columns = chosen[["output_baseline", "output_candidate", "gold", "variant_id", "item_id"]]
        hits = [
            any(needle in text.casefold() for text in row if isinstance(text, str))
            for row in columns.itertuples(index=False)
        ]
        chosen = chosen[np.array(hits, dtype=bool)]
    rank = {"rw": 0, "rn": 1, "wr": 2}
    order = np.argsort([rank.get(letters, 3) for letters in chosen["transition"]], kind="stable")
    return chosen.iloc[order].reset_index(drop=True)


def page_of(frame: pd.DataFrame, number: int, *, size: int = PAGE_SIZE) -> tuple[pd.DataFrame, int, int]:
    """One page of rows, its number put into range, and how many pages there are (at least one).

    Example:
        >>> import pandas as pd
        >>> page, number, n_pages = page_of(pd.DataFrame({"x": range(5)}), 9, size=2)
        >>> page["x"].to_list(), number, n_pages
        ([4], 3, 3)
    """
    n_pages = max(1, -(-len(frame) // size))
    number = min(max(1, number), n_pages)
    return frame.iloc[(number - 1) * size : number * size], number, n_pages


def suite_of(frame: pd.DataFrame, variant_id: str, *, suites: tuple[str, ...] = ()) -> str | None:
    """The suite a variant belongs to, one of `suites` before others; None where it was not compared."""
    rows = frame[frame["variant_id"] == variant_id]
    inside = rows[rows["suite"].isin(suites)] if suites else rows
    chosen = inside if len(inside) else rows
    return None if chosen.empty else str(chosen["suite"].iloc[0])


@dataclass(frozen=True, slots=True)
class Tables:
    """What `item_detail` reads besides the comparison; a caller that shows many items keeps it.

    Args:
        asked: The suite's variants; None where the candidate's run lists none.
        errors_baseline: The baseline's error classes.
        errors_candidate: The candidate's.
    """

    asked: pd.DataFrame | None
    errors_baseline: pd.DataFrame
    errors_candidate: pd.DataFrame


def tables_of(found: Comparison, suite: str) -> Tables:
    """The tables of a compared suite.

    Raises:
        StoreError: If a file of theirs is absent or damaged.
    """
    run = found.candidate[0]
    digest = run.manifest.suite(suite).digest
    is_listed = any(file.startswith(f"items/{digest}") for file in run.manifest.files)
    return Tables(
        run.variants(suite) if is_listed else None, found.baseline[0].errors(), found.candidate[0].errors()
    )


def item_detail(
    found: Comparison, suite: str, variant_id: str, *, tables: Tables | None = None
) -> ItemDetail:
    """One compared variant with both answers.

    Args:
        found: The comparison.
        suite: The suite's name.
        variant_id: The variant.
        tables: Those of `tables_of`; None reads them now.

    Raises:
        UnknownName: If the suite, or the variant in it, was not compared.
        StoreError: If a file of the runs is absent or damaged.
    """
    by_name = {pairs.record.name: pairs for pairs in found.suites}
    if suite not in by_name:
        raise unknown_name("compared suite", suite, by_name)
    pairs = by_name[suite]
    if variant_id not in pairs.outputs.index:
        raise unknown_name(f"compared variant of {suite}", variant_id, list(pairs.outputs.index[:3]))
    tables = tables or tables_of(found, suite)
    rows = pairs.scores[pairs.scores["variant_id"] == variant_id]
    first = rows.iloc[0]
    text = ItemText("")
    if tables.asked is not None:
        asked = tables.asked[tables.asked["variant_id"] == variant_id]
        text = texts_of(asked).get(variant_id, text)
    before, after = (
        _said(pairs, errors, side, variant_id, text, rows)
        for side, errors in (("baseline", tables.errors_baseline), ("candidate", tables.errors_candidate))
    )
    position = first["position"]
    return ItemDetail(
        suite, variant_id, str(first["item_id"]), str(first["transform"]),
        None if position is None or position != position else float(position), str(first["language"]), text,
        text.answer(_str(pairs.outputs.loc[variant_id, "gold_candidate"])), before, after,
    )  # fmt: skip


def _said(
    pairs: SuitePairs, errors: pd.DataFrame, side: str, variant_id: str, text: ItemText, rows: pd.DataFrame
) -> Said:
    output = pairs.outputs.loc[variant_id]
    own = errors[
        (errors["variant_id"] == variant_id)
        & (errors["suite"] == pairs.record.name)
        & (errors["sample"] == 0)
    ].sort_values(["primary", "error_class"], ascending=[False, True])
    scores = {
        metric: None if value != value else float(value)
        for metric, value in zip(rows["metric"], rows[side], strict=True)
    }
    deciding = deciding_metric(pairs)
    value = None if deciding is None else scores.get(deciding.name)
    predicted = _str(output[f"predicted_{side}"])
    return Said(
        output=_str(output[f"text_{side}"]) or text.answer(predicted),
        predicted=text.answer(predicted),
        outcome=str(output[f"outcome_{side}"]),
        reason=_str(output[f"reason_{side}"]),
        finish_reason=_str(output[f"finish_reason_{side}"]),
        tokens=_int(output[f"tokens_{side}"]),
        prompt_tokens=_int(output[f"prompt_tokens_{side}"]),
        error_classes=tuple(own["error_class"]),
        scores=tuple(scores.items()),
        is_right=None if deciding is None or value is None else deciding.is_right(value),
    )


def _str(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _int(value: object) -> int | None:
    import pandas as pd

    return None if value is None or pd.isna(value) else int(value)  # type: ignore[call-overload]
