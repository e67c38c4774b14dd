"""The corpus: what is written comes back, a bad file is named, and nothing is lost."""

import os
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from theorems.witnesses import Corpus, CorpusError, Witness, read

numbers = st.fractions() | st.integers()
inputs = st.dictionaries(
    st.text(min_size=1, max_size=6),
    st.recursive(numbers, lambda x: st.lists(x, max_size=3), max_leaves=6),
    max_size=4,
) | st.lists(numbers, max_size=5)


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return tuple(map(plain, value)) if isinstance(value, list | tuple) else value


def test_sizes_stay_whole_numbers_and_numbers_fractions(tmp_path: Path) -> None:
    found = read(Corpus(tmp_path).keep(Witness("a.b", "c", {"n": 3, "x": Fraction(2)})))
    assert [type(v) for v in found.input.values()] == [int, Fraction]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=inputs, claim=st.text(max_size=30), note=st.text(max_size=30))
def test_what_is_kept_is_read_back_exactly(
    tmp_path: Path, given: Any, claim: str, note: str
) -> None:
    corpus = Corpus(tmp_path)
    path = corpus.keep(Witness("my.claim", claim, given, "exact", {"by": note}))
    found = read(path)
    assert (found.claim, found.input) == (claim, plain(given))
    assert found.digest in path.name
    other = Corpus(tmp_path / "notes").keep(
        Witness("my.claim", note, [Fraction(1)], found={note: note})
    )
    assert read(other).found == {note: note}


def test_only_the_statements_own_witnesses_are_read(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    for name in ("a.b", "a.b:sharp", "a.bc"):
        corpus.keep(Witness(name, "x <= 1", {"x": Fraction(2)}))
    assert [w.statement for w in corpus.of("a.b")] == ["a.b"]
    assert [w.statement for w in corpus.of("a.b:sharp")] == ["a.b:sharp"]
    assert Corpus(tmp_path / "missing").of("a.b") == []


def test_one_witness_is_one_file_and_the_first_finding_stays(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    paths = {
        corpus.keep(Witness("a.b", "x <= 1", {"x": Fraction(2)}, found={"by": str(k)}))
        for k in range(3)
    }
    assert len(paths) == len(list(tmp_path.iterdir())) == 1
    assert read(paths.pop()).found["by"] == "0"


def test_writers_at_a_time_lose_nothing(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "deep" / "corpus")
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda k: corpus.keep(Witness("a.b", "c", {"x": Fraction(k % 10)})), range(80))
        )
    assert sorted(w.input["x"] for w in corpus.of("a.b")) == list(range(10))
    assert len(list(corpus.directory.iterdir())) == 10  # and no drafts


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("schema = 1", "schema = 2", "schema is 2; want 1"),
        ('"3/2"', '"3/0"', "exact rationals"),
        ('"3/2"', "1.5", "exact rationals"),
        ('"3/2"', '"7/2"', "its content is not what its name says"),
        ("[input]", "[outut]", "input: missing"),
        ("kind = ", "kin = ", "kind: missing"),
        ("schema", "sch\x00ema", "TOML"),
        ('"exact"', "3", "kind is 3; want text"),
        ('"3/2"', '"' + "9" * 5000 + '"', "exact rationals"),
        ('[found]\n"by" = "me"', "found = 3", "not what its name says"),
        ('"3/2"', '["1", ["2", ["3", ["4", ["5", ["6", ["7"]]]]]]]', "exact rationals"),
    ],
)
def test_a_corrupted_file_is_named_and_nothing_is_skipped(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    corpus = Corpus(tmp_path)
    path = corpus.keep(Witness("a.b", "x <= 1", {"x": Fraction(3, 2)}, found={"by": "me"}))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(CorpusError, match=words) as caught:
        corpus.of("a.b")
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert path.exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_give_one_clear_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.b-0.toml"
    path.write_bytes(content)
    with pytest.raises(CorpusError) as caught:
        Corpus(tmp_path).of("a.b")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_floats_are_no_witnesses(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no exact rational"):
        Corpus(tmp_path).keep(Witness("a.b", "c", {"x": 0.5}))


def test_a_failed_write_leaves_the_corpus_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Corpus(tmp_path)
    corpus.keep(Witness("a.b", "c", {"x": Fraction(1)}))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CorpusError, match="No space left"):
        corpus.keep(Witness("a.b", "c", {"x": Fraction(2)}))
    assert [w.input for w in corpus.of("a.b")] == [{"x": 1}]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(CorpusError, match=r"file.*cannot be written"):
        Corpus(blocked / "inside").keep(Witness("a.b", "c", {"x": Fraction(1)}))


def test_a_corpus_that_is_no_directory_or_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    for place in (blocked, blocked / "inside"):
        with pytest.raises(CorpusError, match="not a directory"):
            Corpus(place).of("a.b")

    def denied(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(
        os, "listdir", denied
    )  # a superuser, who may read anything, runs this test too
    with pytest.raises(CorpusError, match="cannot be read: Permission denied"):
        Corpus(tmp_path).of("a.b")


def test_what_cannot_be_read_in_a_corpus_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Corpus(tmp_path)
    (tmp_path / "a.a-0.toml").mkdir()
    os.mkfifo(tmp_path / "a.b-0.toml")
    (tmp_path / "a.c-0.toml").symlink_to("nowhere")
    for name, words in (("a.a", "a directory"), ("a.b", "a pipe"), ("a.c", "no such file")):
        with pytest.raises(CorpusError, match=words) as caught:
            corpus.of(name)
        assert f"{name}-0.toml" in str(caught.value)
    corpus.keep(Witness("a.d", "c", {"x": Fraction(1)}))

    def denied(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(CorpusError, match=r"a\.d-.*Permission denied"):
        corpus.of("a.d")


@pytest.mark.parametrize("letter", ["b", "ℓ", "𝔸"])
@pytest.mark.parametrize("length", [100, 300, 5000])
def test_a_name_too_long_for_a_file_is_cut_there(tmp_path: Path, letter: str, length: int) -> None:
    long, other = (
        Witness("a." + letter * n, "c", {"x": Fraction(1)}) for n in (length, length + 1)
    )
    for witness in (long, other):
        Corpus(tmp_path).keep(witness)
    assert Corpus(tmp_path).of(long.statement) == [long]
    assert Corpus(tmp_path).of(other.statement) == [other]
