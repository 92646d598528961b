"""The Korean of the demo's page."""

import io
import re
from collections.abc import Callable

import numpy as np
import pytest
import tifffile
from PIL import Image

from image_recipes.commands.by_task import COMMANDS
from image_recipes.commands.demo_texts import TEMPLATES, both, read_labels, translate
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.data.decode import Region, Shape, decode
from image_recipes.data.picture_files import BadPictureError
from pictures import noise

WHOLE = Region(left=0, top=0, right=1, bottom=1)


def encode(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def as_tiff(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, planarconfig="contig" if values.ndim == 3 else None)
    return stream.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "text": lambda: b"no picture",
    "page": lambda: b"<!DOCTYPE html><html></html>",
    "lfs": lambda: b"version https://git-lfs.github.com/spec/v1\n",
    "cut png": lambda: encode(noise(1), "PNG")[:500],
    "cut jpeg": lambda: encode(noise(1, (400, 300)), "JPEG")[:3000],
    "no end": lambda: encode(noise(1), "JPEG")[:-2],
    "bytes before": lambda: b"\n" + encode(noise(1), "PNG"),
    "transparent": lambda: encode(Image.new("RGBA", (20, 20)), "PNG"),
    "floats": lambda: as_tiff(np.ones((20, 20), np.float32)),
    "32 bits": lambda: as_tiff(np.full((20, 20), 2**20, np.uint32)),
    "bands": lambda: as_tiff(np.zeros((20, 20, 6), np.uint8)),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_wrong_with_a_file_is_said_in_korean(name: str) -> None:
    try:
        said = decode(FILES[name](), Shape(8, 8, 1, "pad", WHOLE)).flaw
    except BadPictureError as error:
        said = str(error)

    assert said
    assert re.search("[가-힣]", translate(said))


def test_every_column_and_description_of_an_answer_has_korean() -> None:
    infos = [
        DatasetInfo(task, classes, unit, [28, 28, 1], {}, "")
        for task, classes, unit in [
            (CLASSIFICATION, ["a", "b"], None),
            (REGRESSION, None, "cm"),
            (REGRESSION, None, None),
        ]
    ]
    texts = [COMMANDS[info.task].describe_output(info) for info in infos]
    texts += [column.replace("_", " ") for commands in COMMANDS.values() for column in commands.answer_columns]

    assert [text for text in texts if not re.search("[가-힣]", translate(text))] == []


def test_every_text_and_label_of_the_page_has_korean() -> None:
    page = (TEMPLATES.parent / "demo_page.py").read_text("utf-8")
    sources = page + "".join(file.read_text("utf-8") for file in TEMPLATES.glob("*.jinja"))
    texts = re.findall(r'both\("(.*?)"\)', sources)

    assert texts
    assert [text for text in texts if translate(text) == text] == []
    assert set(re.findall(r'label\("(.*?)"\)', page)) == set(read_labels())


def test_what_nobody_has_translated_stays_and_is_escaped() -> None:
    assert both("<b>") == '<span lang="en">&lt;b&gt;</span><span lang="ko">&lt;b&gt;</span>'
