"""What `predict --rank-unlabelled` is worth: MNIST from 200 pictures, and 200 more that are chosen in several ways."""

import argparse
import contextlib
import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.machine import describe_machine
from benchmarks.pictures import prepare_for_benchmark
from benchmarks.results import save_rows, save_table
from image_recipes.commands.predict_rank import RANKING, rank_pictures
from image_recipes.core.dataset import Prepared, Subset, load_prepared, load_split
from image_recipes.core.running import exit_on_user_error
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.models.recipe import load_recipe

if TYPE_CHECKING:
    import keras

FIRST, MORE, POOL = 200, 200, 4_000
VALIDATION = 200
EPOCHS, BATCH_SIZE = 30, 32
# of noise on copies, in levels of grey
NOISE = 12
# copies of each picture in the pool, and seeds
POOLS = {1: 4, 5: 3}

# outputs (N, classes) and embeddings (N, d) of the pool, embeddings of the first (n, d), and a seed
Choose = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]


def _spread(embeddings: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Choose by greedy k-center: what is farthest from all that is known."""
    squares = (embeddings**2).sum(axis=1)
    distances = np.full(len(embeddings), np.inf)
    chosen: list[int] = []
    for centre in known:
        distances = np.minimum(distances, squares - 2 * embeddings @ centre + (centre**2).sum())
    for _ in range(MORE):
        best = int(distances.argmax())
        chosen.append(best)
        distances = np.minimum(distances, squares - 2 * embeddings @ embeddings[best] + squares[best])
        distances[chosen] = -1
    return np.array(chosen)


WAYS: Mapping[str, Choose] = {
    "at random": lambda outputs, embeddings, known, seed: np.random.default_rng(seed).permutation(len(outputs))[:MORE],
    "by rank": lambda outputs, embeddings, known, seed: np.array(
        rank_pictures(outputs, embeddings, CLASSIFICATION, "net")[:MORE]
    ),
    "least sure alone": lambda outputs, embeddings, known, seed: np.argsort(-RANKING[CLASSIFICATION].weigh(outputs))[
        :MORE
    ],
    "most different alone": lambda outputs, embeddings, known, seed: _spread(embeddings, known),
}


def main() -> None:
    """Try each way over seeds, and write benchmarks/results/ranking.json and ranking.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed each")
    quick = parser.parse_args().quick
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        prepare_for_benchmark("mnist", Path(folder))
        for copies, seeds in POOLS.items():
            for seed in range(1 if quick else seeds):
                row = {"copies": copies, "seed": seed, **try_ways(Path(folder), copies, seed)}
                rows.append(row | {"machine": describe_machine()})
                print(rows[-1], flush=True)
    name = "ranking-quick" if quick else "ranking"
    save_rows(rows, name)
    print(save_table(tabulate(rows), name))


def try_ways(folder: Path, copies: int, seed: int) -> dict[str, float]:
    """Train on the first pictures, and with more from a pool of noisy copies; return each way's test accuracy."""
    from image_recipes.evaluation.inference import predict
    from image_recipes.models.embedding import add_embedding

    prepared = load_prepared(folder)
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(load_split(folder / "split", "train"))
    pool = np.repeat(chosen[FIRST : FIRST + POOL // copies], copies)
    places = np.concatenate([chosen[:FIRST], pool])
    pixels = prepared.images[places].astype(np.int16)
    if copies > 1:
        pixels[FIRST:] += rng.integers(-NOISE, NOISE + 1, pixels[FIRST:].shape, np.int16)
    mine = Prepared(pixels.clip(0, 255).astype(np.uint8), prepared.targets[places], prepared.info)
    test = prepared.subset(load_split(folder / "split", "test"))

    def score(positions: np.ndarray, seed: int) -> tuple[float, tuple[np.ndarray, np.ndarray]]:
        model = _train(mine, positions, prepared.subset(load_split(folder / "split", "validation")[:VALIDATION]), seed)
        right = predict(model, test).argmax(axis=1) == test.targets
        return float(right.mean()), add_embedding(model).predict(mine.images, verbose=0)

    figures = {}
    first = np.arange(FIRST)
    figures["first"], (embeddings, outputs) = score(first, seed)
    for way, choose in WAYS.items():
        more = FIRST + choose(outputs[FIRST:], embeddings[FIRST:], embeddings[:FIRST], seed)
        # other first weights, the same for each way
        figures[way], _ = score(np.concatenate([first, more]), seed + 100)
    return figures


def _train(prepared: Prepared, positions: np.ndarray, validation: Subset, seed: int) -> "keras.Model":
    from image_recipes.training.fit import train_recipe

    recipe = load_recipe("mnist_fast").with_settings(epochs=EPOCHS, batch_size=BATCH_SIZE)
    with contextlib.redirect_stderr(io.StringIO()):
        return train_recipe(
            recipe, prepared.info, {"train": prepared.subset(positions), "validation": validation}, seed
        ).model


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Set the means of all ways side by side, as texts."""
    table = pd.DataFrame(rows).groupby("copies")[["first", *WAYS]].mean()
    return table.map(lambda value: f"{value:.4f}").reset_index()


if __name__ == "__main__":
    exit_on_user_error(main)
