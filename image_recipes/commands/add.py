"""`image-recipes add`: look at a person's own pictures, put them under data/raw, and write params.yaml."""

import filecmp
import shutil
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from image_recipes.checks import check_name, check_params
from image_recipes.commands.add_found import Found, TableOptions, find_pictures, look_at
from image_recipes.commands.add_params import DEFAULT_WEIGHTS, plan_params
from image_recipes.commands.params_file import write_params
from image_recipes.commands.tracking import track
from image_recipes.core.files import written_whole
from image_recipes.core.params import read_params, read_section

RAW_FOLDER = Path("data/raw")


class CopyOptions(NamedTuple):
    """How pictures are copied.

    Attributes:
        link: make symbolic links in place of copies.
        mirror: remove what was added before and is no longer there; else it stays, except links to nothing.
        dry_run: only say what would be done.
    """

    link: bool = False
    mirror: bool = False
    dry_run: bool = False


def add_pictures(path: Path, name: str, table: TableOptions, transfer: Path | None, options: CopyOptions) -> None:
    """Add pictures as a dataset, or bring it up to date, and say what was found and done.

    Args:
        path: a folder with a sub-folder for each class, or a table that names pictures.
        name: the dataset's.
        table: what to read in a table.
        transfer: weights or a model for a second recipe to start from; None for those of
            EfficientNet-Lite0, if they are there and the dataset is new.
        options: of copying.

    Raises:
        UserError: nothing can be learned from it, or the name is taken by other data.
    """
    check_name("datasets", name)
    check_params(may_be_empty=True)
    folder = RAW_FOLDER / name
    found = find_pictures(path, table)
    look = look_at(found)
    if transfer is None and name not in read_params()["datasets"] and DEFAULT_WEIGHTS.exists():
        transfer = DEFAULT_WEIGHTS
    entries = plan_params(name, found, look, folder, transfer)
    print("\n".join(look.lines))
    if not options.dry_run:
        # first, so that an `add` that is stopped goes on where it was
        write_params(entries)
    for section, values in entries.items():
        print(f"params.yaml: {section}: {', '.join(values)}")
    architectures = {**read_params()["architectures"], **entries.get("architectures", {})}
    for recipe, values in entries.get("recipes", {}).items():
        first = architectures[values["architecture"]][0]
        if isinstance(first, dict) and (size := first.get("Resizing")):
            print(f"{recipe}: makes pictures {size['height']} pixels large, for a network that knows larger ones")
    print(f"{folder}: {copy_pictures(found, folder, options)}")
    if options.dry_run:
        print("nothing was changed")
        return
    # a link to a picture that lies elsewhere is to stay one
    track(folder, *(["--no-relink"] if options.link else []))
    recipes = [recipe for recipe, values in read_section("recipes").items() if values["dataset"] == name]
    if not DEFAULT_WEIGHTS.exists() and len(recipes) == 1:
        print(
            "a recipe that starts from what ImageNet has taught often learns more from few pictures: "
            f"make weights, then this again with --transfer {DEFAULT_WEIGHTS}"
        )
    print(f"next: make repro DATASET={name}" if len(recipes) > 1 else f"next: make repro RECIPE={recipes[-1]}")


def copy_pictures(found: Found, folder: Path, options: CopyOptions) -> str:
    """Bring a dataset's folder up to date.

    Args:
        found: what to copy.
        folder: below data/raw.
        options: how.

    Returns:
        What has changed, in words.
    """
    names = list(found.listing.pictures["path"]) + ([found.table.name] if found.table else [])
    counts: Counter[str] = Counter()
    for name in names:
        source, target = found.root / name, folder / name
        if not source.is_file():
            continue  # the run will name it
        state = "new" if not target.exists() else "same" if filecmp.cmp(source, target, shallow=False) else "changed"
        counts[state] += 1
        if state != "same" and not options.dry_run:
            with written_whole(target) as partial:
                partial.symlink_to(source.resolve()) if options.link else shutil.copy2(source, partial)
    known = set(names)
    for path in folder.rglob("*"):
        broken = path.is_symlink() and not path.exists()
        if broken or (path.is_file() and path.relative_to(folder).as_posix() not in known):
            # DVC cannot track a link whose picture is gone
            state = "removed" if options.mirror or broken else "kept"
            counts[state] += 1
            if state == "removed" and not options.dry_run:
                path.unlink()
    said = {
        "new": "new",
        "changed": "changed",
        "same": "as before",
        "kept": f"only in {folder}, which stay there (--mirror removes them)",
        "removed": "removed",
    }
    return ", ".join(f"{counts[state]:,} {words}" for state, words in said.items() if counts[state]) or "nothing"
