"""Paths of values in params.yaml."""

import pytest

from image_recipes.search.paths import get_value, parse_path, with_value, write_path

PARAMS = {
    "seed": 0,
    "recipes": {"net": {"epochs": 3, "optimizer": {"learning_rate": 0.1}}},
    "architectures": {"pool": [{"Conv2D": {"filters": 8}}, "Flatten"]},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [("seed", 0), ("recipes.net.optimizer.learning_rate", 0.1), ("architectures.pool[0].Conv2D.filters", 8)],
)
def test_a_value_is_found_and_changed_in_a_copy(text: str, value: float) -> None:
    path = parse_path(text)

    assert write_path(path) == text
    assert get_value(PARAMS, path) == value
    changed = with_value(PARAMS, path, 5)
    assert get_value(changed, path) == 5
    assert get_value(PARAMS, path) == value


def test_what_an_anchor_shares_changes_in_one_place() -> None:
    shared = {"learning_rate": 0.1}
    params = {"recipes": {"net": {"optimizer": shared}, "other": {"optimizer": shared}}}

    changed = with_value(params, parse_path("recipes.net.optimizer.learning_rate"), 0.5)

    assert changed["recipes"]["other"] == {"optimizer": {"learning_rate": 0.1}}


def test_a_place_is_written_in_either_way() -> None:
    assert parse_path("architectures.pool.0.Conv2D.filters") == parse_path("architectures.pool[0].Conv2D.filters")


@pytest.mark.parametrize("text", ["", ".", "recipes.", "recipes..net", "recipes[net]", "a]b", "a[0", "[]", "a[-1]"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no path: write it as in"):
        parse_path(text)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("recipes.net.epoch", "did you mean 'recipes.net.epochs'"),
        ("recipe.net.epochs", "did you mean 'recipes.net.epochs'"),
        ("epochs", "did you mean 'recipes.net.epochs'"),
        ("architectures.pool[2].Conv2D.filters", r"did you mean 'architectures.pool\[0\].Conv2D.filters'"),
        ("architectures.pool[1].Conv2D.filters", r"did you mean 'architectures.pool\[0\].Conv2D.filters'"),
        ("architectures.pol[0].Conv2D.filters", r"did you mean 'architectures.pool\[0\].Conv2D.filters'"),
        ("recipes.net.optimizr.learning_rate", "did you mean 'recipes.net.optimizer.learning_rate'"),
        ("seed.x", "no such path"),
    ],
)
def test_a_path_that_is_not_there_is_refused_with_the_nearest(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        get_value(PARAMS, parse_path(text))
