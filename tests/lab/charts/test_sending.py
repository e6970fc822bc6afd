"""The chart of a run: its invocations one behind the other."""

from lab.charts.sending import sending_per_second


def test_the_invocations_of_a_run_follow_each_other() -> None:
    picture = sending_per_second([{"series": [[0, 500, 20], [2, 300, 0]]}, {"series": [[0, 200, 1]]}])
    assert picture.table.to_numpy().tolist() == [[0, 500, 20], [2, 300, 0], [3, 200, 1]]
    assert "1,000 written, 21 sent again, in 3 seconds with any; most in one second: 500" in picture.alt
    assert picture.png.startswith(b"\x89PNG")


def test_a_run_that_sent_nothing_says_so() -> None:
    picture = sending_per_second([{"series": []}])
    assert picture.table.empty
    assert picture.figure.axes[1].get_xlabel() == "nothing was sent"
    assert picture.alt in picture.html
