"""The pytest plugin: conjectures in test files and statements of the library as test items.

Loaded in every pytest run of an environment that has the package, so nothing heavy is imported
here: SymPy, Torch and the rest come in when the first item runs (`theorems.workbench.running`).
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zlib import crc32

import pytest

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr, TracebackStyle

    from simulators import Trajectory
    from theorems.statement import Statement
    from theorems.verification import Result
    from theorems.workbench.conjecture import Conjecture

LEVEL = 1e-6  # as theorems.verification has it
_PROPERTY = "theorem"
_DECLARING = "theorems.workbench.conjecture"
_QUANTIFIERS = (
    "pointwise",
    "expectation",
    "probability",
    "law",
    "limit",
    "mean_field",
    "comparison",
)
_MARKERS = {
    "theorem": "a claim or a statement of the library, checked by the theorems plugin",
    **{
        f"quantifier_{q}": f"a claim with the quantifier '{q.replace('_', ' ')}'"
        for q in _QUANTIFIERS
    },
    "cost_low": "decided by exact arithmetic, in seconds",
    "cost_high": "simulated, up to minutes",
}
_SEED = pytest.StashKey[int]()
_ITEMS = pytest.StashKey[int]()


# --- options --------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("theorems", "claims about batch normalisation")
    group.addoption(
        "--theorems",
        metavar="NAMES",
        nargs="?",
        const="",
        action="append",
        help="collect statements of the library too: all, or families, theorems and variants "
        "separated by commas (--theorems=FAMILY.THEOREM); with no file named, only these",
    )
    group.addoption(
        "--theorem-level",
        metavar="P",
        type=float,
        default=LEVEL,
        help="probability of any false verdict in the whole run, split evenly over its items "
        f"({LEVEL:g})",
    )
    group.addoption(
        "--theorem-budget",
        metavar="SECONDS",
        type=float,
        default=None,
        help="stop sampling an item after so long (no limit)",
    )
    group.addoption(
        "--theorem-seed",
        metavar="N",
        default="0",
        help="the seed of everything random in items, or 'random' for a fresh one (0)",
    )
    group.addoption(
        "--theorem-corpus",
        metavar="DIR",
        default=None,
        help="where witnesses are kept (.theorems/witnesses in the root directory)",
    )


def pytest_configure(config: pytest.Config) -> None:
    for name, words in _MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {words}")
    if not 0 < config.getoption("theorem_level") < 1:
        raise pytest.UsageError(
            f"--theorem-level {config.getoption('theorem_level')}: a probability between 0 and 1"
        )
    budget = config.getoption("theorem_budget")
    if budget is not None and not 0 < budget < float("inf"):
        raise pytest.UsageError(f"--theorem-budget {budget}: a positive number of seconds")
    config.stash[_SEED] = _seed(config)


def _seed(config: pytest.Config) -> int:
    handed = getattr(config, "workerinput", {}).get("theorem_seed")
    if handed is not None:
        return int(handed)
    given = config.getoption("theorem_seed")
    if given == "random":
        return int.from_bytes(os.urandom(4), "big")
    if not given.isdecimal():
        raise pytest.UsageError(f"--theorem-seed {given}: a nonnegative integer, or 'random'")
    return int(given)


class _Worker(Protocol):
    """A worker of xdist, as its coordinator sees it."""

    config: pytest.Config
    workerinput: dict[str, object]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: _Worker) -> None:
    """Every worker of xdist gets the one seed of the run."""
    node.workerinput["theorem_seed"] = node.config.stash[_SEED]


def pytest_report_header(config: pytest.Config) -> str | None:
    if config.getoption("theorems") or config.getoption("theorem_seed") != "0":
        level = config.getoption("theorem_level")
        return f"theorems: seed {config.stash[_SEED]}, error budget {level:g}"
    return None


# --- collection -----------------------------------------------------------------------------------


class TheoremItem(pytest.Item):
    """One claim as a test: it passes if the verdict is the expected one or stronger and its false
    neighbour falls.
    """

    def __init__(
        self,
        name: str,
        parent: pytest.Collector,
        *,
        claim: Conjecture | Statement,
        nodeid: str | None = None,
    ) -> None:
        super().__init__(name, parent, nodeid=nodeid)
        from theorems.workbench.running import traits

        self.claim = claim
        family, quantifier, cost = traits(claim)
        line = f"family_{family}: a claim of the family {family}"  # known only now
        if line not in self.config.getini("markers"):
            self.config.addinivalue_line("markers", line)
        for name in ("theorem", f"quantifier_{quantifier}", f"cost_{cost}", f"family_{family}"):
            self.add_marker(getattr(pytest.mark, name))

    def runtest(self) -> None:
        from theorems.workbench.running import check

        check(self.claim, Circumstances(self))

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: TracebackStyle | None = None,
    ) -> str | TerminalRepr:
        from theorems.workbench.running import explained

        return explained(excinfo.value) or super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        line = getattr(self.claim, "line", None)
        if line is None:  # pytest would write the dots of a bare name as ::
            return self.path, None, f"{self.name}, of the library"
        return self.path, line - 1, self.name


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class,
    name: str,
    obj: object,
) -> list[TheoremItem] | None:
    module = collector.getparent(pytest.Module)
    if _DECLARING not in sys.modules or module is None:
        return None
    from theorems.workbench.loading import held

    # one imported from elsewhere is collected where it is declared
    here = module.obj.__name__
    claims = [(called, claim) for called, claim in held(name, obj) if claim.module == here]
    if not claims:
        return None
    if not isinstance(collector, pytest.Module):
        collector.warn(
            pytest.PytestCollectionWarning(
                f"cannot collect the conjecture {name!r} in the class {collector.name}; "
                "declare it at the top of the file"
            )
        )
        return None
    for called, claim in claims:
        claim.name = claim.name or called
    return [
        TheoremItem.from_parent(collector, name=called, claim=claim) for called, claim in claims
    ]


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """With ``--theorems`` and no file named, the library is all there is."""
    if config.getoption("theorems") and config.args_source is not pytest.Config.ArgsSource.ARGS:
        return True
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    given = config.getoption("theorems")
    if not given:
        return
    from theorems.registry import UnknownNameError, select, unasked

    names = [name for name in ",".join(given).split(",") if name]
    try:
        statements = select(names) if names else unasked(select(names))
    except UnknownNameError as error:
        raise pytest.UsageError(f"--theorems: {error}") from None
    items[:0] = [
        TheoremItem.from_parent(session, name=s.name, nodeid=f"theorems::{s.name}", claim=s)
        for s in statements
    ]


def pytest_collection_finish(session: pytest.Session) -> None:
    """The budget is split over what was selected, which every worker sees alike."""
    session.config.stash[_ITEMS] = sum(map(_shares, session.items))


def _shares(item: pytest.Item) -> bool:
    """Whether an item has a share of the error budget."""
    return isinstance(item, TheoremItem) or "verify_claim" in getattr(item, "fixturenames", ())


# --- running --------------------------------------------------------------------------------------


class Circumstances:
    """What an item may spend and where it reports, for `theorems.workbench.running`."""

    def __init__(self, node: pytest.Item) -> None:
        config = node.config
        self.seed = config.stash[_SEED]
        self.items = max(config.stash.get(_ITEMS, 1), 1)
        self.level: float = config.getoption("theorem_level") / self.items
        self._share = self.level
        self.budget: float | None = config.getoption("theorem_budget")
        given = config.getoption("theorem_corpus")
        kept = config.rootpath / ".theorems" / "witnesses"
        self.corpus = kept if given is None else Path(given)
        self.directory = config.invocation_params.dir
        self.nodeid = node.nodeid
        self._node = node

    def spend(self) -> None:
        """Half of what is left: an item may check any number of claims and stay within its
        share.
        """
        self.level /= 2

    def report(self, **found: object) -> None:
        """Travels with the item's report, from a worker too. A claim of no file is checked again by
        its test.
        """
        found["replay"] = found.get("replay") or self._again
        told = json.dumps({**found, "items": self.items, "seed": self.seed})
        self._node.user_properties.append((_PROPERTY, told))

    @property
    def _again(self) -> str:
        """The command that runs this test alone, with the share of the budget that it has here."""
        file = os.path.relpath(self._node.path, self.directory)
        test = shlex.quote(file + "".join(self.nodeid.partition("::")[1:]))
        again = f"pytest {test} --theorem-seed {self.seed} --theorem-level {self._share!r}"
        return again + (f" --theorem-budget {self.budget:g}" if self.budget is not None else "")


@pytest.fixture
def theorem_seed(request: pytest.FixtureRequest) -> int:
    """A seed of this test's own, from ``--theorem-seed``: the same in every run with that
    option.
    """
    return crc32(f"{request.config.stash[_SEED]} {request.node.nodeid}".encode())


@pytest.fixture
def simulate(theorem_seed: int) -> Callable[..., Trajectory]:
    """``simulators.simulate``, with this test's own seed unless another is given.

    A fixture: its value takes the arguments of ``simulators.simulate`` and returns the
    ``Trajectory``. The seed is that of ``theorem_seed``, so that ``--theorem-seed`` repeats the
    run.
    """
    from simulators import simulate as run

    return partial(run, seed=theorem_seed)


@pytest.fixture
def verify_claim(request: pytest.FixtureRequest) -> Callable[..., Result]:
    """``verify_claim(claim, batch=None, expected=None, **options)``: check it, and fail the test
    unless it stands.

    ``claim`` is a conjecture, a statement, a name of the library, or text with the options of
    ``theorems.conjecture``. Returns the ``Result``. The test's share of the error budget covers any
    number of calls.
    """
    from theorems.workbench.running import check_any

    if not _shares(request.node):  # the budget has been split without this test
        pytest.fail(
            "verify_claim: name it among the test's arguments, or with pytest.mark.usefixtures, so "
            "that the test has a share of the error budget",
            pytrace=False,
        )
    return partial(check_any, around=Circumstances(request.node))


# --- the end --------------------------------------------------------------------------------------


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What the claims of this run got, from what travelled with the reports of their tests."""
    if registry := sys.modules.get("theorems.registry"):
        for line in registry.refused():
            terminalreporter.line(f"theorems: {line}")
    # a test that is run again carries what its earlier runs found, and may be listed twice
    told: dict[tuple[str, str], None] = {}
    for report in chain.from_iterable(terminalreporter.stats.values()):
        # among the statistics are deselected items and warnings too
        if getattr(report, "when", "") == "call":
            told |= {
                (report.nodeid, value): None
                for name, value in report.user_properties
                if name == _PROPERTY
            }
    found = [json.loads(value) for _, value in told]
    if not found:
        return
    verdicts = Counter(f["verdict"] for f in found)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    terminalreporter.section("theorems", sep="-")
    terminalreporter.line(f"{len(found)} claim{'s' * (len(found) != 1)} checked: {counts}")
    level, items = config.getoption("theorem_level"), found[0]["items"]
    terminalreporter.line(
        f"error budget {level:g} (probability of any false verdict in the run), split over "
        f"{items} item{'s' * (items != 1)}; spent: {sum(f['level'] for f in found):.3g}"
    )
    terminalreporter.line(f"seed {found[0]['seed']}")
    for f in found:
        if f.get("witness"):
            terminalreporter.line(f"{f['claim']}: {f['witness']}; again: {f['replay']}")
