"""Applications that bring Python packages or have Flink install them, run as they would on AWS."""

import io
import zipfile
from pathlib import Path

import pytest

from tests.support.account import running_account
from tests.support.applications import Workbench, source, workbench

pytestmark = pytest.mark.slow  # about 60 s in all

TABLES = """
import json
from pyflink.table import EnvironmentSettings, TableEnvironment

def environment_with_tables():
    with open("/etc/flink/application_properties.json") as file:
        groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.load(file)}
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, column, group, extra in (
        ("numbers", "n BIGINT", "InputStream0", ", 'scan.stream.initpos' = 'TRIM_HORIZON'"),
        ("words", "word STRING", "OutputStream0", ""),
    ):
        options = groups[group]
        environment.execute_sql(f"CREATE TABLE {name} ({column}) WITH ('connector' = 'kinesis', 'stream' = "
            f"'{options['stream']}', 'aws.region' = '{options['aws.region']}', "
            f"'format' = 'json'{extra})")
    return environment
"""
WORDS = """
from pyflink.table import DataTypes
from pyflink.table.udf import udf

@udf(result_type=DataTypes.STRING())
def spelled(number):
    with open("spelling.zip/words.txt") as file:
        return file.read().split()[number]
"""


def spelling() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("words.txt", "zero one two three four five six seven eight nine ten eleven\n")
    return buffer.getvalue()


DIGITS = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
NUMERALS = [tens + ones for tens in ("", "X") for ones in DIGITS][1:]
MATRICES = """
import numpy

def determinant(matrix):
    return float(round(numpy.linalg.det(numpy.array(matrix, dtype=float)), 6))
"""
ROMAN = """
def write(number):
    ones, tens = number % 10, number // 10
    return "X" * tens + ("I" * ones, "I" * (5 - ones) + "V", "V" + "I" * (ones - 5), "I" * (10 - ones) + "X")[
        0 if ones < 4 else 1 if ones < 5 else 2 if ones < 9 else 3
    ]
"""


def wheel() -> tuple[str, bytes]:
    """A wheel's name and content: what pip needs to install one module."""
    name, info, buffer = "roman_numerals_of_ours", "roman_numerals_of_ours-1.0.dist-info", io.BytesIO()
    files = {
        f"{name}.py": ROMAN,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{name}-1.0-py3-none-any.whl", buffer.getvalue()


def test_own_package_and_archive(bench: Workbench) -> None:
    members: dict[str, bytes | str] = {
        "deps/own_package/__init__.py": "",
        "deps/own_package/tables.py": TABLES,
        "deps/own_package/words.py": WORDS,
        "spelling.zip": spelling(),
    }
    bench.deploy_with_jar(source("with_package.py"), members=members, pyFiles="deps", pyArchives="spelling.zip")
    bench.run()
    bench.put(range(4))
    assert bench.written(4) == ["zero", "one", "two", "three"]


def test_packages_in_a_folder_are_there_again_after_a_killed_taskmanager(bench: Workbench) -> None:
    bench.checkpoint_every_second()
    members = {"dep/matrices/__init__.py": "", "dep/matrices/linear.py": MATRICES}
    bench.deploy_with_jar(source("packaged_dependencies.py"), members=members, pyFiles="dep/")
    bench.run()
    bench.records(20)
    bench.kill_taskmanager()
    count = len(bench.records(20)) + 60
    expected = [{"a": a, "determinant": float(a * (a + 100) - (a + 1) * (a + 6))} for a in range(1, count + 1)]
    found = bench.records(count, distinct=True)
    assert sorted(found, key=lambda record: record["a"]) == expected
    assert "The main file has the package: -86.0" in bench.account.command("logs", bench.name).stdout


def test_requirements_with_their_wheels_in_the_zip(bench: Workbench) -> None:
    main = source("python_dependencies.py").replace(
        '"/requirements.txt")', '"/requirements.txt", requirements_cache_dir=here + "/wheels")'
    )
    name, content = wheel()
    members = {"requirements.txt": "roman_numerals_of_ours==1.0\n", f"wheels/{name}": content}
    bench.deploy_with_jar(main, members=members)
    bench.run()
    bench.put(range(1, 20))
    assert bench.written(19) == NUMERALS


def test_requirements_that_pip_fetches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An index of this test's own in the settings of a user's pip.
    name, content = wheel()
    (tmp_path / name).write_bytes(content)
    settings = tmp_path / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"[global]\nno-index = true\nfind-links = {tmp_path}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with running_account(tmp_path / "account", "--cold") as account:
        with workbench(account, "pip fetches") as bench:
            requirements = {"App/requirements.txt": "roman_numerals_of_ours\n"}
            bench.deploy_with_jar(source("python_dependencies.py"), "App/", requirements)
            bench.run()
            bench.put(range(1, 20))
            assert bench.written(19) == NUMERALS
        with workbench(account, "pip finds nothing") as bench:
            requirements = {"requirements.txt": "no_package_of_ours==1.0\n"}
            bench.deploy_with_jar(source("python_dependencies.py"), members=requirements)
            assert bench.start() == "READY"
            assert bench.failure().startswith(
                "pip finds no package no_package_of_ours==1.0 of the application's requirements; check its name"
            )
