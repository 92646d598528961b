"""Heat maps on the report's page."""

from pathlib import Path

import numpy as np
import pytest

from image_recipes.core.params import read_params
from image_recipes.report.dataset_view import view_dataset
from image_recipes.report.heatmaps import load_overlays
from image_recipes.report.page import render
from image_recipes.results.heatmaps import HEATMAPS_FOLDER, Heatmaps, load_heatmaps, save_heatmaps
from projects import Project

LEGENDS = {
    ("mnist", "tiny_class"): "Warm is what speaks for the predicted class.",
    ("dots", "tiny_number"): "Warm is what moves the predicted number, up or down.",
}


@pytest.mark.parametrize(("dataset", "recipe"), LEGENDS)
def test_each_of_the_worst_errors_has_its_heat_map_beside_it(
    dataset: str, recipe: str, finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.root)
    view = view_dataset(dataset, [recipe], read_params())

    page = render([view])

    worst = view.recipes[0].worst.shown
    assert len(worst) == 12
    assert all(error.overlay and error.overlay in page and error.overlay != error.picture.image for error in worst)
    # above the worst errors, and above suspicious labels
    suspects = view.suspects
    assert suspects is not None
    assert page.count(LEGENDS[dataset, recipe]) == (2 if suspects.shown else 1)
    assert (finished.root / f"plots/{recipe}/heatmaps.png").exists()


def test_the_page_does_without_where_there_are_none(playground: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(playground.root)
    Path("data/heatmaps/mnist/tiny_class.npz").unlink()

    view = view_dataset("mnist", ["tiny_class"], read_params())

    assert {error.overlay for error in view.recipes[0].worst.shown} == {None}
    assert "Warm is" not in render([view])


def test_maps_of_pictures_of_another_size_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    maps = Heatmaps(np.array([0, 5]), np.zeros((2, 4, 4), np.uint8), "occlusion")
    save_heatmaps(maps, HEATMAPS_FOLDER / "own/net.npz")

    assert load_overlays("own", "net", np.zeros((3, 8, 8, 1), np.uint8)) == {}
    # nor is one that is gone
    assert list(load_overlays("own", "net", np.zeros((3, 4, 4, 1), np.uint8))) == [0]


def test_switched_off_there_are_none_and_tensorflow_is_not_imported(playground: Project) -> None:
    playground.edit("params.yaml", "heatmaps: true", "heatmaps: false")
    # what would take seconds
    playground.edit("image_recipes/models/backend.py", '"""Keras', 'raise SystemExit("imported")\n"""Keras')

    playground.run("python", "-m", "stages.heatmaps", "tiny_class")

    monkeypatch = pytest.MonkeyPatch()
    with monkeypatch.context() as patched:
        patched.chdir(playground.root)
        heatmaps = load_heatmaps("mnist", "tiny_class")
    assert heatmaps is not None
    assert heatmaps.maps.shape == (0, 28, 28)
    assert (playground.root / "plots/tiny_class/heatmaps.png").stat().st_size > 0
