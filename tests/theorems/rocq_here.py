"""The Rocq of this machine, for tests that need it."""

import os
from typing import Any

import pytest

from theorems.proofs.rocq import MissingRocqError, Rocq, installed


def rocq_or_skip(**where: Any) -> Rocq:
    """Rocq as ``installed`` finds it; without it the test is skipped, and on CI fails."""
    try:
        return installed(**where)
    except MissingRocqError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have Rocq: {error}")
        pytest.skip(str(error))
