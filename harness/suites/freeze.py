"""A suite's variants written to disk as they are asked, with hashes that show any later change."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from harness.core.codec import item_to_json
from harness.core.digest import canonical_json
from harness.core.errors import SuiteError
from harness.core.variants import Variant
from harness.suites.suite import BuiltSuite

VARIANTS_FILE = "variants.jsonl"
MANIFEST_FILE = "manifest.json"


def _record(variant: Variant) -> dict[str, Any]:
    level = variant.level
    return {
        "variant_id": variant.variant_id,
        "item_id": variant.item_id,
        "transform": variant.transform,
        "family": variant.family,
        "params": json.loads(variant.params),
        "draw": variant.draw,
        "level": {"position": level.position, "dose": level.dose, "name": level.name},
        "item": item_to_json(variant.item),
    }


def frozen_files(built: BuiltSuite, *, seed: int) -> dict[str, bytes]:
    """The files of a frozen suite: equal suites give equal bytes.

    Args:
        built: The suite with its variants.
        seed: That it was built with.
    """
    # Keys keep their order inside an item: the fields of a record are asked for in theirs.
    lines = [
        canonical_json(_record(variant), sort_keys=False)
        for variant in sorted(
            built.variants, key=lambda one: (one.item_id, one.transform != "source", one.variant_id)
        )
    ]
    variants = ("\n".join(lines) + "\n").encode("utf-8")
    rejected = Counter((one.transform, one.reason) for one in built.rejected)
    manifest = {
        "schema": 1,
        "suite": built.suite.name,
        "version": built.suite.version,
        "seed": seed,
        "digest": built.digest,
        "items": built.n_items,
        "variants": len(built.variants),
        "variants_by_transform": dict(sorted(Counter(one.transform for one in built.variants).items())),
        "rejected": [
            {"transform": transform, "reason": reason, "count": count}
            for (transform, reason), count in sorted(rejected.items())
        ],
        "files": {VARIANTS_FILE: hashlib.sha256(variants).hexdigest()},
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    return {VARIANTS_FILE: variants, MANIFEST_FILE: text.encode("utf-8")}


def freeze(built: BuiltSuite, folder: Path, *, seed: int) -> bool:
    """Writes the frozen suite; the manifest last. An equal one that is there already is left alone.

    Returns:
        Whether anything was written.

    Raises:
        SuiteError: If the folder holds another frozen suite, or files that are none.
    """
    files = frozen_files(built, seed=seed)
    if folder.exists() and any(folder.iterdir()):
        differing = [name for name, data in files.items() if not _holds(folder / name, data)]
        if not differing:
            return False
        raise SuiteError(
            f"holds something else than '{built.suite.name}' of seed {seed} would be; compare, or name an empty folder",
            path=folder / differing[0],
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return True


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data
