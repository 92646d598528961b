"""The worst errors: each with its file, beside what its class or number looks like."""

import base64
import io

import numpy as np
import pandas as pd
from PIL import Image

from image_recipes.core.dataset import DatasetInfo, Prepared
from image_recipes.report.worst import WorstErrors, view_worst
from predictions import of_classes, of_numbers
from recipes import class_info, number_info

PETS = ["cat", "dog", "hen"]


def view(info: DatasetInfo, test: pd.DataFrame, training: pd.DataFrame, side: int = 8) -> WorstErrors:
    """View predictions of pictures that are as bright as their index; the training pictures come after the others."""
    training = training.assign(index=training["index"] + len(test))
    test, training = (
        rows.assign(path=[f"pets/IMG_{index}.jpg" for index in rows["index"]]) for rows in (test, training)
    )
    count = len(test) + len(training)
    images = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones(
        (1, side, side, info.image_shape[2]), np.uint8
    )
    return view_worst(Prepared(images, np.zeros(count), info), test, training, {})


def opened(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))


def paths(worst: WorstErrors) -> list[list[str]]:
    return [[error.picture.path, *(example.path for example in error.examples)] for error in worst.shown]


def test_a_wrong_class_stands_beside_sure_pictures_of_both_classes() -> None:
    test = of_classes(
        [0, 0, 1, 1, 1], [[0.8, 0.2, 0], [0.1, 0.9, 0], [0, 0.7, 0.3], [0, 0.9, 0.1], [0.6, 0.4, 0]], PETS
    )

    worst = view(class_info((8, 8, 3), PETS), test, of_classes([0], [[1, 0, 0]], PETS))

    # the worst first; an example is a test picture that is rightly predicted, the surest
    assert paths(worst) == [
        ["pets/IMG_1.jpg", "pets/IMG_0.jpg", "pets/IMG_3.jpg"],
        ["pets/IMG_4.jpg", "pets/IMG_3.jpg", "pets/IMG_0.jpg"],
    ]
    error = worst.shown[0]
    assert str(error.picture.caption) == "real cat (10\u00a0%), predicted dog (90\u00a0%)"
    assert str(error.examples[1].caption) == "dog, predicted rightly (90\u00a0%)"
    assert opened(error.picture.image).convert("L").getextrema() == (1, 1)
    assert not worst.none_wrong


def test_where_no_test_picture_is_predicted_rightly_the_training_pictures_have_an_example() -> None:
    test = of_classes([0, 1], [[0.2, 0.8, 0], [0.7, 0.3, 0]], PETS)
    training = of_classes([0, 0, 1], [[0.6, 0.4, 0], [0.9, 0.1, 0], [0.8, 0.2, 0]], PETS)

    worst = view(class_info((8, 8, 1), PETS), test, training)

    # of the second class none is either: then any will do, but for the picture itself
    by_path = {error.picture.path: [example.path for example in error.examples] for error in worst.shown}
    assert by_path["pets/IMG_1.jpg"] == ["pets/IMG_4.jpg", "pets/IMG_3.jpg"]
    assert by_path["pets/IMG_0.jpg"] == ["pets/IMG_3.jpg", "pets/IMG_1.jpg"]
    captions = {example.path: str(example.caption) for error in worst.shown for example in error.examples}
    assert captions["pets/IMG_1.jpg"] == "dog, predicted cat (70\u00a0%)"


def test_a_class_without_another_picture_has_no_example() -> None:
    worst = view(
        class_info((8, 8, 1), PETS),
        of_classes([0, 1], [[0, 0, 1], [0, 1, 0]], PETS),
        of_classes([1], [[0, 1, 0]], PETS),
    )

    assert paths(worst) == [["pets/IMG_0.jpg"]]


def test_a_perfect_model_shows_the_least_sure_beside_the_class_it_nearly_took_it_for() -> None:
    test = of_classes([0, 1, 2], [[0.9, 0.1, 0], [0.35, 0.6, 0.05], [0, 0, 1]], PETS)

    worst = view(class_info((8, 8, 1), PETS), test, of_classes([1], [[0, 1, 0]], PETS))

    assert worst.none_wrong
    assert paths(worst)[0] == ["pets/IMG_1.jpg", "pets/IMG_3.jpg", "pets/IMG_0.jpg"]
    assert str(worst.shown[0].picture.caption) == "real dog (60\u00a0%), predicted dog (60\u00a0%)"


def test_a_wrong_number_stands_beside_pictures_of_the_nearest_real_numbers() -> None:
    test = of_numbers([10, 30, 12], [31, 29, 12.5])

    worst = view(number_info((8, 8, 1)), test, of_numbers([100], [90]))

    assert str(worst.shown[0].picture.caption) == "real 10, predicted 31: off by 21"
    assert paths(worst)[0] == ["pets/IMG_0.jpg", "pets/IMG_2.jpg", "pets/IMG_1.jpg"]
    assert [str(example.caption) for example in worst.shown[0].examples] == [
        "real 12, predicted 12.5",
        "real 30, predicted 29",
    ]


def test_a_number_that_is_none_has_no_pictures_near_it() -> None:
    worst = view(number_info((8, 8, 1)), of_numbers([10, 30], [np.nan, np.inf]), of_numbers([10], [np.nan]))

    assert {len(error.examples) for error in worst.shown} == {1}


def test_large_pictures_are_made_smaller_and_tiny_ones_stay_as_they_are() -> None:
    test, training = of_classes([0, 1], [[0, 1, 0], [0, 1, 0]], PETS), of_classes([0], [[1, 0, 0]], PETS)

    large = view(class_info((400, 400, 3), PETS), test, training, 400).shown[0]
    tiny = view(class_info((8, 8, 1), PETS), test, training).shown[0]

    assert opened(large.picture.image).size == (256, 256)
    assert opened(large.examples[0].image).size == (128, 128)
    assert len(large.picture.image) + sum(len(example.image) for example in large.examples) < 60_000
    assert opened(tiny.picture.image).size == (8, 8)
    assert opened(tiny.picture.image).format == "PNG"
