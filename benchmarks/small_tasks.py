"""Small tasks of pictures, such as people have: classes and numbers, drawn or cut from what is installed.

Each writes a table beside its pictures: `file`, `label` and `split` (SPLITS pictures of each, or in
proportion where there are fewer).
"""

import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from sklearn.datasets import load_sample_images

from image_recipes.core.errors import UserError

# the test set is larger than a person's would be, so that its figure says more
SPLITS = {"train": 420, "validation": 90, "test": 400}
# above this side, in pixels, pictures are JPEGs
LARGE = 128
MNIST = Path("data/raw/mnist.npz")
FONTS = Path("/usr/share/fonts/truetype/nanum")
ICONS = Path("/usr/share/icons/Adwaita/48x48")
Labelled = tuple[Image.Image, object]


class SmallTask(NamedTuple):
    """A task of the suite.

    Attributes:
        task: its name, as `--task` takes it.
        draw: makes a picture with its label, without end.
        needs: a file or folder without which it is left out.
        flips: whether mirrored pictures keep their label, which the plain script's author knows.
    """

    task: str
    draw: Callable[[np.random.Generator], Iterator[Labelled]]
    flips: bool
    needs: Path | None = None


def write_task(task: SmallTask, folder: Path, seed: int) -> Path:
    """Write a task's pictures and its table.

    Returns:
        The table.

    Raises:
        UserError: what it needs is not installed.
    """
    if task.needs and not task.needs.exists():
        raise UserError(f"{task.needs}: not found")
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    # mixed, so that each split gets its share of pictures that do not suffice
    splits = rng.permutation([name for name, count in SPLITS.items() for _ in range(count)])
    rows = []
    for number, (split, (picture, label)) in enumerate(zip(splits, task.draw(rng), strict=False)):
        # as cameras do; small ones whole, and quickly
        file = f"{number:04}.{'jpg' if max(picture.size) > LARGE else 'png'}"
        picture.save(folder / file, quality=90, compress_level=1)
        rows.append((file, label, split))
    table = folder / "pictures.csv"
    pd.DataFrame(rows, columns=["file", "label", "split"]).to_csv(table, index=False)
    return table


def _noise(rng: np.random.Generator, picture: Image.Image, deviation: float) -> Image.Image:
    values = np.asarray(picture, np.float32)
    grain = rng.standard_normal((*values.shape[:2], *[1] * (values.ndim - 2)), np.float32)
    return Image.fromarray((values + deviation * grain).clip(0, 255).astype(np.uint8))


