"""Invent the world the synthetic reviews talk about: who writes, which movies exist, on which days.

Everything is a pure function of (seed, number), so a catalogue of any size costs no memory. Only integers, `+ - * /`
and `sqrt` are used, which IEEE 754 rounds alike everywhere: two machines agree on every name and title. People and
titles are made up from the word lists below; a likeness to a real one is chance.
"""

import datetime
from dataclasses import dataclass
from functools import lru_cache

FIRST_YEAR, LAST_YEAR = 1931, 2020
REVIEWER_SPACE = 1 << 24  # reviewer numbers are 0 .. REVIEWER_SPACE - 1; each has a name of its own
NEW_MOVIES = 1 << 40  # movie numbers from here on are brand new: they open in the last year and have no past


def _words(text: str, separator: str | None = None) -> list[str]:
    return [word.strip() for word in text.split(separator)]


ADJECTIVES = _words(
    """
amber ancient autumn blue bitter brave broken calm clever cobalt cold copper crimson crooked curious dark distant
dusty eager early electric empty faded final gentle gilded golden grey hidden hollow idle ivory jade last late lazy
little lonely loud lucky lunar mellow midnight northern odd pale paper patient plain quiet restless rusty salty
second secret sharp silent silver slow small solar southern spare
"""
)
NOUNS = _words(
    """
anchor archive badger balcony bell border bridge camera canal candle carnival castle clock comet compass corridor
crane desert engine ferry fiddler fjord forest fox garden ghost harbor heron hotel island keeper kettle kingdom
ladder lantern letter lighthouse lion marsh mirror museum needle oath orchard otter owl parade pilot planet puppet
raven river sailor shadow signal sparrow station stranger summer theatre tiger tower train
"""
)
FIRST = _words(
    """
Ada Adil Agata Aiko Alba Amir Anton Asta Bela Boris Bram Carys Celia Dario Dina Edda Elias Emre Enzo Fadil Farah
Fiona Gala Goran Greta Hanne Hugo Ilse Imani Ines Ivo Jana Joris Jules Kaito Karin Kofi Lars Leila Lidia Luca Magda
Malik Mara Marek Mina Nadia Nils Noor Olga Omar Oskar Paula Petra Pia Quinn Rafa Rania Rolf Ruben Sana Selma Silas
Sofie Stefan Taro Tessa Tilda Tomas Ulla Uma Vera Viggo Wanda Willem Xenia Yara Yusuf Zelda Zoë
"""
)
LAST = _words(
    """
Abara Adler Almeida Arvid Bakker Barros Becker Bellin Berg Bianco Brandt Calder Castell Cerny Corvo Dahl Demir Dorn
Duarte Eklund Engel Falk Farkas Fenn Ferro Forsberg Gallo Garrick Haas Halloran Hartog Holm Horvat Ibarra Iversen
Jansky Jokinen Kadar Keller Kimura Kovac Krol Lachance Lindqvist Lorca Maddox Madsen Marchetti Mbeki Molnar Morrow
Nagy Nakano Novak Oduya Okafor Orlov Osei Palma Pereira Petrov Quist Radic Ramires Rask Reyes Rosso Sandoval Sato
Schuster Selby Serrano Silva Soto Stark Strand Tanaka Thorne Toro Tveit Urban Vance Varga Velden Vidal Vogel Walsh
Weiss Winter Wolfe Yilmaz Zeller Zima
"""
)
PLACES = _words(
    """
Aldermoor, Bergen, Calavera, Dunmore, Elsinga, Ferrol, Gdynia, Hollow Creek, Isla Verde, Jericho Falls, Kestrel Bay,
Lisbon, Marrow Lake, Novara, Oslo, Port Ellis, Quarry Hill, Rosario, Saint Brannock, Tangier, Umber Street,
Vesper Point, Winnipeg, Yarrow, Zadar
""",
    ",",
)
SURNAMES_CJK = "林陈王李张黄吴周徐孙马朱胡郭何高罗郑梁谢"
GIVEN_CJK = "安宁晓雨文静海明志远思佳子涵星辰一诺云飞春秋若雪天乐清"
TITLES_CJK = (
    ("沉默的", "北方的", "最后的", "遥远的", "雪中的", "看不见的", "午夜的", "夏日的"),
    ("车站", "灯塔", "信使", "花园", "证人", "河流", "钟声", "旅人"),
)
GENRES = ("drama", "comedy", "thriller", "horror", "science fiction", "adventure", "romance", "crime")
_INITIALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DASHED = [w.lower() for w in FIRST] + NOUNS

