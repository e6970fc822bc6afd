"""Write the text of a synthetic review: sentences put together from `phrases`, in a mood that fits the rating.

Phrases are combined when a review is written (opening x subject x predicate x tail, tens of thousands of sentences per
thing talked about), so two honest reviews share words but hardly ever three sentences; near-duplicates are made on
purpose, by `variant`.
"""

from collections.abc import Callable

from reviewgen import phrases as words
from reviewgen.world import Movie

Draw = Callable[[], float]
"""`random.Random(...).random`: every choice in this module is made with it, so that the seed decides everything."""

SHORTEST, LONGEST = 15, 9_993

# (share of reviews, at most this many characters): the quartiles and the ends are those of the data set, what lies
# between them is drawn by eye. Straight lines in between.
_LENGTHS = (
    (0.0, 15), (0.01, 40), (0.05, 95), (0.12, 160), (0.25, 288), (0.5, 713), (0.75, 1309), (0.88, 2050), (0.95, 3150),
    (0.99, 5600), (0.999, 8600), (1.0, 9_993),
)  # fmt: skip
_DIRECTION, _ASPECT_COUNT = 7, 13  # 13 is prime: any step through the aspects visits all of them


def interpolate(knots: tuple[tuple[float, float], ...], u: float) -> float:
    """Interpolate at `u` (0 .. 1) on the broken line through `knots`, from 0 to 1."""
    x0, y0 = knots[0]
    for x1, y1 in knots:
        if u < x1:
            return y0 + (y1 - y0) * (u - x0) / (x1 - x0)
        x0, y0 = x1, y1
    return y0


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# Openings with subject, predicates, tails; after each how many there are, which a hot loop need not ask again.
_Parts = tuple[list[str], int, list[str], int, list[str], int]


def _sentence_parts() -> list[list[list[_Parts]]]:
    """List [genre][mood][aspect] -> the parts a sentence is made of, one of each."""

    def counted(openings: list[str], predicates: list[str], tails: list[str]) -> _Parts:
        return openings, len(openings), predicates, len(predicates), tails, len(tails)

    tails = [f"{tail}. " if not tail or tail.startswith(",") else f" {tail}. " for tail in words.TAILS]
    genres = []
    for subjects_here, plot in zip(words.GENRE_SUBJECTS, words.PLOTS, strict=True):
        aspects = [*words.ASPECTS, (subjects_here, words.ASPECTS[_DIRECTION][1])]
        moods = []
        for mood in range(3):
            rows = []
            for subjects, (bad, fair, good) in aspects:
                openings = [_capital(opening + subject) + " " for opening in words.OPENINGS for subject in subjects]
                predicates = (bad * 3 + fair, bad + fair * 2 + good, good * 3 + fair)[mood]
                rows.append(counted(openings, predicates, tails))
            who, does, then = plot
            rows.append(counted([f"{w} {d} " for w in who for d in does], then, [". "]))
            moods.append(rows)
        genres.append(moods)
    return genres


_PARTS = _sentence_parts()
assert len(_PARTS[0][0]) == _ASPECT_COUNT  # the walk below relies on it


def mood_of(rating: int) -> int:
    """Return 0 disappointed (1 to 4), 1 of two minds (5, 6), 2 pleased (7 to 10)."""
    return 0 if rating < 5 else 1 if rating < 7 else 2


def length(draw: Draw) -> int:
    """Return how many characters the next review is about to have."""
    return int(interpolate(_LENGTHS, draw()))


