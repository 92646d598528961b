"""`image-recipes report`: some datasets on one page."""

from pathlib import Path

from image_recipes.checks import check_params
from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.params import PARAMS_FILE
from image_recipes.report.page import write_report


def report_datasets(datasets: list[str], output: Path | None) -> None:
    """Write the report of some datasets, and print its file.

    Args:
        datasets: their names.
        output: the HTML file, if not plots/report_<dataset>.html.

    Raises:
        UserError: there is no such dataset, or something is missing, with the stage that makes it.
    """
    known = check_params()
    for name in datasets:
        if name not in known:
            raise UserError(f"{PARAMS_FILE}: datasets: no dataset {name!r}: {did_you_mean(name, known)}")
    file = output or Path(f"plots/report_{'_'.join(datasets)}.html")
    write_report({name: known[name] for name in datasets}, file)
    print(file)
