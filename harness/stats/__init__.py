"""Arrays in, numbers out: paired tests, intervals, multiplicity and power."""
