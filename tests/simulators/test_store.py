"""The store: what it keeps, what it notices, what it refuses."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from simulators.sweeps.store import (
    APPLICATION,
    MovedStoreError,
    Row,
    Store,
    StoreError,
    UnwritableStoreError,
)


def row(name: str, size: int = 100) -> Row:
    return Row(name, '{"name":"' + name + '"}', (name * size).encode()[:size], 0.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Store(tmp_path / "results.db") as store:
        store.put([row(f"run {i}") for i in range(40)])
    return tmp_path / "results.db"


def refused(path: Path, **how: bool) -> str:
    with pytest.raises(StoreError) as caught:
        Store(path, **how).close()
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text or repr(str(path)) in text
    return text


def test_what_is_put_is_there_when_it_is_opened_again(path):
    with Store(path, create=False) as store:
        assert store.finished() == {f"run {i}" for i in range(40)}
        assert list(store.rows(["run 3", "missing", "run 1"])) == [row("run 3"), row("run 1")]
        assert len(list(store.rows())) == 40
    assert [entry.name for entry in path.parent.iterdir()] == ["results.db"], (
        "one file, so a copy has everything"
    )


def test_the_first_result_of_a_key_stays(path):
    with Store(path) as store:
        other = Row("run 1", "other", b"other", 1.0)
        assert store.put([other, row("new"), row("new")]) == 1
        assert list(store.rows(["run 1"])) == [row("run 1")]
        assert len(store.finished()) == 41


def test_claims_exclude_each_other_until_they_run_out(path):
    with Store(path) as mine, Store(path) as yours:
        keys = ["run 1", "a", "b", "c"]
        claims = mine.claim(keys[:3], "me", 60)
        assert (claims.ours, claims.finished, claims.busy) == (("a", "b"), ("run 1",), ())
        claims = yours.claim(keys, "you", 0.1)
        assert (claims.ours, claims.finished, claims.busy) == (("c",), ("run 1",), ("a", "b"))
        assert mine.claim(["a"], "me", 60).ours == ("a",), "a claim of one's own is no obstacle"
        time.sleep(0.12)
        assert mine.claim(["c"], "me", 60).ours == ("c",), "it ran out"
        mine.renew("me", 60)
        mine.release("me", ["a"])
        assert yours.claim(["a", "b"], "you", 60).ours == ("a",)
        mine.release("me")
        assert yours.claim(["b", "c"], "you", 60).ours == ("b", "c")


def test_a_result_ends_its_claim(path):
    with Store(path) as store:
        store.claim(["a"], "me", 60)
        store.put([row("a")])
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT count(*) FROM claims").fetchone() == (0,)


def test_a_transaction_is_all_or_nothing(path):
    with Store(path) as store:
        with pytest.raises(AttributeError):
            store.put([row("whole"), None])
        assert "whole" not in store.finished()
        store.put([row("whole")])


def test_a_store_that_another_process_holds_is_said(path, monkeypatch):
    monkeypatch.setattr("simulators.sweeps.store.PATIENCE", 0.1)
    holder = sqlite3.connect(path, isolation_level=None)
    with Store(path) as store:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another process"):
            store.put([row("late")])
        holder.execute("ROLLBACK")
        assert store.put([row("late")]) == 1
    holder.close()


# --- damage
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "data = zeroblob(100)",
        "parameters = '{}'",
        "key = 'run 99'",
        "digest = ''",
        "data = CAST(data AS TEXT)",
    ],
)
def test_a_changed_row_is_noticed(path, change):
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE results SET {change} WHERE key = 'run 7'")
    db.close()
    assert "1 row(s) with another content" in refused(path)


def test_a_zeroed_page_is_noticed(path):
    content = bytearray(path.read_bytes())
    content[8192:12288] = bytes(4096)
    path.write_bytes(content)
    assert "damaged" in refused(path)


def test_a_truncated_file_is_noticed(path):
    path.write_bytes(path.read_bytes()[:9000])
    assert "damaged" in refused(path)


def test_another_file_is_refused_and_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text(
        "my notes, which are not a store, and longer than a header of a hundred bytes " * 3
    )
    before = text.read_bytes()
    assert "not a store" in refused(text)
    assert text.read_bytes() == before
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    before = other.read_bytes()
    assert "another program" in refused(other)
    assert other.read_bytes() == before


@pytest.mark.parametrize("content", [b"{", b"\0", b"SQLite", b"{}\n", b"x" * 99, b"x" * 200])
def test_a_file_that_is_not_empty_is_no_new_store(tmp_path, content):
    """SQLite itself takes the shortest for empty databases."""
    path = tmp_path / "notes.json"
    path.write_bytes(content)
    assert "not a store" in refused(path)
    assert path.read_bytes() == content


def test_an_empty_file_is_a_new_store(tmp_path):
    (tmp_path / "x.db").touch()
    with Store(tmp_path / "x.db") as store:
        assert store.finished() == set()


@pytest.mark.parametrize("way", ["deleted", "moved", "replaced"])
def test_of_a_store_that_is_gone_all_is_kept_beside_it(path, way):
    """What it held, and what was to be put, whatever was done first; twice into the same store."""
    place = path.with_name(f"{path.name}.rescued")
    with Store(path) as store:
        held = {each.key for each in store.rows()}
        os.rename(path, path.with_name("elsewhere"))
        if way == "deleted":
            path.with_name("elsewhere").unlink()
        if way == "replaced":
            Store(path).close()
        told = (
            rf"^{path}: moved or deleted while it was in use; its results, {{}}, are in {place}: "
        )
        with pytest.raises(MovedStoreError, match=told.format(len(held))):
            store.claim(["x"], "me", 1.0)
        for name, count in (("new", 1), ("newer", 2)):
            with pytest.raises(MovedStoreError, match=told.format(len(held) + count)):
                store.put([row(name)])
    with Store(place, create=False) as kept:
        assert kept.finished() == held | {row("new").key, row("newer").key}
        kept.check()


def test_of_a_store_that_is_gone_with_its_folder_nothing_is_kept(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with Store(folder / "x.db") as store:
        shutil.rmtree(folder)
        with pytest.raises(UnwritableStoreError, match="in use, and its results cannot be kept: "):
            store.put([row("a")])


def test_a_later_version_is_refused(path):
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()
    assert "version 2, not 1" in refused(path)


def test_tables_that_are_not_there_are_noticed(tmp_path):
    with sqlite3.connect(tmp_path / "bare.db") as db:
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute("PRAGMA user_version = 1")
    db.close()
    assert "no such table" in refused(tmp_path / "bare.db")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("folder", "a directory"),
        ("missing/x.db", "no directory"),
        ("a\0b", "characters"),
        ("x" * 300, "too long"),
    ],
)
def test_bad_places(tmp_path, name, said):
    (tmp_path / "folder").mkdir()
    assert said in refused(tmp_path / name)


def test_a_missing_store_is_not_made_when_not_asked_to(tmp_path):
    assert "no such store" in refused(tmp_path / "x.db", create=False)
    with pytest.raises(StoreError, match="path='': no name of a store; name a file"):
        Store("")
    assert list(tmp_path.iterdir()) == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(
    at=0.1171875, change=b"\x80", cut=False
)  # a schema that is no text, nor SQLite's message about it
@given(
    at=st.floats(0, 1, exclude_max=True),
    change=st.binary(min_size=1, max_size=40),
    cut=st.booleans(),
)
def test_a_damaged_store_gives_its_rows_or_one_line(path, at, change, cut):
    """Bytes overwritten or cut off anywhere: results that are read are those that were put, or it
    is said.
    """
    damaged = path.with_name("damaged.db")
    shutil.copy(path, damaged)
    content = bytearray(damaged.read_bytes())
    place = int(at * len(content))
    content[place : place + len(change)] = change
    damaged.write_bytes(content[:place] if cut else content)
    try:
        with Store(damaged) as store:
            kept = {found.key: found for found in store.rows()}
    except StoreError as error:
        said, kept = str(error), {}
    else:
        said = ""
    assert "\n" not in said
    assert all(
        (found.parameters, found.data) == (row(key).parameters, row(key).data)
        for key, found in kept.items()
    )


# --- a full disk
# --------------------------------------------------------------------------------------------


def fill(store: Store) -> int:
    """Put rows until one is refused; how many went in."""
    for number in range(1000):
        try:
            store.put([row(f"more {number}", 1000)])
        except StoreError as error:
            said = str(error)
            break
    assert "the disk is full; what was stored before is kept; make room" in said
    return number


def test_a_full_store_keeps_what_was_put(path):
    with Store(path) as store:
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages + 3}")
        stored = fill(store)
        assert stored > 1
        store.check()
    with Store(path) as store:
        assert len(store.finished()) == 40 + stored
        store.put([row("there is room again", 1000)])


def test_a_limit_of_the_system_keeps_what_was_put(path):
    """The system refuses to let the file grow, in the middle of a transaction."""
    script = textwrap.dedent("""
        import resource, sys
        from simulators.sweeps.store import Row, Store, StoreError
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        with Store(sys.argv[1]) as store:
            for number in range(1000):
                try:
                    store.put([Row(f"more {number}", "{}", bytes(3000), 0.0)])
                except StoreError as error:
                    print(error)
                    sys.exit(number)
    """)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert "the disk failed or is full" in done.stdout
    assert done.returncode > 1
    with Store(path) as store:
        assert len(store.finished()) == 40 + done.returncode


# --- many at once
# -------------------------------------------------------------------------------------------


def test_processes_may_make_and_fill_one_store_together(tmp_path):
    script = textwrap.dedent("""
        import sys
        from simulators.sweeps.store import Row, Store
        with Store(sys.argv[1]) as store:
            new = sum(store.put([Row(f"run {number}", "{}", b"data", 0.0)]) for number in range(50))
        print(new)
    """)
    target = tmp_path / "new.db"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(target)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    assert sum(int(process.communicate(timeout=120)[0]) for process in started) == 50
    with Store(target, create=False) as store:
        assert len(store.finished()) == 50


def test_a_writer_killed_in_the_middle_leaves_whole_transactions(tmp_path):
    script = textwrap.dedent("""
        import sys
        from itertools import count
        from simulators.sweeps.store import Row, Store
        with Store(sys.argv[1]) as store:
            for number in count():
                store.put([Row(f"{number} {part}", "{}", bytes(20_000), 0.0) for part in range(4)])
                print(number, flush=True)
    """)
    target = tmp_path / "killed.db"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(target)], stdout=subprocess.PIPE, text=True
    )
    time.sleep(0.6)
    process.send_signal(signal.SIGKILL)
    said = process.communicate(timeout=120)[0].split()
    with Store(target) as store:
        kept = store.finished()
    assert len(kept) % 4 == 0
    assert {f"{number} 3" for number in said} <= kept
