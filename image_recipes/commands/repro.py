"""`image-recipes repro`: the pipeline run by DVC, a line for each stage, and what came of each recipe."""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from dvc.exceptions import DvcException, ReproductionError
from dvc.repo import Repo
from dvc.repo.reproduce import _reproduce_stage
from dvc.stage import Stage
from dvc.stage.exceptions import StageCmdFailedError

from image_recipes.commands.check import check_project
from image_recipes.commands.mending import mend_uses
from image_recipes.comparison.pairs import choose_pairs, compare_pairs
from image_recipes.comparison.verdict import TOLD_LATER, choose_best, judge_recipes, tell_verdicts
from image_recipes.core.dataset import DatasetInfo, load_info
from image_recipes.core.errors import UserError, one_line
from image_recipes.core.files import is_full
from image_recipes.core.params import load_seed
from image_recipes.results.metrics import load_baseline_metrics, load_metrics
from image_recipes.results.names import show_name
from image_recipes.results.predictions import load_baselines, load_predictions
from image_recipes.results.suspects import SUSPECTS_FOLDER, load_suspects
from image_recipes.results.tables import BASELINE, PAIR_COLUMNS, load_table

# what DVC logs before it runs a stage's command, rather than take the outputs from its cache
RUNNING = "Running stage '%s':"
LONGEST_KIND = "baseline@"
# more of them in a row are one line
MOST_UNCHANGED = 3
INTERRUPTED = 130
# where DVC keeps the hashes of what stages read and wrote
LOCK_FILE = "dvc.lock"
# what the stage `report` makes
ALL_ON_ONE_PAGE = Path("plots/report.html")


def reproduce(names: Collection[str], verbose: bool) -> None:
    """Run the stages whose deps or params have changed, and say what the recipes have learned.

    Args:
        names: of recipes, each with what it needs and the baselines to judge it by; or of datasets,
            with all of their recipes compared. Without any, the whole pipeline.
        verbose: show what DVC says in place of a line for each stage.

    Raises:
        UserError: params.yaml is not valid, a name is unknown, or a stage failed.
        SystemExit: a stage was stopped by the keyboard, and has said so.
    """
    mend_uses()
    meant = check_project(names)
    compared = [dataset for dataset in meant if not names or dataset in names]
    targets = [f"plot@{recipe}" for recipes in meant.values() for recipe in recipes]
    targets += [f"{'compare' if dataset in compared else 'baseline'}@{dataset}" for dataset in meant]
    targets += [f"suspects@{dataset}" for dataset in compared]
    # last, since nothing waits for them; they explain suspects too, which takes all recipes of a dataset
    targets += [f"heatmaps@{recipe}" for dataset in compared for recipe in meant[dataset]]
    lines = StageLines(len(LONGEST_KIND) + max(len(name) for entry in meant.items() for name in (entry[0], *entry[1])))
    one_stage = reproduce_stage if verbose else lines.reproduce
    with contextlib.nullcontext() if verbose else lines.in_place_of_dvc_s():
        _run_dvc(targets if names else None, run_env=_environment(), repro_fn=one_stage)
    told = [line for name, recipes in meant.items() for line in _tell_learned(name, recipes, name in compared)]
    # where to look is said once, at the end
    print(*(line for number, line in enumerate(told) if line not in told[number + 1 :]), sep="\n")
    if compared:
        print(f"report: {_make_report({name: meant[name] for name in compared}) if names else ALL_ON_ONE_PAGE}")


def prepare_pictures(dataset: str, *stages: str) -> None:
    """Run the stages up to `split` of a dataset whose deps or params have changed.

    Args:
        dataset: its name.
        stages: of a dataset, which are run too.

    Raises:
        UserError: a stage failed.
    """
    mend_uses()
    lines = StageLines(len(LONGEST_KIND) + len(dataset))
    with lines.in_place_of_dvc_s(total=False):
        _run_dvc(
            [f"{stage}@{dataset}" for stage in ("split", *stages)], run_env=_environment(), repro_fn=lines.reproduce
        )


