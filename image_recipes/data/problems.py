"""What is wrong with pictures: printed, written down, and whether it stops a run."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from image_recipes.core.errors import escape
from image_recipes.core.files import choose_quoting
from image_recipes.core.loading import by_stage, load_table, loading

# the kinds of problems, and whether one stops the run
STOPS_RUN = {
    "bad path": True,
    "bad picture": True,
    "bad label": True,
    "two labels": True,
    "same picture": False,
    "near-duplicate": False,
    "large group": False,
    "few pictures": False,
    "flawed file": False,
    "narrow range": False,
}
PRINTED_OF_A_KIND = 5
# with fewer of a class, its splits are left to luck
FEW_PICTURES = 10


class Problem(NamedTuple):
    """Something about a picture that a person should know.

    Attributes:
        path: of the picture, relative to the dataset's folder; of a class, its name; of a narrow
            range, the kind of numbers.
        problem: what kind it is, a key of STOPS_RUN.
        detail: what exactly.
    """

    path: str
    problem: str
    detail: str

    @property
    def line(self) -> str:
        """What is printed of it."""
        return escape(f"{self.path}: {self.detail}")


def print_problems(problems: Sequence[Problem], count: int, raw: str) -> None:
    """Print how many of each kind there are, and the first ones.

    Args:
        problems: all of them.
        count: of the pictures that were looked at.
        raw: the folder that they lie in.
    """
    for kind, number in Counter(problem.problem for problem in problems).items():
        print(f"{raw}: {kind}: {number:,}{f' of {count:,}' if STOPS_RUN[kind] else ''}")
        for problem in [problem for problem in problems if problem.problem == kind][:PRINTED_OF_A_KIND]:
            print(f"  {problem.line}")


def refuse(problems: Sequence[Problem], count: int, raw: str, allowed: float | None) -> str | None:
    """Tell whether problems stop the run.

    Args:
        problems: all of them.
        count: of the pictures that were looked at.
        raw: the folder that they lie in.
        allowed: the share of bad pictures up to which they are skipped; None if one stops.

    Returns:
        Why, with a remedy; None if the run goes on.
    """
    bad = list(dict.fromkeys(problem.path for problem in problems if STOPS_RUN[problem.problem]))
    if not bad:
        return None
    if allowed is not None and len(bad) <= allowed * count:
        print(f"{raw}: {len(bad):,} of {count:,} pictures are skipped")
        return None
    remedy = (
        "fix or remove them, or set on_bad_picture: skip"
        if allowed is None
        else f"max_bad_share allows {allowed:.1%}: fix or remove them, or raise it"
    )
    first = next(problem for problem in problems if STOPS_RUN[problem.problem])
    return f"{raw}: {len(bad):,} of {count:,} pictures cannot be used, such as {first.path} ({first.detail}): {remedy}"


def load_problems(folder: Path) -> list[Problem]:
    """Load what `save_problems` wrote; none where there is no such file, as for pictures that are nobody's own."""
    file = folder / "problems.csv"
    if not file.exists():
        return []
    with loading(file, by_stage(f"prepare@{folder.name}")):
        table = load_table(file, dict.fromkeys(Problem._fields, "text"))
        if not table["problem"].isin(list(STOPS_RUN)).all():
            raise ValueError("it names a problem that there is not")
        return [Problem(*row) for row in table[list(Problem._fields)].itertuples(index=False)]


def save_problems(problems: Sequence[Problem], folder: Path) -> None:
    """Write problems.csv into a folder."""
    table = pd.DataFrame(problems, columns=Problem._fields)
    table.to_csv(folder / "problems.csv", index=False, quoting=choose_quoting(table))
