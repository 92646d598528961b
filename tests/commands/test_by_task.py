"""What a person is told of each task: answers in words."""

import numpy as np

from image_recipes.commands.by_task import COMMANDS
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from recipes import class_info, number_info

PETS = class_info((8, 8, 3), ["cat", "dog"])
THROWS = number_info((8, 8, 1), "throws")


def test_a_class_is_answered_with_its_probability() -> None:
    words, output = COMMANDS[CLASSIFICATION], np.array([0.25, 0.75], np.float32)

    assert dict(zip(words.answer_columns, words.answer(output, PETS), strict=False)) == {
        "class": "dog",
        "probability": "0.7500",
    }
    assert words.show_output(output, PETS) == {"cat": 0.25, "dog": 0.75}
    assert words.describe_output(PETS) == "probabilities of 2 classes"
    assert words.sum_up({"accuracy": 0.98765, "loss": 1.0}, PETS) == "accuracy on them: 0.9877"


def test_a_number_is_answered_with_its_unit() -> None:
    words, output = COMMANDS[REGRESSION], np.array([12.345678], np.float32)

    assert dict(zip(words.answer_columns, words.answer(output, THROWS), strict=False)) == {
        "number": "12.34568",
        "unit": "throws",
    }
    assert words.show_output(output, THROWS) == "12.35 throws"
    assert words.describe_output(THROWS) == "number in throws"
    assert words.sum_up({"mse": 9.0, "mae": 2.34567}, THROWS) == "off by 2.346 throws on average"
