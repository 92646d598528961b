"""What a `prepare` that stopped has decoded, kept for the next try."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.core.files import choose_quoting, written_whole
from image_recipes.core.loading import Kind, check_positions, load_array, load_table
from image_recipes.data.decode import Shape
from image_recipes.data.decode_pool import Decoding, DecodingReport, decode_all

DECODED_FOLDER = Path("data/decoded")
REPORTS_FILE, SHAPE_FILE = "reports.csv", "shape.json"
IMAGES_FILE = "images.npy"
# by them a file is known to be the same
STATE = ["size", "changed"]
COLUMNS: dict[str, Kind] = {
    **dict.fromkeys(("path", "error", "sha256", "kind", "flaw"), "text"),
    **dict.fromkeys(("position", "width", "height", "darkest", "brightest", *STATE), "count"),
}
NOTHING = pd.DataFrame(columns=[*STATE, "position"]), np.empty(0)


def decode_rest(raw: Path, names: Sequence[str], shape: Shape, folder: Path | None) -> Iterator[Decoding]:
    """Decode pictures, except those that were decoded before and have not changed since.

    Args:
        raw: the folder that they lie in.
        names: their paths below it.
        shape: what to make of each.
        folder: as `keep_decoded` left it; there may be none.

    Yields:
        As `decode_all`.
    """
    known, images = _load(folder, shape) if folder else NOTHING
    same = [name in known.index and tuple(known.loc[name, STATE]) == _state(raw / name) for name in names]
    if any(same):
        print(f"{raw}: {sum(same):,} pictures were decoded before, and have not changed")
    rest = decode_all([raw / name for name, kept in zip(names, same, strict=True) if not kept], shape, str(raw))
    for name, kept in zip(names, same, strict=True):
        if kept:
            row = known.loc[name]
            yield DecodingReport(*row[list(DecodingReport._fields)]), images[row["position"]]
        else:
            yield next(rest)


def keep_decoded(pictures: pd.DataFrame, images: Path, raw: Path, shape: Shape, folder: Path) -> None:
    """Keep decoded pictures for the next try.

    Args:
        pictures: a row for each: its path below `raw`, and the fields of DecodingReport.
        images: the file of all of them, which is moved.
        raw: the folder that they lie in.
        shape: what was made of each.
        folder: to keep them in; what was there goes.
    """
    reports = pictures[["path", *DecodingReport._fields]].reset_index(drop=True)
    reports[STATE] = [_state(raw / name) for name in reports["path"]]
    with written_whole(folder) as partial:
        partial.mkdir()
        images.replace(partial / IMAGES_FILE)
        reports.to_csv(partial / REPORTS_FILE, index_label="position", quoting=choose_quoting(reports))
        (partial / SHAPE_FILE).write_text(_describe(shape), "utf-8")


def forget_decoded(folder: Path) -> None:
    """Remove what was kept."""
    shutil.rmtree(folder, ignore_errors=True)


def _load(folder: Path, shape: Shape) -> tuple[pd.DataFrame, np.ndarray]:
    """Load what was decoded, by path, and the pictures; nothing where it was decoded otherwise, or is damaged."""
    try:
        if (folder / SHAPE_FILE).read_text("utf-8") != _describe(shape):
            return NOTHING
        images = load_array(folder / IMAGES_FILE, np.uint8, (None, shape.height, shape.width, shape.channels))
        reports = load_table(folder / REPORTS_FILE, COLUMNS)
        check_positions(reports["position"].to_numpy(np.int64), len(images))
        return reports.drop_duplicates("path").set_index("path"), images
    except (OSError, ValueError):
        return NOTHING


def _describe(shape: Shape) -> str:
    """Return what decoded pictures depend on beside their files: what is made of them, and by which code."""
    code = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))))
    return json.dumps([*shape._replace(region=shape.region.box), code.hexdigest()])  # type: ignore[arg-type]


def _state(file: Path) -> tuple[int, int]:
    try:
        state = file.stat()
    except OSError:
        return -1, -1
    return state.st_size, state.st_mtime_ns
