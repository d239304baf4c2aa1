"""The demo's world: seeded generators of items in English and Chinese, one family a file."""

from harness.demo.world.families import ASKING, FAMILIES, draw, items

__all__ = ["ASKING", "FAMILIES", "draw", "items"]
