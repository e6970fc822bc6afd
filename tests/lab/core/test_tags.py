import pytest

from lab.core.tags import as_map, is_of_the_lab, lab_tags, owner_of


def test_every_resource_says_what_made_it_in_which_run_and_for_whom() -> None:
    assert lab_tags("20261124-1", "ann") == {"lab": "flink-review-lab", "run_id": "20261124-1", "owner": "ann"}
    assert lab_tags("", "") == {"lab": "flink-review-lab", "run_id": "by-hand", "owner": "unknown"}


def test_values_hold_only_what_every_service_takes_in_a_tag() -> None:
    assert lab_tags("", "user1=Zoë (they)")["owner"] == "user1=Zo_ _they_"
    assert len(lab_tags("", "x" * 500)["owner"]) == 256


def test_only_the_labs_own_value_makes_a_resource_the_labs() -> None:
    assert is_of_the_lab(as_map([{"Key": "lab", "Value": "flink-review-lab"}, {"Key": "x"}]))
    assert not is_of_the_lab({"lab": "another-lab"})
    assert not is_of_the_lab({})


@pytest.mark.parametrize(
    ("arn", "owner"),
    [
        ("arn:aws:sts::123456789012:assumed-role/voclabs/user42=Ann", "user42=Ann"),
        ("arn:aws:iam::123456789012:user/team/ann", "ann"),
        ("arn:aws:iam::123456789012:root", "root"),
    ],
)
def test_the_owner_is_who_the_credentials_belong_to(arn: str, owner: str) -> None:
    assert owner_of(arn) == owner
