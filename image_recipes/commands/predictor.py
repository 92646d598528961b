"""A trained model with all that it takes to predict picture files, and to say how far to trust that."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from image_recipes.commands.by_task import COMMANDS
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError
from image_recipes.data.decode import Region, Shape
from image_recipes.data.decode_pool import decode_all
from image_recipes.models.reliability import Reliability, pictures_needed
from image_recipes.results.by_task import RESULTS

if TYPE_CHECKING:
    import keras


class Predictor(NamedTuple):
    """A trained model, and what to make of its answers.

    Attributes:
        name: the model's.
        model: takes raw pictures, and returns their embedding and the outputs; or the outputs alone, if it was built
            elsewhere.
        info: of the dataset that it was trained on: says how to prepare a picture.
        reliability: how far to trust it; None if its file does not say.
        coverage: of sets and intervals, between 0 and 1.
    """

    name: str
    model: "keras.Model"
    info: DatasetInfo
    reliability: Reliability | None
    coverage: float


class Prediction(NamedTuple):
    """What a model says of a file.

    Attributes:
        file: the picture's.
        answer: the values of `answer_columns`, None for what is not known; no values if the file cannot be read.
        output: of the model, (units,), calibrated if that is known; None if the file cannot be read.
        embedding: what the model's head has taken, (d,); None if the file cannot be read, or there is no such head.
        error: why not; or empty.
        flaw: what is wrong with a file that could be read; or empty.
    """

    file: Path
    answer: list[Any]
    output: np.ndarray | None
    embedding: np.ndarray | None
    error: str
    flaw: str


def open_predictor(file: Path, coverage: float) -> Predictor:
    """Open a model file for predictions with sets or intervals of a coverage.

    Raises:
        UserError: the file is missing or damaged, or the coverage is not between 0 and 1.
    """
    if not 0 < coverage < 1:
        raise UserError(f"--coverage: give a share between 0 and 1, such as 0.9, not {coverage:g}")
    # here, since TensorFlow takes seconds to import
    from image_recipes.models.embedding import add_embedding
    from image_recipes.models.saving import load_model, load_model_info, load_reliability

    info, model = load_model_info(file), load_model(file)
    predictor = Predictor(model.name, add_embedding(model), info, load_reliability(file), coverage)
    units = 1 if info.classes is None else len(info.classes)
    seen = [] if predictor.reliability is None else [(None, len(predictor.reliability.familiarity.mean))]
    made = predictor.model.output_shape if seen else [model.output_shape]
    if model.input_shape != (None, *info.image_shape) or list(made) != [*seen, (None, units)]:
        raise UserError(
            f"{file}: damaged: its layers and what it says of its pictures do not fit each other: "
            f"get it back by `dvc checkout {file}`"
        )
    return predictor


def tell_limits(predictor: Predictor) -> list[str]:
    """Say what cannot be said of the trust in predictions, a line each."""
    if predictor.reliability is None:
        saved = "its file does not say how sure it is, since an earlier version or another program has saved it"
        return [f"{saved}: probabilities are the network's own, and the columns after them stay empty"]
    known = len(predictor.reliability.scores)
    if predictor.reliability.threshold(predictor.coverage) is not None:
        return []
    kinds = COMMANDS[predictor.info.task].regions
    needed = f"{pictures_needed(predictor.coverage):,} validation pictures, and there were {known:,}"
    return [f"{kinds} that hold for {predictor.coverage:.4g} of all pictures take {needed}: lower --coverage"]


def predict_files(predictor: Predictor, files: Sequence[Path]) -> Iterator[Prediction]:
    """Predict any number of picture files, some at a time, in order."""
    from image_recipes.models.feeding import EVALUATION_BYTES

    info = predictor.info
    height, width, channels = info.image_shape
    left, top, right, bottom = info.region
    region = Region(left=left, top=top, right=right, bottom=bottom)
    ranges = None if info.pixel_range is None else {kind: (low, high) for kind, (low, high) in info.pixel_range.items()}
    shape = Shape(height, width, channels, info.fit, region, ranges)  # type: ignore[arg-type]
    batch_size = max(32, EVALUATION_BYTES // (height * width * channels))
    waiting: list[tuple[Path, str, str]] = []
    pictures: list[np.ndarray] = []

    def empty() -> Iterator[Prediction]:
        answers = predict_arrays(predictor, np.stack(pictures)) if pictures else iter(())
        for file, error, flaw in waiting:
            if error:
                yield Prediction(file, [], None, None, error, "")
            else:
                yield Prediction(file, *next(answers), "", flaw)
        waiting.clear()
        pictures.clear()

    for file, (report, picture) in zip(files, decode_all(files, shape, predictor.name), strict=True):
        waiting.append((file, report.error, report.flaw))
        if picture is not None:
            pictures.append(picture)
        if len(pictures) == batch_size:
            yield from empty()
    yield from empty()


class Answer(NamedTuple):
    """What a model says of a picture: `answer`, `output` and `embedding` as in `Prediction`."""

    answer: list[Any]
    output: np.ndarray
    embedding: np.ndarray | None


def predict_arrays(predictor: Predictor, pictures: np.ndarray) -> Iterator[Answer]:
    """Predict pictures, uint8 (N, H, W, C), as the model takes them."""
    info, commands = predictor.info, COMMANDS[predictor.info.task]
    made: Any = predictor.model.predict_on_batch(pictures)
    embeddings: Any
    embeddings, outputs = made if isinstance(made, list) else ([None] * len(made), made)
    columns = RESULTS[info.task].region_columns
    trust: list[list[Any]] = [[None] * (len(columns) + 1)] * len(outputs)
    if predictor.reliability is not None:
        outputs, region, unfamiliar = predictor.reliability.judge(info.task, outputs, embeddings, predictor.coverage)
        regions: list[list[Any]] = [[None] * len(columns)] * len(outputs)
        if region is not None:
            regions = [list(map(_show, row)) for row in RESULTS[info.task].tabulate_region(region, info)]
        trust = [[*shown, bool(strange)] for shown, strange in zip(regions, unfamiliar, strict=True)]
    for output, embedding, shown in zip(outputs, embeddings, trust, strict=True):
        yield Answer([*commands.answer(output, info), *shown], output, embedding)


def _show(value: list[str] | float) -> list[str] | str:
    return value if isinstance(value, list) else f"{value:.7g}"
