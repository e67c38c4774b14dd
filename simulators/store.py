"""The former path of `simulators.sweeps.store`, kept for imports that users have."""

from simulators.sweeps.store import *  # noqa: F403
