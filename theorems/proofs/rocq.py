"""The installed Rocq (Coq 8.16 with mathcomp): it builds, compiles one file, lists axioms."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from theorems.proofs.vernacular import breaches, project_breaches, statement_in, stripped

__all__ = [
    "ALLOWED",
    "INSTALL",
    "LIBRARIES",
    "MEANINGS",
    "SOURCES",
    "MissingRocqError",
    "Rocq",
    "RocqError",
    "axioms_in",
    "closure",
    "excess",
    "exported",
    "file_of",
    "forbidden",
    "installed",
    "is_leaf",
    "sources",
    "stated",
]

#: The development, in the package.
SOURCES = Path(__file__).parent

#: The libraries that the development imports, by their folder: Debian's packages.
LIBRARIES = {
    "mathcomp/analysis": "libcoq-mathcomp-analysis",
    "mathcomp/algebra_tactics": "libcoq-mathcomp-algebra-tactics",
    "mathcomp/zify": "libcoq-mathcomp-zify",
    "Coquelicot": "libcoq-coquelicot",
    "Interval": "libcoq-interval",
}

#: What gets it where it is missing (Debian, Ubuntu).
INSTALL = f"apt-get install --no-install-recommends coq {' '.join(LIBRARIES.values())} make"

#: The axioms behind Coq's own real numbers, and what each says. Only files under leaf/ may rest on
#: them.
MEANINGS = {
    "ClassicalDedekindReals.sig_forall_dec": (
        "a decidable property of whole numbers either holds of all, or fails at one that is found; "
        "the real numbers are compared by it"
    ),
    "ClassicalDedekindReals.sig_not_dec": (
        "of every proposition one may decide whether its negation holds; "
        "the real numbers are constructed with it"
    ),
    "FunctionalExtensionality.functional_extensionality_dep": (
        "functions with the same value at every argument are equal"
    ),
    "Classical_Prop.classic": "excluded middle: every proposition is true or false",
    "ClassicalEpsilon.constructive_indefinite_description": (
        "of what is known to exist, one is chosen"
    ),
    "Epsilon.epsilon_statement": (
        "Hilbert's epsilon: one is chosen of those that have a property, if there is any"
    ),
}
ALLOWED = frozenset(MEANINGS)

_PROJECT = "BatchNorm"
_CLOSED = "Closed under the global context"
#: ``From PREFIX Require Import MODULES.``, where prefix and ``Import`` may be missing.
_REQUIRED = re.compile(
    r"(?<!\S)(?:From\s+([\w.]+)\s+)?Require\s+(?:Import\s+|Export\s+)?([\w.\s]+?)\.\s"
)


class RocqError(RuntimeError):
    """Rocq, or make, refused something; the message is its last words."""


class MissingRocqError(RocqError):
    """No Rocq on this machine; the message says how to get it."""


def _listed(file: Path) -> tuple[str, ...]:
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def sources(root: Path = SOURCES) -> tuple[str, ...]:
    """The files of the development, relative to its root, in the order of ``_CoqProject``.

    Example:
        >>> "common/Sums.v" in sources()
        True
    """
    return tuple(line for line in _listed(root / "_CoqProject") if line.endswith(".v"))


def exported(root: Path = SOURCES) -> tuple[str, ...]:
    """The qualified names of the theorems that speak for a statement, as in ``EXPORTED``.

    Example:
        >>> all(theorem.startswith("BatchNorm.") for theorem in exported())
        True
    """
    return _listed(root / "EXPORTED")


def file_of(theorem: str) -> str:
    """Where a theorem stands. Raises ``ValueError`` for a name of another shape.

    Example:
        >>> file_of("BatchNorm.common.Sums.cauchy_schwarz")
        'common/Sums.v'
    """
    parts = theorem.split(".")
    if len(parts) < 3 or parts[0] != _PROJECT or not all(parts):
        raise ValueError(f"{theorem!r}: want {_PROJECT}.folder.File.theorem")
    return "/".join(parts[1:-1]) + ".v"


def stated(theorem: str, root: Path = SOURCES) -> str:
    """What a theorem says, in the words of its source; empty where the source is not there.

    - ``theorem``: its qualified name
    - ``root``: where the sources are

    Variables and hypotheses of the sections around it stand before it.

    Example:
        >>> print(stated("BatchNorm.common.Sums.cauchy_schwarz").splitlines()[0])
        Variables (R : realFieldType) (I : finType).
        >>> stated("BatchNorm.common.Sums.unheard_of")
        ''
    """
    try:
        path = root / file_of(theorem)
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    return statement_in(text, theorem.rpartition(".")[2])


def closure(file: str, root: Path = SOURCES) -> tuple[str, ...]:
    """The file and the project's files that it imports, directly or not, sorted.

    ``file`` is relative to ``root``. Raises ``OSError`` where one of them is not there.

    Example:
        >>> closure("common/Sums.v")
        ('common/Sums.v',)
    """
    found: set[str] = set()
    pending = [file]
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        text = stripped((root / name).read_text(encoding="utf-8"))
        for prefix, modules in _REQUIRED.findall(text):
            names = (f"{prefix}.{module}".lstrip(".") for module in modules.split())
            pending += [file_of(f"{x}.x") for x in names if x.startswith(f"{_PROJECT}.")]
    return tuple(sorted(found))


def forbidden(root: Path = SOURCES) -> list[str]:
    """``file: word`` for every word in the sources, or option of the project, that assumes or hides
    something.
    """
    project = (root / "_CoqProject").read_text(encoding="utf-8")
    found = [f"_CoqProject: {breach.word}" for breach in project_breaches(project)]
    for name in sources(root):
        text = (root / name).read_text(encoding="utf-8")
        found += [f"{name}: {breach.word}" for breach in breaches(text)]
    return found


def axioms_in(output: str) -> tuple[str, ...]:
    """The axioms that one ``Print Assumptions`` printed; what is not understood counts as one.

    Raises `RocqError` if it printed nothing.

    Example:
        >>> axioms_in("Closed under the global context")
        ()
        >>> axioms_in("Axioms:\\nclassic : forall P, P")
        ('classic',)
    """
    found = [
        line.split(":")[0].strip()
        for line in output.splitlines()
        if line.strip() and not line[0].isspace() and line.strip() not in (_CLOSED, "Axioms:")
    ]
    if not found and _CLOSED not in output:
        raise RocqError(f"Print Assumptions said nothing: {output[-200:]!r}")
    return tuple(found)


@dataclass(frozen=True)
class Rocq:
    """The programs, and the directory in which the development is built."""

    coqc: str
    version: str
    workspace: Path
    root: Path = SOURCES

    def missing_libraries(self) -> list[str]:
        """Libraries that proofs need and that are not where Rocq looks for them.

        Returns:
            Debian's names of their packages, empty where all are there.

        Cost: one call of ``coqc``, which says where it looks.
        """
        libraries = Path(_told(self.coqc, "-where"), "user-contrib")
        return [name for folder, name in LIBRARIES.items() if not (libraries / folder).is_dir()]

    def build(self, files: Iterable[str] = (), *, jobs: int = 2, timeout: float = 1500) -> None:
        """Compile files and what they need, in the workspace; one process at a time.

        - ``files``: of the development, such as ``common/Sums.v``; all of it where none is given
        - ``jobs``: how many are compiled at once; ``timeout``: in seconds, for each program

        Raises `RocqError` with the compiler's last words. Cost: half a minute for all that
        has changed, nothing for what has not.
        """
        with self._locked():
            self._copy()
            targets = [f"{name}o" for name in files]
            self._run(["coq_makefile", "-f", "_CoqProject", "-o", "Makefile.coq"], timeout)
            self._run(
                ["make", "-f", "Makefile.coq", f"-j{jobs}", "--no-print-directory", *targets],
                timeout,
            )

    def compile(self, name: str, text: str, *, timeout: float = 300) -> str:
        """What ``coqc`` prints for a file with this text, against the built development.

        - ``name``: of the file, without ``.v``; ``timeout``: in seconds

        Raises `RocqError` if it is not accepted. Cost: some three seconds.
        """
        with tempfile.TemporaryDirectory(prefix="rocq-") as folder:
            path = Path(folder) / f"{name}.v"
            path.write_text(text, encoding="utf-8")
            return self._run(
                [self.coqc, "-q", "-Q", str(self.workspace), _PROJECT, "-w", "none", str(path)],
                timeout,
            )

    def axioms_of(self, text: str) -> tuple[str, ...]:
        """The axioms that a file ending in one ``Print Assumptions`` rests on.

        Raises `RocqError`.
        """
        return axioms_in(self.compile("check", text))

    def assumptions(
        self, theorems: Sequence[str], *, timeout: float = 600
    ) -> dict[str, tuple[str, ...]]:
        """The axioms of each theorem. Files under leaf/, whose libraries load slowly, are asked
        apart.
        """
        core = [t for t in theorems if not is_leaf(t)]
        leaf = [t for t in theorems if is_leaf(t)]
        found = self._asked("audit_core", "Print Assumptions {}.", core, timeout=timeout)
        found |= self._asked("audit_leaf", "Print Assumptions {}.", leaf, timeout=timeout)
        return {name: axioms_in(output) for name, output in found.items()}

    def says(self, theorems: Sequence[str]) -> dict[str, str]:
        """What ``Check`` prints for each theorem, by its qualified name.

        Raises `RocqError` where one is not in the built development.
        """
        head = (
            "From mathcomp Require Import all_ssreflect all_algebra.",
            "Local Open Scope ring_scope.",
            "Set Printing Width 90.",
        )
        found = self._asked("says", "Check @{}.", theorems, head)
        return {
            name: output.partition("\n     : ")[2].replace("\n" + " " * 7, "\n").rstrip()
            for name, output in found.items()
        }

    def _asked(
        self,
        file: str,
        command: str,
        theorems: Sequence[str],
        head: Sequence[str] = (),
        *,
        timeout: float = 300,
    ) -> dict[str, str]:
        """What Rocq prints at a command for each theorem."""
        if not theorems:
            return {}
        modules = dict.fromkeys(t.rpartition(".")[0] for t in theorems)
        lines = [*head, *(f"Require {module}." for module in modules)]
        for name in theorems:
            lines += [f'Goal True. idtac "== {name}". Abort.', command.format(name)]
        output = self.compile(file, "\n".join((*lines, "")), timeout=timeout)
        parts = (part.partition("\n") for part in output.split("== ")[1:])
        return {name.strip(): rest for name, _, rest in parts}

    def _copy(self) -> None:
        """Bring the workspace in line with the sources, touching only what changed."""
        wanted = {"_CoqProject", *sources(self.root)}
        for old in self.workspace.rglob("*.v"):
            inside = old.relative_to(self.workspace).as_posix()
            if inside not in wanted:
                old.unlink()
                old.with_suffix(".vo").unlink(missing_ok=True)
        for name in sorted(wanted):
            text = (self.root / name).read_bytes()
            target = self.workspace / name
            if not target.exists() or target.read_bytes() != text:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(text)
                if name.endswith(".v"):
                    target.with_suffix(".vo").unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.workspace.mkdir(parents=True, exist_ok=True)
        with open(self.workspace / ".lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _run(self, command: list[str], timeout: float) -> str:
        try:
            done = subprocess.run(
                command,
                cwd=self.workspace,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except FileNotFoundError:
            raise MissingRocqError(f"{command[0]} is not installed; get it by: {INSTALL}") from None
        except subprocess.TimeoutExpired:
            raise RocqError(
                f"{Path(command[0]).name} was still running after {timeout:g} s"
            ) from None
        if done.returncode != 0:
            raise RocqError(_last_words(done.stderr) or _last_words(done.stdout))
        return done.stdout


def is_leaf(theorem: str) -> bool:
    """The theorem may rest on the axioms of Coq's real numbers.

    Example:
        >>> is_leaf("BatchNorm.folder.leaf.File.theorem")
        True
    """
    return ".leaf." in theorem


def excess(theorem: str, axioms: Iterable[str]) -> tuple[str, ...]:
    """Of the axioms that a theorem rests on, those that it may not.

    Example:
        >>> excess("BatchNorm.common.Sums.cauchy_schwarz", ["Classical_Prop.classic"])
        ('Classical_Prop.classic',)
        >>> excess("BatchNorm.cluster.leaf.File.theorem", ["Classical_Prop.classic"])
        ()
    """
    return tuple(a for a in axioms if not (is_leaf(theorem) and a in ALLOWED))


def installed(root: Path = SOURCES, workspace: Path | None = None) -> Rocq:
    """The Rocq on the path. Raises `MissingRocqError` with the line that installs it.

    - ``root``: where the development is
    - ``workspace``: where it is built, by default a directory of its own in the user's cache
    """
    missing = [name for name in ("coqc", "coq_makefile", "make") if shutil.which(name) is None]
    if missing:
        raise MissingRocqError(f"{', '.join(missing)} not found; get Rocq by: {INSTALL}")
    coqc = shutil.which("coqc") or "coqc"
    version = next(iter(_told(coqc, "--print-version").split()), "unknown")
    if workspace is None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        key = hashlib.sha256(f"{root.resolve()} {version}".encode()).hexdigest()[:12]
        workspace = cache / "batchnorm-theorems" / f"rocq-{key}"
    return Rocq(coqc, version, workspace.absolute(), root.absolute())  # programs run elsewhere


def _told(coqc: str, option: str) -> str:
    """What the compiler says of itself; nothing where it fails."""
    done = subprocess.run([coqc, option], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip()


def _last_words(text: str, limit: int = 400) -> str:
    """The error in a compiler's output, on one line."""
    start = text.rfind("\nError:")
    return " ".join(text[start if start >= 0 else -limit :].split())[:limit]
