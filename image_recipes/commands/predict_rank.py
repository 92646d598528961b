"""`image-recipes predict --rank-unlabelled`: which pictures would teach a model most, if they were labelled?"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from image_recipes.commands.predict_output import Row
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task

if TYPE_CHECKING:
    from sklearn.random_projection import GaussianRandomProjection

# so many are chosen one by one, each unlike those before; nobody labels more at once, and time grows with them
CHOSEN_ONE_BY_ONE = 1_000
# more features of a picture, such as those of a Flatten layer, are projected to fewer, which keeps distances
MOST_FEATURES, PROJECTED_FEATURES = 2_048, 256


class RankingOfTask(NamedTuple):
    """How pictures are ranked for a task.

    Attributes:
        said: what the ranking goes by.
        weigh: how unsure a model is of each picture, (N,), from its outputs (N, units).
        scale: makes embeddings, (N, d), comparable.
    """

    said: str
    weigh: Callable[[np.ndarray], np.ndarray]
    scale: Callable[[np.ndarray], np.ndarray]


def _closeness_of_best(outputs: np.ndarray) -> np.ndarray:
    second, best = np.sort(outputs, axis=1)[:, -2:].T
    return 1 - (best - second)


def _to_unit_length(embeddings: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings / np.maximum(lengths, np.finfo(np.float32).tiny)


RANKING: Mapping[Task, RankingOfTask] = {
    CLASSIFICATION: RankingOfTask(
        "first what the model is least sure of (its two most probable classes are close) and what is unlike the "
        "pictures before it",
        _closeness_of_best,
        _to_unit_length,
    ),
    REGRESSION: RankingOfTask(
        "first what is most unlike the pictures before it: a number says nothing of how sure the model is. Expect "
        "more than of a choice at random only where many pictures are alike",
        lambda outputs: np.ones(len(outputs)),
        lambda embeddings: embeddings,
    ),
}


class Ranking:
    """Pictures that are predicted one after the other, to be put in order.

    Args:
        task: of the model.
        name: the model's, for errors.
    """

    def __init__(self, task: Task, name: str) -> None:
        self._task, self._name = task, name
        self._outputs: list[np.ndarray] = []
        self._embeddings: list[np.ndarray] = []
        self._projection: GaussianRandomProjection | None = None

    def add(self, output: np.ndarray | None, embedding: np.ndarray | None) -> None:
        """Add a picture's output, (units,), and embedding, (d,).

        Raises:
            UserError: the model has no embedding.
        """
        if output is None or embedding is None:
            raise UserError(
                f"--rank-unlabelled: {self._name}: the model was built elsewhere: train one here by a recipe"
            )
        self._outputs.append(output)
        self._embeddings.append(self._project(embedding) if len(embedding) > MOST_FEATURES else embedding)

    def _project(self, embedding: np.ndarray) -> np.ndarray:
        from sklearn.random_projection import GaussianRandomProjection

        if self._projection is None:
            self._projection = GaussianRandomProjection(PROJECTED_FEATURES, random_state=0).fit(embedding[np.newaxis])
        return self._projection.transform(embedding[np.newaxis])[0].astype(np.float32)

    def sort(self, rows: Sequence[Row]) -> list[Row]:
        """Put the rows of these pictures in order, numbered by `rank` from 1, and say on standard error by what.

        Raises:
            UserError: the model has diverged.
        """
        order = rank_pictures(np.stack(self._outputs), np.stack(self._embeddings), self._task, self._name)
        print(f"ranked: {RANKING[self._task].said}", file=sys.stderr)
        return [{"rank": place, **rows[number]} for place, number in enumerate(order, 1)]


def rank_pictures(outputs: np.ndarray, embeddings: np.ndarray, task: Task, name: str) -> list[int]:
    """Rank pictures by how much they would teach a model.

    Each is the one with the greatest product of how unsure the model is of it and how far its embedding lies
    from the nearest of those before: uncertainty as in margin sampling, diversity as in greedy k-center (Sener
    and Savarese 2018). After the first 1,000, the order is that of this product then.

    Args:
        outputs: of the model, (N, units).
        embeddings: float32, (N, d).
        task: of the model.
        name: the model's, for the error.

    Returns:
        N positions, the first teaches most.

    Raises:
        UserError: there are figures that are no numbers.
    """
    if not (np.isfinite(outputs).all() and np.isfinite(embeddings).all()):
        raise UserError(f"{name}: its outputs are not finite, since its training has diverged: train it again")
    weights, points = RANKING[task].weigh(outputs), RANKING[task].scale(embeddings)
    squares = (points**2).sum(axis=1)
    distances, left = np.ones(len(points)), np.ones(len(points), bool)
    chosen: list[int] = []
    for _ in range(min(len(points), CHOSEN_ONE_BY_ONE)):
        best = int(np.argmax(np.where(left, weights * distances, -1)))
        left[best] = False
        # rounding can fall below zero
        to_best = np.sqrt(np.maximum(squares + squares[best] - 2 * points @ points[best], 0))
        distances = np.minimum(distances, to_best) if chosen else to_best
        chosen.append(best)
    rest = np.flatnonzero(left)
    return [*chosen, *rest[np.argsort(-(weights * distances)[rest], kind="stable")].tolist()]
