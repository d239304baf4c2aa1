"""The parts of `python -m benchmarks.scoring`: works, models, both sides, the floor, memory, the plot."""