def _background(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    blotches = rng.normal(rng.integers(110, 190), 14, (height // 8, width // 8, 3)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(blotches).resize((width, height), Image.Resampling.BICUBIC)


def _circle(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: object) -> None:
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)  # type: ignore[arg-type]


OUTLINES = {
    "elm": lambda angle: 0.62 + 0.38 * abs(math.cos(angle)),
    "acer": lambda angle: 0.55 + 0.45 * abs(math.cos(2.5 * angle)),
    "holly": lambda angle: 0.7 + 0.12 * math.sin(7 * angle),
}


def _draw_leaf(rng: np.random.Generator) -> tuple[Image.Image, str, int]:
    width, height = [(640, 480), (480, 640), (800, 600)][rng.integers(3)]
    picture = _background(rng, width, height).filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(picture)
    kind = rng.choice(list(OUTLINES), p=[0.5, 0.35, 0.15])
    x, y = width / 2 + rng.uniform(-60, 60), height / 2 + rng.uniform(-50, 50)
    radius, turn = rng.uniform(110, 190), rng.uniform(0, 2 * math.pi)
    angles = np.linspace(0, 2 * math.pi, 240, endpoint=False)
    reach = [radius * OUTLINES[kind](angle) for angle in angles]
    outline = [
        (x + r * math.cos(angle + turn), y + 0.85 * r * math.sin(angle + turn))
        for r, angle in zip(reach, angles, strict=True)
    ]
    draw.polygon(outline, fill=tuple(map(int, rng.integers((40, 90, 20), (110, 160, 70)))))
    spots = int(rng.integers(0, 40))
    for _ in range(spots):
        angle, distance = rng.uniform(0, 2 * math.pi), radius * 0.5 * math.sqrt(rng.uniform())
        _circle(draw, x + distance * math.cos(angle), y + distance * math.sin(angle), rng.uniform(4, 8), (120, 70, 20))
    return _noise(rng, picture, 9), str(kind), spots


def _leaf_kinds(rng: np.random.Generator) -> Iterator[Labelled]:
    while True:
        picture, kind, _ = _draw_leaf(rng)
        yield picture, kind


def _leaf_spots(rng: np.random.Generator) -> Iterator[Labelled]:
    while True:
        picture, _, spots = _draw_leaf(rng)
        yield picture, spots


def _digits(rng: np.random.Generator) -> Iterator[Labelled]:
    with np.load(MNIST) as arrays:
        images, labels = arrays["x_train"], arrays["y_train"]
    for place in rng.permutation(len(images)):
        yield Image.fromarray(images[place]), f"digit {labels[place]}"


def _dots(rng: np.random.Generator) -> Iterator[Labelled]:
    while True:
        throws = int(rng.integers(0, 256))
        cells = np.zeros(256, np.uint8)
        cells[rng.integers(0, 256, throws)] = 255
        yield Image.fromarray(cells.reshape(16, 16)), throws


def _syllables(rng: np.random.Generator) -> Iterator[Labelled]:
    fonts = sorted(FONTS.glob("*.ttf"))
    syllables = "가나다라마바사아자차카타파하거너더러"
    while True:
        syllable = syllables[rng.integers(len(syllables))]
        font = ImageFont.truetype(fonts[rng.integers(len(fonts))], int(rng.integers(28, 48)))
        paper, ink = int(rng.integers(170, 255)), int(rng.integers(0, 90))
        picture = Image.new("L", (64, 64), paper)
        place = (32 + rng.uniform(-6, 6), 32 + rng.uniform(-6, 6))
        ImageDraw.Draw(picture).text(place, syllable, fill=ink, font=font, anchor="mm")
        turned = picture.rotate(rng.uniform(-12, 12), Image.Resampling.BILINEAR, fillcolor=paper)
        yield _noise(rng, turned, 12), syllable


def _icons(rng: np.random.Generator) -> Iterator[Labelled]:
    folders = ("actions", "devices", "places", "status", "mimetypes")
    files = [file for folder in folders for file in sorted((ICONS / folder).glob("*.png"))]
    seen = set()
    for place in rng.permutation(len(files)):
        with Image.open(files[place]) as icon:
            picture = Image.new("RGBA", icon.size, "white")
            picture.alpha_composite(icon.convert("RGBA"))
        # some lie in several folders, under several names
        if picture.tobytes() not in seen:
            seen.add(picture.tobytes())
            yield picture.convert("RGB"), files[place].parent.name


def _photograph_patches(rng: np.random.Generator) -> Iterator[Labelled]:
    photographs = load_sample_images().images
    while True:
        photograph = photographs[rng.integers(len(photographs))]
        height, width, _ = photograph.shape
        top, left = int(rng.integers(height - 40)), int(rng.integers(width - 40))
        yield Image.fromarray(photograph[top : top + 40, left : left + 40]), top


def _panels(rng: np.random.Generator) -> Iterator[Labelled]:
    """Draw solar panels, whose label is the share of the area that dirt covers, in percent."""
    while True:
        width, height = 320, 240
        blue = np.array([20, 35, 80]) + rng.integers(-10, 30)
        picture = Image.new("RGB", (width, height), tuple(map(int, blue)))
        lines = ImageDraw.Draw(picture)
        for place in range(0, width, 40):
            lines.line([(place, 0), (place, height)], fill=(150, 155, 165), width=2)
            lines.line([(0, place), (width, place)], fill=(150, 155, 165), width=2)
        dirt = Image.new("L", (width, height))
        draw = ImageDraw.Draw(dirt)
        for _ in range(rng.integers(0, 40)):
            _circle(draw, rng.uniform(0, width), rng.uniform(0, height), rng.uniform(4, 26), 255)
        covered = np.asarray(dirt) > 0
        brown = tuple(map(int, rng.integers((90, 80, 50), (150, 130, 90))))
        picture.paste(Image.new("RGB", picture.size, brown), mask=dirt.filter(ImageFilter.GaussianBlur(2)))
        light = np.asarray(picture, np.float32) * rng.uniform(0.6, 1.3)
        panel = _noise(rng, Image.fromarray(light.clip(0, 255).astype(np.uint8)), 10)
        yield panel.resize((112, 84), Image.Resampling.LANCZOS), round(100 * covered.mean(), 2)


def _gauges(rng: np.random.Generator) -> Iterator[Labelled]:
    """Draw round gauges, whose label is what the pointer shows: a mirrored one shows something else."""
    while True:
        side = 200
        picture = _background(rng, side, side)
        draw = ImageDraw.Draw(picture)
        x, y, radius = 100 + rng.uniform(-12, 12), 100 + rng.uniform(-12, 12), rng.uniform(60, 80)
        _circle(draw, x, y, radius, (235, 235, 225))
        for tick in range(11):
            angle = math.radians(135 + 27 * tick)
            ends = [(x + r * math.cos(angle), y + r * math.sin(angle)) for r in (0.85 * radius, 0.97 * radius)]
            draw.line(ends, fill=(30, 30, 30), width=3)
        value = rng.uniform(0, 100)
        angle = math.radians(135 + 2.7 * value)
        draw.line([(x, y), (x + 0.8 * radius * math.cos(angle), y + 0.8 * radius * math.sin(angle))], (180, 20, 20), 4)
        yield _noise(rng, picture, 10).resize((112, 112), Image.Resampling.LANCZOS), round(value, 1)


def _microbes(rng: np.random.Generator) -> Iterator[Labelled]:
    """Draw grey pictures of microbes that are alike but for the shape: rods, cocci, chains of them, spirals."""
    while True:
        kind = str(rng.choice(["rods", "cocci", "chains", "spirals"], p=[0.4, 0.3, 0.2, 0.1]))
        width, height = 256, 192
        picture = _background(rng, width, height).convert("L")
        draw = ImageDraw.Draw(picture)
        ink = int(rng.integers(40, 90))
        for _ in range(rng.integers(5, 15)):
            x, y, turn = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0, 2 * math.pi)
            steps = np.arange(-8, 9)
            if kind == "rods":
                bend = np.zeros(17)
            elif kind == "spirals":
                bend = 4 * np.sin(steps * 1.2)
            else:
                chain = 4 if kind == "chains" else 1
                steps, bend = np.arange(chain) * 8, np.zeros(chain)
            across = (
                x + steps * math.cos(turn) - bend * math.sin(turn),
                y + steps * math.sin(turn) + bend * math.cos(turn),
            )
            for place in zip(*across, strict=True):
                _circle(draw, *place, 4.5 if kind in ("cocci", "chains") else 2.5, ink)
        yield _noise(rng, picture, 12), kind


SMALL_TASKS = {
    "leaf_kinds": SmallTask("classification", _leaf_kinds, flips=True),
    "leaf_spots": SmallTask("regression", _leaf_spots, flips=True),
    "digits": SmallTask("classification", _digits, flips=False, needs=MNIST),
    "dots": SmallTask("regression", _dots, flips=True),
    "syllables": SmallTask("classification", _syllables, flips=False, needs=FONTS),
    "icons": SmallTask("classification", _icons, flips=False, needs=ICONS),
    "patches": SmallTask("regression", _photograph_patches, flips=False),
    "panels": SmallTask("regression", _panels, flips=True),
    "gauges": SmallTask("regression", _gauges, flips=False),
    "microbes": SmallTask("classification", _microbes, flips=True),
}

if __name__ == "__main__":
    for chosen in sys.argv[2:] or SMALL_TASKS:
        print(write_task(SMALL_TASKS[chosen], Path(sys.argv[1]) / chosen, seed=0))
