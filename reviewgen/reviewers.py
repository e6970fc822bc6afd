"""Decide who writes when: the honest crowd behind a synthetic file, and the reviewers planted in it.

Positions are indices into the file. The detector's default window (60 s at 10 reviews a second of simulated event time)
is WINDOW positions wide and starts every WINDOW / 2: a burst no wider than that half lies whole in one of the windows.
Nothing here holds more than one chapter (5,000 to 9,999 positions) and a few counters, whatever the size of the file.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import gcd
from random import Random

from reviewgen.world import DATES, NEW_MOVIES, REVIEWER_SPACE

WINDOW = 600
CHAPTER = 5_000  # one cast of planted reviewers a chapter; a file below two chapters is one chapter
SMALLEST, LARGEST = 2_000, 9_000_000  # below, near-duplicates cannot keep a window apart; above, ids run out
PROLIFIC = 20  # so many of the heaviest honest reviewers are labelled

# Reviews per reviewer: the Waring distribution, P(X > k) / P(X >= k) = (BETA + k - 1) / (ALPHA + BETA + k - 1), a power
# law of exponent ALPHA in the tail (Irwin 1975). Fitted to the data set: 82 % write one review, 99th percentile 14.
ALPHA, BETA = 1.22, 0.27
HEAVY = 14  # from here on the tail is cut so that nobody holds more than MOST_SHARE of the file ...
MOST_SHARE = 542 / 99_999  # ... as nobody does in the data set's sample
DUPLICATE_SHARE = 0.003
DUPLICATE = -1  # what Crowd.next() answers instead of a reviewer: an earlier review once more


@dataclass(frozen=True, slots=True)
class Label:
    """Describe one line of labels.csv. Indices count from 0, `reviews` counts the reviewer's lines in the file."""

    reviewer: str
    kind: str
    suspicious: int
    group: str
    reviews: int
    first_index: int
    last_index: int


@dataclass(slots=True)
class Campaign:
    """Describe the text several near-duplicates are made from, written when the first of them is due."""

    movie: int
    base: list[str] | None = None


@dataclass(slots=True)
class Post:
    """Describe a planted review: what is fixed beforehand. None means: as for anybody else."""

    reviewer: int
    movie: int | None = None
    rating: int | None = None
    day: int | None = None
    campaign: Campaign | None = None


@dataclass(slots=True)
class Planted:
    """Describe a planted reviewer: the label that is to be, with the reviewer as a number, and the positions."""

    reviewer: int
    kind: str
    group: str
    positions: list[int] = field(default_factory=list)


SUSPICIOUS = {"solo_burst": 1, "group_burst": 1, "near_duplicate": 1, "prolific": 0, "opening_night": 0}


def reviews_per_reviewer(reviews: int, share_of: int) -> dict[int, int]:
    """Return how many reviewers write 1, 2, ... of `reviews` reviews in a file of `share_of`.

    Sum(k * n) is `reviews`.
    """
    most = max(HEAVY + 1, int(MOST_SHARE * share_of))
    alive = [1.0, 1.0]  # alive[k] = P(X >= k)
    for k in range(1, most + 1):
        alive.append(alive[-1] * (BETA + k - 1) / (ALPHA + BETA + k - 1))
    heavy, beyond = alive[HEAVY], alive[most + 1]
    for k in range(HEAVY, most + 2):
        alive[k] = heavy * (alive[k] - beyond) / (heavy - beyond)
    reviewers = reviews / sum(alive[1 : most + 1])
    at_least = [int(reviewers * share + 0.5) for share in alive]
    sizes = {k: at_least[k] - at_least[k + 1] for k in range(2, most + 1) if at_least[k] > at_least[k + 1]}
    sizes[1] = reviews - sum(k * n for k, n in sizes.items())
    return sizes


class Crowd:
    """Generate the honest background: a reviewer of k reviews writes one in each k-th of the file.

    All reviewers with the same k form one stream of events, equally spaced but for jitter, in which each k-th part
    names every one of them once, in a random order. So the whole crowd is one heap with an entry per k.
    """

    def __init__(self, reviews: int, share_of: int, random: Random) -> None:
        duplicates = int(DUPLICATE_SHARE * share_of)
        self._draw, self._size = random.random, reviews
        sizes = reviews_per_reviewer(reviews - duplicates, share_of)
        self._streams: list[list[int]] = []  # first reviewer, reviewers, factor, offset, next event
        self._heap: list[tuple[float, int, int, int]] = []  # due, stream, event, events
        self.heaviest: list[int] = []
        first = 0
        for k, reviewers in sorted(sizes.items()):
            self._streams.append([first, reviewers, 1, 0])
            self._add(len(self._streams) - 1, k * reviewers, 0.0)
            first += reviewers
            self.heaviest = [*self.heaviest, *range(max(first - reviewers, first - PROLIFIC), first)][-PROLIFIC:]
        self._streams.append([DUPLICATE, 0, 0, 0])
        self._add(len(self._streams) - 1, duplicates, 0.5)  # half a step late: there must be something to repeat

    def _add(self, stream: int, events: int, late: float) -> None:
        if events:
            step = self._size / events
            heapq.heappush(self._heap, ((late + self._draw() * (1 - late)) * step, stream, 0, events))

    def next(self) -> int:
        """Return the number of the reviewer who writes the next background review, or DUPLICATE."""
        _, stream, event, events = self._heap[0]
        if event + 1 < events:
            due = (event + 1 + self._draw()) * self._size / events
            heapq.heapreplace(self._heap, (due, stream, event + 1, events))
        else:
            heapq.heappop(self._heap)
        first, reviewers, factor, offset = row = self._streams[stream]
        if reviewers <= 1:
            return first
        at = event % reviewers
        if at == 0:  # a new round: a new order
            row[2], row[3] = factor, offset = self._order(reviewers)
        return first + (at * factor + offset) % reviewers

    def _order(self, size: int) -> tuple[int, int]:
        """Return factor and offset of a random permutation at -> (at * factor + offset) % size."""
        factor = 1 + int(self._draw() * size)
        while gcd(factor, size) > 1:
            factor += 1
        return factor, int(self._draw() * size)


