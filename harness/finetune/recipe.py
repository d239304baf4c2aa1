"""A recipe read from a file or from plain values; every fault names file, line, field, value and remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.digest import digest
from harness.core.errors import RecipeError, TransformError, UnknownName
from harness.formats.faults import field_path, shape_faults
from harness.formats.findings import Finding, errors_only, raise_findings
from harness.formats.yaml_file import YamlFile, read_yaml

if TYPE_CHECKING:
    from harness.finetune.shape import RecipeShape

Parts = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A checked recipe.

    Args:
        shape: What it says, defaults filled in.
        folder: What its relative paths start from.
        path: Its file, if it was one.
        places: Its keys' lines.
    """

    shape: RecipeShape
    folder: Path
    path: Path | None = None
    places: YamlFile = field(default_factory=YamlFile, repr=False, compare=False)

    @property
    def digest(self) -> str:
        """Of what it says, defaults included."""
        return digest("recipe/1", self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The recipe with every default filled in, in the shape of the file."""
        from harness.finetune.shape import LORA_ONLY

        record = self.shape.model_dump(mode="json", by_alias=True)
        for stage in record["stages"]:
            if stage["method"] == "full":
                for name in LORA_ONLY:
                    del stage[name]
        return record

    def file(self, name: str) -> Path:
        """Where a file that the recipe names lies."""
        return self.folder / Path(name).expanduser()

    @property
    def base(self) -> str:
        """The base's folder, or its hub id."""
        folder = self.file(self.shape.base)
        is_path = folder.is_dir() or self.shape.base.startswith((".", "/", "~"))
        return str(folder) if is_path else self.shape.base

    def fault(self, parts: Parts, message: str) -> RecipeError:
        """An error at a place of the recipe."""
        line, column = self.places.place(parts)
        return RecipeError(message, path=self.path, line=line, column=column, field=field_path(parts) or None)


def load_recipe(path: str | Path) -> Recipe:
    """The recipe of a YAML file; its relative paths start from the file's folder.

    Raises:
        RecipeError: With file, line and field of the first fault, and the others after it.
    """
    path = Path(path)
    if not path.is_file():
        raise RecipeError("no such recipe file; examples/recipe.yaml shows one", path=path)
    read = read_yaml(path)
    if errors := errors_only(read.findings):
        raise_findings(errors, RecipeError)
    return _checked(read.value, path=path, places=read)


def recipe_from_json(value: Any, *, path: str | Path | None = None) -> Recipe:
    """A recipe from plain values, checked.

    Args:
        value: As in the file.
        path: The file it stands for, whose folder relative paths start from; else the working folder.

    Raises:
        RecipeError: With the field of the first fault, and the others after it.

    Example:
        >>> stage = {"method": "lora", "epochs": 1, "batch_size": 8}
        >>> made = {"schema": 1, "base": "./base", "data": [{"path": "a.jsonl"}], "stages": [{**stage, "rnk": 4}]}
        >>> recipe_from_json(made)
        Traceback (most recent call last):
        harness.core.errors.RecipeError: recipe: stages[0].rnk: unknown key 'rnk'. Did you mean 'rank'?
    """
    return _checked(value, path=None if path is None else Path(path), places=YamlFile())


def _checked(value: Any, *, path: Path | None, places: YamlFile) -> Recipe:
    from pydantic import ValidationError

    from harness.finetune.shape import WORDING, RecipeShape

    try:
        shape = RecipeShape.model_validate(value)
    except ValidationError as error:
        name = "recipe" if path is None else str(path)
        found = [
            Finding(message, name, *places.place(parts), field=field_path(parts) or None)
            for parts, message in shape_faults(error, RecipeShape, wording=WORDING)
        ]
        raise_findings(found, RecipeError)
    recipe = Recipe(shape, Path.cwd() if path is None else path.resolve().parent, path, places)
    _check_stages(recipe)
    _check_files(recipe)
    _check_treatments(recipe)
    return recipe


def _check_stages(recipe: Recipe) -> None:
    """Keys of which one is read and the other is not; a key that nothing reads is a fault."""
    from harness.finetune.shape import LORA_ONLY

    for place, stage in enumerate(recipe.shape.stages):
        for first, second in (("epochs", "steps"), ("batch_size", "batch_tokens")):
            if getattr(stage, first) is not None and getattr(stage, second) is not None:
                message = f"stands beside {first}, and only one of them can hold; keep one"
                raise recipe.fault(("stages", place, second), message)
        unread = [name for name in LORA_ONLY if name in stage.model_fields_set]
        if stage.method == "full" and unread:
            message = "is not read by method 'full'; remove it, or use method 'lora'"
            raise recipe.fault(("stages", place, unread[0]), message)


def _check_files(recipe: Recipe) -> None:
    """Data named but not there is told before anything is loaded."""
    named: list[tuple[Parts, str]] = [
        (("data", place, "path"), source.path) for place, source in enumerate(recipe.shape.data)
    ]
    for place, stage in enumerate(recipe.shape.stages):
        if stage.replay is not None:
            named.append((("stages", place, "replay", "from"), stage.replay.path))
    for parts, name in named:
        if not recipe.file(name).is_file():
            raise recipe.fault(parts, f"there is no file {recipe.file(name)}; correct the path")


def _check_treatments(recipe: Recipe) -> None:
    from harness.transforms.plan import Step, bind

    for place, treatment in enumerate(recipe.shape.treatments):
        try:
            bind((Step(treatment.transform, treatment.params),))
        except UnknownName as error:
            raise recipe.fault(("treatments", place, "transform"), str(error)) from error
        except TransformError as error:
            raise recipe.fault(("treatments", place, "params"), str(error)) from error
