"""Keras on the TensorFlow backend, without the notices TensorFlow prints when it starts.

Every module that needs Keras or TensorFlow imports them from here.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _errors_only() -> Iterator[None]:
    """Hold back what C++ code writes to standard error; show it if the block raises.

    TF_CPP_MIN_LOG_LEVEL, set by a user who wants to see it all, switches this off.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(shown, held.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)


# a user's ~/.keras/keras.json may name another backend, and results depend on it
os.environ["KERAS_BACKEND"] = "tensorflow"
with _errors_only():
    import keras
    import tensorflow as tf

    # looking for devices prints notices too, so it is done here
    tf.config.list_physical_devices()

# it joins sums of two to sums of many (AddN), which begin with any term whose memory is free: that
# depends on how the operations of a moment happen to be shared among threads, and so does the rounding
tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})

__all__ = ["keras", "tf"]