def _environment() -> dict[str, str]:
    return {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", TOLD_LATER: "1"}


def _make_report(recipes: Mapping[str, list[str]]) -> Path:
    # here, since the charts' library takes seconds to import
    from image_recipes.report.page import write_report

    file = Path(f"plots/report_{'_'.join(recipes)}.html")
    write_report(recipes, file)
    return file


def _run_dvc(targets: list[str] | None, **options: Any) -> None:
    try:
        with Repo() as repo:
            repo.reproduce(targets, **options)
    except ReproductionError as error:
        stage, cause = str(error).removeprefix("failed to reproduce ").strip("'"), error.__cause__
        rest = "the stages after it did not run"
        if not isinstance(cause, (UserError, DvcException, OSError)):
            raise
        if isinstance(cause, OSError):
            # of a full disk Python does not say where; the stage's own command would have said it itself
            where = f"{cause.filename}: " if cause.filename else "what it made could not be stored by DVC: "
            raise UserError(f"{stage}: {where}{cause.strerror or cause}: {rest}") from None
        if not isinstance(cause, StageCmdFailedError):
            raise UserError(f"{stage}: {one_line(cause)}: {rest}") from None
        if str(cause).endswith(("exited with 130", "exited with -2")):
            sys.exit(INTERRUPTED)
        raise UserError(f"{stage} failed: {rest}") from None
    except DvcException as error:
        said = one_line(error)
        remedy = f": get it back by `git checkout {LOCK_FILE}`" if f"{LOCK_FILE}'" in said else ""
        raise UserError(f"{said}{remedy}") from None


def reproduce_stage(stage: Stage, **options: Any) -> Stage | None:
    """Do what DVC does for a stage, and see that its cache has what the stage made, which DVC does not.

    Raises:
        UserError: it has not, since its disk was full.
    """
    done = _reproduce_stage(stage, **options)
    if done and stage.cmd and (lost := [str(out) for out in stage.outs if out.use_cache and out.changed_cache()]):
        place = Path(stage.repo.cache.local.path)
        why = "the disk is full" if is_full(place) else "see `dvc doctor`"
        raise UserError(f"{', '.join(lost)} could not be stored in DVC's cache, {place}: {why}")
    return done


class StageLines(logging.Handler):
    """Prints a line for each stage, and of what DVC says no more than warnings.

    Args:
        width: of the stages' names.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.stage, self.runs = "", False
        self.unchanged: list[tuple[str, float]] = []

    @contextlib.contextmanager
    def in_place_of_dvc_s(self, total: bool = True) -> Iterator[None]:
        """Handle what DVC logs while the block runs, and print the time of the whole at its end.

        Args:
            total: whether that, and what was cached, is printed.
        """
        logger, started = logging.getLogger("dvc"), time.monotonic()
        others, logger.handlers = logger.handlers, [self]
        try:
            yield
            if total:
                self._print_unchanged()
                self._print("total", time.monotonic() - started)
        finally:
            logger.handlers = others

    def reproduce(self, stage: Stage, **options: Any) -> Stage | None:
        """Do what DVC does for a stage, which it calls this for, and print a line."""
        self.stage, self.runs, started = stage.addressing, False, time.monotonic()
        try:
            done = reproduce_stage(stage, **options)
        except BaseException:
            self._print_unchanged()
            raise
        seconds = time.monotonic() - started
        if self.runs:
            self._print(self.stage, seconds, "run")
        # the others are the files that DVC tracks
        elif stage.cmd:
            self.unchanged.append((self.stage, seconds))
        return done

    def emit(self, record: logging.LogRecord) -> None:
        """Take what DVC logs."""
        if record.msg == RUNNING:
            self.runs = True
            self._print_unchanged()
            if sys.stdout.isatty():
                # what is printed next replaces it
                print(f"{self.stage} ...", end="\r", flush=True)
        elif record.levelno >= logging.WARNING:
            print(f"warning: {' '.join(record.getMessage().split())}", file=sys.stderr)

    def _print_unchanged(self) -> None:
        entries, self.unchanged = self.unchanged, []
        if len(entries) > MOST_UNCHANGED:
            entries = [(f"{len(entries):,} stages", sum(seconds for _, seconds in entries))]
        for name, seconds in entries:
            self._print(name, seconds, "cached")

    def _print(self, name: str, seconds: float, how: str = "") -> None:
        # at once, since the stages print too
        print(f"{name:<{self.width}} {seconds:>8,.1f} s  {how}".rstrip(), flush=True)


def _tell_learned(dataset: str, recipes: list[str], compared: bool) -> list[str]:
    info = load_info(Path("data/prepared") / dataset)
    metrics = load_metrics(Path("metrics") / dataset, recipes, info.task)
    baselines = load_baselines(Path("data/baselines") / dataset, info)
    # what the page shows, where there is one
    pairs = (
        load_table(Path(f"metrics/compare/pairs/{dataset}.csv"), dataset, PAIR_COLUMNS)
        if compared
        else _compare_with(baselines, dataset, recipes, info)
    )
    baseline_metrics = load_baseline_metrics(Path("metrics/baseline") / dataset, info.task)
    verdicts = judge_recipes(info, metrics, baseline_metrics, baselines, pairs)
    lines = tell_verdicts(verdicts, choose_best(info.task, metrics))
    return [*lines, *_tell_suspects(dataset, info)] if compared else lines


def _tell_suspects(dataset: str, info: DatasetInfo) -> list[str]:
    suspects = load_suspects(dataset, info)
    if suspects is None or not len(suspects.table):
        return []
    found, first = len(suspects.table), show_name(suspects.table["path"].iloc[0])
    counted = f"suspicious labels: {found:,} of {suspects.judged:,}, first that of {first}"
    return [f"{dataset}: {counted}; {SUSPECTS_FOLDER / dataset}.csv lists them"]


def _compare_with(
    baselines: dict[str, pd.DataFrame], dataset: str, recipes: list[str], info: DatasetInfo
) -> pd.DataFrame:
    predictions = {name: load_predictions(Path(f"data/predictions/{dataset}/{name}.csv"), info) for name in recipes}
    predictions |= {BASELINE + name: rows for name, rows in baselines.items()}
    return compare_pairs(info.task, predictions, choose_pairs(recipes, baselines), load_seed())
