"""One entry in one place: a chain, a layer, a law, an activation or an observable, and all know it.

Each of the entries below is written once, in the manner of an author; nothing else is told of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest
import torch
from array_api_compat import array_namespace
from torch import nn

from simulators import Chain, simulate
from simulators.activations import ACTIVATIONS, ActivationFunction, activation
from simulators.chains import CHAINS, named_chain, read_chain
from simulators.layers import LAYERS, Activation, Linear, Rescale, RowLayer, ScaleResponse
from simulators.observables import OBSERVABLES, Parameter, observable, resolve
from simulators.sweeps.dispatch import sweep
from simulators.sweeps.grid import Grid, GridError
from simulators.sweeps.store import Store
from simulators.trajectory import Trajectory
from simulators.vocabulary import tables
from simulators.weights import LAWS, law
from theorems.cli import main
from theorems.inspection import inspect
from theorems.workbench.parsing import ClaimError
from theorems.workbench.quantities import QUANTITIES, chain_kind, quantity

CATALOGUES = (ACTIVATIONS, CHAINS, LAWS, LAYERS, OBSERVABLES)
NAMES = ("softsign", "halved", "laplace", "Halve", "purity", "loud_share")
BATCH = np.eye(12, 3) + 0.25


def add_activation() -> None:
    @activation(odd=True)
    def softsign(rows: Any, xp: Any) -> Any:
        """x/(1 + |x|)"""
        return rows / (1 + xp.abs(rows))


def add_law() -> None:
    @law()
    def laplace(u: Any, xp: Any) -> Any:
        """Laplace's, of variance 1"""
        return xp.sign(0.5 - u) * xp.log(1 - 2 * xp.abs(u - 0.5)) / 2**0.5


def add_layer() -> None:
    @dataclass(frozen=True)
    class Halve(RowLayer):
        """H → H/2"""

        response = ScaleResponse.LINEAR
        each_row = turns_with_samples = keeps_span = odd = True

        def on_rows(self, rows: Any, xp: Any, width: int) -> Any:
            return rows / 2


def add_chain() -> None:
    @named_chain()
    def halved_chain(width: int, activation: str = "identity") -> Chain:
        """H⁺ = F(BN(WH)/2)"""
        halve = LAYERS["Halve"].made_by
        return Chain((Linear(width), Rescale(), halve(), Activation(activation)))


def add_observables() -> None:
    @observable(
        reads="gram",
        floor=0,
        ceiling=1,
        of_spectrum=lambda s: s.sum(lambda x: x**2),
        of_gram=lambda c: sum(c[i, j] ** 2 for i in range(c.n) for j in range(c.n)),
    )
    def purity(H: Any) -> Any:
        """Tr C²/(Tr C)², one over the effective rank"""
        xp = array_namespace(H)
        products = xp.matmul(xp.matrix_transpose(H), H)
        trace = xp.linalg.trace(products)
        return xp.sum(products * products, axis=(-2, -1)) / (trace * trace)

    @observable(floor=0, ceiling=1, parameter=Parameter("level", "loud_share level", 0, 9, "1"))
    def loud_share(H: Any, level: float) -> Any:
        """the share of entries above {level}"""
        xp = array_namespace(H)
        return xp.mean(xp.astype(level < H, H.dtype), axis=(-2, -1))


@pytest.fixture
def extended() -> Iterator[None]:
    with ExitStack() as undo:
        for catalogue in CATALOGUES:
            undo.enter_context(catalogue.restored())
        for add in (add_activation, add_law, add_layer, add_chain, add_observables):
            add()
        yield


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def test_every_entry_is_unknown_without_its_place_and_gone_afterwards(
    request: pytest.FixtureRequest,
) -> None:
    def known() -> set[str]:
        return {name for catalogue in CATALOGUES for name in catalogue}

    before = known()
    assert not before & set(NAMES)
    with ExitStack() as undo:
        for catalogue in CATALOGUES:
            undo.enter_context(catalogue.restored())
        for add in (add_activation, add_law, add_layer, add_chain, add_observables):
            add()
        assert known() == before | set(NAMES)
    assert known() == before


