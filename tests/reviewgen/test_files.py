"""The synthetic reviews: same bytes for the same seed, the data set's schema and figures, and true labels."""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import tracemalloc
from collections import Counter, defaultdict, deque
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from lab.core.errors import BadParameter
from lab.core.paths import ROOT
from reviewgen import files as command
from reviewgen.files import LABEL_COLUMNS, NotWritten, main, write
from reviewgen.phrases import ASPECTS, GENRE_SUBJECTS, PLOTS
from reviewgen.reviewers import (
    CHAPTER,
    LARGEST,
    PROLIFIC,
    SMALLEST,
    SUSPICIOUS,
    WINDOW,
    Cast,
    chapters,
    reviews_per_reviewer,
)
from reviewgen.reviews import KEYS, generate
from reviewgen.world import DATES, GENRES, REVIEWER_SPACE, movie, reviewer_name
from tests.support.review_profile import detection, distributions, largest_counts, profile

SHARED = ROOT.parent / "shared" / "data"
MANY = 20_000


@pytest.fixture(scope="module")
def made():
    """20,000 reviews and their labels."""
    labels = []
    return list(generate(MANY, 11, labels.append)), labels


@pytest.fixture(scope="module")
def found(made):
    return profile(made[0])


@pytest.fixture(scope="module")
def positions(made):
    where = defaultdict(list)
    for index, review in enumerate(made[0]):
        where[review["reviewer"]].append(index)
    return where


def of_kind(made, kind):
    return [label for label in made[1] if label.kind == kind]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- the same bytes, always ---------------------------------------------------------------------------------------


def test_same_seed_same_bytes_whatever_the_hash_seed(tmp_path):
    command_line = [sys.executable, "-m", "reviewgen", "--count", "2500", "--seed", "3", "--out"]
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "LC_ALL": "C"}
        subprocess.run([*command_line, str(tmp_path / hash_seed)], cwd=ROOT, env=environment, check=True)
    write(tmp_path / "other", 2500, 4)
    for name in ("sample.json", "labels.csv"):
        assert digest(tmp_path / "1" / name) == digest(tmp_path / "2" / name)
        assert digest(tmp_path / "1" / name) != digest(tmp_path / "other" / name)


def test_bytes_do_not_depend_on_what_was_generated_before(tmp_path):
    write(tmp_path / "first", 2000, 5)
    deque(generate(3000, 6), maxlen=0)  # fills the cache of movies
    write(tmp_path / "second", 2000, 5)
    assert digest(tmp_path / "first" / "sample.json") == digest(tmp_path / "second" / "sample.json")


def test_committed_files_are_those_of_the_default_command(tmp_path):
    done = write(tmp_path)
    assert (done.reviews, done.sample.name, done.labels.name) == (5000, "sample.json", "labels.csv")
    for name in ("sample.json", "labels.csv"):
        assert digest(tmp_path / name) == digest(ROOT / "data" / name), f"data/{name} is stale: python -m reviewgen"


def test_data_card_shows_the_figures_of_the_committed_file():
    card = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    found = profile(json.loads((ROOT / "data" / "sample.json").read_bytes()))
    with (ROOT / "data" / "labels.csv").open(encoding="utf-8", newline="") as file:
        labels = list(csv.DictReader(file))
    for table in (distributions(found), detection(found, labels)):
        assert table in card, f"data/README.md is stale, its table is now:\n{table}"


# --- the schema -----------------------------------------------------------------------------------------------------


def test_file_is_one_array_on_one_ascii_line(tmp_path):
    raw = write(tmp_path, 2000, 1).sample.read_bytes()
    assert raw.startswith(b'[{"review_id": "rw') and raw.endswith(b"}]\n")
    assert raw.count(b"\n") == 1 and raw.isascii()
    assert len(json.loads(raw)) == 2000


