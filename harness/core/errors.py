"""Every exception the harness raises, drawn as one tree.

HarnessError
  UsageError                 the user can mend it: exit code 2
    UnknownName              a name that is not registered ("did you mean")
    FileError                a file a user wrote, with line and field
      SuiteError             suite.yaml or items.jsonl
      PolicyError            a gate's policy
      RecipeError            a fine-tuning recipe
      DataError              training or imported data
    CheckpointError          missing, partial, pickled or unreadable weights, adapter without a base
    PromptTooLong            a prompt does not fit the context and the policy says fail
    StoreError               store not writable, run unknown, run damaged
      RunNotFound
      RunInProgress
    EmptyComparison          nothing to compare: no shared variants, no scored items
    TransformError           parameters out of range, or a part the transform needs is absent
    TaskError                an lm-eval task that cannot be used
  BackendError               the system failed while answering; recorded as `failed`
  MeasurementError           the run could not be measured: exit code 4
"""

from __future__ import annotations

from pathlib import Path


class HarnessError(Exception):
    """The root: catch this at the edge and nothing broader."""

    exit_code = 2


class UsageError(HarnessError):
    """The user can mend it: one clear message, exit code 2."""


class UnknownName(UsageError):
    """A name nobody registered."""


class FileError(UsageError):
    """A fault in a file a user wrote.

    Args:
        message: What is wrong, with the value and the remedy.
        path: The file.
        line: 1-based line, where known.
        column: 1-based column, where known.
        field: Dotted path of the field inside the record, where known.

    Example:
        >>> str(FileError("expected a number, got 'x'", path="a.yaml", line=3, field="alpha"))
        "a.yaml:3: alpha: expected a number, got 'x'"
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | Path | None = None,
        line: int | None = None,
        column: int | None = None,
        field: str | None = None,
    ) -> None:
        self.message = message
        self.path = None if path is None else str(path)
        self.line = line
        self.column = column
        self.field = field
        place = self.path or ""
        if line is not None:
            place += f":{line}"
            if column is not None:
                place += f":{column}"
        parts = [part for part in (place, field, message) if part]
        super().__init__(": ".join(parts))


class SuiteError(FileError):
    """A suite folder, its suite.yaml or its items.jsonl is wrong."""


class PolicyError(FileError):
    """A gate's policy file is wrong."""


class RecipeError(FileError):
    """A fine-tuning recipe is wrong."""


class DataError(FileError):
    """Training data or an imported log is wrong."""


class CheckpointError(UsageError):
    """Weights, tokenizer or adapter cannot be used as they are."""


class PromptTooLong(UsageError):
    """At least one prompt does not fit the context and the policy is `fail`."""


class StoreError(UsageError):
    """The store cannot be read or written."""


class RunNotFound(StoreError):
    """No run of that id, prefix or name."""


class RunInProgress(StoreError):
    """The run has no manifest yet: another process writes it, or it was killed."""


class EmptyComparison(UsageError):
    """Nothing to compare."""


class TransformError(UsageError):
    """A transform was given parameters out of range, or an item without the part it needs."""


class TaskError(UsageError):
    """An lm-eval task is unknown or cannot be run here."""


class BackendError(HarnessError):
    """The system, not the model, failed to answer."""

    exit_code = 4


class MeasurementError(HarnessError):
    """The run could not be measured, so there is no verdict to give."""

    exit_code = 4
