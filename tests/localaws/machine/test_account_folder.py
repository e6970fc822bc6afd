"""What the folder of an account says of its applications."""

from pathlib import Path

from localaws.machine.account_folder import AccountFolder


def test_the_last_failure_is_that_of_the_application_asked_for(tmp_path: Path) -> None:
    home = AccountFolder(tmp_path)
    assert home.last_failure("demo") is None
    for name in ("demo", "my-demo", "other"):
        home.folder("applications", f"000000000000-us-gov-west-1-{name}")
    for name in ("my-demo", "other"):
        (tmp_path / "applications" / f"000000000000-us-gov-west-1-{name}" / "failure.txt").write_text(f"{name} failed.")
    assert home.last_failure("demo") == ""
    assert home.last_failure("my-demo") == "my-demo failed."
    assert home.last_failure("west-1-other") is None