def test_every_review_has_the_schema(made):
    days = set(DATES)
    for review in made[0]:
        assert tuple(review) == KEYS
        assert re.fullmatch(r"rw\d{7}", review["review_id"])
        assert review["rating"] is None or review["rating"] in {str(n) for n in range(1, 11)}
        assert type(review["spoiler_tag"]) is int and review["spoiler_tag"] in (0, 1)
        assert review["review_date"] in days
        assert 15 <= len(review["review_detail"]) <= 9_993
        assert all(
            type(review[key]) is str and review[key] for key in KEYS if key not in ("rating", "spoiler_tag", "helpful")
        )
        helpful, votes = review["helpful"]
        assert re.fullmatch(r"\d{1,3}(,\d{3})*", helpful) and re.fullmatch(r"\d{1,3}(,\d{3})*", votes)
        assert int(helpful.replace(",", "")) <= int(votes.replace(",", ""))


def test_dates_are_unpadded_and_never_before_the_film(made):
    assert "1 January 1999" in DATES and "24 July 2005" in DATES and "29 February 2004" in DATES
    for review in made[0]:
        year = int(re.search(r"\((\d{4})", review["movie"]).group(1))
        assert datetime.strptime(review["review_date"], "%d %B %Y").year >= year


def test_all_forms_of_titles_and_names_occur(made):
    titles = {review["movie"] for review in made[0]}
    for form in (
        r"^[^:()]+ \(\d{4}\)$",
        r" \(\d{4}\u2013 \)$",
        r" \(\d{4}\u2013\d{4}\)$",
        r" \(\d{4} TV Movie\)$",
        r"^.+: .+ \(\d{4}\) Season \d, Episode \d+$",
        r"[\u4e00-\u9fff]",
    ):
        assert any(re.search(form, title) for title in titles), form
    names = {review["reviewer"] for review in made[0]}
    assert sum(name.isdigit() for name in names) > 20
    assert sum(" " in name for name in names) > 500
    texts = "".join(review["review_detail"] for review in made[0])
    assert re.search(r"[\u3040-\u30ff]", texts) and re.search(r"[\U0001f300-\U0001faff]", texts)
    assert any("," in votes for review in made[0] for votes in review["helpful"])


# --- the distributions of the data set --------------------------------------------------------------------------------


def test_distributions_are_those_of_the_data_set(found):
    rated = {int(rating): many for rating, many in found.ratings.items() if rating}
    total = sum(rated.values())
    mean = sum(rating * many for rating, many in rated.items()) / total
    spread = (sum((rating - mean) ** 2 * many for rating, many in rated.items()) / total) ** 0.5
    assert 0.08 <= found.ratings[None] / MANY <= 0.12
    assert mean == pytest.approx(6.7, abs=0.15)
    assert spread == pytest.approx(3.0, abs=0.12)
    assert max(rated, key=rated.get) == 10
    assert rated[1] > 2 * rated[2] and rated[1] < rated[10] / 1.5
    assert found.spoilers / MANY == pytest.approx(0.21, abs=0.015)
    lengths = sorted(found.lengths)
    for share, characters in ((0.25, 288), (0.5, 713), (0.75, 1309)):
        assert lengths[int(share * MANY)] == pytest.approx(characters, rel=0.05)
    assert lengths[0] <= 25 and 9_000 < lengths[-1] <= 9_993


def test_ids_come_twice_as_often_as_in_the_data_set(made, found):
    assert set(found.ids.values()) == {1, 2}
    twice = [identity for identity, many in found.ids.items() if many == 2]
    assert len(twice) == MANY * 3 // 1000
    assert 10 < found.edited < len(twice) - 10
    writers = defaultdict(set)
    for review in made[0]:
        writers[review["review_id"]].add((review["reviewer"], review["movie"]))
    assert all(len(writer) == 1 for writer in writers.values())
    labelled = {label.reviewer for label in made[1]}
    assert not any(writer in labelled for identity in twice for writer, _ in writers[identity])


def test_reviews_per_reviewer_are_heavy_tailed(found):
    lines = sorted(found.lines.values())
    assert lines.count(1) / len(lines) == pytest.approx(0.82, abs=0.02)
    assert lines[int(0.99 * len(lines))] == pytest.approx(14, abs=1)
    assert 0.003 <= lines[-1] / MANY <= 542 / 99_999 + 1e-9


