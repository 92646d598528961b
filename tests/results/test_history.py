"""The training history on disk."""

from pathlib import Path

import pytest

from image_recipes.core.errors import UserError
from image_recipes.results.history import load_history


@pytest.mark.parametrize(
    "content",
    [
        "<<<<<<< HEAD\n",
        "epoch,loss\n1,2\n",
        "",
        # two processes that wrote one history
        "epoch,loss,val_loss\n11,1,1\n1,1,1\n12,1,1\n",
        "epoch,loss,val_loss\n1,1,1\n1,1,1\n",
    ],
)
def test_a_damaged_history_is_named_with_its_stage(content: str, tmp_path: Path) -> None:
    (tmp_path / "mlp.csv").write_text(content, "utf-8")

    with pytest.raises(UserError, match=r"mlp\.csv: missing or damaged: make it by `dvc repro train@mlp`"):
        load_history(tmp_path / "mlp.csv")
