"""Files are replaced in one step, or stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.regular_files import replacing


def test_a_draft_takes_the_place_of_the_file(tmp_path: Path) -> None:
    target, link = tmp_path / "there", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with replacing(link) as draft:
        draft.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert link.is_symlink()
    assert {p.name for p in tmp_path.iterdir()} == {"there", "link"}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_on_the_way_leaves_everything_as_it_was(
    tmp_path: Path, error: BaseException
) -> None:
    target = tmp_path / "there"
    target.write_text("old")

    def fail() -> None:
        with replacing(target) as draft:
            draft.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_name_as_long_as_the_system_takes_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 255)
    with replacing(target) as draft:
        draft.write_text("new")
    assert target.read_text() == "new"
