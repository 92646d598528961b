"""Which pictures are explained."""

from pathlib import Path

import pandas as pd
import pytest

from image_recipes.core.errors import UserError
from image_recipes.explanation.chosen import WORST_EXPLAINED, choose_pictures
from image_recipes.report.worst import WORST_SHOWN
from predictions import of_classes, of_numbers
from recipes import class_info, number_info

INFO = class_info((1, 1, 1), ["a", "b"])
NO_FILE = Path("none.csv")


def by_split(test: pd.DataFrame, train: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"train": train.assign(index=train["index"] + len(test)), "validation": train.head(0), "test": test}


def test_the_worst_errors_are_those_of_the_report() -> None:
    assert WORST_EXPLAINED == WORST_SHOWN
    test = of_numbers(range(20), [0.0] * 20)

    chosen = choose_pictures(by_split(test, test), number_info((1, 1, 1)), NO_FILE)

    assert chosen["index"].tolist() == list(range(19, 7, -1))


def test_of_a_perfect_model_the_least_sure_are_chosen() -> None:
    test = of_classes([0, 0, 1], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], ["a", "b"])

    assert choose_pictures(by_split(test, test), INFO, NO_FILE)["index"].tolist() == [1, 2, 0]


def test_suspects_of_all_splits_follow_each_once(tmp_path: Path) -> None:
    test = of_classes([0, 0], [[0.1, 0.9], [0.6, 0.4]], ["a", "b"])
    train = of_classes([0, 1], [[0.9, 0.1], [0.6, 0.4]], ["a", "b"])
    # 9 is of a picture that was removed since
    (tmp_path / "own.csv").write_text("rank,split,index,path\n1,train,3,x.png\n2,test,0,y.png\n3,train,9,z.png\n")

    chosen = choose_pictures(by_split(test, train), INFO, tmp_path / "own.csv")

    assert chosen["index"].tolist() == [0, 3]
    assert chosen["predicted"].tolist() == ["b", "a"]


def test_a_damaged_list_of_suspects_is_named(tmp_path: Path) -> None:
    test = of_classes([0], [[0.1, 0.9]], ["a", "b"])
    (tmp_path / "own.csv").write_text("a,b\n1,2\n")

    with pytest.raises(UserError, match=r"own\.csv: missing or damaged: make it by `dvc repro suspects@own`"):
        choose_pictures(by_split(test, test), INFO, tmp_path / "own.csv")
