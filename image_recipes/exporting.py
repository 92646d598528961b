"""Exporting a model to run without this project, and checking the file where it will run."""

import json
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from image_recipes.backend import keras, tf
from image_recipes.datasets import DatasetInfo, Subset
from image_recipes.errors import UserError
from image_recipes.extras import require
from image_recipes.files import write_text, written_whole
from image_recipes.scoring import predict

CHECKED_PICTURES = 256
# between a file's outputs and Keras's
TOLERANCE = 1e-4
# in the folder of a SavedModel
ABOUT = "dataset.json"

Runner = Callable[[np.ndarray], np.ndarray]


class Format(NamedTuple):
    """A file format.

    Attributes:
        ending: of the file's name.
        modules: those that must be installed.
        write: writes a model, and a JSON text about it if the format has room for one.
        load: opens the file in its own runtime; returns what predicts pictures by it.
        beside: whether the JSON text is written beside it.
    """

    ending: str
    modules: tuple[str, ...]
    write: Callable[[keras.Model, str, Path], None]
    load: Callable[[Path], Runner]
    beside: bool


class Exported(NamedTuple):
    """What was found of an exported file.

    Attributes:
        files: what was written.
        size: bytes.
        difference: the largest, between its outputs and Keras's.
        outputs: of the checked pictures, float32 (N, classes) or (N, 1).
        seconds: the median for one picture at a time.
    """

    files: list[Path]
    size: int
    difference: float
    outputs: np.ndarray
    seconds: float


def export_model(model: keras.Model, info: DatasetInfo, pictures: Subset, format_name: str, file: Path) -> Exported:
    """Write a model in another format, and check it in that format's own runtime.

    The file takes uint8 pictures of (n, H, W, C), values 0-255, for any n, and returns float32: the
    classes' probabilities, or numbers in their unit. It computes in float32, whatever the
    recipe's precision.

    Args:
        model: as it was trained.
        info: of its dataset, which goes along.
        pictures: to check it with.
        format_name: a key of FORMATS.
        file: where it goes; a folder for `savedmodel`. Written whole or not at all.

    Raises:
        UserError: the format's packages are missing, the model cannot be written in it, or the
            file predicts something else than Keras does.
    """
    form = FORMATS[format_name]
    if file.suffix != form.ending and form.ending:
        raise UserError(f"{file}: a file for {format_name} ends in {form.ending}")
    ours = file.is_dir() and {"saved_model.pb", ABOUT} <= {part.name for part in file.iterdir()}
    if file.exists() and not (ours if form.ending == "" else file.is_file()):
        raise UserError(f"{file}: is there already, and no model that was exported: name another place by --output")
    require("export", form.modules)
    if list(pictures.picture_shape) != info.image_shape:
        raise UserError(
            f"{model.name}: takes pictures of {info.image_shape}, but those prepared are of "
            f"{list(pictures.picture_shape)}: train it again by `dvc repro evaluate@{model.name}`"
        )
    images = pictures.read()
    model = _in_float32(model)
    expected = predict(model, pictures)
    about = json.dumps(describe(model.name, info), indent=2, ensure_ascii=False) + "\n"
    with written_whole(file) as partial:
        try:
            with warnings.catch_warnings():
                # of the converters, on what they themselves call
                warnings.simplefilter("ignore")
                form.write(_for_inference(model), about, partial)
            run = form.load(partial)
            outputs = run(images)
        except Exception as error:  # whatever a converter or a runtime raises
            raise UserError(
                f"{model.name}: cannot be exported to {format_name}: {' '.join(str(error).split())[:300]}"
            ) from error
        difference = float(np.abs(outputs - expected).max())
        # of numbers in a unit, a share of them
        allowed = TOLERANCE if info.classes else TOLERANCE * np.maximum(1, np.abs(expected))
        if not (np.abs(outputs - expected) <= allowed).all():
            raise UserError(
                f"{model.name}: exported to {format_name}, it predicts something else than Keras, by up to "
                f"{difference:.3g}: no file was written"
            )
        seconds = _time(run, images)
        files = [file]
        if form.beside:
            files.append(file.with_name(f"{file.name}.json"))
            write_text(about, files[1])
    size = sum(part.stat().st_size for part in ([file] if file.is_file() else file.rglob("*")) if part.is_file())
    return Exported(files, size, difference, outputs, seconds)


def _in_float32(model: keras.Model) -> keras.Model:
    # few runtimes know bfloat16, and the weights are float32 anyway
    config = json.dumps(model.get_config())
    if '"mixed_bfloat16"' not in config:
        return model
    copy = type(model).from_config(json.loads(config.replace('"mixed_bfloat16"', '"float32"')))
    copy.set_weights(model.get_weights())
    return copy


def _for_inference(model: keras.Model) -> keras.Model:
    # Keras exports a model as it is called by itself, and its layers of augmentation then work
    pictures = keras.Input(model.input_shape[1:], dtype="uint8", name="pictures")
    exported = keras.Model(pictures, model(pictures, training=False), name=model.name)
    # and to ONNX only one that has been called
    exported(np.zeros((1, *model.input_shape[1:]), np.uint8))
    return exported


def describe(recipe: str, info: DatasetInfo) -> dict[str, Any]:
    """Describe what a file takes and returns, for those who use it."""
    known = {key: value for key, value in asdict(info).items() if key != "parts"}
    output = "probabilities of the classes" if info.classes else f"number in {info.unit or 'no unit'}"
    return {"recipe": recipe, "input": "uint8 pictures (n, height, width, channels), 0-255", "output": output, **known}


def _time(run: Runner, images: np.ndarray) -> float:
    seconds = []
    for number in range(len(images)):
        start = time.perf_counter()
        run(images[number : number + 1])
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _write_onnx(model: keras.Model, about: str, file: Path) -> None:
    import onnx

    model.export(file, format="onnx", verbose=False)
    written = onnx.load(file)
    for key, value in json.loads(about).items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        written.metadata_props.add(key=key, value=text)
    onnx.save(written, file)


def _load_onnx(file: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images})[0]


def _write_litert(model: keras.Model, about: str, file: Path) -> None:
    model.export(file, format="litert", verbose=False)


def _load_litert(file: Path) -> Runner:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    pictures, output = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def run(images: np.ndarray) -> np.ndarray:
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(pictures, images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(pictures, images)
        interpreter.invoke()
        return interpreter.get_tensor(output)

    return run


def _write_saved_model(model: keras.Model, about: str, folder: Path) -> None:
    model.export(folder, format="tf_saved_model", verbose=False)
    (folder / ABOUT).write_text(about, "utf-8")


def _load_saved_model(folder: Path) -> Runner:
    loaded = tf.saved_model.load(folder)
    return lambda images: loaded.serve(images).numpy()


FORMATS = {
    "onnx": Format(".onnx", ("onnx", "onnxruntime", "tf2onnx"), _write_onnx, _load_onnx, beside=False),
    "litert": Format(".tflite", ("ai_edge_litert",), _write_litert, _load_litert, beside=True),
    "savedmodel": Format("", (), _write_saved_model, _load_saved_model, beside=False),
}
