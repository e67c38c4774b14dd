"""The former path of `simulators.sweeps.grid`, kept for imports that users have."""

from simulators.sweeps.grid import *  # noqa: F403
from simulators.sweeps.grid import SweepRun as Run  # noqa: F401
