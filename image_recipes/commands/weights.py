"""`image-recipes weights`: fetch a network's ImageNet weights, for recipes to start from."""

from image_recipes.commands.tracking import track
from image_recipes.core.errors import UserError, did_you_mean, one_line
from image_recipes.core.files import written_whole
from image_recipes.models.recipe import WEIGHTS_FOLDER, check_loads_weights


def fetch_weights(network: str) -> None:
    """Fetch a network's ImageNet weights, without those of its top, store them, and have DVC track them.

    Args:
        network: a function of `keras.applications`.

    Raises:
        UserError: there is no such network, or its weights cannot be fetched.
    """
    check_loads_weights(network)
    # here, since TensorFlow takes seconds to import
    from image_recipes.models.backbones import applications

    known = applications()
    if network not in known:
        raise UserError(f"no {network!r} in keras.applications: {did_you_mean(network, known)}")
    file = WEIGHTS_FOLDER / f"{network}.weights.h5"
    try:
        model = known[network](include_top=False, weights="imagenet")
    except Exception as error:  # whatever Keras raises where there is no internet
        raise UserError(
            f"the weights of {network} cannot be fetched ({one_line(error)[:200]}): "
            f"run this where there is internet, and bring {file} and {file}.dvc along"
        ) from None
    with written_whole(file) as partial:
        model.save_weights(partial)
    track(file)
    print(f"next: image-recipes add PATH --name NAME --transfer {file}")