_MONTHS = _words("January February March April May June July August September October November December")
_FIRST_DAY = datetime.date(1999, 1, 1)
_DAYS = [_FIRST_DAY + datetime.timedelta(n) for n in range((datetime.date(LAST_YEAR, 12, 31) - _FIRST_DAY).days + 1)]
DATES: list[str] = [f"{d.day} {_MONTHS[d.month - 1]} {d.year}" for d in _DAYS]
"""Every day a review may carry, as the data set writes it (day not padded); a day is an index into this list."""
_NEW_YEAR = {d.year: n for n, d in enumerate(_DAYS) if (d.month, d.day) == (1, 1)}


def mix(number: int) -> int:
    """Scramble a number into 64 bits (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    z = (number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return z ^ (z >> 31)


# How names look, in fiftieths. Each style is one-to-one in its key, and no two styles can write the same name.
_STYLES = ("camel", "person", "dash", "tag", "under", "letters", "title", "digits", "cjk")
_SHARES = (10, 12, 8, 8, 5, 4, 1, 1, 1)
_SLOTS = [(style, slot, share) for style, share in zip(_STYLES, _SHARES, strict=True) for slot in range(share)]


def reviewer_name(number: int, salt: int) -> str:
    """Return the name of reviewer `number` (0 .. REVIEWER_SPACE - 1); distinct numbers have distinct names.

    `salt` (any integer, from the seed) shuffles who has which name. Some names are all digits, some hold spaces.
    """
    mask = REVIEWER_SPACE - 1
    h = ((number ^ salt) * 0x9E3779B1) & mask  # xor, odd factor, xor-shift: each step is a bijection on 24 bits
    h ^= h >> 11
    h = (h * 0x85EBCA6B + salt) & mask
    h ^= h >> 13
    key, slot = divmod(h, len(_SLOTS))
    style, offset, share = _SLOTS[slot]
    key = key * share + offset
    if style == "digits":
        return str(10_000_000 + key)
    if style == "dash":
        key, word = divmod(key, len(_DASHED))
        return f"{_DASHED[word]}-{key}"
    if style == "letters":
        key, a = divmod(key, 26)
        key, b = divmod(key, 26)
        return f"{_INITIALS[a]}{_INITIALS[b]}{key}".lower()
    if style == "cjk":
        key, a = divmod(key, len(SURNAMES_CJK))
        key, b = divmod(key, len(GIVEN_CJK))
        key, c = divmod(key, len(GIVEN_CJK))
        return f"{SURNAMES_CJK[a]}{GIVEN_CJK[b]}{GIVEN_CJK[c]}{key or ''}"
    if style in ("person", "tag"):
        key, a = divmod(key, len(FIRST))
        key, b = divmod(key, len(LAST))
        if style == "tag":
            return f"{FIRST[a]}_{LAST[b]}{key or ''}"
        key, initial = divmod(key, 27)
        middle = f" {_INITIALS[initial - 1]}. " if initial else " "
        return f"{FIRST[a]}{middle}{LAST[b]}{f' {key}' if key else ''}"
    key, a = divmod(key, len(ADJECTIVES))
    key, b = divmod(key, len(NOUNS))
    if style == "camel":
        return f"{ADJECTIVES[a].capitalize()}{NOUNS[b].capitalize()}{key or ''}"
    if style == "under":
        return f"{ADJECTIVES[a]}_{NOUNS[b]}{key or ''}"
    return f"The {ADJECTIVES[a].capitalize()} {NOUNS[b].capitalize()}{f' {key}' if key else ''}"


@dataclass(frozen=True, slots=True)
class Movie:
    """Describe one title: as the data set writes it, its name in a sentence, and its reviews' shape."""

    title: str  # "Silver Harbor (1997 TV Movie)"
    name: str  # "Silver Harbor"
    genre: int  # index into GENRES
    first_day: int  # no review is older than this day (index into DATES)
    appeal: float  # 0 .. 1, pulls the ratings of its reviews down or up
    lead: str
    director: str


