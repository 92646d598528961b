"""Heat maps between the stage that makes them and the report."""

from pathlib import Path

import numpy as np
import pytest

from image_recipes.core.errors import UserError
from image_recipes.results.heatmaps import HEATMAPS_FOLDER, Heatmaps, lay_over, load_heatmaps, save_heatmaps


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_heat_maps_come_back_and_their_file_is_the_same_again() -> None:
    maps = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    file = HEATMAPS_FOLDER / "own/net.npz"
    save_heatmaps(Heatmaps(np.array([7, 2]), maps, "occlusion"), file)
    before = file.read_bytes()

    loaded = load_heatmaps("own", "net")
    assert loaded is not None
    save_heatmaps(loaded, file)

    assert (loaded.indices.tolist(), loaded.method) == ([7, 2], "occlusion")
    np.testing.assert_array_equal(loaded.maps, maps)
    assert file.read_bytes() == before


def test_there_may_be_none() -> None:
    assert load_heatmaps("own", "net") is None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_a_damaged_file_is_named(content: bytes) -> None:
    file = HEATMAPS_FOLDER / "own/net.npz"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)

    with pytest.raises(UserError, match=r"net\.npz: missing or damaged: make it by `dvc repro heatmaps@net`"):
        load_heatmaps("own", "net")


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_warm_stands_out_from_any_grey(shade: int, channels: int) -> None:
    image = np.full((1, 2, channels), shade, np.uint8)

    cold, warm = lay_over(image, np.array([[0, 255]], np.uint8))[0].astype(int)

    # without a map the picture is grey, darker than it was
    assert len(set(cold)) == 1
    assert cold[0] <= shade
    # and what is warm is lighter than any of it, for eyes that see no colours too
    assert warm @ (0.299, 0.587, 0.114) > cold[0] + 30
