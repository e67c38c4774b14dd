"""The former path of `simulators.sweeps.costs`, kept for imports that users have."""

from simulators.sweeps.costs import *  # noqa: F403
