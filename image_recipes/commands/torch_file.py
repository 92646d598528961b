"""Reading arrays from a file that PyTorch wrote before version 1.6, without PyTorch.

Such a file holds five pickles in a row: a magic number, a protocol, facts on the system, the tensors
by name, and the keys of their storages; then, for each key, the storage: its length and its numbers.
"""

import pickle
from collections import OrderedDict
from typing import IO, Any, NamedTuple

import numpy as np

from image_recipes.core.errors import UserError

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES: dict[str, np.dtype] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Tensor(NamedTuple):
    storage: tuple[Any, ...]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


# what such files name, and nothing else: a pickle may call whatever it can name
KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): lambda *tensor: _Tensor(*tensor[:4]),
    **{("torch", name): name for name in DTYPES},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights") from None

    def persistent_load(self, pid: Any) -> Any:
        return pid


def read_torch_file(file: IO[bytes]) -> dict[str, np.ndarray]:
    """Read all arrays of a file.

    Args:
        file: open for reading.

    Returns:
        The arrays by name, in the file's order, float32 or int64.

    Raises:
        UserError: it is no such file, is cut off, or asks for more than arrays.
    """
    try:
        pickles: list[Any] = [_Unpickler(file).load() for _ in range(5)]
        magic, _, _, tensors, keys = pickles
        if magic != MAGIC:
            raise ValueError("it does not begin as such a file does")
        dtypes = {tensor.storage[2]: DTYPES[tensor.storage[1]] for tensor in tensors.values()}
        storages = {key: _read_storage(file, dtypes[key]) for key in keys}
        return {name: _as_array(tensor, storages[tensor.storage[2]]) for name, tensor in tensors.items()}
    except Exception as error:  # a file of another kind fails in as many ways as pickle knows
        raise UserError(f"{getattr(file, 'name', 'weights')}: not a file of weights by PyTorch: {error}") from None


def _read_storage(file: IO[bytes], dtype: np.dtype) -> np.ndarray:
    size = int.from_bytes(file.read(8), "little") * dtype.itemsize
    content = file.read(size)
    if len(content) != size:
        raise ValueError("it is cut off")
    return np.frombuffer(content, dtype)


def _as_array(tensor: _Tensor, storage: np.ndarray) -> np.ndarray:
    size = storage.itemsize
    # checks that the strides stay inside, which `as_strided` does not
    array = np.ndarray(
        tensor.shape, storage.dtype, storage, tensor.offset * size, [stride * size for stride in tensor.strides]
    )
    return np.array(array, order="C")
