"""What the producer's answers say, in words."""

from lab.deploy.invocation import written_in_words


def test_the_invocations_of_a_run_are_one_sentence() -> None:
    answers = [{"series": [[0, 500, 20], [2, 300, 0]]}, {"series": [[0, 200, 1]]}]
    assert written_in_words(answers) == (
        "1,000 records written in 3 seconds, at most 500 in one second; 21 were refused at first and sent again."
    )


def test_nothing_refused_and_nothing_sent() -> None:
    assert written_in_words([{"series": [[0, 100, 0]]}]) == (
        "100 records written in 1 second, at most 100 in one second; no record was refused."
    )
    assert written_in_words([{"series": []}]) == "Nothing was sent."