def sentences(draw: Draw, mood: int, movie: Movie, target: int, spoiler: bool = False) -> list[str]:
    """Write the sentences of a review of about `target` characters, each with its space after it."""
    out: list[str] = []
    if target < 115:
        short = words.SHORT[mood]
        start, size = int(draw() * len(short)), 0
        for n in range(len(short)):
            if size > SHORTEST and size > target - 10:
                break
            out.append(f"{short[(start + n) % len(short)]} ")
            size += len(out[-1])
        return out
    rows = _PARTS[movie.genre][mood]
    at, step = int(draw() * _ASPECT_COUNT), 1 + int(draw() * (_ASPECT_COUNT - 1))
    extra = _named_line(draw, mood, movie) if draw() < 0.7 else ""
    extra_at = int(draw() * 4)
    if spoiler:
        out.append(f"{words.SPOILERS[int(draw() * len(words.SPOILERS))]} ")
    size, goal = sum(map(len, out)), target - 32
    while size < goal:
        if extra and len(out) >= extra_at:
            out.append(extra)
            size += len(extra)
            extra = ""
            continue
        openings, a, predicates, b, tails, c = rows[at]
        sentence = openings[int(draw() * a)] + predicates[int(draw() * b)] + tails[int(draw() * c)]
        out.append(sentence)
        size += len(sentence)
        at = (at + step) % _ASPECT_COUNT
    while size > LONGEST:
        size -= len(out.pop())
    return out


def _named_line(draw: Draw, mood: int, movie: Movie) -> str:
    u = draw()
    if u < 0.4:
        lines, name = words.LEAD_LINES[mood], movie.lead
    elif u < 0.6:
        lines, name = words.DIRECTOR_LINES[mood], movie.director
    else:
        lines, name = words.TITLE_LINES[mood], movie.name
    return lines[int(draw() * len(lines))].replace("{}", name) + " "


def detail(draw: Draw, mood: int, movie: Movie, target: int, spoiler: bool = False) -> str:
    """Return the text of one honest review.

    One in thirty has an emoji, one in a hundred a line in Chinese, Japanese, ...
    """
    text = "".join(sentences(draw, mood, movie, target, spoiler)).rstrip()
    u = draw()
    if u < 0.045:
        if u < 0.01:
            lines = words.CJK[mood]
            text = f"{text} {lines[int(draw() * len(lines))]}"
        elif u < 0.04:
            signs = words.EMOJI[mood]
            text = f"{text} {signs[int(draw() * len(signs))] * (1 + int(draw() * 3))}"
        else:
            text = text.upper() if len(text) < 300 else text.lower()
    return text if len(text) <= LONGEST else text[:LONGEST]


def summary(draw: Draw, mood: int, movie: Movie) -> str:
    """Return the headline of a review."""
    u = draw()
    if u < 0.12:
        lines = words.TITLE_LINES[mood]
        return lines[int(draw() * len(lines))].replace("{}", movie.name).rstrip(".")
    if u < 0.3:
        lines = words.SHORT[mood]
        return lines[int(draw() * len(lines))].rstrip(".")
    heads, nouns, ends = words.SUMMARY_HEADS[mood], words.SUMMARY_NOUNS, words.SUMMARY_ENDS
    return f"{heads[int(draw() * len(heads))]} {nouns[int(draw() * len(nouns))]}{ends[int(draw() * len(ends))]}"


def variant(draw: Draw, base: list[str], old: Movie, new: Movie) -> str:
    """Return a near-duplicate of `base` (the sentences of a review of `old`), posted on `new`.

    Names are exchanged, two neighbouring sentences change places and one short remark is put in: at least four fifths
    of the three-word sequences stay.
    """
    text = [s.replace(old.name, new.name).replace(old.lead, new.lead).replace(old.director, new.director) for s in base]
    if len(text) > 2 and draw() < 0.5:
        at = int(draw() * (len(text) - 1))
        text[at], text[at + 1] = text[at + 1], text[at]
    remark = words.SHORT[2][int(draw() * len(words.SHORT[2]))]
    text.insert(int(draw() * (len(text) + 1)), f"{remark} ")
    return "".join(text).rstrip()


def afterthought(draw: Draw) -> str:
    """Return what somebody adds who edits a review."""
    return words.AFTERTHOUGHTS[int(draw() * len(words.AFTERTHOUGHTS))]
