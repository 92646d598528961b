"""Model files: Keras's `.keras` format in a canonical form, so that DVC can compare them."""

import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError, one_line, shorten
from image_recipes.core.files import written_whole
from image_recipes.core.loading import BYTES_WITHOUT_LIMIT, check_growth, check_zip, parse_json
from image_recipes.models.backend import keras, tf
from image_recipes.models.reliability import Familiarity, Reliability

# in a model's file, an array for each of their values
RELIABILITY_FOLDER, FAMILIARITY_FOLDER = "reliability/", "familiarity/"
# as Keras names them
WEIGHTS_FILE, CONFIG_FILE = "model.weights.h5", "config.json"
EARLIEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the first date a zip file can hold


def save_model(model: keras.Model, info: DatasetInfo, file: Path, reliability: Reliability | None = None) -> None:
    """Write a model so that equal models give equal bytes.

    Keras's own file differs from save to save by its date, the times of its zip entries,
    and ids that are addresses in memory. `keras.saving.load_model` opens both alike.

    Args:
        model: compiled or not.
        info: of the dataset that it was trained on, kept with it, except `parts`.
        file: the name ends in `.keras`.
        reliability: what its validation pictures say of how far to trust it; kept with it, where known.
    """
    with written_whole(file) as partial:
        model.save(partial)
        with zipfile.ZipFile(partial) as archive:
            entries = {name: archive.read(name) for name in sorted(archive.namelist())}
        metadata = json.loads(entries["metadata.json"])
        metadata["date_saved"] = "{}-{:02}-{:02}@{:02}:{:02}:{:02}".format(*EARLIEST_ZIP_DATE)
        # without its numbers of pictures: a model does not depend on those to test it on
        metadata["dataset"] = {**info.to_json(), "parts": {}}
        entries["metadata.json"] = json.dumps(metadata).encode()
        config = _with_stable_ids(json.loads(entries[CONFIG_FILE]), {})
        entries[CONFIG_FILE] = json.dumps(config).encode()
        if reliability:
            values = {name: value for name, value in vars(reliability).items() if name != "familiarity"}
            entries |= _dump_arrays(values, RELIABILITY_FOLDER)
            entries |= _dump_arrays(vars(reliability.familiarity), FAMILIARITY_FOLDER)
        with zipfile.ZipFile(partial, "w") as archive:
            for name, content in entries.items():
                archive.writestr(zipfile.ZipInfo(name, EARLIEST_ZIP_DATE), content)


def _dump_arrays(values: Mapping[str, Any], folder: str) -> dict[str, bytes]:
    entries = {}
    for name, value in values.items():
        stream = io.BytesIO()
        np.save(stream, np.asarray(value), allow_pickle=False)
        entries[f"{folder}{name}.npy"] = stream.getvalue()
    return entries


def _load_arrays(archive: zipfile.ZipFile, folder: str) -> dict[str, Any]:
    names = [name for name in archive.namelist() if name.startswith(folder)]
    arrays = {
        name.removeprefix(folder).removesuffix(".npy"): np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
        for name in names
    }
    return {name: array if array.ndim else float(array) for name, array in arrays.items()}


def _with_stable_ids(node: Any, ids: dict[int, int]) -> Any:
    if isinstance(node, list):
        return [_with_stable_ids(item, ids) for item in node]
    if isinstance(node, dict):
        return {
            key: ids.setdefault(value, len(ids)) if key == "shared_object_id" else _with_stable_ids(value, ids)
            for key, value in node.items()
        }
    return node


def summarize(model: keras.Model) -> str:
    """Return Keras's table of the model's layers."""
    lines: list[str] = []
    # of a copy that was never compiled: Keras counts an optimizer's state among the parameters
    type(model).from_config(model.get_config()).summary(print_fn=lines.append, line_length=80)
    return "\n".join(line.rstrip() for text in lines for line in text.splitlines()) + "\n"


def load_model(file: Path) -> keras.Model:
    """Open a model file; one that would run code of its own is refused.

    Raises:
        UserError: the file is missing or damaged, would run code, or has layers that its weights do not fill.
    """
    with _opened(file) as archive:
        with archive.open(WEIGHTS_FILE) as stored:
            held = check_weights(stored, WEIGHTS_FILE, archive.getinfo(WEIGHTS_FILE).compress_size)
        _check_layers(archive, held)
        return keras.saving.load_model(file, safe_mode=True)


def check_weights(stored: IO[bytes], name: str, packed: int) -> int:
    """Check that the arrays of a file of weights do not grow beyond measure.

    HDF5 compresses by itself, and fills what was never written.

    Args:
        stored: its content.
        name: for the error.
        packed: its bytes on disk.

    Returns:
        The bytes of the arrays.

    Raises:
        OSError, ValueError: it is damaged, or they do.
    """
    sizes: list[int] = []
    with h5py.File(stored) as weights:
        weights.visititems(lambda _, item: sizes.append(item.nbytes) if isinstance(item, h5py.Dataset) else None)
    check_growth(name, sum(sizes), packed)
    return sum(sizes)


def _check_layers(archive: zipfile.ZipFile, stored: int) -> None:
    """Check that the layers need no more bytes than are stored, before Keras makes room for them."""
    config = parse_json(archive.read(CONFIG_FILE))
    # compiled, an optimizer would look for values
    config.pop("compile_config", None)
    # where a variable is a node, without memory
    with tf.Graph().as_default():
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
        needed = sum(math.prod(value.shape) * tf.as_dtype(value.dtype).size for value in model.variables)
    if needed > max(stored, BYTES_WITHOUT_LIMIT):
        raise ValueError(f"its layers need {needed:,} bytes, but it holds {stored:,}: a bomb: do not trust it")


def load_model_info(file: Path) -> DatasetInfo:
    """Load what dataset a model file was trained on; `parts` is empty.

    Raises:
        UserError: the file is missing, damaged, or does not say so.
    """
    with _opened(file) as archive:
        saved = parse_json(archive.read("metadata.json")).get("dataset")
        info = DatasetInfo.from_json(saved) if saved else None
    if info is None:
        raise UserError(f"{file}: does not say how to prepare pictures for it, since another program has saved it")
    return info


def load_reliability(file: Path) -> Reliability | None:
    """Load how far to trust a model; None if its file does not say, as those of earlier versions.

    Raises:
        UserError: the file is missing or damaged.
    """
    with _opened(file) as archive:
        values = _load_arrays(archive, RELIABILITY_FOLDER)
        if not values:
            return None
        familiarity = Familiarity(**_load_arrays(archive, FAMILIARITY_FOLDER))
        familiarity.check()
        reliability = Reliability(**values, familiarity=familiarity)
        reliability.check()
        return reliability


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    remedy = f"get it back by `dvc checkout {file}`, or train it by `dvc repro train@{file.stem}`"
    if not file.exists():
        raise UserError(f"{file}: not found: {remedy}")
    try:
        with zipfile.ZipFile(file) as archive:
            check_zip(archive)
            yield archive
    except UserError:
        raise
    except Exception as error:  # a damaged file fails in zipfile, h5py, json or Keras
        if "arbitrary code" in str(error):
            raise UserError(
                f"{file}: refused, since it would run code of its own when it is opened (a Lambda layer): "
                "build the model of layers that Keras knows by name"
            ) from None
        raise UserError(
            f"{file}: cannot be opened as a Keras model ({shorten(one_line(error), 200)}): {remedy}"
        ) from None
