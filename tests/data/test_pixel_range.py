"""Files of more than 8 bits a channel: which of their values become black and white."""

import io
import re
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from image_recipes.core.dataset import DatasetInfo, load_info
from image_recipes.core.errors import UserError
from image_recipes.core.params import validate
from image_recipes.data.decode import Region, Shape, decode
from image_recipes.data.own_pictures import OwnPictures
from image_recipes.data.picture_files import BadPictureError
from image_recipes.data.pixel_range import find_ranges
from image_recipes.data.prepare import prepare_dataset
from pictures import folder_settings, make_folder, noise

Y, X = np.mgrid[0:48, 0:64]
GREY = (100 + X * 60).astype(np.uint16)
COLOURS = np.stack([100 + X * 60, 100 + Y * 80, 3880 - X * 60], axis=-1).astype(np.uint16)
RANGES = dict.fromkeys(["16 bits", "32 bits", "floats"], (100, 3880))
CLEAR = np.where(X < 32, 0, 65_535).astype(np.uint16)


def levels(values: np.ndarray) -> np.ndarray:
    """What the range makes of values, as three channels."""
    result = ((values.astype(float) - 100) * 255 / 3780).astype(np.uint8)
    return result if result.ndim == 3 else np.stack([result] * 3, axis=-1)


def on_white(values: np.ndarray) -> np.ndarray:
    result = levels(values)
    result[:, :32] = 255
    return result


def tiff(values: np.ndarray, photometric: str = "minisblack", **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, photometric=photometric, **options)
    return stream.getvalue()


