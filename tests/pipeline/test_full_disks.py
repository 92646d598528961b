"""A full disk ends a stage with the name of what could not be written, and leaves what was there."""

import pytest

from disks import run_on_full_disk
from projects import Project


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "folder", "left", "file"),
    [
        (["prepare", "mnist"], "data/prepared", 200_000, "data/prepared/mnist/images.npy"),
        (["train", "tiny_class"], "models", 4096, "models/tiny_class.keras"),
        (["evaluate", "tiny_class"], "data/predictions", 4096, "data/predictions/mnist/tiny_class.csv"),
        (["report"], "plots", 8192, "plots/report.html"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_stage_on_a_full_disk(stage: list[str], folder: str, left: int, file: str, playground: Project) -> None:
    name, *rest = stage
    before = {path: path.read_bytes() for path in (playground.root / folder).rglob("*") if path.is_file()}

    done = run_on_full_disk(playground, folder, left, "python", "-m", f"stages.{name}", *rest)

    assert done.code == 1
    assert done.output.splitlines()[-1] == f"error: {file}: No space left on device"
    assert "Traceback" not in done.output
    # nothing half-written, and what was there
    assert sorted(done.files) == sorted(str(path.relative_to(playground.root / folder)) for path in before)


def test_a_full_cache_ends_the_pipeline(playground: Project) -> None:
    playground.edit("params.yaml", "train: 90", "train: 91")

    done = run_on_full_disk(playground, ".dvc/cache", 3000, "image-recipes", "repro", "dots")

    assert done.code == 1
    assert "could not be stored" in done.output.splitlines()[-1]
    assert "the stages after it did not run" in done.output.splitlines()[-1]
    assert "Traceback" not in done.output
