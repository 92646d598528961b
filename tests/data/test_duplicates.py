"""Near-duplicates: copies are found, pictures that differ in a detail are not, at bounded cost."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from image_recipes.data.cells import CELLS, content_boxes, to_cells
from image_recipes.data.decode import Region, Shape, decode
from image_recipes.data.duplicates import NEIGHBOURS, Looks, NearDuplicates, find_near_duplicates
from pictures import noise

WHOLE = Region(left=0, top=0, right=1, bottom=1)
SHAPE = Shape(48, 48, 3, "pad", WHOLE)


def decoded(image: Image.Image, **options: object) -> tuple[np.ndarray, int, int]:
    stream = io.BytesIO()
    image.save(stream, **(options or {"format": "PNG"}))  # type: ignore[arg-type]
    found = decode(stream.getvalue(), SHAPE)
    return found.picture, found.width, found.height


def find(pictures: list[tuple[np.ndarray, int, int]]) -> NearDuplicates:
    arrays, widths, heights = zip(*pictures, strict=True)
    boxes = content_boxes(np.array(widths), np.array(heights), SHAPE)
    return find_near_duplicates(Looks(np.stack(arrays), boxes))


def found_pairs(pictures: list[tuple[np.ndarray, int, int]]) -> set[tuple[int, ...]]:
    found = find(pictures)
    again = {(int(first), row) for row, first in enumerate(found.same) if first != row}
    return again | set(map(tuple, found.pairs.tolist()))


def drawing(badge: str = "", ink: int = 90) -> Image.Image:
    """Line art on white, pale where the ink is."""
    image = Image.new("RGB", (96, 96), "white")
    draw = ImageDraw.Draw(image)
    colour = (ink, ink, ink)
    draw.rounded_rectangle((10, 20, 86, 80), 8, outline=colour, width=3)
    for x in range(20, 80, 12):
        draw.line((x, 28, x, 50), fill=colour, width=2)
    if badge == "dot":
        draw.ellipse((56, 56, 72, 72), fill=colour)
    if badge == "cross":
        draw.line((20, 58, 44, 74), fill=colour, width=4)
        draw.line((44, 58, 20, 74), fill=colour, width=4)
    return image


def test_copies_are_found_whatever_their_size_compression_and_light() -> None:
    pictures, copies = [], []
    for seed in range(20):
        image = noise(seed, (120, 90))
        pictures.append(decoded(image))
        copies += [
            decoded(image, format="JPEG", quality=70),
            decoded(image.resize((72, 54))),
            decoded(image.resize((108, 81)), format="JPEG", quality=85),
            decoded(ImageEnhance.Contrast(image).enhance(0.9)),
            decoded(ImageEnhance.Brightness(image).enhance(0.93)),
        ]

    pairs = found_pairs(pictures + copies)

    wanted = {(number // 5, 20 + number) for number in range(100)}
    assert len(wanted & pairs) >= 95
    # of no other picture
    origins = [*range(20), *(number // 5 for number in range(100))]
    assert all(origins[first] == origins[second] for first, second in pairs)


@pytest.mark.parametrize("ink", [90, 200, 235])
def test_drawings_that_differ_in_a_detail_are_different_however_pale(ink: int) -> None:
    plain, dot, cross = (drawing(badge, ink) for badge in ("", "dot", "cross"))

    pictures = [decoded(plain), decoded(dot), decoded(cross), decoded(dot.resize((64, 64)))]

    assert found_pairs(pictures) == {(1, 3)}


def test_few_grey_levels_are_enough_to_differ() -> None:
    # as of 12 bits read as 16: all values lie below 16 of 255
    dark = [Image.fromarray((np.asarray(noise(seed)) // 16).astype(np.uint8)) for seed in range(60)]
    again = dark[7].resize((80, 60))

    assert found_pairs([*map(decoded, dark), decoded(again)]) == {(7, 60)}


def test_padding_is_not_compared() -> None:
    # banners fill a tenth of the square
    banners = [noise(seed, (200, 20)) for seed in range(30)]

    assert not found_pairs([decoded(banner) for banner in banners])
    boxes = content_boxes(np.array([200, 30, 7]), np.array([20, 90, 7]), SHAPE)
    for (picture, _, _), box in zip(
        map(decoded, (Image.new("RGB", size, "white") for size in [(200, 20), (30, 90), (7, 7)])), boxes, strict=True
    ):
        assert (to_cells(picture[None], box[None]) == 255 * 256).all()
        assert picture.sum() == 3 * 255 * box[2] * box[3]


def test_blank_pictures_are_alike_and_faint_marks_are_not() -> None:
    white = Image.new("RGB", (48, 48), (250, 250, 250))
    marks = []
    for corner in [(4, 4), (30, 8), (16, 34)]:
        marked = white.copy()
        ImageDraw.Draw(marked).rectangle((*corner, corner[0] + 6, corner[1] + 6), fill=(243, 243, 243))
        marks.append(marked)
    nearly = Image.new("RGB", (48, 48), (249, 249, 249))
    grey = Image.new("RGB", (48, 48), (200, 200, 200))

    assert found_pairs([decoded(image) for image in (white, white, nearly, grey, *marks)]) == {(0, 1), (0, 2)}


def test_many_that_are_alike_are_no_burden() -> None:
    random = np.random.default_rng(0)
    scene = np.asarray(noise(0, (48, 48))).astype(int)
    frames = (scene + random.integers(-3, 4, (600, *scene.shape))).clip(0, 255).astype(np.uint8)

    found = find([(frame, 48, 48) for frame in frames])

    # each with so many others, not with all 599
    assert 600 < len(found.pairs) <= 600 * NEIGHBOURS
    assert (found.pairs[:, 0] < found.pairs[:, 1]).all()


def test_near_duplicates_are_those_that_all_pairs_give() -> None:
    random = np.random.default_rng(0)
    pictures = np.stack([np.asarray(noise(seed, (24, 24))) for seed in range(150)])
    altered = [pictures[number].astype(int) + random.normal(0, 3, pictures[0].shape) for number in range(10)] * 4
    pictures = np.concatenate([pictures, np.stack(altered).clip(0, 255).astype(np.uint8)])
    looks = Looks(pictures, np.tile([0, 0, 24, 24], (len(pictures), 1)))

    found = find_near_duplicates(looks)

    first, second = np.triu_indices(len(pictures), 1)
    all_pairs = np.stack([first, second], axis=1)
    alike = set(map(tuple, all_pairs[looks.closeness(all_pairs) > 0].tolist()))
    distinct = {(a, b) for a, b in alike if found.same[a] == a and found.same[b] == b}
    assert len(distinct) >= 10
    assert set(map(tuple, found.pairs.tolist())) == distinct


def test_cells_are_averages() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1, 30, 50, 3), np.uint8)

    cells = to_cells(picture, np.array([[5, 10, 20, 40]]))

    wanted = picture[0, 5:25, 10:50].reshape(CELLS, 2, CELLS, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(cells.reshape(CELLS, CELLS, 3) / 256, wanted, atol=0.01)
