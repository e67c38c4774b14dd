"""The former path of `simulators.sweeps.export`, kept for imports that users have."""

from simulators.sweeps.export import *  # noqa: F403
