"""The recipes in JAX: pictures resident, one compiled step, called for each batch.

With the environment variable SCAN=1 a whole epoch is compiled, as a `lax.scan` over its steps.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from benchmarks.contender import SEED, Laps, Work, compete

VALIDATION_BATCH = 1000
# steps of a scan: as for us, one end overlaps the next beginning
UNROLL = 4

# a layer: its first weights, and the function from weights, input and random key to output
Layer = tuple[Callable[[jax.Array, tuple[int, ...]], Any], Callable[[Any, jax.Array, jax.Array | None], jax.Array]]
glorot = jax.nn.initializers.glorot_uniform()


def dense(units: int) -> Layer:
    """Make a dense layer."""
    return (
        lambda key, shape: {"w": glorot(key, (shape[-1], units)), "b": jnp.zeros(units)},
        lambda p, x, key: x @ p["w"] + p["b"],
    )


def conv(filters: int) -> Layer:
    """Make a convolution of 3x3."""

    def apply(p: Any, x: jax.Array, key: jax.Array | None) -> jax.Array:
        return lax.conv_general_dilated(x, p["w"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + p["b"]

    return lambda key, shape: {"w": glorot(key, (3, 3, shape[-1], filters)), "b": jnp.zeros(filters)}, apply


def plain(function: Callable[[jax.Array], jax.Array]) -> Layer:
    """Make a layer without weights."""
    return lambda key, shape: {}, lambda p, x, key: function(x)


def dropout(rate: float) -> Layer:
    """Make a dropout; without a key it does nothing."""

    def apply(p: Any, x: jax.Array, key: jax.Array | None) -> jax.Array:
        return x if key is None else jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)

    return lambda key, shape: {}, apply


def max_pool(x: jax.Array) -> jax.Array:
    """Take the largest of each 2x2 window."""
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


relu, pool, flatten = plain(jax.nn.relu), plain(max_pool), plain(lambda x: x.reshape(len(x), -1))
CNN = [conv(32), relu, pool, conv(32), relu, pool, flatten, dense(256), relu]
LAYERS = {
    "mnist_mlp": [flatten, dense(256), relu, dense(256), relu, dense(256), relu, dense(10)],
    "mnist_cnn": [*CNN, dense(10)],
    "mnist_deep_cnn": [
        *[conv(32), relu, conv(32), relu, pool, dropout(0.25)],
        *[conv(64), relu, conv(64), relu, pool, dropout(0.25)],
        *[flatten, dense(256), relu, dropout(0.5), dense(10)],
    ],
    "dots_mlp": [flatten, dense(256), relu, dense(256), relu, dense(256), dense(1)],
    "dots_cnn": [*CNN, dense(1)],
}
WITH_DROPOUT = {"mnist_deep_cnn"}


def main(work: Work, laps: Laps) -> tuple[int, str]:
    """Train."""
    layers, classification = LAYERS[work.recipe], work.classification
    (x_train, y_train), (x_val, y_val) = work.load("train"), work.load("validation")
    x_train, x_val = (jnp.asarray(x, jnp.float32) / 255 for x in (x_train, x_val))
    y_train, y_val = (jnp.asarray(y) for y in (y_train, y_val))
    optimizer = optax.sgd(work.learning_rate) if classification else optax.adam(work.learning_rate, eps=1e-7)
    count, size = len(x_train), work.batch_size

    def predict(params: Any, x: jax.Array, key: jax.Array | None = None) -> jax.Array:
        for number, ((_, apply), weights) in enumerate(zip(layers, params, strict=True)):
            x = apply(weights, x, None if key is None else jax.random.fold_in(key, number))
        return x

    def loss_of(params: Any, x: jax.Array, y: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        prediction = predict(params, x, key)
        if classification:
            loss = optax.softmax_cross_entropy_with_integer_labels(prediction, y).mean()
            return loss, (prediction.argmax(1) == y).sum()
        return ((prediction[:, 0] - y) ** 2).mean(), jnp.zeros((), jnp.int32)

    # pictures are an argument: an array that a compiled function closes over is copied into it
    def step(pictures: tuple[jax.Array, jax.Array], state: Any, batch: jax.Array) -> Any:
        params, moments, key, total, right = state
        dropout_key = key
        if work.recipe in WITH_DROPOUT:
            key, dropout_key = jax.random.split(key)
        (loss, hits), gradients = jax.value_and_grad(loss_of, has_aux=True)(
            params, pictures[0][batch], pictures[1][batch], dropout_key
        )
        updates, moments = optimizer.update(gradients, moments, params)
        # loss and hits are the figures that Keras keeps for every epoch
        return optax.apply_updates(params, updates), moments, key, total + loss * len(batch), right + hits

    @partial(jax.jit, donate_argnums=1)
    def epoch(pictures: tuple[jax.Array, jax.Array], state: Any, order: jax.Array) -> Any:
        full = count // size * size
        batches = order[:full].reshape(-1, size)
        state, _ = lax.scan(lambda state, batch: (step(pictures, state, batch), None), state, batches, unroll=UNROLL)
        return step(pictures, state, order[full:]) if full < count else state

    @jax.jit
    def score(params: Any, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        prediction = predict(params, x)
        if classification:
            loss = optax.softmax_cross_entropy_with_integer_labels(prediction, y).sum()
            return loss, (prediction.argmax(1) == y).sum()
        loss = ((prediction[:, 0] - y) ** 2).sum()
        return loss, loss

    def validate(params: Any) -> float:
        starts = range(0, len(x_val), VALIDATION_BATCH)
        scores = [score(params, x_val[s : s + VALIDATION_BATCH], y_val[s : s + VALIDATION_BATCH]) for s in starts]
        _, figure = (float(sum(parts)) / len(x_val) for parts in zip(*scores, strict=True))
        return figure

    key, *keys = jax.random.split(jax.random.key(SEED), len(layers) + 1)
    params, shape = [], jax.ShapeDtypeStruct((1, *x_train.shape[1:]), jnp.float32)
    for (init, apply), layer_key in zip(layers, keys, strict=True):
        params.append(init(layer_key, shape.shape))
        shape = jax.eval_shape(lambda p, x, apply=apply: apply(p, x, None), params[-1], shape)
    state = (params, optimizer.init(params), key, jnp.zeros(()), jnp.zeros((), jnp.int32))
    jitted_step = jax.jit(step, donate_argnums=1)
    pictures = (x_train, y_train)
    random = np.random.default_rng(SEED)

    laps.start()
    for _ in range(work.epochs):
        order = random.permutation(count).astype(np.int32)
        if os.environ.get("SCAN") == "1":
            state = epoch(pictures, state, order)
        else:
            for start in range(0, count, size):
                state = jitted_step(pictures, state, order[start : start + size])
        # as Keras does, read what an epoch has come to, and begin the next from zero
        *learned, total, right = state
        float(total), int(right)
        state = (*learned, jnp.zeros(()), jnp.zeros((), jnp.int32))
        laps.end_epoch(validate(state[0]))
    parameters = sum(weight.size for weight in jax.tree.leaves(state[0]))
    return parameters, "cpu" if jax.default_backend() == "cpu" else "gpu"


if __name__ == "__main__":
    compete(main, "jax", "optax")
