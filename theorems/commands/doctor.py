"""``theorems doctor``: what is installed, which optional parts are there, how to get the others.

Nothing is imported to see whether it is there: packages are asked for their version, and Rocq and
the NVIDIA driver by their own means. An optional part is added by one line of ``PARTS``.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from runpy import run_path

from packaging.requirements import Requirement
from rich.console import Console
from rich.text import Text

from simulators.workers import cores
from theorems.commands.arguments import require_file
from theorems.proofs.record import ProofRecord, recorded
from theorems.proofs.rocq import INSTALL, MissingRocqError, installed
from theorems.registry import library
from theorems.terminal.exit_statuses import AS_EXPECTED, refusing, writing
from theorems.terminal.screen import console, field, paragraph

__all__ = ["PARTS", "Blas", "Examination", "Finding", "Package", "Part", "add_arguments", "run"]

_OURS = "batchnorm-theorems"
_INDENT = 16


@dataclass(frozen=True)
class Finding:
    """Whether a part is there and complete, and what was found or is missing, in a few words."""

    present: bool
    words: str


@dataclass(frozen=True)
class Part:
    """An optional part.

    - ``name``: what people call it
    - ``gives``: what it is for
    - ``get``: the command that gets it
    - ``look``: finds out whether it is there, and imports none of it
    """

    name: str
    gives: str
    get: str
    look: Callable[[], Finding]


@dataclass(frozen=True)
class Package:
    """A package that ours requires: the version that is installed, which is empty where none is,
    and the versions that will do, as in ``>=2.0``.
    """

    name: str
    version: str
    wanted: str

    @property
    def fits(self) -> bool:
        """Whether it is there in a version that will do.

        >>> Package("numpy", "1.26.4", ">=2.0").fits, Package("numpy", "2.0", ">=2.0").fits
        (False, True)
        """
        wanted = Requirement(f"{self.name}{self.wanted}").specifier
        return bool(self.version) and wanted.contains(self.version, prereleases=True)

    def __str__(self) -> str:
        if self.fits:
            return f"{self.name} {self.version}"
        return f"{self.name} {self.version or 'missing'} (wanted {self.wanted})"


def _required(extra: str = "") -> list[Package]:
    """The packages of an extra, or those that are always required."""
    requirements = [Requirement(line) for line in metadata.requires(_OURS) or ()]
    asked = [
        r
        for r in requirements
        if (r.marker is None) == (not extra)
        and (not r.marker or r.marker.evaluate({"extra": extra}))
    ]
    return [Package(r.name, _version(r.name), str(r.specifier)) for r in asked]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


# --- the optional parts ---------------------------------------------------------------------------


def _extra(extra: str) -> Finding:
    """The packages of one of our extras."""
    packages = _required(extra)
    return Finding(all(p.fits for p in packages), ", ".join(map(str, packages)))


def _rocq() -> Finding:
    """Rocq, its tools, and the libraries that the development imports."""
    try:
        rocq = installed()
    except MissingRocqError as error:
        return Finding(False, str(error).partition(";")[0])
    lacking = rocq.missing_libraries()
    words = f"Rocq {rocq.version}" + (f" without {', '.join(lacking)}" if lacking else "")
    return Finding(not lacking, words)


def _cuda() -> Finding:
    """The build of Torch that is installed, and what the NVIDIA driver sees."""
    try:
        torch = metadata.distribution("torch")
    except metadata.PackageNotFoundError:
        return Finding(False, "torch missing")
    build = run_path(str(torch.locate_file("torch/version.py"))).get("cuda")
    devices = _cuda_devices()
    told = f"torch {torch.version}, built {f'for CUDA {build}' if build else 'without CUDA'}"
    return Finding(bool(build and devices), f"{told}; devices of the driver: {devices}")


def _cuda_devices() -> int:
    """How many devices the NVIDIA driver offers; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    works = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return count.value if works else 0


def _of_extra(name: str, extra: str, gives: str) -> Part:
    return Part(name, gives, f"pip install '{_OURS}[{extra}]'", partial(_extra, extra))


PARTS = (
    Part("Rocq", "the proofs from their sources, theorems prove", INSTALL, _rocq),
    _of_extra("z3", "smt", "decides polynomial claims at small sizes"),
    _of_extra("matplotlib", "report", "the figures of reports, inspect --plot, regions"),
    _of_extra("scikit-learn", "digits", "the handwritten digits of --batch digits"),
    _of_extra("Dask", "dask", "sweeps on a cluster"),
    _of_extra("pyarrow", "parquet", "sweeps exported as Parquet"),
    Part(
        "CUDA",
        'simulations on a GPU, device="cuda"',
        "pip install torch, in a build for the CUDA of your NVIDIA driver",
        _cuda,
    ),
)
"""Every optional part, in the order they are told."""


# --- what multiplies matrices ---------------------------------------------------------------------


#: The kernels of OpenBLAS that use AVX-512.
_WIDE_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")


@dataclass(frozen=True)
class Blas:
    """The library behind NumPy's products: its name, version, kernel and threads."""

    library: str
    version: str
    kernel: str
    threads: int

    def hint(self, flags: str, chosen: str) -> str:
        """What would make products faster; empty where nothing is known to.

        - ``flags``: of the processor, as Linux lists them
        - ``chosen``: the kernel that the environment asks for, or nothing

        >>> Blas("openblas", "0.3.31", "Haswell", 2).hint("fma avx512f", "")[:43]
        'OPENBLAS_CORETYPE=SkylakeX in the environme'
        """
        if (
            self.library != "openblas"
            or self.kernel in _WIDE_KERNELS
            or "avx512f" not in flags.split()
        ):
            return ""
        reason = f", as OPENBLAS_CORETYPE={chosen} says" if chosen else ""
        return (
            "OPENBLAS_CORETYPE=SkylakeX in the environment may double the speed of products: the "
            f"processor has AVX-512, and is taken for {self.kernel}{reason}"
        )