@pytest.mark.usefixtures("extended")
def test_simulate_knows_it() -> None:
    chain = read_chain("halved(softsign)").build(16).with_law("laplace")
    found = simulate(chain, BATCH, depth=5, replicas=3, observables=("purity", "loud_share(0.5)"))
    assert found.engine == "dense"
    assert ((found["purity"] > 1 / 3 - 1e-9) & (found["purity"] <= 1)).all()
    assert found["loud_share(0.5)"][0, 0] == (BATCH > 0.5).mean()
    on_torch = simulate(chain, torch.tensor(BATCH), depth=5, replicas=3, observables=("purity",))
    np.testing.assert_allclose(on_torch["purity"], found["purity"], atol=1e-6)


@pytest.mark.usefixtures("extended")
def test_the_engine_factor_takes_a_new_layer_only_where_it_maps_rows_one_by_one() -> None:
    class Whole(RowLayer):
        """H → H/‖H‖_∞"""

        def on_rows(self, rows: Any, xp: Any, width: int) -> Any:
            return rows / xp.max(xp.abs(rows), axis=(-2, -1), keepdims=True)

    linear = read_chain("halved").build(16)
    assert simulate(linear, BATCH, depth=1).engine == "factor"
    whole = Chain((Linear(16), Whole()))
    assert simulate(whole, BATCH, depth=1).engine == "rows"
    with pytest.raises(ValueError, match="does not say that it maps each row by itself"):
        simulate(whole, BATCH, depth=1, engine="factor")


@pytest.mark.usefixtures("extended")
def test_sweeps_know_it(tmp_path: Path) -> None:
    grid = Grid.of(
        {
            "chain": ["halved(softsign)", "vanilla(softsign)"],
            "width": 8,
            "batch": 3,
            "depth": 2,
            "weights": ["laplace", "gaussian"],
            "observables": "purity",
        }
    )
    with Store(tmp_path / "x.db") as store, ThreadPoolExecutor(1) as pool:
        assert sweep(grid, store, workers=pool).computed == 4
        stored = [Trajectory.from_bytes(row.data) for row in store.rows()]
    assert all("purity" in trajectory.values for trajectory in stored)


def test_a_run_depends_on_what_its_words_mean() -> None:
    """A definition that changes under one name must not find the results of the former."""

    def keys() -> tuple[str, str]:
        fields = {"chain": "vanilla(bent)", "width": 8, "batch": 3, "depth": 2}
        (bent,) = Grid.of(fields).runs()
        (plain,) = Grid.of({**fields, "chain": "vanilla(tanh)"}).runs()
        return bent, plain

    with ACTIVATIONS.restored():

        @activation()
        def bent(rows: Any, xp: Any) -> Any:
            """x + x²"""
            return rows + rows * rows

        before = keys()
    with ACTIVATIONS.restored():

        @activation()  # type: ignore[no-redef]
        def bent(rows: Any, xp: Any) -> Any:
            """x + x²"""
            return rows + rows * rows / 2

        after = keys()
    assert before[0] != after[0]
    assert before[1] == after[1]