def _name(h: int) -> str:
    adjective, noun = ADJECTIVES[h % len(ADJECTIVES)].capitalize(), NOUNS[(h >> 8) % len(NOUNS)].capitalize()
    other, place = NOUNS[(h >> 16) % len(NOUNS)].capitalize(), PLACES[(h >> 24) % len(PLACES)]
    person = FIRST[(h >> 32) % len(FIRST)]
    match (h >> 40) % 12:
        case 0 | 1 | 2:
            return f"The {adjective} {noun}"
        case 3 | 4:
            return f"{adjective} {noun}"
        case 5:
            return f"The {noun} of {place}"
        case 6:
            return f"{person} and the {noun}"
        case 7:
            return f"{noun} & {other}" if noun != other else f"Two {noun}s"
        case 8:
            return f"Last {noun} to {place}"
        case 9:
            return f"{'An' if noun[0] in 'AEIO' else 'A'} {noun} for {person}"
        case 10:
            return f"{place}: The {adjective} {noun}"
        case _:
            return f"{adjective} {noun}: Part {2 + (h >> 44) % 3}"


@lru_cache(maxsize=2048)
def movie(number: int, salt: int) -> Movie:
    """Return movie `number` of the catalogue that `salt` (from the seed) stands for; from NEW_MOVIES on, a new one."""
    h, g = mix(number * 2 + salt), mix(number * 2 + 1 + salt)
    name = _name(h)
    age = (g & 0xFFFF) / 65536.0
    year = LAST_YEAR - int((LAST_YEAR - FIRST_YEAR + 1) * age * age)  # more new films than old ones
    form = (g >> 16) % 100
    if number >= NEW_MOVIES:
        year, form = LAST_YEAR, 99
    elif form >= 98:
        name = TITLES_CJK[0][h % 8] + TITLES_CJK[1][(h >> 3) % 8]
    title = f"{name} ({year})"
    if form < 11:
        year = max(year, 1956)
        episode = _name(mix(h))
        title = f"{name}: {episode} ({year}) Season {1 + (h >> 44) % 9}, Episode {1 + (h >> 48) % 24}"
    elif form < 16:
        title = f"{name} ({year}\u2013 )"
    elif form < 20:
        title = (
            f"{name} ({year}\u2013{year + 1 + (h >> 48) % 9})" if year < LAST_YEAR - 9 else f"{name} ({year}\u2013 )"
        )
    elif form < 24:
        title = f"{name} ({year} TV Movie)"
    elif form < 27:
        title = f"{name} ({year} TV Mini Series)"
    elif form < 30:
        title = f"{name} ({year} Video)"
    lead = f"{FIRST[(g >> 24) % len(FIRST)]} {LAST[(g >> 32) % len(LAST)]}"
    director = f"{FIRST[(g >> 40) % len(FIRST)]} {LAST[(g >> 46) % len(LAST)]}"
    first_day = _NEW_YEAR[max(year, _DAYS[0].year)]
    return Movie(title, name, (h >> 52) % len(GENRES), first_day, ((g >> 52) & 0xFFF) / 4096.0, lead, director)
