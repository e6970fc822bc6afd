"""What is handed in: taken, brought into the project's layout, or refused in a sentence."""

import io
import json
import os
import random
import shutil
import tarfile
import unicodedata
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings, strategies as st

from grader.archives import BadSubmission, safe_name
from grader.sandbox.limits import Limits
from grader.submissions import arrangement, escaped, find, mend, stage
from lab.core.errors import LabError
from tests.support import hostile
from tests.support.layouts import LAYOUTS, folder_of, tar_of

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
    with pytest.raises(BadSubmission, match="cannot be read .BadZipFile"):
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
    for name in ("a.zip", "d.tar.gz", "e.7z", "f.rar", "g.ipynb", "grades.csv.zip"):
        (tmp_path / name).write_bytes(b"")
    assert list(find(tmp_path)) == ["a", "b.c", "d", "e", "f", "g.ipynb", "submission grades.csv.zip"]


def test_two_of_one_name_both_have_a_row(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada.zip").write_bytes(b"")
    assert list(find(tmp_path)) == ["submission ada", "submission ada.zip"]


@pytest.mark.parametrize(
    "folders",
    [
        ["ada", "ada.zip", "submission ada"],  # the name that one would get is taken
        [b"Andr\xe9", "Andr\\xe9"],  # the same, escaped
        ["Ada", "ada.zip"],  # the same for macOS
        ["Andr\u00e9", "Andre\u0301"],
        ["x" * 230, "x" * 225 + ".zip", "Grades.csv.zip"],
        ["Иванов Иван, потоковые данные, лабораторная работа номер пять".encode("cp1251")],  # four characters a byte
    ],
)
def test_every_submission_has_a_row_and_a_folder_of_its_own(tmp_path: Path, folders: list[str | bytes]) -> None:
    for name in folders:
        archive = name[-4:] in (".zip", b".zip")
        path = os.fsencode(tmp_path) + b"/" + os.fsencode(name)
        os.close(os.open(path, os.O_CREAT)) if archive else os.mkdir(path)  # noqa: PTH102 - bytes that are no UTF-8
    found = find(tmp_path)
    assert len(found) == len(folders)
    assert len({unicodedata.normalize("NFC", name).casefold() for name in found} - {"grades.csv"}) == len(folders)
    assert all(len(name.encode()) < 255 for name in found)


def test_what_lies_there_besides_submissions_has_no_row(tmp_path: Path) -> None:
    for name in ("ada", "__MACOSX", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "Thumbs.db").write_bytes(b"")
    assert list(find(tmp_path, tmp_path / "results")) == ["ada"]


@pytest.mark.parametrize("name", ["pipe", "pipe.zip", "link", "nowhere.zip"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.startswith("pipe"):
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path if name == "link" else tmp_path / "none")
    with pytest.raises(BadSubmission, match="neither a file nor a folder"):
        stage(path, tmp_path / "s", Limits())


def test_a_zip_with_a_password_says_so(tmp_path: Path) -> None:
    packed = hostile.zip_of(tmp_path / "ada.zip", WORK)
    content = bytearray(packed.read_bytes())
    start = -1
    while (start := content.find(b"PK\x01\x02", start + 1)) >= 0:
        content[start + 8] |= 1
    packed.write_bytes(content)
    with pytest.raises(BadSubmission, match="password: hand in a zip without one"):
        stage(packed, tmp_path / "s", Limits())


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_that_is_called_zip_is_read(tmp_path: Path, mode: str) -> None:
    assert stage(tar_of(tmp_path / "ada.zip", WORK, mode), tmp_path / "s", Limits()).parts == hostile.PARTS


def test_a_zip_behind_a_program_is_read(tmp_path: Path) -> None:
    packed = hostile.zip_of(tmp_path / "ada.zip", WORK)
    packed.write_bytes(b"MZ" + bytes(600) + packed.read_bytes())
    assert stage(packed, tmp_path / "s", Limits()).parts == hostile.PARTS


def test_the_other_halves_of_files_from_macos_are_not_taken(tmp_path: Path) -> None:
    work = hostile.zip_of(tmp_path / "work.zip", {"notebooks/01-ada 01_streams.ipynb": b"{}"})
    folder = folder_of(tmp_path / "ada", {"work.zip": work.read_bytes(), "._work.zip": b"half"})
    assert stage(folder, tmp_path / "a", Limits()).parts == ("notebooks",)
    halves = {f"notebooks/{half}01_streams-Copy1.ipynb": half.encode() for half in ("._", "")}
    staged = stage(tar_of(tmp_path / "bob.tar.gz", halves), tmp_path / "b", Limits())
    assert (staged.folder / "notebooks" / "01_streams.ipynb").read_bytes() == b""


def test_an_archive_beside_the_work_is_named_where_something_is_missing(tmp_path: Path) -> None:
    code = hostile.zip_of(tmp_path / "code.zip", {name: one for name, one in WORK.items() if "ipynb" not in name})
    notebook = {"01_streams.ipynb": b"{}", "code.zip": code.read_bytes()}
    staged = stage(folder_of(tmp_path / "ada", notebook), tmp_path / "a", Limits())
    assert staged.parts == ("notebooks",)
    assert staged.remarks == ("code.zip was not opened: hand in one archive, or no file in an archive.",)
    whole = folder_of(tmp_path / "bob", WORK | {"old.zip": b""})
    assert stage(whole, tmp_path / "b", Limits()).remarks == ()


def test_names_that_no_zip_can_hold_are_escaped_in_the_application(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "ada", WORK)
    os.close(os.open(os.fsencode(folder) + b"/flink_app/SlidingWindows/Gr\xf6\xdfe.txt", os.O_CREAT))
    staged = stage(folder, tmp_path / "s", Limits())
    with zipfile.ZipFile(tmp_path / "application.zip", "w") as out:
        for path in (staged.folder / "flink_app" / "SlidingWindows").iterdir():
            out.write(path, path.name)
        assert "Gr\\xf6\\xdfe.txt" in out.namelist()


def test_a_long_list_is_no_long_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadSubmission) as caught:
        stage(folder_of(tmp_path / "ada", {f"{number}/a.zip": b"" for number in range(900)}), tmp_path / "s", Limits())
    assert "holds 900 archives" in str(caught.value) and "895 more" in str(caught.value)


def test_exports_of_platforms_name_the_student(tmp_path: Path) -> None:
    (tmp_path / "Ada Lovelace_1234_assignsubmission_file_").mkdir()
    (tmp_path / "Ada Lovelace_1234_assignsubmission_onlinetext_").mkdir()  # a text beside the files: no second row
    (tmp_path / "Cleo_9_assignsubmission_onlinetext_").mkdir()
    (tmp_path / "Bob_77_assignsubmission_file_project.zip").write_bytes(b"")  # without a folder for each
    (tmp_path / "submission_271828").mkdir()  # Gradescope
    (tmp_path / "submission_metadata.yml").write_text("")
    assert list(find(tmp_path)) == ["Ada Lovelace_1234", "Bob_77", "Cleo_9", "submission_271828"]


def test_a_name_that_cannot_be_printed_is_shown_escaped(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/Andr\xe9\n")  # noqa: PTH102 - bytes that are no UTF-8
    assert list(find(tmp_path)) == ["Andr\\xe9\\n"]
    assert escaped("\ud800 ok é") == "\\ud800 ok é"


WORK = {
    "notebooks/01_streams.ipynb": b"{}",
    "notebooks/04_validate.ipynb": b"{}",
    "flink_app/SlidingWindows/sliding-windows.py": b"window",
    "producer/put_batch.py": b"put",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_the_same_work(layout: str, tmp_path: Path) -> None:
    staged = stage(LAYOUTS[layout](tmp_path, WORK), tmp_path / "staged", Limits())
    there = {path.relative_to(staged.folder).as_posix() for path in staged.folder.rglob("*") if path.is_file()}
    assert there == set(WORK)
    assert staged.parts == hostile.PARTS
    same = stage(folder_of(tmp_path / "plain", WORK), tmp_path / "other", Limits())
    assert staged.fingerprint == same.fingerprint


@pytest.mark.parametrize(
    ("name", "start", "said"), [("a.7z", b"7z\xbc\xaf\x27\x1c", "7z"), ("a.rar", b"Rar!\x1a\x07", "rar")]
)
def test_an_archive_that_cannot_be_read_says_what_to_hand_in(
    tmp_path: Path, name: str, start: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(start)
    with pytest.raises(BadSubmission, match=f"a {said} archive, which the grader cannot read: hand in a zip"):
        stage(tmp_path / name, tmp_path / "s", Limits())


def test_the_fingerprint_is_of_what_was_handed_in(tmp_path: Path) -> None:
    base = folder_of(tmp_path / "base", {"producer/lambda_function.py": b"one"})
    first = stage(folder_of(tmp_path / "ada", WORK), tmp_path / "a", Limits(), base)
    (base / "producer" / "lambda_function.py").write_bytes(b"two")
    folder_of(base, {"producer/__pycache__/lambda_function.pyc": b"path and time"})
    folder_of(tmp_path / "ada", {"producer/__pycache__/put_batch.cpython-311.pyc": b"x", "producer/a.pyc": b"y"})
    assert stage(tmp_path / "ada", tmp_path / "b", Limits(), base).fingerprint == first.fingerprint
    (tmp_path / "ada" / "producer" / "put_batch.py").write_bytes(b"other")
    assert stage(tmp_path / "ada", tmp_path / "c", Limits(), base).fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("handed_in", "taken", "said"),
    [
        (["01_streams-Copy1.ipynb", "01_streams.ipynb"], "01_streams.ipynb", None),
        (["01_streams (1).ipynb"], "01_streams (1).ipynb", "was taken for 01_streams.ipynb"),
        (["01-ada.ipynb"], "01-ada.ipynb", "was taken for 01_streams.ipynb"),
        (
            ["01_streams-Copy1.ipynb", "01_streams-Copy2.ipynb"],
            "01_streams-Copy1.ipynb",
            "may each be 01_streams.ipynb",
        ),
        (["runs/7/01_streams.ipynb", "x/y/notebooks/01_streams.ipynb"], "x/y/notebooks/01_streams.ipynb", None),
        (["old/01_streams.ipynb", "new/01_streams.ipynb"], "new/01_streams.ipynb", "may each be"),
    ],
)
def test_the_notebook_of_exactly_the_name_wins(handed_in: list[str], taken: str, said: str | None) -> None:
    plan, remarks = arrangement([PurePosixPath(name) for name in handed_in])
    assert {str(old): str(new) for old, new in plan.items()} == {taken: "notebooks/01_streams.ipynb"}
    assert (said in remarks[0]) if said else not remarks


def test_two_archives_in_one_submission_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadSubmission, match="holds 2 archives .a.zip, b.tar.. hand in one"):
        stage(folder_of(tmp_path / "ada", {"a.zip": b"", "b.tar": b""}), tmp_path / "s", Limits())


def mended(
    path: Path, cells: list[Any], encoding: str = "utf-8", **more: Any
) -> list[tuple[str, str, list[str] | None]]:
    """Write a notebook and mend it; kind, source and tags of the cells that a run gets, in a notebook that is valid."""
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}), encoding)
    mend(path)
    found = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(found)
    return [(cell["cell_type"], cell["source"], cell["metadata"].get("tags")) for cell in found["cells"]]


