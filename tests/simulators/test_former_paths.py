"""Import paths that users may have from earlier releases."""

import importlib

import pytest

FORMER = {
    "grid": "Grid GridError Run RunBatch read_grid",
    "sweep": "Outcome SweepError Tally sweep",
    "store": "Claims Row Store StoreError UnwritableStoreError",
    "executors": "ClusterError Done Workers dask_cluster local_processes perform",
    "export": "ExportError UnwritableTableError export require_apart require_format",
    "costs": "Costs calibrate features rough_seconds",
}


@pytest.mark.parametrize("module", FORMER)
def test_former_paths_lead_to_the_same_things(module):
    former = importlib.import_module(f"simulators.{module}")
    for name in FORMER[module].split():
        assert getattr(former, name).__module__.startswith("simulators.sweeps.")
