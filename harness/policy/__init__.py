"""What a build is judged by: the rules of a gate, read from a file with line-precise errors."""

from harness.policy.read import load_policy, policy_from_json
from harness.policy.rules import Margin, Policy, Rule, default_policy

__all__ = ["Margin", "Policy", "Rule", "default_policy", "load_policy", "policy_from_json"]
