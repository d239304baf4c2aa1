"""Run a checkpoint on suites and lm-eval tasks, and keep what came back."""

from harness.evaluation.evaluate import evaluate
from harness.evaluation.rescore import rescore
from harness.evaluation.settings import EvaluationSettings, ProgressReport

__all__ = ["EvaluationSettings", "ProgressReport", "evaluate", "rescore"]
