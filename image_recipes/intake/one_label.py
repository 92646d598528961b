"""One label for each picture: columns of zeros and ones made one, several labels refused."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION

# two labels in one cell
LABEL_SEPARATORS = (";", "|", ",", " ")
# several such columns of zeros and ones are classes
ONE_HOT_LEAST = 2


def find_one_hot(table: pd.DataFrame, others: Sequence[str]) -> list[str]:
    """Find columns of zeros and ones, a class each; none if the table has other columns too."""
    left = [name for name in table.columns if name not in others and name]
    hot = [name for name in left if set(table[name]) <= {"0", "1", "0.0", "1.0"}]
    return hot if len(hot) >= ONE_HOT_LEAST and len(hot) == len(left) else []


def read_one_hot(table: pd.DataFrame, columns: Sequence[str], where: str) -> pd.Series:
    """Make one column of classes of columns of zeros and ones.

    Raises:
        UserError: a picture has two classes.
    """
    hot = table[list(columns)].astype(float) > 0
    count = hot.sum(axis=1)
    if (count > 1).any():
        line = count.index[count > 1][0]
        raise UserError(
            f"{where}: line {line}: {', '.join(hot.columns[hot.loc[line]])}: several classes of one picture: this is "
            "multi-label, which is not supported: name one of the columns by --target, to learn yes or no"
        )
    return hot.idxmax(axis=1).where(count == 1, "")


def check_one_label(texts: pd.Series, where: str, column: str) -> None:
    """Refuse cells that hold several labels.

    Raises:
        UserError: so it is.
    """
    cells = texts.unique()
    for separator in LABEL_SEPARATORS:
        parts = {cell: [part.strip() for part in cell.split(separator) if part.strip()] for cell in cells}
        several = [cell for cell, labels in parts.items() if len(labels) > 1]
        used = Counter(label for labels in parts.values() for label in set(labels))
        recurring = sum(count > 1 for count in used.values())
        sizes = {len(labels) for labels in parts.values()}
        # labels recur in other company; of words between blanks much more is asked, since names have several
        if separator == " ":
            found = len(sizes) > 2 and len(cells) > 2 * len(used) and recurring >= 0.8 * len(used)
        else:
            found = len(several) > 1 and len(sizes) > 1 and len(used) < len(cells) and recurring >= 0.5 * len(used)
        if found:
            raise UserError(
                f"{where}: {column!r} holds several labels in one cell, such as {several[0]!r}: this is multi-label, "
                f"which is not supported: give one label for each picture, or say --task {CLASSIFICATION.name} if a "
                "cell is one class"
            )
