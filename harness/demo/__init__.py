"""The demo: a small world of tasks, a base model trained on it, and the story of two fine-tunings."""
