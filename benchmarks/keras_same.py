"""A recipe that `image-recipes add` writes, in plain Keras: the same network, by `compile` and `fit` alone.

The environment variable AUGMENT=data augments pictures in tf.data, not in the model.
"""

import os

from benchmarks.contender import SEED, Laps, Work, compete
from image_recipes.core.dataset import load_prepared
from image_recipes.models.backbones import unfreeze
from image_recipes.models.backend import keras, tf
from image_recipes.models.build import build_model
from image_recipes.models.keras_classes import is_augmentation
from image_recipes.models.optimizers import build_optimizer
from image_recipes.models.recipe import BACKBONE, load_recipe
from image_recipes.training.fit import list_phases


def main(work: Work, laps: Laps) -> tuple[int, str]:
    """Train, a frozen backbone inside of the model, and then fine-tune, if the recipe does."""
    keras.utils.set_random_seed(SEED)
    recipe, info = load_recipe(work.recipe).with_settings(epochs=work.epochs), load_prepared(work.folder).info
    settings = recipe.settings
    # these would be one more argument of `fit`, and one more layer
    assert not settings.class_weight
    assert not settings.standardize_targets
    (x_train, y_train), validation = work.load("train"), work.load("validation")
    training = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train)).batch(work.batch_size)
    model = build_model(recipe, info)
    if os.environ.get("AUGMENT") == "data":
        augment = keras.Sequential([layer for layer in model.layers if is_augmentation(type(layer).__name__)])
        training = training.map(
            lambda x, y: (tf.cast(augment(tf.cast(x, "float32"), training=True), "uint8"), y),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        model = build_model(recipe.with_settings(augmentation=None), info)
    training = training.prefetch(tf.data.AUTOTUNE)
    end_epoch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: laps.end_epoch(logs[info.task.progress_metric])
    )
    laps.start()
    for number, phase in enumerate(list_phases(settings)):
        if number:
            unfreeze(model.get_layer(BACKBONE))
        optimizer = build_optimizer(phase.optimizer, phase.epochs * len(training), f"{recipe.key}.{phase.key}")
        model.compile(optimizer, info.task.loss, metrics=list(info.task.training_metrics))
        model.fit(training, epochs=phase.epochs, validation_data=validation, verbose=0, callbacks=[end_epoch])
    return model.count_params(), "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


if __name__ == "__main__":
    compete(main, "tensorflow", "keras")