def chapters(count: int) -> Iterator[tuple[int, int]]:
    """Yield first position and length of each chapter; together they are the file."""
    number = max(1, count // CHAPTER)
    for n in range(number):
        start = n * count // number
        yield start, (n + 1) * count // number - start


class Cast:
    """Plan the planted reviewers of one chapter: who posts at which position (`posts`), and `people`."""

    def __init__(self, number: int, start: int, size: int, catalogue: int, random: Random) -> None:
        self.posts: dict[int, Post] = {}
        self.people: list[Planted] = []
        self._random, self._start, self._size, self._catalogue = random, start, size, catalogue
        self._number, self._groups = number, 0
        scale = min(size, CHAPTER) / CHAPTER
        self._near_duplicates(max(1, int(3 * scale)))
        self._group_bursts(max(2, int(5 * scale)))
        self._opening_nights(max(1, int(3 * scale)))
        self._solo_bursts(max(4, int(16 * scale)))

    def _person(self, kind: str, group: str) -> Planted:
        # Planted reviewers are numbered from the top, the crowd from the bottom; 256 a chapter are plenty.
        person = Planted(REVIEWER_SPACE - 1 - self._number * 256 - len(self.people), kind, group)
        self.people.append(person)
        return person

    def _group(self, name: str) -> str:
        self._groups += 1
        return f"{name}-{self._number * 16 + self._groups}"

    def _post(self, person: Planted, wanted: int, post: Post) -> None:
        """Put the post at the wanted position or the next free one."""
        end = self._start + self._size
        while wanted in self.posts:
            wanted = wanted + 1 if wanted + 1 < end else self._start
        self.posts[wanted] = post
        person.positions.append(wanted)

    def _stretch(self, width: int) -> int:
        """Return where a stretch of this many positions may begin."""
        return self._start + self._random.randrange(self._size - width - WINDOW // 20)

    def _day(self) -> int:
        """Return a day of the last year, when every film of the catalogue is out."""
        return self._random.randrange(len(DATES) - 366, len(DATES))

    def _solo_bursts(self, number: int) -> None:
        sizes = [4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 12]
        self._random.shuffle(sizes)
        for n in range(number):
            person, reviews = self._person("solo_burst", ""), sizes[n % len(sizes)]
            width = self._random.randrange(60, WINDOW // 2 - 20)
            start, day, rating = self._stretch(width), self._day(), self._random.choice((1, 1, 10))
            movies = self._random.sample(range(self._catalogue), reviews)
            for wanted, movie in zip(sorted(self._random.sample(range(width), reviews)), movies, strict=True):
                self._post(person, start + wanted, Post(person.reviewer, movie, rating, day))

    def _group_bursts(self, number: int) -> None:
        for movie in self._random.sample(range(self._catalogue // 2, self._catalogue), number):
            group, width = self._group("group"), self._random.randrange(40, 200)
            start, day, rating = self._stretch(width), self._day(), self._random.choice((1, 10, 10))
            for wanted in sorted(self._random.sample(range(width), self._random.randint(5, 8))):
                person = self._person("group_burst", group)
                self._post(person, start + wanted, Post(person.reviewer, movie, rating, day))

    def _near_duplicates(self, number: int) -> None:
        for _ in range(number):
            group, campaign = self._group("near"), Campaign(self._random.randrange(self._catalogue))
            for _ in range(3):
                person = self._person("near_duplicate", group)
                reviews = self._random.randint(min(4, self._size // 800), min(6, self._size // 800))
                step = self._size // reviews
                for k in range(reviews):  # WINDOW + 50 apart at least, so that moving to a free place does no harm
                    wanted = self._start + k * step + self._random.randrange(step - WINDOW - 50)
                    movie = self._random.randrange(self._catalogue)
                    self._post(person, wanted, Post(person.reviewer, movie, 10, None, campaign))

    def _opening_nights(self, number: int) -> None:
        for n in range(number):
            group, width = self._group("night"), self._random.randrange(120, WINDOW // 2 - 20)
            movie, day, start = NEW_MOVIES + self._number * 16 + n, self._day(), self._stretch(width)
            for wanted in sorted(self._random.sample(range(width), self._random.randint(12, 20))):
                person = self._person("opening_night", group)
                self._post(person, start + wanted, Post(person.reviewer, movie, None, day))
                other = self._start + self._random.randrange(self._size - WINDOW // 10)
                if self._random.random() < 0.5 and abs(other - start) > WINDOW + width + 50:
                    self._post(person, other, Post(person.reviewer))
                    person.positions.sort()