def _blas() -> tuple[Blas, ...]:
    import numpy  # noqa: F401  loads its library
    from threadpoolctl import threadpool_info

    return tuple(
        Blas(
            pool["internal_api"],
            pool["version"] or "",
            pool.get("architecture") or "",
            pool["num_threads"],
        )
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    )


def _processor_flags() -> str:
    """The abilities of the processor, as Linux lists them; nothing where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2] for line in lines if line.startswith("flags")), "")


# --- the proofs on record -------------------------------------------------------------------------


def _lapsed(record: ProofRecord | str) -> dict[str, str]:
    """Why the record does not cover a statement, for each that it should and does not."""
    proved = [s for s in library() if s.proof is not None]
    if isinstance(record, str):
        return {s.name: record for s in proved}
    objections = {s.name: record.objection(s) for s in proved}
    return {name: objection for name, objection in objections.items() if objection}


# --- all of it ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Examination:
    """What was found.

    - ``version``: of this package; ``python`` and ``machine``: what it runs on
    - ``core``: the packages that are always required
    - ``parts``: by name, what was found of each optional part
    - ``blas``: the libraries behind NumPy's products; ``hints``: what would make them faster
    - ``proofs``: how many statements name a theorem; ``lapsed``: those that the record does not
      cover, and why; ``recorded``: its Rocq and date, or why there is none
    """

    version: str
    python: str
    machine: str
    core: tuple[Package, ...]
    parts: Mapping[str, Finding]
    blas: tuple[Blas, ...]
    hints: tuple[str, ...]
    proofs: int
    lapsed: Mapping[str, str]
    recorded: str

    def as_json(self) -> dict[str, object]:
        """Everything that was found, as a JSON value.

        Returns:
            A dict of schema 1; each optional part besides with what it gives and how to get it.
        """
        of_parts = {
            part.name: asdict(self.parts[part.name]) | {"gives": part.gives, "get": part.get}
            for part in PARTS
        }
        core = {
            p.name: {"version": p.version, "wanted": p.wanted, "fits": p.fits} for p in self.core
        }
        return {"schema": 1} | asdict(self) | {"core": core, "parts": of_parts}


def examine() -> Examination:
    """Look at everything: packages, optional parts, libraries of linear algebra, recorded proofs.

    Returns:
        What was found; what is missing is among it.

    Cost: a second, in which every statement with a proof is printed.
    """
    record = recorded()
    blas = _blas()
    hints = [b.hint(_processor_flags(), os.environ.get("OPENBLAS_CORETYPE", "")) for b in blas]
    return Examination(
        version=metadata.version(_OURS),
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}, {cores()} cores",
        core=tuple(_required()),
        parts={part.name: part.look() for part in PARTS},
        blas=blas,
        hints=tuple(hint for hint in dict.fromkeys(hints) if hint),
        proofs=sum(s.proof is not None for s in library()),
        lapsed=_lapsed(record),
        recorded=record if isinstance(record, str) else f"Rocq {record.rocq}, {record.date}",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", help="write all that was found to FILE")


def run(args: argparse.Namespace) -> int:
    with refusing():
        target = None if args.json is None else require_file("--json", args.json)
    found = examine()
    out = console()
    _print(out, found)
    if target is not None:
        from simulators.documents import plain, write_json

        with writing(target):
            write_json(target, plain(found.as_json()))
        field(out, "Written", str(target), indent=_INDENT)
    return AS_EXPECTED


def _print(out: Console, found: Examination) -> None:
    words = f"theorems {found.version}, Python {found.python}, {found.machine}"
    paragraph(out, Text(words))
    field(out, "Core", ", ".join(map(str, found.core)), indent=_INDENT)
    for blas in found.blas:
        kernel = f", kernel {blas.kernel}" if blas.kernel else ""
        words = f"{blas.library} {blas.version}{kernel}, {blas.threads} threads"
        field(out, "Products by", words, indent=_INDENT)
    for hint in found.hints:
        field(out, "", hint, indent=_INDENT)
    field(out, "Proofs", _of_proofs(found), indent=_INDENT)
    for name, objection in found.lapsed.items():
        field(out, "", f"{name}: {objection}", indent=_INDENT)
    for part in PARTS:
        _print_part(out, part, found.parts[part.name])


def _of_proofs(found: Examination) -> str:
    covered = found.proofs - len(found.lapsed)
    rest = "" if covered == found.proofs else "; theorems prove checks the others again"
    return (
        f"of {found.proofs} statements with a theorem {covered} are as recorded "
        f"({found.recorded}){rest}"
    )


def _print_part(out: Console, part: Part, finding: Finding) -> None:
    mark = Text("✓ ", "green") if finding.present else Text("– ", "yellow")
    first = Text.assemble(mark, part.name.ljust(_INDENT - 2))
    paragraph(out, Text(f"{part.gives}: {finding.words}"), first=first, indent=_INDENT)
    if not finding.present:
        out.print(Text(f"{' ' * _INDENT}get it by: {part.get}"), soft_wrap=True)
