"""Weights that PyTorch has written, read without PyTorch, and nothing but weights."""

import io
import pickle
import sys
from collections import OrderedDict
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from image_recipes.commands.torch_file import MAGIC, read_torch_file
from image_recipes.core.errors import UserError


@pytest.fixture(autouse=True)
def _torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand for the parts of PyTorch that pickle looks up when it writes."""
    torch, inner = ModuleType("torch"), ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    inner._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", inner)


def _rebuild_tensor_v2(*tensor: Any) -> Any:
    return SimpleNamespace(tensor=tensor)


_rebuild_tensor_v2.__module__ = "torch._utils"


class Stored:
    """A tensor as PyTorch's pickler sees it."""

    def __init__(self, kind: str, key: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.kind, self.key, self.place = kind, key, (offset, shape, strides)

    def __reduce__(self) -> tuple[Any, ...]:
        storage = SimpleNamespace(pid=("storage", getattr(sys.modules["torch"], self.kind), self.key, "cpu", 6, None))
        return _rebuild_tensor_v2, (storage, *self.place, False, OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return getattr(obj, "pid", None)


def write(tensors: Any, storages: dict[str, np.ndarray], magic: int = MAGIC) -> io.BytesIO:
    """Write a file as `torch.save` did before version 1.6."""
    file = io.BytesIO()
    for value in (magic, 1001, {"little_endian": True}, tensors, list(storages)):
        Pickler(file, 2).dump(value)
    for storage in storages.values():
        file.write(len(storage).to_bytes(8, "little") + storage.tobytes())
    file.seek(0)
    return file


NUMBERS = np.arange(6, dtype=np.float32)


def test_arrays_come_out_as_they_were() -> None:
    tensors = OrderedDict(
        plain=Stored("FloatStorage", "a", 0, (2, 3), (3, 1)),
        # kernels are stored transposed: their strides say so
        turned=Stored("FloatStorage", "a", 0, (3, 2), (1, 3)),
        part=Stored("FloatStorage", "a", 4, (2,), (1,)),
        count=Stored("LongStorage", "b", 0, (), ()),
    )

    arrays = read_torch_file(write(tensors, {"a": NUMBERS, "b": np.array([7])}))

    assert list(arrays) == list(tensors)
    assert arrays["plain"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert arrays["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert arrays["part"].tolist() == [4, 5]
    assert (arrays["count"].shape, int(arrays["count"])) == ((), 7)


class Harmful:
    """What a pickle can do when it is opened: call anything."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("harm was done",)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (lambda: write({"x": Harmful()}, {}), "print has no place in a file of weights"),
        (lambda: write({}, {}, magic=5), "does not begin as such a file does"),
        (lambda: io.BytesIO(b"PK\x03\x04 a newer file"), "not a file of weights by PyTorch"),
        (
            lambda: io.BytesIO(write({"x": Stored("FloatStorage", "a", 0, (6,), (1,))}, {"a": NUMBERS}).read()[:-4]),
            "it is cut off",
        ),
        # beyond the end of the storage
        (lambda: write({"x": Stored("FloatStorage", "a", 0, (9, 9), (9, 1))}, {"a": NUMBERS}), "incompatible"),
    ],
    ids=["code", "another file", "a zip file", "cut off", "too large"],
)
def test_anything_else_is_refused(file: Any, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match=message):
        read_torch_file(file())
    assert "harm" not in capsys.readouterr().out
