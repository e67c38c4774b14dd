"""The former path of `simulators.sweeps.executors`, kept for imports that users have."""

from simulators.sweeps.executors import *  # noqa: F403
