import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from lab.core.zips import UnreadableZip, open_zip, whole_zip


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


def whole() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("SlidingWindows/sliding-windows.py", "print('a window')\n" * 20)
        out.writestr("SlidingWindows/lib/ö.jar", b"\0" * 500, zipfile.ZIP_STORED)
    return buffer.getvalue()


@given(st.integers(0, len(whole()) - 1), st.integers(1, 255), st.integers(0, len(whole())))
@settings(max_examples=400)
def test_a_zip_is_read_whole_or_refused_in_a_sentence(place: int, flipped: int, end: int) -> None:
    """One byte changed, and the end cut off or not."""
    damaged = bytearray(whole())
    damaged[place] ^= flipped
    for source in (bytes(damaged), whole()[:end]):
        try:
            package = open_zip(source, "s3://bucket/flink-app.zip")
        except UnreadableZip as error:
            assert str(error).startswith("s3://bucket/flink-app.zip is ")
            assert str(error).endswith(": package and upload it again.")
        else:
            for name in package.namelist():
                package.read(name)


def test_a_wrong_checksum_names_the_member() -> None:
    at = whole().index(b"\0" * 500) + 7
    with pytest.raises(UnreadableZip, match=r"damaged at its member SlidingWindows/lib/ö\.jar"):
        open_zip(whole()[:at] + b"\1" + whole()[at + 1 :], "flink-app.zip")
