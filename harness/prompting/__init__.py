"""From a typed prompt to what a model reads, and from what it answers to a prediction."""

from harness.prompting.asking import Asking, Reading, read, request
from harness.prompting.render import answer_text, plain_text, render

__all__ = ["Asking", "Reading", "answer_text", "plain_text", "read", "render", "request"]
