"""`image-recipes search`: find better params of a recipe, by the validation pictures."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from image_recipes.checks import check_params
from image_recipes.commands.git import ask_git
from image_recipes.commands.repro import prepare_pictures
from image_recipes.commands.search_apply import apply_winner, check_new_name
from image_recipes.commands.search_experiments import Experiment, Experiments, write_trial
from image_recipes.commands.search_progress import SearchProgress
from image_recipes.core.dataset import load_info, load_split
from image_recipes.core.errors import UserError
from image_recipes.core.files import save_table
from image_recipes.core.locks import hold_lock
from image_recipes.core.params import read_params
from image_recipes.figures.search import draw_search
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.searches import SEARCHES_FOLDER, search_plots, table_file
from image_recipes.search.definition import Definition, define, digest_data
from image_recipes.search.importance import weigh_values
from image_recipes.search.jobs import Outcome
from image_recipes.search.run import run_search
from image_recipes.search.sampling import as_values, list_grid, silence
from image_recipes.search.settings import load_search
from image_recipes.search.study import COMMIT, KEY, REASON, Opened, ended, number_of, open_study, outcomes_of
from image_recipes.search.table import (
    FAILED,
    FINISHED,
    STOPPED,
    as_row,
    find_best,
    is_current,
    list_costs,
    list_names,
    list_tried,
    load_trials,
    show_values,
    values_of,
)
from image_recipes.search.workers import local_workers

STATES = {TrialState.COMPLETE: FINISHED, TrialState.PRUNED: STOPPED, TrialState.FAIL: FAILED}
# what trials are trained by
CODE = ("image_recipes", "stages")


class SearchOptions(NamedTuple):
    """How a search is run.

    Attributes:
        jobs: trainings side by side.
        restart: forget earlier trials.
        apply: write the winner into params.yaml.
        new_name: as a new recipe of this name.
        experiments: make an experiment of DVC of each finished trial.
    """

    jobs: int
    restart: bool
    apply: bool
    new_name: str | None
    experiments: bool


def search_params(name: str, options: SearchOptions) -> None:
    """Run a search, or go on with it, and write its table, plots and experiments.

    Raises:
        UserError: there is no such search, its pictures cannot be prepared, or most trials fail.
    """
    check_params()
    silence()
    search = load_search(name, read_params())
    if options.new_name:
        check_new_name(options.new_name)
    dataset = search.params["recipes"][search.settings.recipe]["dataset"]
    prepare_pictures(dataset)
    folder = Path("data/prepared") / dataset
    splits = [load_split(Path("data/split") / dataset, split) for split in ("train", "validation")]
    definition = define(search, load_info(folder).task, digest_data(hash_as_dvc(folder), *splits))
    _refuse_missing_starts(definition)
    with hold_lock(f"search@{name}", f"running the search {name}"):
        opened = open_study(definition, options.restart)
        table = _known_table(definition, opened.study, options)
        if table is None:
            table = _run(definition, opened, options)
    place = find_best(table, definition)
    if place is None:
        raise UserError(f"{search.key}: no trial has come to its end: see {table_file(name)}")
    best = table.iloc[place]
    values = values_of(best, search.settings)
    figure = f"{search.settings.metric}={best[search.settings.metric]:.5g}"
    print(f"{name}: best is trial {best['trial']} of {len(table)}: {show_values(values)}: {figure}")
    print(f"{table_file(name)}, {search_plots(name)}")
    if options.apply or options.new_name:
        apply_winner(definition, values, options.new_name)
    else:
        print(f"to use it: image-recipes search {name} --apply, or --as NEWNAME for a new recipe")


def _known_table(definition: Definition, study: optuna.Study, options: SearchOptions) -> pd.DataFrame | None:
    """Return the table of a search that another machine has run, where just its winner is wanted."""
    name, settings = definition.search.name, definition.search.settings
    if options.restart or not (options.apply or options.new_name) or ended(study):
        return None
    table = load_trials(name, settings)
    wanted = settings.trials
    if settings.sampler == "grid":
        wanted = min(wanted, sum(1 for _ in list_grid(settings)))
    if table is None or len(table) < wanted or not is_current(table, definition):
        return None
    print(f"{name}: takes the trials of {table_file(name)}; to train them on this machine: --restart", file=sys.stderr)
    return table


def _refuse_missing_starts(definition: Definition) -> None:
    missing = [path for path, digest in definition.starts.items() if digest is None]
    if missing:
        remedy = f"image-recipes repro {Path(missing[0]).stem}"
        raise UserError(f"{missing[0]}: not found, and trials start from it: make it first by `{remedy}`")


def _run(definition: Definition, opened: Opened, options: SearchOptions) -> pd.DataFrame:
    search, study = definition.search, opened.study
    name, settings = search.name, search.settings
    commit = describe_code()
    known = ended(study)
    experiments = Experiments(search) if options.experiments else None
    if experiments:
        # a stop may have come before one was made, or a changed space has given another trial its number
        experiments.renew(_as_experiments(known, definition))
    with SearchProgress(name, settings, known, SEARCHES_FOLDER / f"{name}.log") as progress:
        _tell_state(definition, opened, len(known))

        def tell(trial: FrozenTrial) -> None:
            table = as_table(ended(study), definition)
            row = table.loc[table["trial"] == number_of(trial)].iloc[0]
            place = _write(table, definition)
            if experiments:
                experiments.record(_as_experiments([trial], definition))
            progress.tell(row, table, place)

        try:
            with local_workers(options.jobs, SEARCHES_FOLDER / name) as workers:
                run_search(definition, study, workers, commit, tell)
        except KeyboardInterrupt:
            print(f"{name}: {len(ended(study))} trials are kept: the same command goes on", file=sys.stderr)
            raise
    table = as_table(ended(study), definition)
    _write(table, definition)
    names = list_names([*settings.space])
    weights = {names[path]: weight for path, weight in weigh_values(study).items()}
    less = definition.direction == "min"
    # one that is not drawn now is of other trials
    for file in search_plots(name).glob("*.png"):
        file.unlink()
    draw_search(
        table[settings.metric].astype(float),
        list_tried(table, settings),
        list_costs(table),
        settings.metric,
        less,
        weights,
        search_plots(name),
    )
    return table


def _write(table: pd.DataFrame, definition: Definition) -> int | None:
    """Write a search's table and the figures of its best trial; return that one's place."""
    save_table(table, table_file(definition.search.name))
    place = find_best(table, definition)
    write_trial(definition.search, None if place is None else table.iloc[place])
    return place


def _as_experiments(trials: list[FrozenTrial], definition: Definition) -> list[Experiment]:
    whole = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    rows = as_table(whole, definition)
    settings = definition.search.settings
    return [Experiment(rows.iloc[place], as_values(trial.params, settings)) for place, trial in enumerate(whole)]


def _tell_state(definition: Definition, opened: Opened, known: int) -> None:
    name, settings = definition.search.name, definition.search.settings
    lines = [f"judged by {settings.metric} of the validation pictures, since the test pictures are for the end"]
    if opened.earlier:
        lines.append(
            f"the search, its recipe or its pictures have changed: {opened.taken} of {opened.earlier} earlier trials "
            "would be the same now, and count; --restart forgets them"
        )
    if known >= settings.trials:
        lines.append(f"all of its {known} trials are there")
    elif opened.study.get_trials(deepcopy=False):
        lines.append(f"goes on after {known} of {settings.trials} trials")
    print("\n".join(f"{name}: {line}" for line in lines), file=sys.stderr)


def as_table(trials: list[FrozenTrial], definition: Definition) -> pd.DataFrame:
    """Make the table of a search's finished trials, see `load_trials`."""
    settings, rows = definition.search.settings, []
    for trial in trials:
        trainings = pd.DataFrame([*outcomes_of(trial).values()], columns=Outcome._fields)
        # Optuna gives one that was stopped the figure of its last epoch, which is another's to compare with
        whole = trial.state == TrialState.COMPLETE
        figures: dict[str, Any] = {
            settings.metric: trial.value if whole else None,
            f"{settings.metric}_std": trainings["value"].astype(float).std() if whole else None,
            "parameters": trainings["parameters"].max(),
            "epochs": int(trainings["epochs"].sum()),
            "seconds": round(float(trainings["seconds"].sum()), 2),
        }
        notes = {
            "inputs": trial.user_attrs[KEY],
            "commit": trial.user_attrs[COMMIT],
            "reason": trial.user_attrs.get(REASON, ""),
        }
        values = as_values(trial.params, settings)
        rows.append(as_row(number_of(trial), STATES[trial.state], values, settings, figures, notes))
    return pd.DataFrame(rows).astype({"parameters": "Int64"} if rows else {})


def describe_code() -> str:
    """Return the commit of the code, with `-dirty` if something of it is not committed, which is said too."""
    try:
        commit = ask_git("rev-parse", "--short", "HEAD").strip()
        lines = ask_git("status", "--porcelain", "--", *CODE).splitlines()
    except UserError:
        return "none"
    changed = [line[3:] for line in lines]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        print(
            f"warning: {changed[0]}{more}: not committed: the trials are noted as those of {commit}-dirty",
            file=sys.stderr,
        )
    return f"{commit}-dirty" if changed else commit
