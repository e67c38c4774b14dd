"""The shipped file of neighbouring claims: each gets the verdict that it declares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulators.chains import CHAINS
from simulators.observables import OBSERVABLES
from theorems import verify
from theorems.shipped_claims import SHIPPED
from theorems.workbench.loading import load

with CHAINS.restored(), OBSERVABLES.restored():
    _NAMES = [claim.name for claim in load("neighbours").conjectures]


@pytest.fixture(autouse=True)
def own_words() -> Iterator[None]:
    with CHAINS.restored(), OBSERVABLES.restored():
        yield


def test_every_claim_of_the_file_makes_sense_and_is_public() -> None:
    loaded = load("neighbours")
    assert not loaded.refused
    text = SHIPPED["neighbours"].read_text(encoding="utf-8")
    assert all(f'    "{claim.name}",' in text for claim in loaded.conjectures)


@pytest.mark.parametrize("name", _NAMES)
def test_a_neighbouring_claim_gets_the_verdict_that_it_declares(name: str) -> None:
    (claim,) = load(f"neighbours::{name}").conjectures
    (result,) = verify(claim)
    assert result.verdict is claim.expected, result.evidence[0].summary
    assert result.as_expected
