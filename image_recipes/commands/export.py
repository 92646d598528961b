"""`image-recipes export`: a model to run without this project, checked where it will run."""

import json
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from image_recipes.commands.by_task import COMMANDS
from image_recipes.commands.extras import require
from image_recipes.core.dataset import DatasetInfo, Subset, load_prepared, load_split
from image_recipes.core.errors import UserError, did_you_mean, one_line
from image_recipes.core.files import is_full, write_text, written_whole
from image_recipes.core.params import load_dataset_name
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.results.predictions import tabulate_predictions

if TYPE_CHECKING:
    import keras

CHECKED_PICTURES = 256
# how far a file's outputs may be from Keras's: of numbers above 1, that share of them
TOLERANCE = 1e-4
# beside a SavedModel, what it takes and returns
ABOUT_FILE = "dataset.json"

Runner = Callable[[np.ndarray], np.ndarray]


class Format(NamedTuple):
    """A file format.

    Attributes:
        ending: of the file's name.
        modules: those that must be installed.
        write: writes a model, and a JSON text about it if the format has room for one.
        load: opens the file in its own runtime; returns what predicts pictures by it.
        about_beside: whether the JSON text is written beside it.
    """

    ending: str
    modules: tuple[str, ...]
    write: Callable[["keras.Model", str, Path], None]
    load: Callable[[Path], Runner]
    about_beside: bool


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


def export_recipe(recipe: str, format_name: str, output: Path | None) -> None:
    """Export a trained recipe's model, and print what was found of the file.

    Args:
        recipe: its name.
        format_name: a key of FORMATS.
        output: where it goes, if not to exports/.

    Raises:
        UserError: as `export_model`, or the recipe is not trained.
    """
    if format_name not in FORMATS:
        raise UserError(f"no format {format_name!r}: {did_you_mean(format_name, FORMATS)}")
    dataset = load_dataset_name(recipe)
    model_file = Path(f"models/{recipe}.keras")
    # here, and in the functions below, since TensorFlow takes seconds to import
    from image_recipes.models.saving import load_model, load_model_info

    info, model = load_model_info(model_file), load_model(model_file)
    indices = load_split(Path("data/split") / dataset, "test")[:CHECKED_PICTURES]
    pictures = load_prepared(Path("data/prepared") / dataset).subset(indices)
    file = output or Path(f"exports/{recipe}{FORMATS[format_name].ending}")
    exported = export_model(model, info, pictures, format_name, file)
    metrics = EVALUATION[info.task].score(tabulate_predictions(pictures, exported.outputs, info))
    print(f"{', '.join(map(str, exported.files))}: {exported.size / 1e6:.2f} MB")
    print(f"{len(pictures):,} test pictures: as Keras predicts, within {exported.difference:.1g}")
    print(COMMANDS[info.task].sum_up(metrics, info))
    print(f"{exported.seconds * 1e3:.3g} ms a picture, one at a time")


def export_model(model: "keras.Model", info: DatasetInfo, pictures: Subset, format_name: str, file: Path) -> Exported:
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
    ours = file.is_dir() and {"saved_model.pb", ABOUT_FILE} <= {part.name for part in file.iterdir()}
    if file.exists() and not (ours if form.ending == "" else file.is_file()):
        raise UserError(f"{file}: is there already, and no model that was exported: name another place by --output")
    require("export", form.modules)
    if list(pictures.picture_shape) != info.image_shape:
        raise UserError(
            f"{model.name}: takes pictures of {info.image_shape}, but those prepared are of "
            f"{list(pictures.picture_shape)}: train it again by `dvc repro evaluate@{model.name}`"
        )
    from image_recipes.evaluation.inference import predict

    images = pictures.read()
    model = _in_float32(model)
    _fix_normalization(model)
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
            if isinstance(error, OSError) or is_full(partial.parent):
                # told with the name of the file
                raise
            raise UserError(f"{model.name}: cannot be exported to {format_name}: {one_line(error)[:300]}") from error
        difference = float(np.abs(outputs - expected).max())
        if not (np.abs(outputs - expected) <= TOLERANCE * np.maximum(1, np.abs(expected))).all():
            raise UserError(
                f"{model.name}: exported to {format_name}, it predicts something else than Keras, by up to "
                f"{difference:.3g}: no file was written"
            )
        seconds = _time(run, images)
        files = [file]
        if form.about_beside:
            files.append(file.with_name(f"{file.name}.json"))
            write_text(about, files[1])
    size = sum(part.stat().st_size for part in ([file] if file.is_file() else file.rglob("*")) if part.is_file())
    return Exported(files, size, difference, outputs, seconds)


def _in_float32(model: "keras.Model") -> "keras.Model":
    # few runtimes know bfloat16, and the weights are float32 anyway
    config = json.dumps(model.get_config())
    if '"mixed_bfloat16"' not in config:
        return model
    copy = type(model).from_config(json.loads(config.replace('"mixed_bfloat16"', '"float32"')))
    copy.set_weights(model.get_weights())
    return copy


def _fix_normalization(model: "keras.Model") -> None:
    """Have each Normalization compute by the figures among its weights, as constants: ONNX takes no other tensors."""
    from image_recipes.models.backbones import list_leaves
    from image_recipes.models.backend import keras

    for layer in list_leaves(model.layers):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)


def _for_inference(model: "keras.Model") -> "keras.Model":
    from image_recipes.models.backend import keras

    # Keras exports a model as it is called by itself, and its layers of augmentation then work
    pictures = keras.Input(model.input_shape[1:], dtype="uint8", name="pictures")
    exported = keras.Model(pictures, model(pictures, training=False), name=model.name)
    # and to ONNX only one that has been called
    exported(np.zeros((1, *model.input_shape[1:]), np.uint8))
    return exported


def describe(recipe: str, info: DatasetInfo) -> dict[str, Any]:
    """Describe what a file takes and returns, for those who use it."""
    known = {key: value for key, value in info.to_json().items() if key != "parts"}
    output = COMMANDS[info.task].describe_output(info)
    return {"recipe": recipe, "input": "uint8 pictures (n, height, width, channels), 0-255", "output": output, **known}


def _time(run: Runner, images: np.ndarray) -> float:
    seconds = []
    for number in range(len(images)):
        start = time.perf_counter()
        run(images[number : number + 1])
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _write_onnx(model: "keras.Model", about: str, file: Path) -> None:
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


def _write_litert(model: "keras.Model", about: str, file: Path) -> None:
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


def _write_saved_model(model: "keras.Model", about: str, folder: Path) -> None:
    model.export(folder, format="tf_saved_model", verbose=False)
    (folder / ABOUT_FILE).write_text(about, "utf-8")


def _load_saved_model(folder: Path) -> Runner:
    from image_recipes.models.backend import tf

    loaded = tf.saved_model.load(folder)
    return lambda images: loaded.serve(images).numpy()


FORMATS: dict[str, Format] = {
    "onnx": Format(".onnx", ("onnx", "onnxruntime", "tf2onnx"), _write_onnx, _load_onnx, about_beside=False),
    "litert": Format(".tflite", ("ai_edge_litert",), _write_litert, _load_litert, about_beside=True),
    "savedmodel": Format("", (), _write_saved_model, _load_saved_model, about_beside=False),
}