@pytest.mark.usefixtures("extended")
@pytest.mark.parametrize(
    ("claim", "about", "words"),
    [
        ("shouting <= 9", ["--over", "spectra"], "shouting has no exact evaluation"),
        ("gram <= 1", ["--chain", "rescale"], "an n × n matrix, and a claim compares numbers"),
        ("loud_share(1) <= 1/2", ["--over", "spectra"], "has no exact evaluation"),
        ("loud_share(1) <= 1/2", ["--over", "matrices"], "has no exact evaluation"),
        (
            "boastful <= 1/100",
            ["--chain", "vanilla(tanh)"],
            r"'boastful' gave 1, outside its range \[0, 0.1\] at n = 2",
        ),
    ],
)
def test_claims_refuse_an_observable_for_what_it_lacks(
    claim: str,
    about: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @observable()
    def shouting(H: Any) -> Any:
        """an observable without a range"""
        return abs(H).max(axis=(-2, -1))

    @observable(floor=0, ceiling="1/10")
    def boastful(H: Any) -> Any:
        """an observable with a wrong range"""
        xp = array_namespace(H)
        return xp.sum(H * H, axis=(-2, -1))

    sizes = ["--where", "n=2", "--where", "d=16..32"]
    sizes += ["--where", "ell=1"] if "--chain" in about else []
    assert main(["verify", "--claim", claim, *about, *sizes]) == 2
    (said,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert re.search(words, said), said


@pytest.mark.usefixtures("extended")
def test_claims_know_it(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--where", "n=2", "--where", "d=16..32", "--where", "ell=1"]
    about = ["--chain", "halved(softsign)", *sizes]
    assert main(["verify", "--claim", "purity >= 1/(2*n)", *about]) == 0
    assert "supported" in capsys.readouterr().out
    assert main(["falsify", "--claim", "purity <= 1/(4*n)", *about]) == 1
    assert "refuted" in capsys.readouterr().out
    assert main(["falsify", "--claim", "loud_share(1/10) <= 1/1000", *about]) == 1
    spectra = ["--claim", "purity*effective_rank == 1", "--over", "spectra", "--where", "n=2..4"]
    assert main(["verify", *spectra]) == 0
    assert "certified" in capsys.readouterr().out


def test_a_file_of_claims_brings_words_of_its_own(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As the guide to claims shows it, and read twice in one process."""
    guide = Path(__file__).parents[2] / "docs" / "how-to" / "claim.md"
    (shown,) = re.findall(
        r"^```python title=\"mine.py\"\n(.*?)^```$",
        guide.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    (tmp_path / "mine.py").write_text(shown, encoding="utf-8")
    with OBSERVABLES.restored():
        for _ in range(2):
            assert main(["falsify", "mine.py::few"]) == 1
            assert "refuted" in capsys.readouterr().out
    assert "positive_share" not in OBSERVABLES


@pytest.mark.usefixtures("extended")
def test_a_quantity_has_the_range_and_the_exact_values_of_its_observable() -> None:
    purity = QUANTITIES["purity"]
    assert (purity.floor, purity.ceiling, purity.samples, purity.wide) == (0, 1, 1, False)
    share = quantity("loud_share(1/2)")
    assert (share.name, share.meaning) == ("loud_share(1/2)", "the share of entries above 1/2")
    assert purity.of_spectrum is not None
    assert purity.of_spectrum([flint.fmpq(1, 2)] * 2, 2) == flint.fmpq(1, 2)


@pytest.mark.usefixtures("extended")
def test_inspection_recognises_it() -> None:
    torch.manual_seed(0)
    blocks = [(nn.Linear(32, 32), nn.BatchNorm1d(32), nn.Softsign()) for _ in range(4)]
    network = nn.Sequential(*(part for block in blocks for part in block))
    recognised = inspect(network, torch.randn(12, 32)).recognised
    assert recognised.sentence == "weights → batchnorm → softsign, uniform weights"
    assert recognised.chain == read_chain("batchnorm(softsign)").build(32).with_law("uniform")


@pytest.mark.usefixtures("extended")
@pytest.mark.parametrize(
    ("refuse", "kind", "name"),
    [
        (lambda: Grid.of({"chain": "x", "width": 8, "batch": 3, "depth": 4}), GridError, "halved"),
        (lambda: chain_kind("x"), ClaimError, "halved"),
        (lambda: chain_kind(3), ClaimError, "halved"),
        (lambda: Activation("x"), ValueError, "softsign"),
        (lambda: read_chain("vanilla(x)"), ValueError, "softsign"),
        (lambda: Linear(3, "x"), ValueError, "laplace"),
        (lambda: Chain((Linear(3), "x")), TypeError, "Halve"),
        (lambda: resolve("x"), ValueError, r"purity.*loud_share\(1\)"),
        (lambda: quantity("gram"), ClaimError, "purity"),
        (lambda: quantity("loud_share"), ClaimError, r"needs its level: write loud_share\(1/2\)"),
    ],
)
def test_refusals_list_it(refuse: Any, kind: type[Exception], name: str) -> None:
    with pytest.raises(kind, match=name) as caught:
        refuse()
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("extended")
@pytest.mark.parametrize(
    ("verb", "names"),
    [
        ("sweep", ("halved(identity)", "laplace", "purity")),
        ("verify", ("halved(relu)",)),
    ],
)
def test_help_lists_it(
    verb: str, names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert all(name in said for name in names), said


@pytest.mark.usefixtures("extended")
def test_tables_list_it() -> None:
    for line in (
        "| `halved(identity)` | H⁺ = F(BN(WH)/2) |",
        "| `Halve` | H → H/2 |",
        "| `laplace` | Laplace's, of variance 1 | 0 |",
        "| `softsign` | x/(1 + |x|) | no | yes |",
        "| `purity` | Tr C²/(Tr C)², one over the effective rank | a number | [0, 1] | HᵀH "
        "| spectrum, Gram matrix |",
    ):
        assert line in tables()


def test_the_page_of_words_says_what_the_catalogues_say() -> None:
    page = Path(__file__).parents[2] / "docs" / "vocabulary.md"
    stale = set(page.read_text(encoding="utf-8").splitlines()) - set(tables().splitlines())
    assert not stale, "write it again: python -m simulators.vocabulary docs/vocabulary.md"


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda catalogue: catalogue.kind)
def test_a_name_is_given_once_and_a_file_may_be_read_twice(catalogue: Any) -> None:
    name = next(iter(catalogue))
    with pytest.raises(ValueError, match=f"{catalogue.kind} '{name}' is there already"):
        catalogue.add(catalogue[name])
    with ExitStack() as undo:
        for each in CATALOGUES:
            undo.enter_context(each.restored())
        for _ in range(2):
            for add in (add_activation, add_law, add_layer, add_chain, add_observables):
                add()


def test_an_entry_has_a_name_and_says_what_it_is() -> None:
    with pytest.raises(ValueError, match="has no docstring"), ACTIVATIONS.restored():
        activation()(lambda rows, xp: rows)
    with pytest.raises(ValueError, match="want a name of letters"):
        ACTIVATIONS.add(ActivationFunction("a b", "none", lambda rows, xp: rows))
    with pytest.raises(ValueError, match="its first parameter is the width"), CHAINS.restored():

        @named_chain()
        def odd_chain(gamma: float) -> Chain:
            """No chain of a width"""
            return Chain((Linear(3),))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_declare_oddness_and_death_truthfully(name: str) -> None:
    xp = array_namespace(BATCH)
    line = np.linspace(-4, 4, 801)[:, None]
    image = ACTIVATIONS[name].function(line.copy(), xp)
    mirrored = ACTIVATIONS[name].function(-line, xp)
    assert ACTIVATIONS[name].odd == np.allclose(mirrored, -image, atol=1e-12)
    assert ACTIVATIONS[name].vanishes == bool((image == 0).sum() > 2)


EXACT = [name for name, q in QUANTITIES.items() if q.of_gram is not None]
ROWS = [
    [[1, 1, 0], [0, 2, 1], [0, 0, 1], [1, 0, 3]],
    [[1, -1, 0], [2, -2, 1], [0, 0, 1]],
    [[1, 2, 3], [1, 2, 4], [0, 0, 0], [1, 1, -9]],
    [[1, 0, 3], [1, 0, 4], [2, 0, 0]],
]


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("rows", ROWS, ids=["plain", "opposite", "outlier", "zero"])
def test_exact_values_are_those_that_simulations_measure(name: str, rows: Any) -> None:
    known = QUANTITIES[name]
    matrix = flint.fmpq_mat([[flint.fmpq(x) for x in row] for row in rows])
    assert known.of_gram is not None
    exact = known.of_gram(matrix.transpose() * matrix, len(rows))
    if isinstance(exact, flint.fmpq):
        exact = Fraction(int(exact.p), int(exact.q))
    value = float(exact)
    measured = float(known.observable.function(np.array(rows, float), width=len(rows)))
    assert value == pytest.approx(measured, abs=1e-12, nan_ok=True)
