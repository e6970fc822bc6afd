"""Generate the synthetic reviews one by one: who writes, about which movie, in which words.

Nothing is kept but counters, one chapter's cast, a few recent reviews that may be repeated, and a bounded cache of
movies; so a file of any size takes the same memory.
"""

from collections.abc import Callable, Iterator
from math import sqrt
from random import Random
from typing import TypedDict

from lab.core.errors import BadParameter
from reviewgen import text
from reviewgen.reviewers import (
    DUPLICATE,
    LARGEST,
    SMALLEST,
    SUSPICIOUS,
    Campaign,
    Cast,
    Crowd,
    Label,
    Planted,
    Post,
    chapters,
)
from reviewgen.world import DATES, Movie, movie, reviewer_name

KEYS = (
    "review_id", "reviewer", "movie", "rating", "review_summary", "review_date", "spoiler_tag", "review_detail",
    "helpful",
)  # fmt: skip

NULL_RATINGS = 0.10
SPOILERS = 0.21
# Of 1,000 reviews with a rating, how many give 1, 2, ... 10: mean 6.70, standard deviation 2.94, peaks at 10 and at 1.
_RATINGS = [n for n, many in enumerate((98, 42, 46, 50, 68, 86, 122, 146, 122, 220), 1) for _ in range(many)]
# All votes on a review, by share of reviews; straight lines in between. Drawn by eye, thousands are rare but there.
_VOTES = (
    (0.0, 0), (0.14, 1), (0.3, 2), (0.5, 4), (0.7, 10), (0.8, 18), (0.9, 45), (0.95, 95), (0.99, 420), (0.997, 1000),
    (0.9995, 3000), (1.0, 9000),
)  # fmt: skip
_SMALL_CATALOGUE, _REVIEWS_A_MOVIE = 4_000, 12  # the data set has 5,571,499 reviews of 453,528 titles
_IDS = 10_000_000  # "rw" and seven digits


class Review(TypedDict):
    """Describe one review as the data set has it: these nine keys, in this order."""

    review_id: str
    reviewer: str
    movie: str
    rating: str | None
    review_summary: str
    review_date: str
    spoiler_tag: int
    review_detail: str
    helpful: list[str]


def generate(count: int, seed: int, on_label: Callable[[Label], None] | None = None) -> Iterator[Review]:
    """Generate `count` reviews, the same for the same seed everywhere; `on_label` is told of each planted reviewer.

    Labels come as their chapter of the file begins, those of the prolific reviewers after the last review.
    Raises BadParameter for a count that leaves no room for the planted reviewers, or for unique ids.
    """
    if not SMALLEST <= count <= LARGEST:
        raise BadParameter("count", count, _count_hint(count))
    return _generate(count, seed, on_label or (lambda label: None))


def _count_hint(count: int) -> str:
    if count < SMALLEST:
        return f"the planted reviewers need room, ask for at least {SMALLEST:,} reviews"
    return f"review ids have seven digits, ask for at most {LARGEST:,} reviews"


