"""The command `image-recipes`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

from image_recipes.adding import (
    RAW,
    WEIGHTS,
    copy_pictures,
    find_pictures,
    look_at,
    plan_params,
    smallest_side,
    write_params,
)
from image_recipes.checks import check_name, check_params, check_raw_files, find_leftovers
from image_recipes.decoders import find_files
from image_recipes.errors import UserError, did_you_mean
from image_recipes.extras import require
from image_recipes.files import written_whole
from image_recipes.params import (
    PARAMS_FILE,
    check_network,
    load_dataset_name,
    load_recipe,
    load_seed,
    read_section,
)
from image_recipes.stage import exit_on_user_error


def check(recipe: str | None) -> None:
    """Check params.yaml, that the raw files exist, and that a recipe is known."""
    leftovers = find_leftovers(check_params())
    check_raw_files(recipe)
    if leftovers:
        print(f"note: left from recipes that are gone; to remove: rm {' '.join(map(str, leftovers))}", file=sys.stderr)
    if recipe:
        load_recipe(recipe)


def add(
    path: Path,
    name: str,
    target: str | None,
    picture: str | None,
    task: str | None,
    transfer: Path | None,
    link: bool,
    mirror: bool,
    dry_run: bool,
) -> None:
    """Add your own pictures, or bring them up to date: a folder of classes, or a table that names pictures."""
    check_name("datasets", name)
    check_params()
    folder = RAW / name
    found = find_pictures(path, target, picture, task)
    lines, side, channels = look_at(found)
    side = max(side, smallest_side(transfer)) if transfer else side
    entries = plan_params(name, found, side, channels, folder, transfer)
    print("\n".join(lines))
    if not dry_run:
        # first, so that an `add` that is stopped goes on where it was
        write_params(entries)
    for section, values in entries.items():
        print(f"params.yaml: {section}: {', '.join(values)}")
    print(f"{folder}: {copy_pictures(found, folder, link=link, mirror=mirror, dry_run=dry_run)}")
    if dry_run:
        print("nothing was changed")
        return
    # a link to a picture that lies elsewhere is to stay one
    _track(folder, *(["--no-relink"] if link else []))
    recipes = [recipe for recipe, values in read_section("recipes").items() if values["dataset"] == name]
    print(f"next: make repro RECIPE={recipes[-1]}")


def weights(network: str) -> None:
    """Fetch the ImageNet weights of a network of keras.applications, and track them."""
    check_network(network)
    # here, since TensorFlow takes seconds to import
    from image_recipes.backbones import store_weights

    file = WEIGHTS / f"{network}.weights.h5"
    store_weights(network, file)
    _track(file)
    print(f"next: image-recipes add PATH --name NAME --transfer {file}")


def _track(path: Path, *options: str) -> None:
    command = ["dvc", "add", *options, str(path)]
    done = subprocess.run([sys.executable, "-m", *command], text=True, capture_output=True)
    if done.returncode:
        raise UserError(f"{' '.join(command)} failed: {' '.join(done.stderr.split())}")
    print(f"{path}.dvc: DVC tracks {path}")


def predict(model: str, paths: list[Path], output: Path | None) -> None:
    """Predict new pictures by a recipe's model: a CSV of class and probability, or of number and unit."""
    file = Path(model if model.endswith(".keras") else f"models/{model}.keras")
    if not file.exists() and file.parent == Path("models"):
        load_recipe(file.stem)
    files = find_files(paths)
    # here, since TensorFlow takes seconds to import
    from image_recipes.archives import load_model, load_model_info
    from image_recipes.predicting import COLUMNS, predict_files

    info = load_model_info(file)
    rows, bad = [], 0
    for row, error in predict_files(load_model(file), info, files):
        if error:
            bad += 1
            print(f"{row[0]}: {error}", file=sys.stderr)
        else:
            rows.append(row)
    if not rows:
        raise UserError("none of the pictures can be read")
    table = pd.DataFrame(rows, columns=COLUMNS[info.task])
    if output is None:
        _print(table)
    else:
        with written_whole(output) as partial:
            table.to_csv(partial, index=False)
    if bad:
        print(f"{bad:,} of {len(files):,} pictures were skipped", file=sys.stderr)


def compare(first: str, second: str) -> None:
    """Compare the predictions of two revisions: is one really better, on the same test pictures?

    REV is a commit, a branch, a tag or an experiment; `workspace` is what lies here. REV:RECIPE
    compares one recipe with another.
    """
    # here, since DVC takes a second to import
    from image_recipes.revisions import Side, compare_revisions

    table, remarks = compare_revisions(Side.parse(first), Side.parse(second), load_seed())
    if len(table):
        print(table.to_markdown(index=False, tablefmt="plain", disable_numparse=True))
    for remark in remarks:
        print(remark)


def report(datasets: list[str], output: Path | None) -> None:
    """Show the recipes of some datasets on one page; `dvc repro` makes one of all."""
    # here, since the libraries of charts take a second to import
    from image_recipes.reporting import write_report

    known = check_params()
    for name in datasets:
        if name not in known:
            raise UserError(f"{PARAMS_FILE}: datasets: no dataset {name!r}: {did_you_mean(name, known)}")
    file = output or Path(f"plots/report_{'_'.join(datasets)}.html")
    write_report({name: known[name] for name in datasets}, file)
    print(file)