@pytest.mark.parametrize("reviews", [2_000, 5_000, 31_337, 99_999, 1_000_000])
def test_crowd_adds_up_to_every_file(reviews):
    sizes = reviews_per_reviewer(reviews - 137, reviews)
    assert sum(k * many for k, many in sizes.items()) == reviews - 137
    assert all(many > 0 for many in sizes.values())


def test_crowd_of_the_sample_size_matches_the_counted_reviewers():
    counted = SHARED / "reviews_per_reviewer.csv"
    if not counted.exists():
        pytest.skip("the counted distribution (shared/data/reviews_per_reviewer.csv) is not on this machine")
    with counted.open(newline="") as file:
        real = {int(row["reviews"]): int(row["reviewers"]) for row in csv.DictReader(file)}
    ours = reviews_per_reviewer(99_999, 99_999)

    def at_least(sizes, k):
        return sum(many for size, many in sizes.items() if size >= k) / sum(sizes.values())

    assert sum(ours.values()) == pytest.approx(sum(real.values()), rel=0.04)
    assert max(ours) == pytest.approx(max(real), rel=0.1)
    for k in (2, 3, 5, 10, 14, 20):
        assert at_least(ours, k) == pytest.approx(at_least(real, k), rel=0.2)
    for k in (50, 100, 200):
        assert at_least(ours, k) == pytest.approx(at_least(real, k), rel=0.5)


# --- who is planted ---------------------------------------------------------------------------------------------------


def test_labels_are_true_to_the_file(made, positions):
    labels = made[1]
    assert len({label.reviewer for label in labels}) == len(labels)
    for label in labels:
        where = positions[label.reviewer]
        assert (label.reviews, label.first_index, label.last_index) == (len(where), where[0], where[-1])
        assert label.suspicious == SUSPICIOUS[label.kind]
    assert {label.kind for label in labels} == set(SUSPICIOUS)


