"""A small store with two runs whose outputs are Chinese and hostile; every number can be worked out by hand."""

from __future__ import annotations

from typing import Any

from harness.core.digest import canonical_json
from harness.core.rows import ErrorRow, ItemRow, MetricFacts, OutputRow, ScoreRow, SuiteRecord
from harness.store import CheckpointRecord, Manifest, RunHeader, Store, StoredRun, table_of

BASELINE, CANDIDATE, STRANGER = "ba5e000000000001", "cada000000000002", "5742000000000003"
N_ITEMS = 12
POSITIONS = (0.0, 0.5, 1.0)

# What a model may write to break a page; none of it may become an element, a link, an image or a style.
PAYLOADS = (
    "<script>window.pwned = 1</script>",
    "<img src=x onerror=window.pwned=1>",
    "[click](javascript:window.pwned=1) ![track](https://evil.invalid/x.png)",
    "</div></td></table><svg onload=window.pwned=1><style>body{display:none}</style>",
    "safe\u202etxet desrever\u2066\u200b end",
    "\x1b[31mred\x1b[0m bell\x07 nul\x00",
    ":red[coloured] $$\\frac{1}{0}$$ `code` **bold** # heading",
    "答案是：五十元<b>（不是）</b>，见第二段。",
    '" onmouseover="window.pwned=1" x="',
    "]]><!-- --><textarea><title>",
    "javascript:window.pwned=1",
    "=cmd|' /C calc'!A0",
)

GEO = SuiteRecord(
    name="geo-问答", version="1", digest="9e0" * 8, primary="exact_match", task="short_answer",
    metrics=(MetricFacts("exact_match", binary=True, pass_at=1.0), MetricFacts("token_f1_score", pass_at=None)),
    asking={}, n_items=N_ITEMS, n_variants=N_ITEMS * 4,
)  # fmt: skip
COLOURS = SuiteRecord(
    name="colours", version="1", digest="c01" * 8, primary="accuracy", task="multiple_choice",
    metrics=(MetricFacts("accuracy", binary=True, pass_at=1.0),), asking={}, n_items=N_ITEMS, n_variants=N_ITEMS * 2,
)  # fmt: skip
PROSE = SuiteRecord(
    name="prose", version="1", digest="b00" * 8, primary="token_perplexity", task="likelihood",
    metrics=(MetricFacts("token_perplexity", direction="lower", bounds=(1.0, None), corpus=True),), asking={},
    n_items=N_ITEMS, n_variants=N_ITEMS,
)  # fmt: skip
SUITES = (GEO, COLOURS, PROSE)


def variants(suite: SuiteRecord) -> list[dict[str, Any]]:
    """The asked variants: `source` of every item, then what its suite adds."""
    rows = []
    for number in range(N_ITEMS):
        steps: list[tuple[str, str, float | None]] = [("source", "source", None)]
        if suite is GEO:
            steps += [("context_rotation", "position", position) for position in POSITIONS]
        if suite is COLOURS:
            steps += [("typo", "noise", None)]
        for transform, family, position in steps:
            place = "" if position is None else f"-{position:g}"
            item_id = f"{suite.name[:3]}-{number}"
            rows.append(
                {
                    "variant_id": f"{item_id}-{transform}{place}", "item_id": item_id, "target_id": f"t-{item_id}",
                    "transform": transform, "family": family, "params": "{}", "position": position, "dose": None,
                    "level": None, "language": "zh" if number % 2 else "en", "number": number,
                }
            )  # fmt: skip
    return rows


def is_right(suite: SuiteRecord, variant: dict[str, Any], *, is_candidate: bool) -> bool:
    """The baseline errs on item 11 only; the candidate loses late positions, and typos of the first five items."""
    if variant["number"] == 11:
        return is_candidate and suite is COLOURS
    if not is_candidate:
        return True
    if suite is GEO:
        return (variant["position"] or 0.0) < 0.5
    return not (variant["transform"] == "typo" and variant["number"] < 5)


def item_row(suite: SuiteRecord, variant: dict[str, Any]) -> ItemRow:
    columns = {key: value for key, value in variant.items() if key != "number"}
    options = {"options": ["red <i>", "蓝色", "green"]} if suite is COLOURS else {}
    return ItemRow(
        **columns, prompt_id=f"p-{variant['variant_id']}", edits="[]", tags='{"domain":"<hostile>"}',
        item=canonical_json({"prompt": options}), gold=gold(suite, variant),
        prompt_text=f"问题 {variant['number']}：多少钱？<script>window.pwned=2</script>\nAnswer:",
    )  # fmt: skip


