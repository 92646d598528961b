"""The pipeline: one script for each stage of dvc.yaml, run as `python -m stages.<stage>`."""

import sys
from types import TracebackType

from image_recipes.core.parent import end_stage_with_dvc


def _tell_interrupt(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Say in one line that the keyboard has stopped a script which still imports; nobody else catches that."""
    if issubclass(kind, KeyboardInterrupt):
        print("error: stopped by the keyboard", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = _tell_interrupt
# before the scripts' own imports, which take seconds
end_stage_with_dvc()
