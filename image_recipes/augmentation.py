"""Which layers of Keras augment: change pictures at random, in training alone."""

from image_recipes.backend import keras

# where Keras keeps the layers that change pictures
PACKAGE = ".image_preprocessing."
# those whose names do not begin with Random
OTHERS = ("AugMix", "RandAugment")


def is_augmentation(class_name: str) -> bool:
    """Tell whether a class of `keras.layers` augments.

    MixUp and CutMix are none: they change labels too. Neither are those that change a
    picture in prediction as well, such as Equalization.
    """
    known = getattr(keras.layers, class_name, None)
    return PACKAGE in getattr(known, "__module__", "") and class_name.startswith(("Random", *OTHERS))