def test_a_notebook_is_mended_for_the_runner(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    cells = [
        None,
        {"cell_type": "code", "source": ["a = 1\n", None, "b = 2"]},
        7,
        {"cell_type": "markdown", "source": "x"},
    ]
    assert mended(path, cells, "utf-8-sig", metadata=[]) == [("code", "a = 1\nb = 2", None), ("markdown", "x", None)]
    old = {"cell_type": "code", "source": "", "outputs": [None, 3], "execution_count": "x", "metadata": None, "id": "a"}
    same_id = {**old, "metadata": {"tags": ["parameters", 3], "trusted": "?"}}
    odd = [old, same_id, {"cell_type": "code", "metadata": {"tags": None}}]
    assert mended(path, odd, "utf-16", nbformat="4", nbformat_minor=None) == [
        ("code", "", None),
        ("code", "", ["parameters"]),
        ("code", "", None),
    ]
    strange = [{"cell_type": ["code"], "source": "x"}, {"cell_type": "markdown", "attachments": None, "source": "y"}]
    assert mended(path, strange) == [("raw", "x", None), ("markdown", "y", None)]
    for broken in (b"{", b"[]", b'{"cells": 3}', b"\xff\xfe", b"[" * 100_000):
        path.write_bytes(broken)
        mend(path)
        assert path.read_bytes() == broken


def staged_or_refused(path: Path, target: Path) -> None:
    """Staging ends in a submission or in a sentence, and leaves nothing outside its folder."""
    shutil.rmtree(target, ignore_errors=True)
    try:
        staged = stage(path, target, SMALL)
        assert staged.parts and len(staged.fingerprint) == 64
    except BadSubmission as error:
        assert str(error) and escaped(str(error)).isprintable()
    assert {one.name for one in target.parent.iterdir()} <= {path.name, target.name}


@pytest.mark.parametrize("kind", ["zip", "lzma", "tar", "tar.gz", "tar.xz"])
def test_whatever_is_flipped_in_an_archive_is_a_sentence(kind: str, tmp_path: Path) -> None:
    drawn = random.Random(kind)
    path = tmp_path / f"ada.{kind if kind != 'lzma' else 'zip'}"
    many = WORK | {f"producer/{number}.py": os.urandom(40) * number for number in range(9)}
    if kind in ("zip", "lzma"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA if kind == "lzma" else zipfile.ZIP_DEFLATED) as out:
            for name, content in many.items():
                out.writestr(name, content)
    else:
        tar_of(path, many, {"tar": "w", "tar.gz": "w:gz", "tar.xz": "w:xz"}[kind])
    whole = path.read_bytes()
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(drawn.choice((1, 1, 2, 5))):
            damaged[drawn.randrange(len(damaged))] = drawn.randrange(256)
        path.write_bytes(damaged[: drawn.choice((len(damaged), len(damaged), drawn.randrange(len(damaged))))])
        staged_or_refused(path, tmp_path / "staged")


NAMES = st.text(st.characters(codec=None, blacklist_characters="\0"), min_size=1, max_size=40) | st.sampled_from(
    ["..", "notebooks/../01_streams.ipynb", "producer", "producer/", "x\\", "\ud800.py", "/", "é" * 200, "a/" * 300]
)


@settings(deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=4), inside=st.sampled_from(["", "producer/", "notebooks/01"]))
def test_whatever_a_member_is_called_is_a_submission_or_a_sentence(
    names: list[str], inside: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("named")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT, errors="surrogatepass") as out:
        for name in names:
            info = tarfile.TarInfo(inside + name)
            info.size = 1
            out.addfile(info, io.BytesIO(b"x"))
    (folder / "ada.tar").write_bytes(stream.getvalue())
    staged_or_refused(folder / "ada.tar", folder / "staged")


def test_a_tar_that_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    packed = tar_of(tmp_path / "bomb.tar.gz", {"producer/zeros.py": bytes(8 << 20), **WORK})
    with pytest.raises(BadSubmission, match="too large"):
        stage(packed, tmp_path / "s", SMALL)
