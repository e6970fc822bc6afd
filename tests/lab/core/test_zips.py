import zipfile
from pathlib import Path

import pytest

from lab.core.zips import whole_zip


def test_the_old_zip_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "made" / "a.zip"
    with whole_zip(target) as out:
        out.writestr("first", "1")
    with whole_zip(target) as out:
        out.writestr("second", "2")
        assert zipfile.ZipFile(target).namelist() == ["first"]
    assert zipfile.ZipFile(target).namelist() == ["second"]
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_failure_leaves_the_old_zip_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    with whole_zip(target) as out:
        out.writestr("first", "1")
    with pytest.raises(ValueError, match="half-way"), whole_zip(target) as out:
        out.writestr("second", "2")
        raise ValueError("half-way")
    assert zipfile.ZipFile(target).namelist() == ["first"]
    assert list(tmp_path.iterdir()) == [target]
