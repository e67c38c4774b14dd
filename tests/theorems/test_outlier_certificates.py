"""Certificates of the outlier's fixed points: made, written, read and checked again, and refused
when altered.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from flint import arb, fmpq

from theorems import get
from theorems.certificates.document import (
    CertificateError,
    UndecidedError,
    UnreadableError,
    read,
    write,
)
from theorems.families.cluster import large_batches, outlier_certificates
from theorems.families.cluster.outlier_certificates import KINDS, certify_large, certify_sizes

COUNT, STABLE = (get(f"cluster.outlier_fixed_point:{variant}") for variant in ("count", "stable"))
KIND = KINDS[0]
SIZES = certify_sizes((3, 6, 7, 8, 1000))
LARGE = certify_large()


@pytest.mark.parametrize("certificate", [SIZES, LARGE], ids=["sizes", "large"])
def test_a_certificate_survives_the_file_and_is_checked_again(certificate, tmp_path):
    write(tmp_path / "c.json", certificate)
    back = read(tmp_path / "c.json")
    assert back == certificate
    assert back.claim in KIND.recheck(back)


def test_what_is_claimed_is_named():
    assert SIZES.claim.startswith("for n = 3, 6, 7, 8, 1000: ")
    assert certify_sizes(range(3, 8)).claim.startswith("for n = 3 … 7: ")
    assert certify_sizes((7,)).claim.startswith("for n = 7: ")
    assert LARGE.claim.startswith(f"for every n ≥ {large_batches.FIRST}, ")
    assert set(SIZES.enclosures) >= {
        "3.symmetric.y",
        "7.outlier.spectral_radius",
        "1000.separatrix.slope",
    }
    assert "6.outlier.y" not in SIZES.enclosures


def moved(certificate, name):
    return replace(certificate, enclosures={**certificate.enclosures, name: ["2*2^0", "3*2^0"]})


def without(certificate, name):
    return replace(
        certificate, enclosures={k: v for k, v in certificate.enclosures.items() if k != name}
    )


@pytest.mark.parametrize(
    ("altered", "error", "words"),
    [
        (moved(SIZES, "7.outlier.slope"), CertificateError, "7.outlier.slope"),
        (without(SIZES, "7.outlier.slope"), CertificateError, "enclosures"),
        (replace(SIZES, claim=SIZES.claim.replace("n ≤ 6", "n ≤ 7")), CertificateError, "claim"),
        (replace(SIZES, conclusion="three"), CertificateError, "conclusion"),
        (replace(SIZES, statement="cluster.other"), CertificateError, "statement"),
        (replace(SIZES, inputs={"sizes": [3, 7]}), CertificateError, "claim"),
        (replace(SIZES, inputs={"sizes": [7, 3]}), UnreadableError, "in order"),
        (replace(SIZES, inputs={"sizes": [2]}), UnreadableError, "sizes"),
        (replace(SIZES, inputs={"sizes": []}), UnreadableError, "sizes"),
        (replace(SIZES, inputs={"sizes": list(range(3, 2000))}), UnreadableError, "sizes"),
        (replace(SIZES, inputs={}), UnreadableError, "cells"),
        (replace(SIZES, precision=63), UnreadableError, "precision: .* 64 to 2000"),
        (replace(SIZES, precision=2001), UnreadableError, "precision: .* 64 to 2000"),
        (moved(LARGE, "0.decay"), CertificateError, "0.decay"),
        (
            replace(LARGE, inputs={"cells": LARGE.inputs["cells"][1:]}),
            CertificateError,
            "follow one another",
        ),
        (replace(LARGE, inputs={"cells": [["0", "1/32"]]}), CertificateError, "follow one another"),
        (replace(LARGE, inputs={"cells": [["0"]]}), UnreadableError, "pairs"),
        (replace(LARGE, inputs={"cells": []}), UnreadableError, "from 1 to 1000 pairs"),
        (
            replace(LARGE, inputs={"cells": [["0", "1"]] * 1001}),
            UnreadableError,
            "from 1 to 1000 pairs",
        ),
        (
            replace(LARGE, inputs={"cells": [["0", "1"]] * 1000}),
            CertificateError,
            "follow one another",
        ),
        (replace(LARGE, inputs={"cells": "all"}), UnreadableError, "pairs"),
        (replace(LARGE, precision=64), UnreadableError, "precision"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_altered_certificate_is_refused(altered, error, words):
    with pytest.raises(error, match=words):
        KIND.recheck(altered)


@pytest.mark.parametrize(
    "sizes", [(), (2, 7), (7, 10**9 + 1), range(3, 1004)], ids=["none", "2", "huge", "many"]
)
def test_sizes_that_would_not_be_read_back_are_refused(sizes):
    with pytest.raises(ValueError, match=r"sizes: .*want from 1 to 1000"):
        certify_sizes(sizes)


def test_too_little_precision_is_said_to_be_that():
    with pytest.raises(UndecidedError, match="more precision"):
        certify_sizes((10**9,), precision=64)


def test_one_wide_cell_does_not_do():
    wide = replace(LARGE, inputs={"cells": [["0", str(fmpq(1, 64))]]})
    with pytest.raises(CertificateError):
        KIND.recheck(wide)


def test_the_library_is_offered_both():
    assert [offer.stem for offer in KIND.offers(COUNT)] == [
        "cluster.outlier_fixed_point.count.sizes",
        "cluster.outlier_fixed_point.count.large",
    ]
    assert not list(KIND.offers(STABLE))


def test_the_largest_size_by_itself_is_the_first_of_all_at_once():
    one_by_one, at_once = (offer.words for offer in KIND.offers(COUNT))
    assert one_by_one == f"one by one, n = 3 … {large_batches.FIRST}"
    assert at_once == f"all n ≥ {large_batches.FIRST} at once"


def test_sizes_between_the_regions_reach_the_largest_reciprocal(monkeypatch):
    met = []
    for name in ("_between", "_beside"):
        monkeypatch.setattr(large_batches, name, lambda first, second, eps: met.append(float(eps)))
    monkeypatch.setattr(large_batches, "_positive", lambda function, *_: function(arb(1), arb(1)))
    large_batches._region_b(arb(0.05, 0.05))
    assert met == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize("changed", ["decay", "growth"])
def test_a_rate_whose_ball_holds_zero_leaves_the_stability_open(changed, monkeypatch):
    found = large_batches.enclose(*large_batches.cells()[0])
    monkeypatch.setattr(
        outlier_certificates, "enclose", lambda *_: replace(found, **{changed: arb(0.1, 0.2)})
    )
    with pytest.raises(UndecidedError, match="the stability is open"):
        outlier_certificates.certify_large()
