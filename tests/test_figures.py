"""Figures, drawn to real files and read back; and the tables of `compare`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, Project
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.image import imread

from image_recipes.comparison import join_by_recipe, load_published, make_table, save_markdown
from image_recipes.datasets import DatasetInfo
from image_recipes.errors import UserError
from image_recipes.figures import (
    CHARTS,
    CURVES,
    draw_gallery,
    draw_predictions,
    gallery_rows,
    prediction_titles,
    sample_titles,
)
from image_recipes.histories import load_history
from image_recipes.metrics import load_metrics
from image_recipes.predictions import load_predictions, save_predictions, tabulate_predictions
from stages import plot, split

CLASSES = ["0", "1", "2"]
DIGITS = DatasetInfo("classification", CLASSES, None, [28, 28, 1], {}, "")
DOTS = DatasetInfo("regression", None, "throws", [16, 16, 1], {}, "")


def class_predictions() -> pd.DataFrame:
    probabilities = np.eye(3, dtype=np.float32)[[0, 1, 2, 1, 0]]
    return tabulate_predictions(np.arange(10, 15), np.array([0, 2, 2, 1, 1]), probabilities, CLASSES)


def number_predictions(count: int = 30) -> pd.DataFrame:
    real = np.arange(count, dtype=np.float32)
    return tabulate_predictions(np.arange(count), real, real[:, np.newaxis] + 1.44, None)


def blank_cells(file: Path) -> list[bool]:
    """For each of the 5x5 cells, row by row: is it all white?"""
    picture = imread(file)[..., :3]
    rows = np.array_split(picture, 5, axis=0)
    return [bool((cell > 0.99).all()) for row in rows for cell in np.array_split(row, 5, axis=1)]


def test_a_gallery_has_25_pictures(tmp_path: Path) -> None:
    draw_gallery([np.full((8, 8, 1), 9, np.uint8)] * 25, ["R: 3"] * 25, tmp_path / "gallery.png")

    assert not any(blank_cells(tmp_path / "gallery.png"))


def test_a_gallery_leaves_cells_blank_where_pictures_are_few(tmp_path: Path) -> None:
    # the first and the last cell are drawn, so the picture's edges are those of the grid
    draw_gallery([np.full((8, 8, 1), 9, np.uint8)] * 21, ["R: 3"] * 21, tmp_path / "gallery.png")

    assert blank_cells(tmp_path / "gallery.png")[:21] == [False] * 21
    assert blank_cells(tmp_path / "gallery.png")[21:] == [True] * 4


def test_a_gallery_goes_row_by_row(tmp_path: Path) -> None:
    greys = [np.full((8, 8, 3), 10 * number, np.uint8) for number in range(25)]
    draw_gallery(greys, [str(number) for number in range(25)], tmp_path / "gallery.png")

    picture = (imread(tmp_path / "gallery.png")[..., :3] * 255).round()
    rows = np.array_split(picture, 5, axis=0)
    cells = [cell for row in rows for cell in np.array_split(row, 5, axis=1)]
    # what most pixels of a cell show, beside the white of its border and the black of its title
    shown = [np.bincount(cell[..., 0].astype(int).ravel(), minlength=256)[:250].argmax() for cell in cells]
    assert shown == [10 * number for number in range(25)]


def test_a_gallery_of_no_pictures_is_a_file(tmp_path: Path) -> None:
    draw_gallery([], [], tmp_path / "gallery.png")

    assert (tmp_path / "gallery.png").stat().st_size > 0


def test_colour_pictures_are_drawn_in_colour(tmp_path: Path) -> None:
    draw_gallery([np.full((8, 8, 3), [255, 0, 0], np.uint8)], ["R: red"], tmp_path / "gallery.png")

    pixels = imread(tmp_path / "gallery.png")[..., :3].reshape(-1, 3)
    assert (pixels == [1, 0, 0]).all(axis=1).mean() > 0.01


def test_titles_are_the_lectures() -> None:
    assert sample_titles(np.array([2, 0]), CLASSES) == ["R: 2", "R: 0"]
    assert sample_titles(np.array([12, 255], np.float32), None) == ["R 12", "R 255"]
    assert prediction_titles("regression", number_predictions()[12:13]) == ["R 12 P 13.4"]


def test_the_gallery_of_classes_shows_wrong_ones_in_test_order() -> None:
    shown = gallery_rows("classification", class_predictions())

    assert shown["index"].tolist() == [11, 14]
    assert prediction_titles("classification", shown) == ["R: 2 P: 1", "R: 1 P: 0"]


def test_the_gallery_of_numbers_shows_the_first() -> None:
    assert gallery_rows("regression", number_predictions())["index"].tolist() == list(range(25))


def class_history(epochs: int = 10) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    curves = {
        "loss": 0.4 / epoch,
        "val_loss": 0.45 / epoch,
        "accuracy": 1 - 0.1 / epoch,
        "val_accuracy": 1 - 0.2 / epoch,
    }
    return pd.DataFrame({"epoch": epoch, **curves})


def test_class_curves_are_the_lecture_s() -> None:
    figure = Figure()
    CURVES["classification"](figure.subplots(), class_history())
    loss_axes, accuracy_axes = figure.axes

    colors = {"train loss": "y", "val loss": "r", "train acc": "b", "val acc": "g"}
    lines = [*loss_axes.lines, *accuracy_axes.lines]
    assert [line.get_label() for line in lines] == list(colors)
    assert all(same_color(line.get_color(), colors[str(line.get_label())]) for line in lines)
    assert loss_axes.get_ylim() == (0, 0.5)
    assert accuracy_axes.get_ylim() == (0.8, 1)


def test_number_curves_are_the_lecture_s() -> None:
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [4547.2, 270.6, 184.2], "val_loss": [489.0, 250.1, 200.3]})
    figure = Figure()
    CURVES["regression"](figure.subplots(), history)

    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["train", "val"]
    assert axes.get_ylim() == (0, 300)


def test_limits_widen_where_a_curve_would_not_show() -> None:
    figure = Figure()
    history = class_history()
    history["val_loss"] += 1
    history["accuracy"] -= 0.7
    CURVES["classification"](figure.subplots(), history)
    loss_axes, accuracy_axes = figure.axes

    assert loss_axes.get_ylim() == pytest.approx((0, 1.45))
    assert accuracy_axes.get_ylim() == pytest.approx((0.2, 1))


def test_a_confusion_matrix_and_a_scatter_are_drawn(tmp_path: Path) -> None:
    draw_predictions(DIGITS, class_predictions(), tmp_path / "classes.png")
    draw_predictions(DOTS, number_predictions(), tmp_path / "numbers.png")

    for name in ["classes.png", "numbers.png"]:
        assert min(imread(tmp_path / name).shape[:2]) > 500


def test_real_and_predicted_are_on_their_axes() -> None:
    figure = Figure()
    CHARTS["classification"](figure.subplots(), class_predictions(), DIGITS)
    (axes,) = figure.axes
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("real", "predicted")
    counts = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in axes.texts}
    # two of real class 2, one of which was taken for 1; one of real class 1 was taken for 0
    assert counts == {(0, 0): "1", (1, 0): "1", (1, 1): "1", (2, 1): "1", (2, 2): "1"}

    figure = Figure()
    CHARTS["regression"](figure.subplots(), number_predictions(3), DOTS)
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("real (throws)", "predicted (throws)")
    offsets = np.asarray(axes.collections[0].get_offsets(), float)
    np.testing.assert_allclose(offsets, np.array([[0, 1.44], [1, 2.44], [2, 3.44]]), rtol=1e-6)


def test_one_epoch_shows() -> None:
    figure = Figure()
    CURVES["classification"](figure.subplots(), class_history(1))

    assert all(line.get_marker() == "o" for axes in figure.axes for line in axes.lines)


@pytest.mark.parametrize("epochs", [1, 3, 30, 1000])
def test_epochs_are_whole_numbers(epochs: int) -> None:
    figure = Figure()
    CURVES["classification"](figure.subplots(), class_history(epochs))

    assert [tick for tick in figure.axes[0].get_xticks() if tick % 1] == []


def test_a_value_that_is_not_finite_does_not_stop_a_plot() -> None:
    figure = Figure()
    history = class_history()
    history["val_loss"] = np.inf
    CURVES["classification"](figure.subplots(), history)

    assert figure.axes[0].get_ylim() == (0, 0.5)


def test_predictions_survive_the_disk(tmp_path: Path) -> None:
    predictions = tabulate_predictions(
        np.array([3]), np.array([1]), np.array([[0.25, 0.75]], np.float32), ["007", "NA"]
    )
    save_predictions(predictions, tmp_path / "p.csv")

    loaded = load_predictions(tmp_path / "p.csv", ["007", "NA"])

    assert loaded.to_dict("records") == [
        {"index": 3, "real": "NA", "predicted": "NA", "probability_007": 0.25, "probability_NA": 0.75}
    ]


METRICS: dict[str, dict[str, float | None]] = {
    "mlp": {
        "parameters": 1234,
        "test_mse": 110.06,
        "test_mse_low": 95.0,
        "test_mse_high": 120.0,
        "test_mae": 7.123,
        "test_r2": 0.98,
        "val_mse": 99.0,
        "train_mse": 0.5,
    },
    "pool": {"parameters": 56, "test_mse": 48.6, "test_mae": None, "test_r2": 0.99, "val_mse": 50.0, "train_mse": 47.0},
}


def test_the_table_sets_published_figures_beside_ours(tmp_path: Path) -> None:
    published = {"mlp": {"test_mse": 110.1}, "other": {"test_mae": 3.0}}
    table = make_table("regression", METRICS, {"linear": {"test_mse": 220.12}}, published)
    save_markdown(table, tmp_path / "t.md")

    assert table.columns.tolist() == [
        "recipe",
        "parameters",
        "test_mse",
        "test_mse_low",
        "test_mse_high",
        "published_test_mse",
        "error_to_linear",
        "test_mae",
        "test_r2",
        "val_mse",
        "train_mse",
    ]
    lines = (tmp_path / "t.md").read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][:4] == ["recipe", "parameters", "test mse (95 % interval)", "published test mse"]
    assert cells[2] == ["mlp", "1,234", "110.1 (95.00 to 120.0)", "110.1", "0.50", "7.123", "0.9800", "99.00", "0.5000"]
    assert cells[3] == ["pool", "56", "48.60", "-", "0.22", "-", "0.9900", "50.00", "47.00"]


def test_published_figures_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    (tmp_path / "published.yaml").write_text("mlp: 0.97\n", "utf-8")

    with pytest.raises(UserError, match=r"published\.yaml: mlp: give a mapping of metrics to numbers"):
        load_published(tmp_path / "published.yaml")
    (tmp_path / "published.yaml").write_text("mlp:\n  test_acuracy: 0.97\n", "utf-8")
    with pytest.raises(UserError, match=r"mlp: no metric 'test_acuracy': did you mean 'test_accuracy'\?"):
        load_published(tmp_path / "published.yaml")
    (tmp_path / "published.yaml").write_text("mlp: [\n", "utf-8")
    with pytest.raises(UserError, match=r"published\.yaml, line \d: not valid YAML"):
        load_published(tmp_path / "published.yaml")


def test_damaged_results_are_named_with_their_stage(tmp_path: Path) -> None:
    (tmp_path / "mlp.json").write_text("<<<<<<< HEAD\n", "utf-8")
    (tmp_path / "mlp.csv").write_text("<<<<<<< HEAD\n", "utf-8")

    with pytest.raises(UserError, match=r"mlp\.json: missing or damaged: make it by `dvc repro evaluate@mlp`"):
        load_metrics(tmp_path, ["mlp"])
    with pytest.raises(UserError, match=r"mlp\.csv: missing or damaged: make it by `dvc repro train@mlp`"):
        load_history(tmp_path / "mlp.csv")
    with pytest.raises(UserError, match=r"mlp\.csv: missing or damaged: make it by `dvc repro evaluate@mlp`"):
        load_predictions(tmp_path / "mlp.csv", None)


def test_joined_histories_name_their_recipe() -> None:
    joined = join_by_recipe({"b": class_history(2), "a": class_history(1)})

    assert joined["recipe"].tolist() == ["b", "b", "a"]
    assert joined["epoch"].tolist() == [1, 2, 1]


def test_a_run_draws_every_figure(finished: Project) -> None:
    files = ["samples/mnist", "samples/dots", "compare/mnist", "compare/dots"]
    files += [
        f"{recipe}/{name}" for recipe in ["tiny_class", "tiny_number"] for name in ["curves", "gallery", "predictions"]
    ]
    for file in files:
        assert imread(finished.root / f"plots/{file}.png").std() > 0.05, file
    summary = (finished.root / "plots/tiny_class/summary.txt").read_text("utf-8")
    assert "conv2d (Conv2D)" in summary
    assert "Total params: " in summary
    assert "Optimizer params" not in summary


def test_a_recipe_s_gallery_shows_the_pictures_of_its_titles(
    playground: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(playground.root)
    drawn: list[tuple[np.ndarray, list[str]]] = []
    monkeypatch.setattr(plot, "draw_gallery", lambda images, titles, file: drawn.append((images, titles)))
    monkeypatch.setattr(split, "draw_gallery", lambda images, titles, file: drawn.append((images, titles)))

    plot.main("tiny_class")
    split.main("mnist")

    predictions = pd.read_csv("data/predictions/mnist/tiny_class.csv")
    wrong = predictions[predictions["real"] != predictions["predicted"]].head(25)
    with np.load("data/raw/mnist.npz") as published:
        (errors, error_titles), (samples, sample_titles_) = drawn
        np.testing.assert_array_equal(errors[..., 0], published["x_test"][wrong["index"] - 60_000])
        assert [title.split()[1] for title in error_titles] == [
            str(label) for label in published["y_test"][wrong["index"] - 60_000]
        ]
        np.testing.assert_array_equal(samples[..., 0], published["x_test"][:25])
        assert sample_titles_ == [f"R: {label}" for label in published["y_test"][:25]]


def test_the_readmes_tables_are_the_pipeline_s() -> None:
    for readme in ["README.md", "README.ko.md"]:
        text = (ROOT / readme).read_text("utf-8")
        for table in ["mnist", "dots", "pairs/mnist"]:
            assert (ROOT / f"metrics/compare/{table}.md").read_text("utf-8") in text, (readme, table)
