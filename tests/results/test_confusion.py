"""Which classes are taken for which: counted, and the most confused of many chosen."""

import numpy as np

from image_recipes.results.confusion import choose_confused, count_confusions
from predictions import of_classes


def test_the_most_frequent_confusions_come_first() -> None:
    classes = ["1", "2", "10"]
    predictions = of_classes([0, 0, 1, 2, 2, 2], np.eye(3)[[1, 0, 2, 0, 0, 2]], classes)

    assert count_confusions(predictions, classes).to_numpy().tolist() == [
        ["10", "1", 2],
        ["1", "2", 1],
        ["2", "10", 1],
        ["1", "1", 1],
        ["10", "10", 1],
    ]


def test_of_many_classes_those_taken_for_each_other_are_chosen_in_their_order() -> None:
    classes = [str(number) for number in range(300)]
    # 299 and 7 for each other, both ways; 100 for 101 once
    real, predicted = [299, 7, 100, 5], [7, 299, 101, 5]
    confusions = count_confusions(of_classes(real, np.eye(300)[predicted], classes), classes)

    chosen = choose_confused(confusions, classes)

    assert chosen == [*map(str, range(26)), "26", "100", "101", "299"]
    assert choose_confused(confusions, classes[:30]) == classes[:30]


def test_a_pair_that_is_confused_most_is_shown_whatever_else_is_confused() -> None:
    classes = [str(number) for number in range(100)]
    # each for its neighbour once, and 98 for 99 in three pictures
    real, predicted = [*range(98), 98, 98, 98], [*range(1, 99), 99, 99, 99]
    confusions = count_confusions(of_classes(real, np.eye(100)[predicted], classes), classes)

    chosen = choose_confused(confusions, classes)

    assert len(chosen) == 30
    assert chosen[-2:] == ["98", "99"]
