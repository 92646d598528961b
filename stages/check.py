"""Stage `check`: refuse bad params before DVC deletes or trains anything."""

from pathlib import Path

from image_recipes.checks import check_params
from image_recipes.core.files import written_whole
from image_recipes.core.running import run_stage


def main() -> None:
    """Check params.yaml and list the recipes of each dataset."""
    recipes = check_params()
    with written_whole(Path("data/checked")) as folder:
        folder.mkdir()
        # constant, so that what depends on the check reruns only for its own params
        (folder / "ok").write_text("params.yaml is valid\n", "utf-8")
        for dataset, names in recipes.items():
            (folder / f"{dataset}.txt").write_text("\n".join(names) + "\n", "utf-8")


if __name__ == "__main__":
    run_stage(main)
