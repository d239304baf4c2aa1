"""Suites on disk: load, check, describe, write and begin them."""

from harness.formats.findings import Finding
from harness.suites.describe import SuiteSummary, describe_suite, list_suites
from harness.suites.load import load_suite, validate_suite
from harness.suites.new import scaffold
from harness.suites.shipped import shipped_folder, suite_names
from harness.suites.suite import BuiltSuite, Suite
from harness.suites.write import write_suite

__all__ = [
    "BuiltSuite",
    "Finding",
    "Suite",
    "SuiteSummary",
    "describe_suite",
    "list_suites",
    "load_suite",
    "scaffold",
    "shipped_folder",
    "suite_names",
    "validate_suite",
    "write_suite",
]
