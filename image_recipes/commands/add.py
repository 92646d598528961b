"""`image-recipes add`: understand a person's own pictures, put them under data/raw, and write params.yaml."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from image_recipes.checks import check_name, check_params
from image_recipes.commands.add_copy import CopyOptions, copied, plan_copies, recover
from image_recipes.commands.add_links import refuse_links
from image_recipes.commands.add_params import DEFAULT_WEIGHTS, lies_in, plan_params
from image_recipes.commands.params_file import changing_params, write_params
from image_recipes.commands.tracking import track
from image_recipes.core.errors import UserError, escape
from image_recipes.core.params import read_params, read_section
from image_recipes.data.problems import STOPS_RUN, Problem
from image_recipes.intake.archive import is_archive
from image_recipes.intake.find import Options, find_pictures
from image_recipes.intake.found import Found
from image_recipes.intake.look import look_at

RAW_FOLDER = Path("data/raw")
PROBLEMS_SHOWN = 10


def add_pictures(path: Path, name: str, options: Options, transfer: Path | None, copying: CopyOptions) -> None:
    """Add pictures as a dataset, or bring it up to date, and say what was found and done.

    Nothing is written before all is planned, and nothing stays if it fails.

    Args:
        path: a folder of pictures, a table that names some, or an archive of either.
        name: the dataset's.
        options: how to understand it.
        transfer: weights or a model for a second recipe to start from; None for those of
            EfficientNet-Lite0, if they are there and the dataset is new.
        copying: how pictures are copied.

    Raises:
        UserError: nothing can be learned from it, it can be read in two ways, or the name is taken by other data.
    """
    check_name("datasets", name)
    check_params(may_be_empty=True)
    if transfer is None and name not in read_params()["datasets"] and DEFAULT_WEIGHTS.exists():
        transfer = DEFAULT_WEIGHTS
    with changing_params(), find_pictures(path, options) as found:
        _add(found, path, name, transfer, copying)


def _add(found: Found, path: Path, name: str, transfer: Path | None, copying: CopyOptions) -> None:
    folder = RAW_FOLDER / name
    if not copying.dry_run:
        recover(folder)
    if lies_in(found, folder):
        # what a person keeps there stays as it is
        copying = copying._replace(mirror=False, link=False)
        if found.table and found.table.text is not None:
            found = found._replace(table=found.table._replace(name=f"{path.stem}-read.csv"))
    if not copying.follow_links:
        # what is in an archive has been unpacked elsewhere, without its links
        given = [*found.sources.values(), *([found.table.file] if found.table else [])]
        root = RAW_FOLDER.parent if is_archive(path) else path
        if found.table and path.is_file() and not is_archive(path):
            # its pictures may lie beside or above
            root = Path(os.path.commonpath([file.absolute() for file in given]))
        # those that --link has made are meant
        refuse_links(root, given, None if copying.link else folder)
    look = look_at(found.sources, str(path))
    print(*map(escape, [f"{len(found.pictures):,} pictures in {path}", *found.lines, *look.lines]), sep="\n")
    _print_problems([*found.listing.problems, *look.problems])
    sources: dict[str, Path | bytes] = {**found.sources}
    if found.table:
        text = found.table.text
        sources[found.table.name] = found.table.file if text is None else text.encode("utf-8")
        if text is not None:
            print(f"the table is written as {folder / found.table.name}, as it was understood")
    if lies_in(found, folder):
        _check_in_place(sources, folder)
    copies = plan_copies(sources, folder, copying)
    entries = plan_params(name, found, look, folder, transfer)
    _print_plan(entries)
    print(f"{folder}: {copies.describe(lies_in(found, folder))}")
    if copying.dry_run:
        print("nothing was changed")
        return
    with copied(copies, copying.link):
        write_params(entries)
        # a link to a picture that lies elsewhere is to stay one
        track(folder, *(["--no-relink"] if copying.link or (copying.follow_links and lies_in(found, folder)) else []))
    _print_next(name)


def _check_in_place(sources: Mapping[str, Path | bytes], folder: Path) -> None:
    """Refuse pictures that lie in data/raw/<name> already, but not by the names that they are to have.

    Raises:
        UserError: so it is.
    """
    below = folder.resolve()
    for name, source in sources.items():
        if isinstance(source, Path) and source.parent.resolve() / source.name != below / name:
            raise UserError(
                f"{source}: lies in {folder} already, but would have to be {folder / name}: move it there, or move the "
                "pictures out of data/raw, and add them from there"
            )


def _print_problems(problems: list[Problem]) -> None:
    ranked = sorted(problems, key=lambda problem: not STOPS_RUN[problem.problem])
    if ranked:
        print(f"{len(ranked):,} problem{'s' if len(ranked) > 1 else ''}:")
    for problem in ranked[:PROBLEMS_SHOWN]:
        print(f"  {problem.line}")
    if len(ranked) > PROBLEMS_SHOWN:
        print(f"  and {len(ranked) - PROBLEMS_SHOWN:,} more: the run will name them")


def _print_plan(entries: Mapping[str, Mapping[str, Any]]) -> None:
    for section, values in entries.items():
        print(f"params.yaml: {section}: {', '.join(values)}")
    architectures = {**read_params()["architectures"], **entries.get("architectures", {})}
    for recipe, values in entries.get("recipes", {}).items():
        first = architectures[values["architecture"]][0]
        if isinstance(first, dict) and (size := first.get("Resizing")):
            print(f"{recipe}: makes pictures {size['height']} pixels large, for a network that knows larger ones")


def _print_next(name: str) -> None:
    recipes = [recipe for recipe, values in read_section("recipes").items() if values["dataset"] == name]
    if not DEFAULT_WEIGHTS.exists() and len(recipes) == 1:
        print(
            "a recipe that starts from what ImageNet has taught often learns more from few pictures: "
            f"make weights, then this again with --transfer {DEFAULT_WEIGHTS}"
        )
    print(f"next: make repro DATASET={name}" if len(recipes) > 1 else f"next: make repro RECIPE={recipes[-1]}")
    print(f"then: git add . && git commit -m 'Add {name}'   (a queued experiment sees what is committed)")
