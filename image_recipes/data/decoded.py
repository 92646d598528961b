"""What a `prepare` that stopped has decoded, kept for the next try."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.core.files import written_whole
from image_recipes.data.decode import Shape
from image_recipes.data.decode_pool import Decoding, DecodingReport, decode_all

DECODED_FOLDER = Path("data/decoded")
REPORTS_FILE, SHAPE_FILE = "reports.csv", "shape.json"
# by them a file is known to be the same
STATE = ["size", "changed"]


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
    known = _load(folder, shape) if folder else pd.DataFrame(columns=[*STATE, "position"])
    same = [name in known.index and tuple(known.loc[name, STATE]) == _state(raw / name) for name in names]
    if any(same):
        print(f"{raw}: {sum(same):,} pictures were decoded before, and have not changed")
    images = np.load(folder / "images.npy", mmap_mode="r") if folder and any(same) else np.empty(0)
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
        images.replace(partial / "images.npy")
        reports.to_csv(partial / REPORTS_FILE, index_label="position")
        (partial / SHAPE_FILE).write_text(_describe(shape), "utf-8")


def forget_decoded(folder: Path) -> None:
    """Remove what was kept."""
    shutil.rmtree(folder, ignore_errors=True)


def _load(folder: Path, shape: Shape) -> pd.DataFrame:
    file = folder / SHAPE_FILE
    if not file.exists() or file.read_text("utf-8") != _describe(shape):
        return pd.DataFrame(columns=[*STATE, "position"])
    texts = {"path": str, "error": str, "sha256": str, "kind": str, "flaw": str}
    return pd.read_csv(folder / REPORTS_FILE, dtype=texts, keep_default_na=False).set_index("path")


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
