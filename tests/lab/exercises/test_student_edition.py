import ast
import json
from pathlib import Path

import pytest

from lab.checks.blanks import blank_functions
from lab.exercises.catalog import EXERCISES, Exercise
from lab.exercises.student_edition import BadSource, student_files, without_solutions
from tests.support.account import PROJECT

SOURCE = """def f(x):
    '''doc'''
    ### BEGIN SOLUTION
    y = x
    return y
    ### END SOLUTION


n = 1
### BEGIN SOLUTION
n = 2
### END SOLUTION
print(n)"""
BLANK = """def f(x):
    '''doc'''
    # YOUR CODE HERE
    raise NotImplementedError()


n = 1
# YOUR CODE HERE
print(n)"""


def test_a_solution_gives_way_to_a_blank_as_in_nbgrader() -> None:
    assert without_solutions(SOURCE, "here") == BLANK
    assert without_solutions(BLANK, "here") == BLANK


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("### END SOLUTION", "Line 1 of here is `### END SOLUTION` without `### BEGIN SOLUTION`"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION", "Line 2 of here"),
        ("### BEGIN SOLUTION\nx = 1", "A solution in here begins and does not end"),
    ],
)
def test_a_marker_without_its_partner_is_refused(source: str, said: str) -> None:
    with pytest.raises(BadSource, match=said):
        without_solutions(source, "here")


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.name)
def test_every_exercise_has_a_blank_where_it_says_and_no_solution_is_left(exercise: Exercise) -> None:
    name, place = exercise.where.split(" in ")
    files = {Path(path).stem: text for path, text in student_files().items()}
    text = files[Path(place).stem]
    if not place.endswith(".py"):
        cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        text = "\n\n".join(cells)
    ast.parse(text)
    assert "SOLUTION" not in text
    if name == "`parallelism`":
        assert "parallelism = 1\n# YOUR CODE HERE" in text
    else:
        assert name.strip("`") in blank_functions(text)


def test_the_exercises_in_the_notebooks_say_goal_time_points_and_fold_their_hints() -> None:
    told = {}
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text())["cells"]:
            source = "".join(cell["source"]).replace("\n**Points", " **Points")
            if cell["cell_type"] == "markdown" and source.startswith("## Exercise"):
                assert "**Goal.**" in source and source.count("<details>") == source.count("</details>") >= 2
                number = int(source.split()[2].rstrip(":"))
                told[number] = (path.stem, int(source.split("**Time:** ")[1].split()[0]),
                                int(source.split("**Points:** ")[1].split(".")[0]))  # fmt: skip
    assert sorted(told) == list(range(1, 9))
    known = sorted((one.notebook, one.minutes, one.points) for one in EXERCISES.values())
    assert sorted(told.values()) == known
