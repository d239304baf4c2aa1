"""F1 per class, averaged with every class counting the same."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.errors import EmptyComparison
from harness.metrics.declare import CorpusRow, corpus_metric


@corpus_metric(
    direction="higher",
    bounds=(0.0, 1.0),
    shapes={"classification", "multiple_choice", "conversation"},
    target={"label", "option"},
)
def macro_f1_score(rows: Sequence[CorpusRow]) -> float:
    """Mean of the F1 of every class that occurs among the right answers, 0 to 1.

    An answer that could not be read counts as a class of its own: a miss for the right class, a false alarm
    for none. Classes that are only ever predicted are not averaged in, so that two runs are averaged over
    the same classes.

    Raises:
        EmptyComparison: If there are no rows, none has weight, or one has no right answer.

    Example:
        >>> rows = [CorpusRow("a", "a"), CorpusRow("b", "a"), CorpusRow("b", "b"), CorpusRow(None, "b")]
        >>> round(macro_f1_score(rows), 4)
        0.5833
    """
    weighted = [row for row in rows if row.weight > 0]
    if not weighted:
        raise EmptyComparison(
            "macro_f1_score has no rows to score; every answer failed or the suite is empty."
        )
    right: dict[str, float] = {}
    marked: dict[str, float] = {}  # predicted + gold weight per class
    for row in sorted(weighted, key=lambda row: (str(row.gold), str(row.predicted), row.weight)):
        if row.gold is None:
            raise EmptyComparison(
                "macro_f1_score got a row without a gold; every item needs a label or option."
            )
        right.setdefault(row.gold, 0.0)
        marked[row.gold] = marked.get(row.gold, 0.0) + row.weight
        if row.predicted is not None:
            marked[row.predicted] = marked.get(row.predicted, 0.0) + row.weight
        if row.predicted == row.gold:
            right[row.gold] += row.weight
    return sum(2 * right[label] / marked[label] for label in sorted(right)) / len(right)
