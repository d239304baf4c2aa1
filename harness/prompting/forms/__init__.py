"""The declared forms of an answer, one file each: how a record is written in it, and strictly read back."""

from __future__ import annotations

from harness.prompting.forms.records import (
    FORMS,
    Form,
    answer_field,
    answer_in,
    constants,
    form_of,
    read_record,
    write_record,
    written,
)

__all__ = [
    "FORMS",
    "Form",
    "answer_field",
    "answer_in",
    "constants",
    "form_of",
    "read_record",
    "write_record",
    "written",
]
