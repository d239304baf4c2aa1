"""Items that are not judged for a while: left out of every rule, told, and judged again when their day has passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from harness.comparison import Difference, Pairing, SuitePairs
from harness.policy import Policy
from harness.policy.rules import Quarantine


def without_quarantined(
    pairing: Pairing, policy: Policy, *, today: date
) -> tuple[Pairing, tuple[Difference, ...]]:
    """The pairs without what is quarantined, and what is to be told of it.

    Args:
        pairing: Both sides.
        policy: Whose list.
        today: An entry counts up to and on its day.
    """
    notes: list[Difference] = []
    for entry in policy.quarantine:
        where = f"quarantine of {entry.item} ({entry.reason})"
        if entry.until < today:
            notes.append(_note(f"The {where} ended on {entry.until}: judged again. Remove the entry."))
            continue
        suites = tuple(_without(pairs, entry) for pairs in pairing.suites)
        n_left_out = sum(
            before.n_shared - after.n_shared for before, after in zip(pairing.suites, suites, strict=True)
        )
        pairing = replace(pairing, suites=suites)
        if n_left_out:
            said = f"{n_left_out} variants are not judged until {entry.until}: {where}."
            notes.append(_note(said, excluded=n_left_out))
        else:
            notes.append(_note(f"The {where} concerns nothing that was asked."))
    return pairing, tuple(notes)


def _note(message: str, *, excluded: int = 0) -> Difference:
    return Difference("quarantine", None, message, excluded)


def _without(pairs: SuitePairs, entry: Quarantine) -> SuitePairs:
    """A suite without an item's or variant's rows; all counts lose them alike."""
    ids = pairs.outputs[[]].reset_index()["variant_id"] if pairs.n_shared else None
    if ids is None:
        return pairs
    of_item = pairs.outputs["item_id_candidate"].str.startswith(entry.item).to_numpy()
    gone = set(ids[of_item | ids.str.startswith(entry.item).to_numpy()])
    if not gone:
        return pairs
    return replace(
        pairs,
        scores=pairs.scores[~pairs.scores["variant_id"].isin(gone)],
        outputs=pairs.outputs[~pairs.outputs.index.isin(gone)],
        n_baseline=pairs.n_baseline - len(gone),
        n_candidate=pairs.n_candidate - len(gone),
        n_shared=pairs.n_shared - len(gone),
    )
