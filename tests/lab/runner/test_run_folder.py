import re
from datetime import UTC, datetime

import pytest

from lab.core import paths
from lab.runner import run_folder


def test_a_run_id_is_the_utc_second_and_four_hex_digits():
    run_id = run_folder.new_run_id(datetime(2026, 11, 23, 23, 21, 31, tzinfo=UTC))
    assert re.fullmatch("20261123-232131-[0-9a-f]{4}", run_id)


def test_each_run_has_a_folder_of_its_own(tmp_path):
    first, second = run_folder.create(tmp_path / "a" / "runs"), run_folder.create(tmp_path / "a" / "runs")
    assert first.folder != second.folder
    assert first.folder.is_dir() and first.folder.name == first.run_id


def test_latest_points_to_the_last_run_and_moves_with_the_folder(tmp_path):
    for _ in range(2):
        run = run_folder.create(tmp_path / "runs")
        run_folder.point_latest(run)
    (tmp_path / "runs").rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "latest").readlink().name == run.run_id
    assert sorted(path.name for path in (tmp_path / "moved").iterdir()).count("latest") == 1
    assert not list((tmp_path / "moved").glob(".latest*"))


def test_a_folder_named_latest_is_left_alone(tmp_path):
    (tmp_path / "latest").mkdir()
    run = run_folder.create(tmp_path)
    with pytest.raises(run_folder.RunFolderUnusable, match="move what is there away"):
        run_folder.point_latest(run)
    assert (tmp_path / "latest").is_dir() and not list(tmp_path.glob(".latest*"))


def test_an_out_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(run_folder.RunFolderUnusable, match="choose another --out"):
        run_folder.create(tmp_path / "file" / "runs")


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "results.json"
    paths.write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        paths.write_atomically(path, "half of it \ud800")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


def test_a_path_is_shown_relative_to_where_the_reader_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert paths.shown(tmp_path / "runs" / "latest") == "runs/latest"
    assert paths.shown(tmp_path.parent / "elsewhere") == str(tmp_path.parent / "elsewhere")
