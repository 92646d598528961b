"""Run a stage for DVC: `python -m stages train`.

DVC would write a name from params.yaml into a command as it is, for the shell to read: `$(...)` in it would run. So no
command of dvc.yaml has a name. DVC also says it in its variable DVC_STAGE, as in `train@mnist_mlp`.
"""

import os
import runpy
import sys

from image_recipes.core.names import check_plain
from image_recipes.core.running import exit_on_user_error


def main() -> None:
    """Run the script of a stage with the name that DVC has for it, if any."""
    script = sys.argv[1]
    # a path may stand before the stage
    _, at, name = os.environ.get("DVC_STAGE", "").partition(f"{script}@")
    if at:
        exit_on_user_error(lambda: check_plain(script, name))
    sys.argv = [script, name] if at else [script]
    runpy.run_module(f"stages.{script}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