def test_committed_labels_are_true_to_the_committed_file():
    reviews = json.loads((ROOT / "data" / "sample.json").read_text(encoding="utf-8"))
    where = defaultdict(list)
    for index, review in enumerate(reviews):
        where[review["reviewer"]].append(index)
    with (ROOT / "data" / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == LABEL_COLUMNS
    assert LABEL_COLUMNS == ("reviewer", "kind", "suspicious", "group", "reviews", "first_index", "last_index")
    for row in rows:
        at = where[row["reviewer"]]
        assert [int(row[key]) for key in ("reviews", "first_index", "last_index")] == [len(at), at[0], at[-1]]


def test_solo_bursts_lie_whole_in_one_window(made, found):
    bursts = of_kind(made, "solo_burst")
    largest = largest_counts(found)
    assert len(bursts) == 16 * MANY // CHAPTER
    for label in bursts:
        assert 4 <= label.reviews <= 12
        assert label.last_index - label.first_index < WINDOW // 2
        assert largest[label.reviewer] == label.reviews


def test_group_bursts_share_a_movie_and_show_only_in_a_view_per_movie(made, found):
    groups = defaultdict(list)
    for label in of_kind(made, "group_burst"):
        assert label.reviews == 1
        groups[label.group].append(label.first_index)
    assert len(groups) == 5 * MANY // CHAPTER
    for at in groups.values():
        assert 5 <= len(at) <= 8
        assert max(at) - min(at) < WINDOW // 2
        assert len({made[0][index]["movie"] for index in at}) == 1
        assert len({made[0][index]["rating"] for index in at}) == 1
    largest = largest_counts(found)
    assert all(largest[label.reviewer] == 1 for label in of_kind(made, "group_burst"))


def test_opening_nights_are_many_honest_reviewers_on_one_new_movie(made, positions):
    nights = defaultdict(list)
    for label in of_kind(made, "opening_night"):
        nights[label.group].append(label.reviewer)
    first_seen = {}
    for index, review in enumerate(made[0]):
        first_seen.setdefault(review["movie"], index)
    assert len(nights) == 3 * MANY // CHAPTER
    for reviewers in nights.values():
        assert 12 <= len(reviewers) <= 20
        seen = Counter(made[0][index]["movie"] for name in reviewers for index in positions[name])
        title, many = seen.most_common(1)[0]
        at = [index for name in reviewers for index in positions[name] if made[0][index]["movie"] == title]
        assert many == len(reviewers) and title.endswith("(2020)")
        assert min(at) == first_seen[title] and max(at) - min(at) < WINDOW // 2
        assert len({made[0][index]["rating"] for index in at}) > 2


def shingles(text):
    words = text.lower().split()
    return {tuple(words[n : n + 3]) for n in range(len(words) - 2)}


def similarity(one, other):
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def test_near_duplicates_are_alike_and_never_share_a_window(made, positions):
    campaigns = defaultdict(list)
    for label in of_kind(made, "near_duplicate"):
        at = positions[label.reviewer]
        assert 4 <= len(at) <= 6
        assert min(b - a for a, b in zip(at, at[1:], strict=False)) >= WINDOW
        campaigns[label.group] += [made[0][index]["review_detail"] for index in at]
    for texts in campaigns.values():
        assert len(set(texts)) > len(texts) // 2
        assert min(similarity(texts[0], text) for text in texts) > 0.6


def test_honest_texts_are_not_alike(made):
    copied = {label.reviewer for label in of_kind(made, "near_duplicate")}
    texts, seen = [], set()
    for review in made[0]:
        honest = review["reviewer"] not in copied and review["review_id"] not in seen
        if honest and len(review["review_detail"]) > 500 and review["rating"] == "10":
            texts.append(review["review_detail"])
        seen.add(review["review_id"])
    sets = [shingles(text) for text in texts[:200]]
    assert max(len(a & b) / len(a | b) for n, a in enumerate(sets) for b in sets[:n]) < 0.3


def test_prolific_reviewers_are_the_heaviest_and_spread_over_the_whole_file(made, found, positions):
    prolific = of_kind(made, "prolific")
    assert len(prolific) == PROLIFIC
    rest = {name: many for name, many in found.lines.items() if name not in {label.reviewer for label in made[1]}}
    assert min(label.reviews for label in prolific) >= max(rest.values()) - 2
    largest = largest_counts(found)
    for label in prolific:
        share = MANY / label.reviews
        assert label.first_index < 2 * share and label.last_index > MANY - 2 * share
        assert largest[label.reviewer] <= WINDOW / share + 3


def test_precision_rises_with_the_threshold_before_recall_falls():
    labels = []
    found = profile(generate(5000, 7, labels.append))
    largest, bad = largest_counts(found), {label.reviewer for label in labels if label.suspicious}
    solo = {label.reviewer for label in labels if label.kind == "solo_burst"}
    precision, recall = {}, {}
    for threshold in range(1, 8):
        flagged = {name for name, count in largest.items() if count > threshold}
        precision[threshold], recall[threshold] = len(flagged & bad) / len(flagged), len(flagged & solo) / len(solo)
    assert precision[1] < 0.2 < precision[2] < 0.5 < precision[3] < precision[4]
    assert recall[3] == 1.0 and recall[4] > 0.8 and recall[7] <= 0.5
    assert all(largest[name] == 1 for name in bad - solo)  # groups and near-duplicates: never seen by this count


@pytest.mark.parametrize("count", [SMALLEST, 4_999, 9_999, 12_345])
def test_plants_keep_their_shape_whatever_the_seed(count):
    assert sum(size for _, size in chapters(count)) == count
    for seed in range(40):
        for number, (start, size) in enumerate(chapters(count)):
            cast = Cast(number, start, size, 4_000, Random(seed))
            assert all(start <= at < start + size for at in cast.posts)
            assert sum(len(person.positions) for person in cast.people) == len(cast.posts)
            assert len(cast.people) <= 256
            for person in cast.people:
                at = person.positions
                assert at == sorted(at)
                if person.kind == "solo_burst":
                    assert at[-1] - at[0] < WINDOW // 2
                else:
                    assert all(b - a >= WINDOW for a, b in zip(at, at[1:], strict=False))


# --- the invented world -----------------------------------------------------------------------------------------------


def test_reviewer_names_never_collide():
    low = (reviewer_name(number, 12_345) for number in range(150_000))
    high = (reviewer_name(REVIEWER_SPACE - 1 - number, 12_345) for number in range(50_000))
    assert len({*low, *high}) == 200_000


def test_movies_are_a_function_of_number_and_salt():
    assert movie(7, 1) == movie(7, 1) != movie(7, 2)
    assert {movie(number, 5).genre for number in range(200)} == set(range(len(GENRES)))


def test_phrases_are_complete():
    assert len(GENRE_SUBJECTS) == len(PLOTS) == len(GENRES)
    for subjects, moods in ASPECTS:
        assert len(subjects) >= 4 and all(len(mood) >= 4 for mood in moods)
        assert all(phrase for phrase in [*subjects, *moods[0], *moods[1], *moods[2]])


# --- memory and the command -------------------------------------------------------------------------------------------


def peak_of(count):
    movie.cache_clear()
    tracemalloc.start()
    try:
        deque(generate(count, 1), maxlen=0)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow  # about 12 s
def test_memory_does_not_grow_with_the_file():
    small, large = peak_of(5_000), peak_of(20_000)
    assert large < small + 1_000_000  # bytes; the 15,000 reviews between them are 20 MB
    assert large < 8_000_000


@pytest.mark.parametrize(
    ("count", "hint"),
    [(0, "at least 2,000"), (-5, "at least 2,000"), (1_999, "at least 2,000"), (LARGEST + 1, "at most")],
)
def test_impossible_counts_are_refused_before_anything_is_written(tmp_path, capsys, count, hint):
    assert main(["--count", str(count), "--out", str(tmp_path / "new")]) == 2
    said = capsys.readouterr().err
    assert hint in said and f"count = {count}" in said and said.count("\n") == 1
    assert not (tmp_path / "new").exists()
    with pytest.raises(BadParameter):
        generate(count, 1)


def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert main(["--count", "2000", "--out", str(tmp_path / "file")]) == 2
    said = capsys.readouterr().err
    assert str(tmp_path / "file") in said and "--out" in said and said.count("\n") == 1
    with pytest.raises(NotWritten) as caught:
        write(tmp_path / "file" / "below", 2000)
    assert isinstance(caught.value.__cause__, OSError)


def test_a_disk_without_room_is_found_out_before_writing(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "_BYTES_A_REVIEW", 10**15)
    with pytest.raises(NotWritten, match="GB are free"):
        write(tmp_path, 2000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_half_way_leaves_the_earlier_files(tmp_path, monkeypatch, failure):
    write(tmp_path, 2000, 1)
    before = {path.name: digest(path) for path in tmp_path.iterdir()}

    def breaks(count, seed, on_label):
        for index, review in enumerate(generate(count, seed, on_label)):
            if index == 1500:
                raise failure
            yield review

    monkeypatch.setattr(command, "generate", breaks)
    expected = 130 if isinstance(failure, KeyboardInterrupt) else 2
    assert main(["--count", "2000", "--seed", "2", "--out", str(tmp_path)]) == expected
    assert {path.name: digest(path) for path in tmp_path.iterdir()} == before


def test_relative_folders_count_from_the_repository(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "ROOT", tmp_path / "repository")
    monkeypatch.chdir(tmp_path)
    done = write(Path("build/reviews"), 2000, 1)
    assert done.sample == tmp_path / "repository" / "build" / "reviews" / "sample.json" and done.sample.exists()


def test_the_command_says_what_it_wrote(tmp_path, capsys):
    assert main(["--count", "2000", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith("2,000 reviews (2.") and str(tmp_path / "labels.csv") in said.out


def test_profile_reads_the_real_records_and_refuses_anything_else():
    with pytest.raises(ValueError, match="keys a"):
        profile([{"a": 1}])
    records = SHARED / "imdb_records.json"
    if not records.exists():
        pytest.skip("the real records (shared/data/imdb_records.json) are not on this machine")
    assert sum(profile(json.loads(records.read_bytes())).ratings.values()) == 12
