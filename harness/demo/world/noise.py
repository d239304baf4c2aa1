"""Light slips of the pen in template text, before any word that matters is filled in."""

from __future__ import annotations

import re

from harness.core.rng import Rng

_PLAIN = re.compile(r"[A-Za-z]{4,}(?![^{]*\})")


def _swapped(word: str, rng: Rng) -> str:
    place = 1 + rng.integer(len(word) - 2)
    return word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :]


def with_slips(template: str, rng: Rng, *, share: float) -> str:
    """The template with neighbouring letters swapped in about `share` of its longer words.

    Chinese templates hold no spaces to find words by; there a character is doubled with the same probability.

    Example:
        >>> from harness.core.rng import rng_for
        >>> with_slips("Where does {e} live?", rng_for(1), share=0.0)
        'Where does {e} live?'
    """
    if share <= 0 or not rng.chance(min(1.0, 3 * share)):
        return template
    if template.isascii():
        return _PLAIN.sub(
            lambda match: _swapped(match.group(), rng) if rng.chance(share) else match.group(), template
        )
    plain = [place for place, sign in enumerate(template) if "\u4e00" <= sign <= "\u9fff"]
    if not plain:
        return template
    place = rng.choice(plain)
    return template[:place] + template[place] + template[place:]
