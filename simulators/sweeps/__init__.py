"""Sweeps: many simulations, kept as they finish.

- `grid`: ``Grid``, ``SweepRun``, ``read_grid``: what is varied, and the runs it stands for
- `dispatch`: ``sweep``: the runs that a store lacks, handed to workers
- `executors`: ``local_processes``, ``dask_cluster``: who the workers are
- `store`: ``Store``: results in one file; `export`: the same as a table
- `running_times`: how long runs take
"""

from simulators.sweeps.dispatch import sweep
from simulators.sweeps.executors import dask_cluster, local_processes
from simulators.sweeps.grid import Grid, SweepRun, read_grid
from simulators.sweeps.store import Store

__all__ = [
    "Grid",
    "Store",
    "SweepRun",
    "dask_cluster",
    "local_processes",
    "read_grid",
    "sweep",
]
