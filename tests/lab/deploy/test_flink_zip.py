"""Whether the zip of an application is what stands in its folder."""

import hashlib
import zipfile
from pathlib import Path

from lab.deploy.flink_zip import build_flink_zip, edited_file, has_zip


def test_a_file_edited_added_or_removed_after_packaging_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "SlidingWindows"
    folder.mkdir()
    script, more = folder / "sliding-windows.py", folder / "more.py"
    script.write_text("print(1)\n")
    with zipfile.ZipFile(build_flink_zip(tmp_path / "a.zip", folder)) as packed:
        assert edited_file(packed, folder) == ""
        script.touch()  # what counts is what stands in it
        assert edited_file(packed, folder) == ""
        more.write_text("")
        assert edited_file(packed, folder) == "SlidingWindows/more.py"
        more.unlink()
        script.write_text("print(2)\n")
        assert edited_file(packed, folder) == "SlidingWindows/sliding-windows.py"
        script.unlink()
        assert edited_file(packed, folder) == "SlidingWindows/sliding-windows.py"


def test_an_application_is_known_by_the_md5_of_its_zip() -> None:
    def detail(**code: str) -> dict[str, object]:
        configuration = {"ApplicationCodeConfigurationDescription": {"CodeContentDescription": code}}
        return {"ApplicationConfigurationDescription": configuration}

    assert has_zip(detail(CodeMD5=hashlib.md5(b"zip", usedforsecurity=False).hexdigest()), b"zip")
    assert not has_zip(detail(CodeMD5="0" * 32), b"zip")
    assert has_zip(detail(), b"zip")