def _generate(count: int, seed: int, on_label: Callable[[Label], None]) -> Iterator[Review]:
    catalogue = max(_SMALL_CATALOGUE, count // _REVIEWS_A_MOVIE)
    planted = sum(len(cast.posts) for cast, _, _ in _casts(count, seed, catalogue))
    crowd = Crowd(count - planted, count, Random(f"{seed}/crowd"))
    author = _Author(seed, catalogue)
    heaviest = {reviewer: Planted(reviewer, "prolific", "") for reviewer in crowd.heaviest}
    repeats = _Repeats(Random(f"{seed}/repeats").random)
    for cast, start, size in _casts(count, seed, catalogue):
        for person in cast.people:
            on_label(_label(person, author))
        for index in range(start, start + size):
            post = cast.posts.get(index)
            if post is not None:
                yield author.write(index, post.reviewer, post)
                continue
            reviewer = crowd.next()
            if reviewer == DUPLICATE:
                yield repeats.again()
                continue
            review = author.write(index, reviewer, None)
            if reviewer in heaviest:
                heaviest[reviewer].positions.append(index)
            else:
                repeats.offer(review)
            yield review
    for person in heaviest.values():
        on_label(_label(person, author))


def _casts(count: int, seed: int, catalogue: int) -> Iterator[tuple[Cast, int, int]]:
    for number, (start, size) in enumerate(chapters(count)):
        yield Cast(number, start, size, catalogue, Random(f"{seed}/cast/{number}")), start, size


def _label(person: Planted, author: "_Author") -> Label:
    places = person.positions
    return Label(
        reviewer_name(person.reviewer, author.salt),
        person.kind,
        SUSPICIOUS[person.kind],
        person.group,
        len(places),
        places[0],
        places[-1],
    )


class _Author:
    """Fill in a review: everything but who writes it and when."""

    def __init__(self, seed: int, catalogue: int) -> None:
        random = Random(f"{seed}/author")
        self.salt = random.getrandbits(24)
        self._draw, self._catalogue = random.random, catalogue
        self._first_id, self._id_step = random.randrange(_IDS), random.randrange(_IDS // 10) * 10 + 7  # prime to _IDS

    def write(self, index: int, reviewer: int, post: Post | None) -> Review:
        draw = self._draw
        number = None if post is None else post.movie
        if number is None:
            u = draw()
            number = int(self._catalogue * u * sqrt(u))  # few titles get many reviews, most get few
        film = movie(number, self.salt)
        rating = self._rating(film) if post is None or post.rating is None else post.rating
        day = film.first_day + int((len(DATES) - film.first_day) * sqrt(draw()))
        shown = None if draw() < NULL_RATINGS else str(rating)
        if post is not None:
            day = day if post.day is None else post.day
            shown = shown if post.rating is None else str(rating)
        mood = text.mood_of(rating)
        spoiler = draw() < SPOILERS
        if post is not None and post.campaign is not None:
            detail = self._variant(post.campaign, film)
        else:
            detail = text.detail(draw, mood, film, text.length(draw), spoiler)
        u = draw()
        votes = int(text.interpolate(_VOTES, u))
        helpful = int(votes * (0.35 + 0.65 * sqrt(draw())) + draw() * 0.5)
        return {
            "review_id": f"rw{(self._first_id + index * self._id_step) % _IDS:07d}",
            "reviewer": reviewer_name(reviewer, self.salt),
            "movie": film.title,
            "rating": shown,
            "review_summary": text.summary(draw, mood, film),
            "review_date": DATES[day],
            "spoiler_tag": int(spoiler),
            "review_detail": detail,
            "helpful": [f"{helpful:,}", f"{votes:,}"],
        }

    def _rating(self, film: Movie) -> int:
        """Return a rating of the overall distribution; a third of the reviewers agree with the others on this film."""
        u = self._draw()
        if u < 0.33:
            u = film.appeal + 0.2 * (self._draw() - 0.5)
            u = -u if u < 0 else 2 - u if u > 1 else u
        else:
            u = (u - 0.33) / 0.67
        return _RATINGS[min(999, int(1000 * u))]

    def _variant(self, campaign: Campaign, film: Movie) -> str:
        old = movie(campaign.movie, self.salt)
        if campaign.base is None:
            campaign.base = text.sentences(self._draw, 2, old, 600 + int(400 * self._draw()))
        return text.variant(self._draw, campaign.base, old, film)


class _Repeats:
    """Keep the reviews that may come once more: a few recent ones and a few from anywhere before."""

    def __init__(self, draw: text.Draw) -> None:
        self._draw, self._recent, self._older, self._seen = draw, list[Review](), list[Review](), 0

    def offer(self, review: Review) -> None:
        self._seen += 1
        if self._seen % 5:
            return
        self._recent.append(review)
        if len(self._recent) > 40:
            gone = self._recent.pop(0)
            if len(self._older) < 40:
                self._older.append(gone)
            elif self._draw() < 0.02:
                self._older[int(self._draw() * 40)] = gone

    def again(self) -> Review:
        """Repeat an earlier review, each at most once, as it was or after an edit."""
        pool = self._older if self._older and self._draw() < 0.5 else self._recent
        review = pool.pop(int(self._draw() * len(pool)))
        if self._draw() < 0.5:
            return review
        detail = f"{review['review_detail']} {text.afterthought(self._draw)}"[: text.LONGEST]
        votes = int(review["helpful"][1].replace(",", "")) + 1 + int(self._draw() * 9)
        return {**review, "review_detail": detail, "helpful": [review["helpful"][0], f"{votes:,}"]}
