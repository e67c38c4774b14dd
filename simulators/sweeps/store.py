"""The results of sweeps in one SQLite file that survives kills, full disks and two processes at
once.

- One transaction stores finished runs and gives up their claims. The rollback journal with
  ``synchronous=EXTRA`` makes a commit durable when it returns; whatever dies in between leaves the
  last commit. Not WAL: that leaves results in a second file, which a copy of the store would miss,
  and needs shared memory between processes.
- A claim says who computes a run, and until when. Its owner renews it; one that runs out may be
  taken over. Even if two processes compute the same run, the first result stays and the second is
  ignored: keys are unique.
- Every row carries a digest of its content; file, format and rows are checked when a store is
  opened.
- Of a store that is moved or deleted while it is open the system still has the content: with what
  was to be put it goes into a new store beside it.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from urllib.parse import quote

from simulators.arguments import require
from simulators.regular_files import obstacle

__all__ = ["Claims", "MovedStoreError", "Row", "Store", "StoreError", "UnwritableStoreError"]

APPLICATION = 0x424E5457
VERSION = 1
PATIENCE = 30.0
"""Seconds to wait for another process's transaction; ours take milliseconds."""

_HEADER = 100
"""Bytes at the beginning of every SQLite file that is not empty."""

_NO_STORE = "{}: not a store, or its first bytes are damaged; name another file"
_SCHEMA = (
    "CREATE TABLE results (key TEXT PRIMARY KEY, parameters TEXT NOT NULL, data BLOB NOT NULL, "
    "digest TEXT NOT NULL, seconds REAL NOT NULL, finished REAL NOT NULL)",
    "CREATE TABLE claims (key TEXT PRIMARY KEY, owner TEXT NOT NULL, expires REAL NOT NULL)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)


class StoreError(ValueError):
    """A store that cannot be used, or no longer be written to. The message is one line: file, what,
    remedy.

    Example:
        >>> Store("no/such.db", create=False)
        Traceback (most recent call last):
        simulators.sweeps.store.StoreError: no/such.db: no such store; check the path
    """


class UnwritableStoreError(StoreError):
    """The disk does not take any more; what was stored before is kept.

    Example:
        >>> issubclass(UnwritableStoreError, StoreError)
        True
    """


class MovedStoreError(UnwritableStoreError):
    """The file was moved or deleted while it was in use.

    Example:
        >>> issubclass(MovedStoreError, UnwritableStoreError)
        True
    """


@dataclass(frozen=True)
class Row:
    """A finished run: its key, its parameters as canonical JSON, `Trajectory.to_bytes`, seconds it
    took.

    Example:
        >>> len(Row("key", "{}", b"data", 0.5).digest)
        64
    """

    key: str
    parameters: str
    data: bytes
    seconds: float

    @property
    def digest(self) -> str:
        """sha256 of key, parameters and data, in hexadecimal.

        It is stored beside them, and compared when the store is opened.
        """
        return _digest(self.key, self.parameters, self.data)


@dataclass(frozen=True)
class Claims:
    """What became of keys that were asked for: ours now, finished already, or being computed by
    another.

    Example:
        >>> Claims(ours=("a",), finished=(), busy=("b",)).busy
        ('b',)
    """

    ours: tuple[str, ...]
    finished: tuple[str, ...]
    busy: tuple[str, ...]


class Store(AbstractContextManager["Store"]):
    """An open store. Use it from one thread, and as a context manager. Every method may raise
    `StoreError`.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder, Store(f"{folder}/runs.db") as store:
        ...     store.claim(["a", "b"], owner="me", lease=10.0).ours
        ...     store.put([Row("a", "{}", b"data", 0.5)]), store.finished()
        ('a', 'b')
        (1, {'a'})
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool = True) -> None:
        """Open the store at ``path``, made if missing unless ``create`` is false, and check all of
        it.

        Raises `StoreError` for a path that is no store, a store of a later version and a damaged
        one. Cost: reads the file once, about a second per GB.
        """
        require(os.fspath(path), "path='': no name of a store; name a file", StoreError)
        self.path = Path(path)
        self._require_place(create)
        mode = "rwc" if create else "rw"
        with self._errors():
            self._db = sqlite3.connect(
                f"file:{quote(os.path.abspath(path))}?mode={mode}",
                uri=True,
                timeout=PATIENCE,
                isolation_level=None,
            )
        try:
            with self._errors():
                self._db.execute("PRAGMA synchronous = EXTRA")
                self._prepare()
            self.check()
        except BaseException:
            self._db.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back; the store cannot be used any more.

        What was put is there already, and closing twice does no harm.
        """
        self._db.close()

    def check(self) -> None:
        """Raise `StoreError` unless the file is sound and every row has the content that was
        stored.
        """
        with self._errors():
            complaint = str(self._db.execute("PRAGMA integrity_check(1)").fetchone()[0])
            if complaint != "ok":
                raise self._damaged(" ".join(complaint.split()))
            wrong = [
                str(key)
                for key, parameters, data, digest in self._db.execute(
                    "SELECT key, parameters, data, digest FROM results"
                )
                if _digest(key, parameters, data) != digest
            ]
        if wrong:
            raise self._damaged(
                f"{len(wrong)} row(s) with another content than was stored, first {wrong[0][:12]}"
            )

    def finished(self) -> set[str]:
        """The keys of all results.

        Cost: one pass over the keys.
        """
        with self._errors():
            return {key for (key,) in self._db.execute("SELECT key FROM results")}

    def rows(self, keys: Iterable[str] | None = None) -> Iterator[Row]:
        """Results in the order of ``keys``, leaving out missing ones; all, in order of parameters,
        by default.
        """
        order = "ORDER BY parameters" if keys is None else "WHERE key = ?"
        asked = [()] if keys is None else ((key,) for key in keys)
        with self._errors():
            for values in asked:
                found = self._db.execute(
                    f"SELECT key, parameters, data, seconds FROM results {order}", values
                )
                yield from starmap(Row, found)

    def claim(self, keys: Sequence[str], owner: str, lease: float) -> Claims:
        """Claim for ``owner``, for ``lease`` seconds, those of ``keys`` that nobody has finished or
        claimed.
        """
        found: dict[str, list[str]] = {"ours": [], "finished": [], "busy": []}
        now = time.time()
        with self._transaction():
            for key in keys:
                if self._db.execute("SELECT 1 FROM results WHERE key = ?", (key,)).fetchone():
                    found["finished"].append(key)
                    continue
                changed = self._db.execute(
                    "INSERT INTO claims VALUES (:key, :owner, :expires) ON CONFLICT (key) DO UPDATE"
                    " SET owner = excluded.owner, expires = excluded.expires"
                    " WHERE owner = excluded.owner OR expires <= :now",
                    {"key": key, "owner": owner, "expires": now + lease, "now": now},
                )
                found["ours" if changed.rowcount else "busy"].append(key)
        return Claims(**{name: tuple(keys) for name, keys in found.items()})

    def renew(self, owner: str, lease: float) -> None:
        """Let all claims of ``owner`` run for another ``lease`` seconds.

        A claim that has run out meanwhile, and that nobody took, is renewed as well.
        """
        with self._transaction():
            self._db.execute(
                "UPDATE claims SET expires = ? WHERE owner = ?", (time.time() + lease, owner)
            )

    def release(self, owner: str, keys: Iterable[str] | None = None) -> None:
        """Give up these claims of ``owner``; all by default.

        Keys that ``owner`` has not claimed are passed over.

        Args:
            owner: who claimed them.
            keys: of runs; all that ``owner`` has claimed by default.
        """
        with self._transaction():
            if keys is None:
                self._db.execute("DELETE FROM claims WHERE owner = ?", (owner,))
            else:
                self._db.executemany(
                    "DELETE FROM claims WHERE owner = ? AND key = ?", ((owner, key) for key in keys)
                )

    def put(self, rows: Sequence[Row]) -> int:
        """Store finished runs and drop the claims on them, all or none; a key that is there keeps
        its first result.

        Returns how many were new. They survive a crash of the process or the machine once this
        returns. Where the file has been moved or deleted, `MovedStoreError` says in which store
        beside it they are now, with all that it held.

        Args:
            rows: finished runs, some of which may be there already.
        """
        with self._transaction(rows):
            new = self._insert(rows)
            self._db.executemany("DELETE FROM claims WHERE key = ?", ((row.key,) for row in rows))
        return new

    def _insert(self, rows: Iterable[Row]) -> int:
        before = self._db.total_changes
        self._db.executemany(
            "INSERT OR IGNORE INTO results VALUES (?, ?, ?, ?, ?, ?)",
            (
                (row.key, row.parameters, row.data, row.digest, row.seconds, time.time())
                for row in rows
            ),
        )
        return self._db.total_changes - before

    def _rescued(self, rows: Sequence[Row]) -> StoreError:
        """What is told once the results of a store that is gone, and more, are in one beside it."""
        place = self.path.with_name(f"{self.path.name}.rescued")
        gone = f"{self.path}: moved or deleted while it was in use"
        try:
            with Store(place) as other:
                with other._transaction():
                    other._insert(self.rows())
                    other._insert(rows)
                count = len(other.finished())
        except StoreError as error:
            return UnwritableStoreError(f"{gone}, and its results cannot be kept: {error}")
        return MovedStoreError(
            f"{gone}; its results, {count}, are in {place}: rename that to {self.path.name} and "
            "start again"
        )

    def _require_place(self, create: bool) -> None:
        name = str(self.path)
        require(
            name.isprintable(),
            f"{name!r}: has characters that no file name should; name another file",
            StoreError,
        )
        words = obstacle(self.path)
        if words == "no such file":
            require(create, f"{name}: no such store; check the path", StoreError)
            require(
                self.path.absolute().parent.is_dir(),
                f"{name}: no directory {str(self.path.parent)!r}; make it first",
                StoreError,
            )
        else:
            require(words is None, f"{name}: {words}; name another file", StoreError)
            # of a few bytes SQLite makes an empty store
            whole = not 0 < os.path.getsize(self.path) < _HEADER
            require(whole, _NO_STORE.format(name), StoreError)

    def _prepare(self) -> None:
        """Make the tables of a new store; refuse what is no store of this version."""
        found = self._pragmas()
        if found == (0, 0, 0):
            with self._transaction():
                if (found := self._pragmas()) == (0, 0, 0):  # no other process was faster
                    for line in _SCHEMA:
                        self._db.execute(line)
                    found = self._pragmas()
        application, version, _ = found
        require(
            application == APPLICATION,
            f"{self.path}: an SQLite file of another program; name another file",
            StoreError,
        )
        require(
            version == VERSION,
            f"{self.path}: a store of version {version}, not {VERSION}; open it with the release "
            "that wrote it",
            StoreError,
        )

    def _pragmas(self) -> tuple[int, int, int]:
        """Application, version, number of things in the schema."""
        application, version, things = self._db.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
            " FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        return application, version, things

    @contextmanager
    def _transaction(self, rows: Sequence[Row] = ()) -> Iterator[None]:
        """Inside, all or nothing is written; ``rows`` are what was to be put."""
        try:
            with self._errors():
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:  # a full disk may have ended it
                        self._db.execute("ROLLBACK")
                    raise
        except MovedStoreError:
            raise self._rescued(rows) from None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from None
        except UnicodeDecodeError:  # SQLite's message about a damaged schema quotes its bytes
            raise self._damaged("its schema is no text") from None

    def _explained(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorname", None) or ""
        if code.startswith("SQLITE_NOTADB"):
            return StoreError(_NO_STORE.format(self.path))
        if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            full = "the disk is full"
            failed = full if code == "SQLITE_FULL" else f"the disk failed or is full ({code})"
            return UnwritableStoreError(
                f"{self.path}: {failed}; what was stored before is kept; make room and start again"
            )
        if code == "SQLITE_READONLY_DBMOVED":
            return MovedStoreError(f"{self.path}: moved or deleted while it was in use")
        words = f"damaged: {error}; restore a copy, or move it away and start anew"
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            words = f"locked by another process for {PATIENCE:g} s; end that one first"
        if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
            words = f"cannot be opened for writing ({error}); check its permissions"
        return StoreError(f"{self.path}: {words}")

    def _damaged(self, what: str) -> StoreError:
        return StoreError(
            f"{self.path}: damaged: {what}; restore a copy, or move it away and start anew"
        )


def _digest(*parts: object) -> str:
    """Of text and bytes, each with its type and length, whatever a damaged file makes of them."""
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
        digest.update(f"{type(part).__name__} {len(content)} ".encode() + content)
    return digest.hexdigest()
