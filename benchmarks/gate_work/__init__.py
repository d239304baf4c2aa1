"""Simulated gates: the rules compared, the suites they judge, and the tables."""