def same_size(ranges: Any, channels: Any = 3) -> Shape:
    return Shape(48, 64, channels, "stretch", Region(left=0, top=0, right=1, bottom=1), ranges)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (tiff(GREY), levels(GREY)),
        (tiff(GREY, byteorder=">"), levels(GREY)),
        (tiff(GREY, compression="lzw"), levels(GREY)),
        (tiff(GREY, bigtiff=True), levels(GREY)),
        (tiff(GREY.astype(np.uint32)), levels(GREY)),
        (tiff(GREY.astype(np.int32), byteorder=">"), levels(GREY)),
        (tiff(GREY.astype(np.float32)), levels(GREY)),
        (tiff(GREY.astype(np.float64)), levels(GREY)),
        (tiff(np.stack([GREY, CLEAR], axis=-1), planarconfig="contig", extrasamples=["unassalpha"]), on_white(GREY)),
        (tiff(COLOURS, "rgb"), levels(COLOURS)),
        (tiff(COLOURS, "rgb", compression="zlib", predictor=True), levels(COLOURS)),
        (tiff(np.moveaxis(COLOURS, -1, 0), "rgb", planarconfig="separate"), levels(COLOURS)),
        (tiff(COLOURS.astype(np.float32), "rgb"), levels(COLOURS)),
        (tiff(np.dstack([COLOURS, CLEAR]), "rgb", extrasamples=["unassalpha"]), on_white(COLOURS)),
        (imagecodecs.png_encode(GREY), levels(GREY)),
        (imagecodecs.png_encode(COLOURS), levels(COLOURS)),
        (imagecodecs.png_encode(np.dstack([COLOURS, CLEAR])), on_white(COLOURS)),
    ],
)
def test_values_of_the_range_become_0_to_255(content: bytes, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(decode(content, same_size(RANGES)).picture, expected)


def test_white_may_be_the_lowest_value() -> None:
    picture = decode(tiff(3980 - GREY, "miniswhite"), same_size(RANGES)).picture

    assert np.abs(picture.astype(int) - levels(GREY)).max() <= 1


def test_values_outside_are_clipped_and_8_bits_left_alone() -> None:
    picture = decode(tiff(GREY), same_size({"16 bits": (1000, 2000)})).picture
    assert set(picture[GREY <= 1000].ravel()) == {0}
    assert set(picture[GREY >= 2000].ravel()) == {255}

    stream = io.BytesIO()
    Image.fromarray(levels(GREY)).save(stream, "PNG")
    np.testing.assert_array_equal(decode(stream.getvalue(), same_size(RANGES)).picture, levels(GREY))


def test_large_numbers_of_32_bits_are_no_negative_ones() -> None:
    values = GREY.astype(np.uint32) * 1_000_000

    picture = decode(tiff(values), same_size({"32 bits": (100_000_000, 3_880_000_000)})).picture

    np.testing.assert_array_equal(picture, levels(GREY))


def test_what_is_no_number_is_black_and_said() -> None:
    values = GREY.astype(np.float32)
    values[0, 63] = np.nan

    decoded = decode(tiff(values), same_size(RANGES))

    assert decoded.picture[0, 63].tolist() == [0, 0, 0]
    assert decoded.flaw.startswith("1 of its values are not numbers")


@pytest.mark.parametrize("kind", [np.float32, np.uint32])
def test_without_a_range_other_numbers_name_the_remedy(kind: Any) -> None:
    with pytest.raises(BadPictureError, match="set pixel_range of the dataset to auto"):
        decode(tiff(GREY.astype(kind) * 100), same_size(None))
    with pytest.raises(BadPictureError, match="the pictures that pixel_range was taken from have none of those"):
        decode(tiff(GREY.astype(kind) * 100), same_size({"16 bits": (0, 1)}))


@pytest.mark.parametrize("value", ["ful", [0], [5, 5], [5, 1], [0, "x"], [0, float("inf")], True, 4095])
def test_a_wrong_range_is_named(value: Any) -> None:
    settings = folder_settings(Path("raw")).model_dump()

    with pytest.raises(UserError, match=r"datasets\.x\.pixel_range: give full .* or \[low, high\]"):
        validate(type(folder_settings(Path("raw"))), {**settings, "pixel_range": value}, "datasets.x")
    assert OwnPictures.model_fields["pixel_range"].default == "full"


def make_twelve_bits(raw: Path) -> Path:
    """Two classes of 12-bit pictures that differ by 60 of 4,096 levels."""
    for kind, name in enumerate(["low", "high"]):
        (raw / name).mkdir(parents=True)
        for number in range(12):
            blobs = np.asarray(noise(100 * kind + number, (32, 32)).convert("L"), float)
            values = (100 + 60 * kind + blobs * 40 / 255).astype(np.uint16)
            Image.fromarray(values).save(raw / name / f"{number:03}.tif")
    return raw


def test_auto_takes_the_range_of_the_pictures_and_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = make_twelve_bits(tmp_path / "raw")
    (low, high) = find_ranges(sorted(raw.rglob("*.tif")), "test")["16 bits"]

    assert prepare_dataset(folder_settings(raw, pixel_range="auto", channels=1), tmp_path / "prepared") is None

    assert f"pixel_range: auto: 16 bits: {low} to {high}\n" in capsys.readouterr().out
    info = load_info(tmp_path / "prepared")
    assert info.pixel_range == {"16 bits": [low, high]}
    images, targets = (np.load(tmp_path / "prepared" / f"{name}.npy") for name in ("images", "targets"))
    assert images[targets == info.class_names.index("low")].mean() + 100 < images[targets == 0].mean()
    assert images.min() < 5
    assert images.max() > 250


def test_auto_is_taken_from_the_training_pictures(tmp_path: Path) -> None:
    raw = make_twelve_bits(tmp_path / "raw" / "train").parent
    make_twelve_bits(raw / "test")
    Image.fromarray(np.full((32, 32), 4000, np.uint16)).save(raw / "test/low/bright.tif")

    assert prepare_dataset(folder_settings(raw, pixel_range="auto"), tmp_path / "prepared") is None

    pixel_range = load_info(tmp_path / "prepared").pixel_range
    assert pixel_range is not None
    assert pixel_range["16 bits"][1] <= 200


def test_a_narrow_use_of_the_range_is_said_with_the_setting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = make_twelve_bits(tmp_path / "raw")

    prepare_dataset(folder_settings(raw), tmp_path / "full")
    assert "of 0 to 65,535: set pixel_range: auto" in capsys.readouterr().out

    # a hot pixel hides nothing
    hot = np.full((32, 32), 150, np.uint16)
    hot[3, 3] = 65_535
    Image.fromarray(hot).save(raw / "low/hot.tif")
    prepare_dataset(folder_settings(raw, pixel_range="auto"), tmp_path / "auto")
    output = capsys.readouterr().out
    assert "to 65,535\n" in output
    assert re.search(r"almost all values lie between 10\d and \d\d\d of 10\d to 65,535: set pixel_range: \[10", output)

    prepare_dataset(folder_settings(make_folder(tmp_path / "usual", {"a": 10, "b": 10})), tmp_path / "usual prepared")
    assert "narrow" not in capsys.readouterr().out


def test_existing_datasets_keep_their_bytes(tmp_path: Path) -> None:
    prepare_dataset(folder_settings(make_folder(tmp_path / "raw", {"a": 10, "b": 10})), tmp_path / "prepared")

    assert "pixel_range" not in (tmp_path / "prepared/dataset.json").read_text("utf-8")
    info = load_info(tmp_path / "prepared")
    assert DatasetInfo.from_json(info.to_json()) == info


def test_flawed_files_and_names_are_said(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 12, "b": 12})
    stream = io.BytesIO()
    Image.open(raw / "a/000.png").save(stream, "JPEG")
    (raw / "a/no_end.jpg").write_bytes(stream.getvalue()[:-2])
    (raw / "a/011.png").rename(Path(str(raw / "a") + "/caf\udce9.png"))

    complaint = prepare_dataset(folder_settings(raw), tmp_path / "prepared")

    assert complaint is not None
    assert "a/caf\\xe9.png (its name is not UTF-8: rename it)" in complaint
    problems = pd.read_csv(tmp_path / "prepared/problems.csv")
    assert problems.set_index("problem").loc["flawed file", "path"] == "a/no_end.jpg"
