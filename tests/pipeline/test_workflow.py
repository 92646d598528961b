"""What the workflow is for, on a clone in a temporary folder with real git and real DVC."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dvc.repo import Repo

from projects import Project, load_yaml

CHAIN = {"check", "compare@mnist", "suspects@mnist", "report"} | {
    f"{stage}@tiny_class" for stage in ["train", "evaluate", "plot", "heatmaps"]
}


def metrics_changed(project: Project, old: str, new: str) -> dict[str, Any]:
    """Return `dvc metrics diff` by file, with the changed figures of each."""
    return json.loads(project.run("dvc", "metrics", "diff", "--json", old, new).stdout)


def experiment(project: Project, name: str, *overrides: str) -> None:
    """Run an experiment of one recipe from what is committed, as the README shows it."""
    project.run("git", "checkout", ".")
    project.run("dvc", "checkout")
    options = [part for override in overrides for part in ("-S", override)]
    project.run("dvc", "exp", "run", "--name", name, *options, "evaluate@tiny_class")


def test_a_first_run_runs_every_stage_and_a_second_none(playground: Project) -> None:
    per_dataset = {
        f"{stage}@{name}"
        for stage in ["prepare", "split", "baseline", "compare", "suspects"]
        for name in ["mnist", "dots"]
    }
    per_recipe = {
        f"{stage}@{name}"
        for stage in ["train", "evaluate", "plot", "heatmaps"]
        for name in ["tiny_class", "tiny_number"]
    }
    assert set(load_yaml(playground.root / "dvc.lock")["stages"]) == {"check", "report"} | per_dataset | per_recipe

    assert playground.repro() == set()
    assert playground.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.slow
def test_other_epochs_rerun_that_recipe_alone(playground: Project) -> None:
    playground.edit("params.yaml", "epochs: 2", "epochs: 3")

    assert playground.repro() == CHAIN
    assert playground.repro() == set()
    assert len(pd.read_csv(playground.root / "plots/history/mnist/tiny_class.csv")) == 3


@pytest.mark.long
@pytest.mark.slow
def test_another_seed_trains_everything_on_the_same_pictures(playground: Project) -> None:
    playground.edit("params.yaml", "seed: 0\ndatasets", "seed: 1\ndatasets")

    ran = playground.repro("evaluate@tiny_class", "evaluate@tiny_number")

    assert ran == {f"{stage}@{name}" for stage in ["train", "evaluate"] for name in ["tiny_class", "tiny_number"]} | {
        "check"
    }


@pytest.mark.slow
def test_a_comment_and_published_figures_retrain_nothing(playground: Project) -> None:
    playground.edit("params.yaml", "recipes:", "# a remark\nrecipes:")
    playground.edit("published.yaml", "mnist_mlp:", "tiny_class:\n  test_accuracy: 0.5\nmnist_mlp:")

    assert playground.repro() == {"compare@mnist", "compare@dots", "report"}
    table = pd.read_csv(playground.root / "metrics/compare/mnist.csv")
    assert table["published_test_accuracy"].tolist()[0] == 0.5


@pytest.mark.slow
def test_a_figure_s_code_retrains_nothing(playground: Project) -> None:
    playground.edit(
        "image_recipes/figures/galleries.py", "figsize=(FULL_SIDE, height)", "figsize=(FULL_SIDE, height + 1)"
    )

    ran = playground.repro()

    assert {name.partition("@")[0] for name in ran} == {"split", "plot", "compare", "heatmaps"}


@pytest.mark.slow
def test_a_new_source_retrains_nothing(playground: Project) -> None:
    with (playground.root / "image_recipes/data/sources.py").open("a", encoding="utf-8") as file:
        file.write('SOURCES["more"] = SOURCES["dots"]\n')

    ran = playground.repro("evaluate@tiny_class", "evaluate@tiny_number")

    assert ran == {"check", *(f"{stage}@{name}" for stage in ["prepare", "split"] for name in ["mnist", "dots"])}


# a file of the package, and the stages that run again when it is edited
EDITED = {
    "core/files.py": {
        "check",
        "prepare",
        "split",
        "baseline",
        "train",
        "evaluate",
        "plot",
        "compare",
        "suspects",
        "heatmaps",
        "report",
    },
    "data/mnist.py": {"check", "prepare", "split"},
    "checks.py": {"check"},
    "models/build.py": {"train", "evaluate", "heatmaps"},
    "models/recipe.py": {"check", "train", "evaluate", "heatmaps", "report"},
    "training/steps.py": {"train"},
    "evaluation/measures.py": {"baseline", "evaluate", "compare", "suspects", "heatmaps", "report"},
    "results/metrics.py": {"split", "baseline", "evaluate", "plot", "compare", "suspects", "heatmaps", "report"},
    "comparison/table.py": {"compare", "report"},
    "explanation/gradcam.py": {"heatmaps"},
    "explanation/wanted.py": {"check", "heatmaps"},
    "figures/curves.py": {"split", "plot", "compare", "heatmaps"},
    "figures/refused.py": {"prepare", "split", "plot", "compare", "heatmaps"},
    "search/settings.py": {"check", "report"},
    "search/run.py": {"report"},
    "report/page.py": {"report"},
    "intake/layout.py": set(),
    "commands/export.py": set(),
    "cli.py": set(),
}


@pytest.mark.slow
def test_an_edited_module_reruns_the_stages_of_its_folder(playground: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(playground.root)
    package = playground.root / "image_recipes"
    folders = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    assert folders == {file.partition("/")[0] for file in EDITED if "/" in file}
    assert Repo().status() == {}

    for file, expected in EDITED.items():
        before = (package / file).read_text("utf-8")
        (package / file).write_text(f"{before}# a remark\n", "utf-8")
        changed = Repo().status()
        (package / file).write_text(before, "utf-8")

        assert {name.partition("@")[0] for name in changed} == expected, file


@pytest.mark.slow
def test_another_test_size_of_dots_leaves_training_pictures_alone(playground: Project) -> None:
    model = (playground.root / "models/tiny_number.keras").read_bytes()
    playground.edit("params.yaml", "      test: 30", "      test: 40")

    playground.repro("evaluate@tiny_number")

    assert (playground.root / "models/tiny_number.keras").read_bytes() == model
    predictions = pd.read_csv(playground.root / "data/predictions/dots/tiny_number.csv")
    assert predictions.groupby("split").size().to_dict() == {"train": 90, "validation": 30, "test": 40}


@pytest.mark.slow
def test_a_recipe_comes_and_goes_by_params_alone(playground: Project) -> None:
    second = "  second:\n    dataset: mnist\n    architecture: pool\n    start_from: data/weights/random\n"
    second += "    epochs: 1\n    batch_size: 50\n"
    second += "    precision: float32\n    jit_compile: auto\n"
    second += "    optimizer:\n      name: RMSprop\n      learning_rate: 0.01\n"
    playground.edit("params.yaml", "architectures:\n", f"{second}architectures:\n")

    ran = playground.repro()

    # what all recipes doubt has changed, and what shows where the first looked in those pictures
    assert ran - {"heatmaps@tiny_class"} == {"check", "compare@mnist", "suspects@mnist", "report"} | {
        f"{stage}@second" for stage in ["train", "evaluate", "plot", "heatmaps"]
    }
    baselines = ["baseline: majority", "baseline: linear"]
    table = pd.read_csv(playground.root / "metrics/compare/mnist.csv")
    assert table["recipe"].tolist() == ["tiny_class", "second", *baselines]

    playground.edit("params.yaml", second, "")

    # the check of the first params comes from DVC's run cache
    assert playground.repro() - {"heatmaps@tiny_class"} == {"compare@mnist", "suspects@mnist", "report"}
    assert pd.read_csv(playground.root / "metrics/compare/mnist.csv")["recipe"].tolist() == [
        "tiny_class",
        *baselines,
    ]
    assert pd.read_csv(playground.root / "plots/compare/mnist.csv")["recipe"].unique().tolist() == ["tiny_class"]
    predictions = (playground.root / "plots/predictions/mnist").iterdir()
    assert [file.name for file in predictions] == ["tiny_class.csv"]
    assert "second" not in playground.run("dvc", "metrics", "show").stdout


@pytest.mark.slow
def test_variants_are_compared_between_commits(playground: Project) -> None:
    playground.edit("params.yaml", "filters: 4\n        kernel_size: 5", "filters: 6\n        kernel_size: 5")
    playground.repro()
    playground.commit("Widen")

    changed = metrics_changed(playground, "HEAD~1", "HEAD")

    assert set(changed) - {"metrics/suspects/mnist.json"} == {"metrics/mnist/tiny_class.json"}
    parameters = changed["metrics/mnist/tiny_class.json"]["parameters"]
    assert parameters["new"] > parameters["old"]
    plots = json.loads(playground.run("dvc", "plots", "diff", "--json", "HEAD~1", "HEAD").stdout)
    assert "errors" not in plots
    (history,) = plots["data"]["plots/history/mnist/tiny_class.csv"]
    assert {row["rev"] for row in json.loads(json.dumps(history["content"]))["data"]["values"]} == {"HEAD~1", "HEAD"}


@pytest.mark.long
@pytest.mark.slow
def test_variants_are_compared_as_experiments(playground: Project) -> None:
    experiment(playground, "wide", "architectures.small.0.Conv2D.filters=6")
    experiment(playground, "adam", "recipes.tiny_class.optimizer.name=Adam")

    changed = metrics_changed(playground, "main", "wide")

    assert set(changed) - {"metrics/suspects/mnist.json"} == {"metrics/mnist/tiny_class.json"}
    parameters = changed["metrics/mnist/tiny_class.json"]["parameters"]
    assert parameters["new"] > parameters["old"]
    # the second experiment started from what was committed, not from the first
    assert "parameters" not in metrics_changed(playground, "main", "adam")["metrics/mnist/tiny_class.json"]
    plots = json.loads(playground.run("dvc", "plots", "diff", "--json", "main", "wide").stdout)
    assert "errors" not in plots


@pytest.mark.long
@pytest.mark.slow
def test_an_experiment_takes_another_architecture_and_whole_lists(playground: Project) -> None:
    experiment(playground, "pool", "recipes.tiny_class.architecture=pool")
    assert "global_average_pooling2d" in (playground.root / "models/tiny_class.txt").read_text("utf-8")

    layers = "[{Flatten: {}}, {Dense: {units: 5, activation: relu}}]"
    experiment(playground, "dense", f"architectures.small={layers}")
    assert "dense (Dense)" in (playground.root / "models/tiny_class.txt").read_text("utf-8")

    playground.run("git", "checkout", ".")
    playground.run("dvc", "checkout")
    playground.run("dvc", "exp", "apply", "pool")
    assert load_yaml(playground.root / "params.yaml")["recipes"]["tiny_class"]["architecture"] == "pool"
    assert "global_average_pooling2d" in (playground.root / "models/tiny_class.txt").read_text("utf-8")


@pytest.mark.slow
def test_earlier_results_come_from_the_run_cache(playground: Project) -> None:
    model = (playground.root / "models/tiny_class.keras").read_bytes()
    playground.edit("params.yaml", "epochs: 2", "epochs: 3")
    playground.repro("evaluate@tiny_class")
    playground.edit(
        "params.yaml",
        "architecture: small\n    start_from: data/weights/random\n    epochs: 3",
        "architecture: small\n    start_from: data/weights/random\n    epochs: 2",
    )

    output = playground.run("dvc", "repro", "evaluate@tiny_class").stdout

    assert "Stage 'train@tiny_class' is cached - skipping run" in output
    assert "Stage 'evaluate@tiny_class' is cached - skipping run" in output
    assert (playground.root / "models/tiny_class.keras").read_bytes() == model


@pytest.mark.slow
def test_models_are_shared_by_a_remote(playground: Project, tmp_path: Path) -> None:
    playground.run("dvc", "remote", "add", "--default", "storage", str(tmp_path / "storage"))
    playground.commit("Name the remote")
    playground.run("dvc", "push")
    playground.run("git", "clone", "--quiet", str(playground.root), str(tmp_path / "second"))
    second = Project(tmp_path / "second")

    second.run("dvc", "pull")

    for file in ["models/tiny_class.keras", "data/predictions/dots/tiny_number.csv"]:
        assert (second.root / file).read_bytes() == (playground.root / file).read_bytes()
    assert second.repro() == set()


@pytest.mark.slow
def test_a_clone_without_the_cache_shows_results_and_is_known_to_be_up_to_date(
    playground: Project, tmp_path: Path
) -> None:
    playground.run("git", "clone", "--quiet", str(playground.root), str(tmp_path / "second"))
    second = Project(tmp_path / "second")

    assert "metrics/mnist/tiny_class.json" in second.run("dvc", "metrics", "show").stdout
    assert "errors" not in json.loads(second.run("dvc", "plots", "show", "--json").stdout)
    assert "Running stage" not in second.run("dvc", "repro", "--allow-missing", "--dry").stdout
    second.edit("params.yaml", "epochs: 2", "epochs: 3")
    # DVC itself fails here, since it looks at data that this clone lacks: no is no
    assert "Running stage 'check'" in second.run("dvc", "repro", "--allow-missing", "--dry", check=False).stdout


@pytest.mark.slow
def test_what_editors_read_is_clean(playground: Project) -> None:
    shown = json.loads(playground.run("dvc", "exp", "show", "--json").stdout)
    assert [revision["rev"] for revision in shown[:1]] == ["workspace"]
    assert not any(revision.get("error") for revision in shown)

    plots = json.loads(playground.run("dvc", "plots", "diff", "--json").stdout)
    assert "errors" not in plots
    kinds = {name: content[0]["type"] for name, content in plots["data"].items()}
    assert kinds["plots/history/mnist/tiny_class.csv"] == kinds["plots/compare/dots.csv"] == "vega"
    assert kinds["plots/predictions/mnist/tiny_class.csv"] == "vega"
    assert kinds["plots/tiny_number/gallery.png"] == kinds["plots/samples/mnist.png"] == "image"

    assert len(playground.run("dvc", "stage", "list", "--name-only").stdout.split()) == 20
    assert '"train@tiny_class"' in playground.run("dvc", "dag", "--mermaid").stdout


def test_histories_and_recipes_are_overlaid(finished: Project) -> None:
    data = json.loads(finished.run("dvc", "plots", "show", "--json").stdout)["data"]

    (history,) = data["plots/history/mnist/tiny_class.csv"]
    fold = history["content"]["transform"][0]["fold"]
    assert fold == ["loss", "val_loss", "accuracy", "val_accuracy"]
    assert set(fold) <= set(history["content"]["data"]["values"][0])
    (recipes,) = data["plots/compare/mnist.csv"]
    assert recipes["content"]["spec"]["encoding"]["color"]["field"] == "recipe"
    (confusion,) = data["plots/predictions/mnist/tiny_class.csv"]
    assert {"real", "predicted"} <= set(confusion["content"]["data"]["values"][0])


BAD_INPUT = {
    "params": (
        "params.yaml",
        "epochs: 2",
        "epochs: 0",
        "params.yaml: recipes.tiny_class.epochs: give at least 1, not 0",
    ),
    "layer": (
        "params.yaml",
        "    - Flatten:",
        "    - Flaten:",
        "params.yaml: architectures.small.2: no 'Flaten' in keras.layers: did you mean 'Flatten'?",
    ),
    "optimizer": (
        "params.yaml",
        "name: SGD",
        "name: SDG",
        "params.yaml: recipes.tiny_class.optimizer: no 'SDG' in keras.optimizers: did you mean 'SGD'?",
    ),
}


@pytest.mark.parametrize(
    "case", ["params", pytest.param("layer", marks=pytest.mark.slow), pytest.param("optimizer", marks=pytest.mark.slow)]
)
def test_bad_input_stops_the_run(case: str, playground: Project) -> None:
    file, old, new, message = BAD_INPUT[case]
    playground.edit(file, old, new)

    output = playground.fails("dvc", "repro")

    assert f"error: {message}" in output
    assert "epoch" not in output.replace(message, "").replace("give at least", "")
    if case == "params":
        # the check comes before DVC deletes anything
        assert (playground.root / "models/tiny_class.keras").exists()
    # and what was there comes back as the README says
    playground.run("git", "checkout", ".")
    playground.run("dvc", "checkout")
    assert (playground.root / "models/tiny_class.keras").exists()
    assert playground.repro() == set()


def test_an_altered_mnist_stops_the_run(playground: Project) -> None:
    file = playground.root / "data/raw/mnist.npz"
    file.write_bytes(file.read_bytes()[:-2_000])

    assert "error: data/raw/mnist.npz: cannot be read at 'x_train', so it is truncated" in playground.fails(
        "dvc", "repro"
    )


@pytest.mark.slow
def test_a_corrupt_model_is_named(playground: Project) -> None:
    model = playground.root / "models/tiny_class.keras"
    whole = model.read_bytes()
    model.write_bytes(whole[:3_000])

    output = playground.fails("python", "-m", "stages.evaluate", "tiny_class")

    assert "error: models/tiny_class.keras: cannot be opened as a Keras model" in output
    assert "dvc checkout models/tiny_class.keras" in output
    # DVC itself sees the damage and gets the model back
    playground.repro()
    assert model.read_bytes() == whole


@pytest.mark.slow
def test_an_unknown_name_is_named(playground: Project) -> None:
    assert "error: params.yaml: recipes: no recipe 'tiny': " in playground.fails("python", "-m", "stages.train", "tiny")
    assert "error: params.yaml: datasets: no dataset 'mnits': did you mean 'mnist'?" in playground.fails(
        "python", "-m", "stages.split", "mnits"
    )


@pytest.mark.long
@pytest.mark.slow
def test_a_sweep_by_the_queue(playground: Project) -> None:
    grid = ["-S", "recipes.tiny_class.batch_size=20,50", "-S", "recipes.tiny_class.optimizer.learning_rate=0.05,0.2"]
    playground.run("dvc", "exp", "run", "--queue", *grid, "evaluate@tiny_class")
    playground.run("dvc", "queue", "start", "--jobs", "2")
    for _ in range(120):
        status = playground.run("dvc", "queue", "status").stdout
        if status.count("Success") + status.count("Failed") == 4:
            break
        playground.run("sleep", "2")
    assert status.count("Success") == 4, status

    shown = playground.run(
        "dvc", "exp", "show", "--only-changed", "--drop", "deps|^data|^image_recipes|^models|Created|State", "--csv"
    ).stdout
    assert len([line for line in shown.splitlines() if ",20," in line or ",50," in line]) == 4
