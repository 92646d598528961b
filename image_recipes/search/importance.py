"""Which values made a search's trials good."""

from collections.abc import Mapping

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

# fewer say nothing
LEAST_TRIALS = 8


def weigh_values(study: optuna.Study) -> Mapping[str, float]:
    """Weigh the values of a study by PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255).

    Args:
        study: finished.

    Returns:
        Shares by path, of 1 in all; none of too few trials, or of trials that are equally good.
    """
    if len({trial.value for trial in study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])}) < LEAST_TRIALS:
        return {}
    return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
