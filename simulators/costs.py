"""The former path of `simulators.sweeps.running_times`, kept for imports that users have."""

from simulators.sweeps.running_times import *  # noqa: F403
from simulators.sweeps.running_times import RunningTimes as Costs  # noqa: F401
