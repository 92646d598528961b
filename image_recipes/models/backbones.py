"""What a model may begin with: a network that ImageNet's weights exist for, or what another recipe has trained."""

import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from image_recipes.core.errors import UserError, did_you_mean, one_line
from image_recipes.models import efficientnet_lite
from image_recipes.models.backend import keras
from image_recipes.models.keras_classes import is_augmentation
from image_recipes.models.recipe import BACKBONE, HEAD, RANDOM, Layer, Recipe, check_loads_weights
from image_recipes.models.saving import check_weights, load_model

# in place of a class: the layers of another recipe's model
TRAINED = "Trained"
# arguments that decide the network's shape and head, so that they are not the user's to choose
FIXED_ARGUMENTS = {
    "include_top",
    "weights",
    "input_tensor",
    "input_shape",
    "classes",
    "classifier_activation",
    "pooling",
}


def is_backbone(layer: Layer) -> bool:
    """Tell whether a layer of an architecture names a whole network to begin with."""
    return layer.class_name == TRAINED or layer.class_name in networks()


def networks() -> dict[str, Callable[..., keras.Model]]:
    """Return the functions of `keras.applications`, and those of EfficientNet-Lite, by name."""
    applications = {
        name: member
        for name, member in vars(keras.applications).items()
        if inspect.isfunction(member) and name[0].isupper()
    }
    return applications | efficientnet_lite.NETWORKS


def backbone_place(layers: Sequence[Layer]) -> int | None:
    """Return the number of the layer that names a whole network; None if none does."""
    return next((number for number, layer in enumerate(layers) if is_backbone(layer)), None)


def make_backbone(recipe: Recipe, place: int, image_shape: tuple[int, int, int]) -> keras.Model:
    """Make the network that an architecture begins with, its own preparation of pictures inside.

    One that brings weights is frozen. It computes as in prediction even when it is trained on: no
    dropout inside, and batch normalization goes by its stored figures (see `unfreeze`), as Keras's
    guide to transfer learning has it.

    Args:
        recipe: one of its layers is the name of a network (see `networks`) with its arguments, which
            starts from a file of weights without those of the top, or `Trained`, which starts
            from a model file; or either from RANDOM.
        place: that layer's number.
        image_shape: height, width and channels of what it takes.

    Returns:
        A model of float32 pictures (batch, H, W, C), values 0-255, named `backbone`.

    Raises:
        UserError: it does not suit the pictures, its arguments or its file.
    """
    pictures = keras.Input(image_shape, dtype="float32", name="pictures")
    make = _trained if recipe.layers[place].class_name == TRAINED else _network
    backbone = keras.Model(pictures, make(recipe, place, pictures), name=BACKBONE)
    backbone.trainable = recipe.settings.start_from == RANDOM
    return backbone


def unfreeze(backbone: keras.Model) -> None:
    """Make a backbone that brought weights trainable, except its batch normalization."""
    backbone.trainable = True
    for layer in list_leaves(backbone.layers):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def list_leaves(layers: Iterable[keras.layers.Layer]) -> Iterator[keras.layers.Layer]:
    """List layers, with those of each model among them in its place."""
    for layer in layers:
        yield from list_leaves(layer.layers) if isinstance(layer, keras.Model) else [layer]


def _network(recipe: Recipe, place: int, pictures: keras.KerasTensor) -> keras.KerasTensor:
    name, arguments = recipe.layers[place]
    start_from, key = recipe.settings.start_from, f"{recipe.architecture_key}.{place}"
    make = networks()[name]
    takes = set(inspect.signature(make).parameters) - FIXED_ARGUMENTS
    for argument in arguments:
        if argument not in takes:
            raise UserError(f"{key}: {name} takes no argument {argument!r} here: {did_you_mean(argument, takes)}")
    _, height, width, channels = pictures.shape
    try:
        with _dtype_policy(recipe.settings.precision):
            network = make(include_top=False, weights=None, input_shape=(height, width, 3), **arguments)
    except Exception as error:  # Keras says so if pictures are too small for it
        raise UserError(
            f"{key}: {name} cannot be made for pictures of {height}x{width}: {one_line(error)}: if they are too small, "
            "put a layer in front of it that makes them larger, such as Resizing: {height: 96, width: 96}"
        ) from None
    if start_from != RANDOM:
        check_loads_weights(name, key)
        if not Path(start_from).exists():
            raise UserError(
                f"{start_from}: not found: get it by `dvc pull`, or store it by `image-recipes weights {name}`"
            )
        try:
            with Path(start_from).open("rb") as stored:
                check_weights(stored, start_from, Path(start_from).stat().st_size)
            with warnings.catch_warnings():
                # that weights are left as they were is but a warning
                warnings.simplefilter("error")
                network.load_weights(start_from)
        except Exception as error:  # a damaged file, or another network's, fails in h5py or Keras
            raise UserError(
                f"{start_from}: does not hold the weights of {name} with {arguments or 'its defaults'}, without "
                f"its top: {one_line(error)[:200]}"
            ) from None
    colours = keras.layers.Concatenate(name="colours")([pictures] * 3) if channels == 1 else pictures
    # in the module that keras.applications names after the network
    prepared = sys.modules[make.__module__].preprocess_input(colours)  # type: ignore[attr-defined]
    return network(prepared, training=None if start_from == RANDOM else False)


@contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    # the functions of keras.applications take no dtype
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _trained(recipe: Recipe, place: int, pictures: keras.KerasTensor) -> keras.KerasTensor:
    start_from, key = recipe.settings.start_from, f"{recipe.architecture_key}.{place}"
    if recipe.layers[place].arguments:
        raise UserError(f"{key}: {TRAINED} takes no arguments: start_from in the recipe names the model")
    if not start_from.endswith(".keras"):
        raise UserError(f"{key}: {TRAINED} needs a model: set the recipe's start_from, such as models/mnist_cnn.keras")
    model = load_model(Path(start_from))
    names = [layer.name for layer in model.layers]
    values = pictures
    for known in model.layers[: names.index(HEAD) if HEAD in names else None]:
        # what works in training alone is for the new recipe to say
        if isinstance(known, keras.layers.Dropout) or is_augmentation(type(known).__name__):
            continue
        fixed = {"training": False} if "training" in inspect.signature(known.call).parameters else {}
        try:
            values = known(values, **fixed)
        except Exception as error:  # whatever Keras raises where shapes do not fit
            raise UserError(
                f"{start_from}: its layer {known.name} does not fit pictures of shape {tuple(pictures.shape[1:])}: "
                f"{one_line(error)[:200]}"
            ) from None
    return values
