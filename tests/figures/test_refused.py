"""The picture of the pictures that were refused."""

from pathlib import Path

import numpy as np
from matplotlib.image import imread
from PIL import Image

from image_recipes.data.problems import Problem, save_problems
from image_recipes.figures.refused import draw_refused

BLUE = (0, 0, 200)


def save_blue(file: Path, kind: str = "PNG") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (200, 200), BLUE).save(file, kind)


def share_of_blue(file: Path) -> float:
    pixels = (imread(file)[..., :3] * 255).round()
    return float((np.abs(pixels - BLUE) < 3).all(axis=-1).mean())


def test_as_much_is_drawn_of_a_refused_picture_as_can_be_seen(tmp_path: Path) -> None:
    raw, folder = tmp_path / "raw", tmp_path / "prepared"
    folder.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)).save(tmp_path / "noise.png")
    save_blue(raw / "a/two labels.png")
    whole = (raw / "a/two labels.png").read_bytes()
    (raw / "a/cut.png").write_bytes((tmp_path / "noise.png").read_bytes()[:9000])
    (raw / "a/empty.png").write_bytes(b"")
    problems = [
        Problem("a/two labels.png", "two labels", "labelled a, and the same picture as b/1.png (b)"),
        Problem("a/cut.png", "bad picture", "image file is truncated"),
        Problem("a/empty.png", "bad picture", "empty file"),
    ]
    save_problems(problems, folder)

    draw_refused(raw, folder)

    picture = imread(folder / "problems.png")[..., :3]
    # of five abreast the first is blue, the second the upper part of noise, the third an empty frame
    colourful = [
        float(((cell.max(axis=-1) - cell.min(axis=-1)) > 0.3).mean()) for cell in np.array_split(picture, 5, 1)
    ]
    assert min(colourful[:2]) > 0.1
    assert max(colourful[2:]) == 0
    assert (raw / "a/two labels.png").read_bytes() == whole


def test_what_does_not_stop_a_run_is_not_drawn(tmp_path: Path) -> None:
    save_blue(tmp_path / "raw/a/1.png")
    save_problems([Problem("a/1.png", "near-duplicate", "of a/2.png")], tmp_path)

    draw_refused(tmp_path / "raw", tmp_path)

    assert not (tmp_path / "problems.png").exists()


def test_a_path_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    save_blue(tmp_path / "secret.png")
    (tmp_path / "raw").mkdir()
    save_problems([Problem("../secret.png", "bad path", "leads out of the folder")], tmp_path)

    draw_refused(tmp_path / "raw", tmp_path)

    assert share_of_blue(tmp_path / "problems.png") == 0


def test_no_more_are_drawn_than_a_grid_takes(tmp_path: Path) -> None:
    save_problems([Problem(f"a/{number}.png", "bad picture", "empty file") for number in range(200)], tmp_path)

    draw_refused(tmp_path / "raw", tmp_path)

    height, width = imread(tmp_path / "problems.png").shape[:2]
    assert height < 1.2 * width
    assert (tmp_path / "problems.png").stat().st_size < 200_000
