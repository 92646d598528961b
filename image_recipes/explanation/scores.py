"""How much speaks for a model's answer: the score of the class that it predicts, or its number."""

from image_recipes.models.backend import keras, tf
from image_recipes.models.recipe import HEAD


def answer_with_scores(model: keras.Model) -> keras.Model:
    """Have a model's head answer with what its softmax would take, and return the model.

    Probabilities near 1 hardly change, whatever a picture shows.
    """
    model.get_layer(HEAD).activation = keras.activations.linear
    return model


def pick_answers(outputs: tf.Tensor) -> tf.Tensor:
    """Return the places of the answers, (N,), in outputs (N, units): that of the class predicted, or 0 of a number."""
    return tf.argmax(outputs, axis=-1)


def pick_scores(outputs: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
    """Return the scores of these answers, (N,), in outputs (N, units)."""
    return tf.gather(outputs, answers, batch_dims=1)
