"""The former path of `simulators.sweeps.dispatch`, kept for imports that users have."""

from simulators.sweeps.dispatch import *  # noqa: F403
