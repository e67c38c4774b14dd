"""With a batch the verdict is about the batch; what the library knows apart from it stands beside
it, so named.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simulators.batches import read_batch
from theorems import conjecture
from theorems.cli import main
from theorems.statement import Verdict
from theorems.verification import verify

GAUSSIAN = np.random.default_rng(0).standard_normal((6, 3))


def test_built_in_paths_do_not_refute_for_a_batch_of_which_the_bound_says_nothing() -> None:
    (found,) = verify(["orthogonality.decay:as_printed"], batch=read_batch("digits"))
    assert found.verdict is Verdict.VACUOUS
    beside = [e for e in found.evidence if e.apart]
    assert [e.verdict for e in beside] == [Verdict.REFUTED]
    assert "width limit" in beside[0].summary
    assert found.as_expected


def test_what_is_false_of_some_other_input_may_hold_of_the_batch() -> None:
    """(Σσ³)² ≤ (Σσ⁴)² holds of one sample, where both sides are 1; at σ = (4/5, 3/5) it does not."""
    (found,) = verify(
        ["orthogonality.iterative_initialisation:as_printed"], batch=np.array([[2.0], [1.0]])
    )
    assert found.verdict is Verdict.CERTIFIED
    assert Verdict.REFUTED in {e.verdict for e in found.evidence if e.apart}
    assert found.as_expected


def test_what_is_false_of_the_batch_is_refuted() -> None:
    claim = conjecture("effective_rank <= 3/2", over="matrices", n=3, d=6, name="c").statement(
        falsify=False
    )
    (found,) = verify([claim], batch=GAUSSIAN)
    assert found.verdict is Verdict.REFUTED
    assert [e.verdict for e in found.evidence if not e.apart] == [Verdict.REFUTED]


def test_a_batch_is_the_start_of_a_chain_that_recentres_too() -> None:
    """Where more than its spectrum counts, in gradients and of two chains as well."""
    sizes = dict(n=3, d=16, ell=2, name="c")
    claims = [
        conjecture("cosine <= 1/2", chain="batchnorm(relu)", **sizes),
        conjecture(
            "median(gradient_norm_0) <= 500",
            chain="batchnorm(relu)",
            backward="gaussian",
            **sizes,
        ),
        conjecture(
            "cosine <= other.cosine + 1/2",
            chain="batchnorm(relu)",
            other="vanilla(relu)",
            assume="alive",
            **sizes,
        ),
    ]
    for claim in claims:
        (found,) = verify([claim.statement(falsify=False)], batch=GAUSSIAN)
        assert found.verdict is Verdict.SUPPORTED
        (row,) = found.evidence[0].details["readouts"]
        assert row["instance"] == "batch 6×3, d=16"


def test_what_is_false_elsewhere_is_no_refutation_of_the_batch() -> None:
    claim = conjecture("effective_rank >= 3/2", over="matrices", n=3, d=6, name="c").statement()
    (found,) = verify([claim], batch=GAUSSIAN)
    assert found.verdict is Verdict.CERTIFIED
    assert any(e.verdict is Verdict.REFUTED for e in found.evidence if e.apart)


def test_a_claim_of_which_a_batch_is_no_part_is_outside_in_company_and_refused_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    about = conjecture("x <= 1", x="[0, 1/2]", name="about_x").statement(falsify=False)
    matrices = conjecture(
        "effective_rank >= 3/2", over="matrices", n=3, d=6, name="rank"
    ).statement(falsify=False)
    found = verify([about, matrices], batch=GAUSSIAN)
    assert found[0].verdict is Verdict.OUTSIDE
    assert all(e.apart for e in found[0].evidence)
    assert any("no part" in note for note in found[0].notes)
    for verb in ("verify", "falsify"):
        assert main([verb, "--claim", "x <= 1", "--where", "x=[0, 1/2]", "--batch", "digits"]) == 2
        assert "it has no part in" in capsys.readouterr().err


def test_how_many_samples_were_read_of_how_many_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.json"
    assert (
        main(
            [
                "verify",
                "orthogonality.iterative_initialisation:corrected",
                "--batch",
                "digits",
                "--json",
                str(target),
            ]
        )
        == 0
    )
    printed = " ".join(capsys.readouterr().out.split())
    assert "first 10 of 1797 samples" in printed
    assert "apart from the batch, certificate" in printed
    written = json.loads(target.read_text())
    assert written["environment"]["batch"]["samples"] == 10
    assert "of 1797" in written["environment"]["batch"]["description"]
    assert [e["apart"] for e in written["results"][0]["evidence"]] == [False, True, False]
