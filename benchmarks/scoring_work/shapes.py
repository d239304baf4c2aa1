"""The synthetic works: token counts as of the tasks they stand for, tokens drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.scoring_work.checkpoints import FIRST_WORD, STOP_WORD, words
from benchmarks.scoring_work.work import Question, Work
from harness.core.rng import Rng, rng_for

SEED = 20
COUNTDOWN = 128  # the highest countdown word: a text is at most so many tokens long
_LETTERS = 4
# What a question's own tokens are drawn from begins after the letters and the countdown.
_FIRST_FREE = FIRST_WORD + COUNTDOWN + _LETTERS

FULL_COUNTS: Mapping[str, int] = {
    "fewshot_multitoken": 160,
    "cmmlu_5shot": 300,
    "hellaswag_0shot": 64,
    "hellaswag_10shot": 120,
    "challenge_20_variants": 400,
    "blimp": 400,
    "rolling": 48,
    "generation": 64,
}
QUICK_COUNTS: Mapping[str, int] = {
    "fewshot_multitoken": 24,
    "cmmlu_5shot": 32,
    "hellaswag_0shot": 12,
    "hellaswag_10shot": 16,
    "challenge_20_variants": 60,
    "blimp": 60,
    "rolling": 6,
    "generation": 12,
}


class _Drawer:
    """Draws words; one per work, so that no work depends on another."""

    def __init__(self, name: str, vocabulary: int) -> None:
        self.rng: Rng = rng_for(SEED, "scoring benchmark", name)
        self.vocabulary = vocabulary

    def between(self, lowest: int, highest: int) -> int:
        """A whole number, both ends included."""
        return lowest + self.rng.integer(highest - lowest + 1)

    def tokens(self, lowest: int, highest: int | None = None) -> list[int]:
        """Between `lowest` and `highest` random tokens."""
        length = lowest if highest is None else self.between(lowest, highest)
        return [self.token() for _ in range(length)]

    def token(self) -> int:
        """One random token."""
        return _FIRST_FREE + self.rng.integer(self.vocabulary - _FIRST_FREE)


def _asked(prompt: list[int], options: list[list[int]]) -> Question:
    return Question(words(prompt), tuple(" " + words(option) for option in options))


def fewshot_multitoken(draw: _Drawer, n: int) -> list[Question]:
    """400 tokens of shots, 40 to 80 of question, four options of 8 to 20."""
    shots = draw.tokens(400)
    return [
        _asked([*shots, *draw.tokens(40, 80)], [draw.tokens(8, 20) for _ in range(_LETTERS)])
        for _ in range(n)
    ]


def cmmlu_5shot(draw: _Drawer, n: int) -> list[Question]:
    """420 tokens of fixed shots, 40 to 90 of question, four letters."""
    shots = draw.tokens(420)
    letters = [[FIRST_WORD + COUNTDOWN + letter] for letter in range(_LETTERS)]
    return [_asked([*shots, *draw.tokens(40, 90)], letters) for _ in range(n)]


def hellaswag_0shot(draw: _Drawer, n: int) -> list[Question]:
    """30 to 90 tokens of context, four endings of 15 to 35."""
    return [_asked(draw.tokens(30, 90), [draw.tokens(15, 35) for _ in range(4)]) for _ in range(n)]


def hellaswag_10shot(draw: _Drawer, n: int) -> list[Question]:
    """The same after 800 tokens of shots."""
    shots = draw.tokens(800)
    return [_asked([*shots, *draw.tokens(30, 90)], [draw.tokens(15, 35) for _ in range(4)]) for _ in range(n)]


def challenge(draw: _Drawer, n: int, *, variants: int = 20) -> list[Question]:
    """300 tokens of shots, questions of 60 with one token changed per variant, four options of 2 to 3.

    The variants of an item share its options and stand together; the first is the item itself.
    """
    shots = draw.tokens(300)
    found: list[Question] = []
    while len(found) < n:
        question, options = draw.tokens(60), [draw.tokens(2, 3) for _ in range(4)]
        for variant in range(min(variants, n - len(found))):
            changed = list(question)
            if variant:
                changed[draw.rng.integer(len(changed))] = draw.token()
            found.append(_asked([*shots, *changed], options))
    return found


def blimp(draw: _Drawer, n: int) -> list[Question]:
    """Pairs of sentences of 8 to 14 tokens that differ in one; no context."""
    found = []
    for _ in range(n):
        sentence = draw.tokens(8, 14)
        other = list(sentence)
        other[draw.between(2, len(other) - 1)] = draw.token()
        found.append(Question("", (words(sentence), words(other))))
    return found


def rolling(draw: _Drawer, n: int) -> list[Question]:
    """Texts of 200 to 600 tokens, every token scored."""
    return [Question(words(draw.tokens(200, 600))) for _ in range(n)]


def generation(draw: _Drawer, n: int) -> list[Question]:
    """400 shared tokens, 20 to 200 own ones; the last says how long the countdown model writes, 1 to 128."""
    shared = draw.tokens(400)
    return [
        Question(words([*shared, *draw.tokens(19, 199), FIRST_WORD + draw.between(1, COUNTDOWN) - 1]))
        for _ in range(n)
    ]


SHAPES: Mapping[str, Callable[[_Drawer, int], list[Question]]] = {
    "fewshot_multitoken": fewshot_multitoken,
    "cmmlu_5shot": cmmlu_5shot,
    "hellaswag_0shot": hellaswag_0shot,
    "hellaswag_10shot": hellaswag_10shot,
    "challenge_20_variants": challenge,
    "blimp": blimp,
    "rolling": rolling,
    "generation": generation,
}
WORK_NAMES = tuple(SHAPES)


def work_of(name: str, n: int, *, vocabulary: int) -> Work:
    """A synthetic work: the same questions for the same name, number and vocabulary."""
    questions = tuple(SHAPES[name](_Drawer(name, vocabulary), n))
    if name == "rolling":
        return Work(name, "text", questions)
    if name == "generation":
        return Work(name, "generate", questions, stop=STOP_WORD, max_tokens=COUNTDOWN)
    return Work(name, "choose", questions)


def variants_work(n_items: int, variants: int, *, vocabulary: int) -> Work:
    """The challenge shape with another number of variants per item."""
    drawer = _Drawer("variants", vocabulary)
    questions = challenge(drawer, n_items * variants, variants=variants)
    return Work(f"variants_{variants}", "choose", tuple(questions))