def gold(suite: SuiteRecord, variant: dict[str, Any]) -> str | None:
    return None if suite is PROSE else "1" if suite is COLOURS else "五十元"


def output_row(suite: SuiteRecord, variant: dict[str, Any], *, is_candidate: bool) -> OutputRow:
    right = is_right(suite, variant, is_candidate=is_candidate)
    wrong_text = PAYLOADS[variant["number"] % len(PAYLOADS)]
    kind = {GEO.name: "generate", COLOURS.name: "choose", PROSE.name: "score"}[suite.name]
    picked = gold(suite, variant) if right else "2" if suite is COLOURS else wrong_text
    text = (f"答案是 {picked}" if right else wrong_text) if suite is GEO else None
    return OutputRow(
        variant_id=variant["variant_id"], item_id=variant["item_id"], prompt_id=f"p-{variant['variant_id']}",
        target_id=variant["target_id"], suite=suite.name, sample=0, kind=kind,  # type: ignore[arg-type]
        text=text, predicted=None if suite is PROSE else picked, gold=gold(suite, variant), outcome="scored",
        reason=None, option_logprobs=(-2.0, -0.1, -1.0 - variant["number"] / 10) if suite is COLOURS else None,
        option_tokens=(1, 1, 1) if suite is COLOURS else None,
        option_greedy=(False, True, False) if suite is COLOURS else None,
        logprob_nats=(-30.0 - variant["number"] if is_candidate else -20.0) if suite is PROSE else None,
        tokens=10 if suite is PROSE else 4, finish_reason="stop" if suite is GEO else None, prompt_tokens=20,
        seconds=0.1,
    )  # fmt: skip


def score_rows(suite: SuiteRecord, variant: dict[str, Any], *, is_candidate: bool) -> list[ScoreRow]:
    columns = {key: value for key, value in variant.items() if key != "number"}
    right = float(is_right(suite, variant, is_candidate=is_candidate))
    return [
        ScoreRow(
            **columns,
            suite=suite.name,
            sample=0,
            replicate=0,
            metric=metric.name,
            value=None if metric.corpus else right,
            outcome="scored",
        )  # fmt: skip
        for metric in suite.metrics
    ]


def write_run(
    store: Store,
    run_id: str,
    *,
    is_candidate: bool,
    suites: tuple[SuiteRecord, ...] = SUITES,
    template: str | None = None,
) -> StoredRun:
    """One finished run."""
    scores: list[ScoreRow] = []
    outputs: list[OutputRow] = []
    errors: list[ErrorRow] = []
    for suite in suites:
        asked = variants(suite)
        store.put_items(suite.digest, table_of([item_row(suite, variant) for variant in asked], "items"))
        for variant in asked:
            scores += score_rows(suite, variant, is_candidate=is_candidate)
            outputs.append(output_row(suite, variant, is_candidate=is_candidate))
            if suite is not PROSE and not is_right(suite, variant, is_candidate=is_candidate):
                error_class = "refusal" if is_candidate and suite is GEO else "other"
                errors.append(
                    ErrorRow(variant["variant_id"], variant["item_id"], suite.name, 0, error_class, 1, True)
                )
    name = "sft-<b>lora</b>" if is_candidate else "base-模型"
    manifest = Manifest(
        run_id=run_id,
        created=f"2026-02-0{2 if is_candidate else 1}T03:04:05+00:00",
        checkpoint=CheckpointRecord(digest=f"d-{run_id}", name=name),
        suites=suites,
        settings={"seed": 0, "template": template},
        environment={"versions": {}},
        counts={"requests": len(outputs), "outputs": len(outputs), "failed": 0},
        timings={},
        lineage={},
    )
    with store.begin(RunHeader(run_id, f"plan-{run_id}", {})) as writer:
        return writer.finish(
            manifest,
            scores=table_of(scores, "scores"),
            outputs=table_of(outputs, "outputs"),
            errors=table_of(errors, "errors"),
        )


def write_pair(store: Store) -> tuple[StoredRun, StoredRun]:
    """The baseline, named `production`, and the candidate."""
    first = write_run(store, BASELINE, is_candidate=False)
    second = write_run(store, CANDIDATE, is_candidate=True)
    store.set_name("production", BASELINE, reason="first", author="test")
    return first, second
