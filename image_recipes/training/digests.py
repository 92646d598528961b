"""Digests by which what was computed before is found again: of models, of pictures, and of a training as a whole."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

import image_recipes
from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.models.backend import keras
from image_recipes.models.recipe import Recipe

PICTURES_HASHED_AT_ONCE = 256
# float results may differ between their versions
PACKAGES = ("keras", "tensorflow", "numpy")
# of this package, what a training's result depends on; stage `train` of dvc.yaml has the same
TRAINING_CODE = ("core", "models", "training")


def digest_model(model: keras.Model) -> str:
    """Return a digest of a model's architecture and weights, and of the versions that compute by them."""
    digest = hashlib.sha256(json.dumps([model.get_config(), _versions()], default=str).encode())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()


def digest_pictures(pictures: Subset, start: str = "") -> str:
    """Return a digest of pictures in their order, without their targets, that begins with a text."""
    digest = hashlib.sha256(f"{start} {len(pictures)} {pictures.picture_shape}".encode())
    for first in range(0, len(pictures), PICTURES_HASHED_AT_ONCE):
        digest.update(pictures.read(slice(first, first + PICTURES_HASHED_AT_ONCE)).data)
    return digest.hexdigest()[:32]


def digest_training(recipe: Recipe, info: DatasetInfo, seed: int) -> str:
    """Return a digest of all that a training depends on, but its pictures and the weights it starts from."""
    depends = [repr(recipe), {**info.to_json(), "parts": {}}, seed, _versions()]
    digest = hashlib.sha256(json.dumps(depends).encode())
    package = Path(image_recipes.__file__).parent
    for file in sorted(file for folder in TRAINING_CODE for file in (package / folder).rglob("*.py")):
        digest.update(f"{file.relative_to(package)} ".encode() + file.read_bytes())
    return digest.hexdigest()[:32]


def _versions() -> list[str]:
    return [version(package) for package in PACKAGES]
