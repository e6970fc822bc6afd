"""What is handed in: taken, reduced, or refused in a sentence."""

import zipfile
from pathlib import Path

import pytest

from grader.sandbox.limits import Limits
from grader.submissions import BadSubmission, find, name_of, safe_name, stage
from lab.core.errors import LabError
from tests.support import hostile

SMALL = Limits(unpacked=1 << 20, files=20)


def test_a_folder_and_a_zip_of_it_are_the_same_submission(tmp_path: Path) -> None:
    folder = hostile.honest(tmp_path / "ada")
    (folder / "lab").mkdir()
    (folder / "lab" / "checks.py").write_text("passed = True")
    members = {
        f"ada-main/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    packed = hostile.zip_of(tmp_path / "ada.zip", members)
    one, other = stage(folder, tmp_path / "a", Limits()), stage(packed, tmp_path / "b", Limits())
    assert one.parts == other.parts == hostile.PARTS
    assert one.fingerprint == other.fingerprint
    assert not (one.folder / "lab").exists()


def test_notebooks_without_their_folder_are_found(tmp_path: Path) -> None:
    packed = hostile.zip_of(tmp_path / "bob.zip", {"01_streams.ipynb": b"{}", "04_validate.ipynb": b"{}"})
    staged = stage(packed, tmp_path / "s", Limits())
    assert staged.parts == ("notebooks",)
    assert {path.name for path in (staged.folder / "notebooks").iterdir()} == {"01_streams.ipynb", "04_validate.ipynb"}


def test_what_is_missing_comes_from_the_student_edition(tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "producer").mkdir(parents=True)
    (base / "producer" / "lambda_function.py").write_text("base")
    (base / "producer" / "put_batch.py").write_text("base")
    packed = hostile.zip_of(tmp_path / "c.zip", {"producer/put_batch.py": b"own"})
    staged = stage(packed, tmp_path / "s", Limits(), base)
    assert staged.parts == ("producer",)
    assert (staged.folder / "producer" / "lambda_function.py").read_text() == "base"
    assert (staged.folder / "producer" / "put_batch.py").read_text() == "own"


@pytest.mark.parametrize(
    "name", ["../out.py", "notebooks/../../x", "/etc/passwd", "..\\x", "C:\\x", "producer/../../../x"]
)
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSubmission, match="leads out of its folder"):
        safe_name(name)
    packed = hostile.zip_of(tmp_path / "out.zip", {name: b"x", "notebooks/01_streams.ipynb": b"{}"})
    with pytest.raises(BadSubmission, match="leads out of its folder"):
        stage(packed, tmp_path / "s", Limits())
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("out.zip", "s")] == []


def test_links_are_refused_in_zips_and_folders(tmp_path: Path) -> None:
    packed = hostile.zip_with_link(tmp_path / "link.zip", "notebooks/01_streams.ipynb", "/etc/passwd")
    with pytest.raises(BadSubmission, match="the link"):
        stage(packed, tmp_path / "a", Limits())
    folder = tmp_path / "folder"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "notebooks" / "01_streams.ipynb").symlink_to("/etc/passwd")
    with pytest.raises(BadSubmission, match="the link"):
        stage(folder, tmp_path / "b", Limits())


def test_a_bomb_is_refused_by_what_comes_out_of_it(tmp_path: Path) -> None:
    packed = hostile.zip_of(tmp_path / "bomb.zip", {"producer/zeros.py": bytes(8 << 20)})
    assert packed.stat().st_size < 20_000
    with pytest.raises(BadSubmission, match="too large"):
        stage(packed, tmp_path / "s", SMALL)
    many = hostile.zip_of(tmp_path / "many.zip", {f"producer/{number}.py": b"" for number in range(40)})
    with pytest.raises(BadSubmission, match="more than 20 files"):
        stage(many, tmp_path / "m", SMALL)


def test_what_is_no_submission_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK nothing")
    with pytest.raises(BadSubmission, match="no zip that can be read"):
        stage(tmp_path / "broken.zip", tmp_path / "a", Limits())
    with pytest.raises(BadSubmission, match="holds none of"):
        stage(hostile.zip_of(tmp_path / "odd.zip", {"essay.txt": b"hello"}), tmp_path / "b", Limits())
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabError, match="holds no submission"):
        find(tmp_path / "empty")
    with pytest.raises(LabError, match="There is no folder"):
        find(tmp_path / "none")


def test_submissions_are_folders_and_zips_by_name(tmp_path: Path) -> None:
    (tmp_path / "b.c").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "notes.txt").write_text("")
    with zipfile.ZipFile(tmp_path / "a.zip", "w"):
        pass
    assert [name_of(path) for path in find(tmp_path)] == ["a", "b.c"]