def export(recipe: str, to: str, output: Path | None) -> None:
    """Export a trained recipe's model to run elsewhere, and check it there on test pictures."""
    dataset = load_dataset_name(recipe)
    model_file = Path(f"models/{recipe}.keras")
    # here, since TensorFlow takes seconds to import
    from image_recipes.archives import load_model, load_model_info
    from image_recipes.datasets import load_prepared, load_split
    from image_recipes.exporting import CHECKED_PICTURES, FORMATS, export_model

    info, model = load_model_info(model_file), load_model(model_file)
    indices = load_split(Path("data/split") / dataset, "test")[:CHECKED_PICTURES]
    pictures = load_prepared(Path("data/prepared") / dataset).subset(indices)
    exported = export_model(model, info, pictures, to, output or Path(f"exports/{recipe}{FORMATS[to].ending}"))
    print(f"{', '.join(map(str, exported.files))}: {exported.size / 1e6:.2f} MB")
    print(f"{len(pictures):,} test pictures: as Keras predicts, within {exported.difference:.1g}")
    if info.classes:
        print(f"accuracy on them: {(exported.outputs.argmax(axis=1) == pictures.targets).mean():.4f}")
    else:
        print(f"off by {abs(exported.outputs[:, 0] - pictures.targets).mean():.4g} {info.unit or ''} on average")
    print(f"{exported.seconds * 1e3:.3g} ms a picture, one at a time")


def demo(recipe: str | None, port: int) -> None:
    """Try trained recipes in a browser, on this computer alone: draw, or drop pictures."""
    trained = [name for name in read_section("recipes") if Path(f"models/{name}.keras").exists()]
    if recipe:
        load_recipe(recipe)
        if recipe not in trained:
            raise UserError(f"models/{recipe}.keras: not found: train it by `make repro RECIPE={recipe}`")
        trained = [recipe, *(name for name in trained if name != recipe)]
    if not trained:
        raise UserError("no recipe is trained yet: train one, such as by `make repro RECIPE=dots_mlp`")
    require("demo", ["gradio"])
    # here, since TensorFlow and Gradio take seconds to import
    from image_recipes.demo import run_demo

    run_demo(trained, port)


def _port(text: str) -> int:
    # argparse would list all that may be chosen
    if not (text.isdecimal() and 1024 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"give a port from 1024 to 65535, not {text!r}")
    return int(text)


def _print(table: pd.DataFrame) -> None:
    try:
        table.to_csv(sys.stdout, index=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # of a program such as head, which wants no more; Python writes once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="image-recipes", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check", help="check params.yaml before DVC reads it", description=check.__doc__)
    command.add_argument("recipe", nargs="?", help="a recipe that must exist")
    command.set_defaults(run=check)
    command = commands.add_parser("add", help="add your own pictures", description=add.__doc__)
    command.add_argument("path", type=Path, help="a folder with a sub-folder for each class, or a CSV or TSV file")
    command.add_argument("--name", required=True, help="the dataset's, such as plants")
    command.add_argument("--target", metavar="COLUMN", help="the table's column of classes or numbers")
    command.add_argument("--picture", metavar="COLUMN", help="its column of paths, if not the one that has them")
    command.add_argument("--task", choices=["classification", "regression"], help="of a table, if not told rightly")
    command.add_argument(
        "--transfer", type=Path, metavar="WEIGHTS", help="add a recipe too that starts from these weights or this model"
    )
    command.add_argument("--link", action="store_true", help="make symbolic links in place of copies")
    command.add_argument("--mirror", action="store_true", help="remove what was added before and is no longer there")
    command.add_argument("--dry-run", action="store_true", help="change nothing")
    command.set_defaults(run=add)
    command = commands.add_parser("weights", help="fetch ImageNet weights to start from", description=weights.__doc__)
    command.add_argument("network", help="of keras.applications, such as MobileNetV2")
    command.set_defaults(run=weights)
    command = commands.add_parser("predict", help="predict new pictures", description=predict.__doc__)
    command.add_argument("model", metavar="RECIPE", help="a recipe that was trained, or a .keras file of its model")
    command.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a picture, or a folder of pictures")
    command.add_argument("--output", type=Path, metavar="FILE", help="the CSV file to write, if not to the screen")
    command.set_defaults(run=predict)
    command = commands.add_parser("compare", help="compare two revisions", description=compare.__doc__)
    command.add_argument("first", metavar="REV[:RECIPE]")
    command.add_argument("second", metavar="REV[:RECIPE]", nargs="?", default="workspace", help="if not the workspace")
    command.set_defaults(run=compare)
    command = commands.add_parser("report", help="show some datasets on one page", description=report.__doc__)
    command.add_argument("datasets", metavar="DATASET", nargs="+")
    command.add_argument("--output", type=Path, metavar="FILE", help="the HTML file, if not plots/report_DATASET.html")
    command.set_defaults(run=report)
    command = commands.add_parser("export", help="export a model to run elsewhere", description=export.__doc__)
    command.add_argument("recipe", metavar="RECIPE")
    command.add_argument("--to", required=True, choices=["onnx", "litert", "savedmodel"])
    command.add_argument("--output", type=Path, metavar="FILE", help="if not exports/RECIPE with the format's ending")
    command.set_defaults(run=export)
    command = commands.add_parser("demo", help="try recipes in a browser", description=demo.__doc__)
    command.add_argument("recipe", metavar="RECIPE", nargs="?", help="the one to begin with")
    command.add_argument("--port", type=_port, default=7860)
    command.set_defaults(run=demo)
    arguments = vars(parser.parse_args())
    run = arguments.pop("run")
    exit_on_user_error(lambda: run(**arguments))
