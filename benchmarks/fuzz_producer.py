"""Mutated inputs through the producer's reading side: nothing may end it, nothing may be lost unseen.

    python -m benchmarks.fuzz_producer [--count 100000] [--seed 1]

Each input is a small array, JSON Lines or gzip of either, damaged in one of its reviews or anywhere. Held to, every
time: no exception but a SourceError; every element is either a review whose record is valid JSON of ten keys or has a
reason; a rejected one's position gives its own bytes; the same bytes in other pieces give the same; the reviews that
were not touched arrive, unless the reader says that the file's end is not as it should be. One exception: in an array
a stray quote makes the beginning of the next review part of a string; that one is then rejected too. Prints the counts;
exit code 1 and the first inputs (hex) that do not hold.
"""

import argparse
import gzip
import io
import json
import multiprocessing
import os
import random
import sys
from collections import Counter

from tests.support.reviews import PRODUCER, StoredObject, review  # also puts producer/ on the path

from review_event import make_event  # isort: skip
from review_object import ReviewObject, SourceError  # isort: skip
from review_reader import CHUNK, NoReviews, ReviewReader, defect, unpacked  # isort: skip

assert PRODUCER.is_dir()
_TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b'"',
    b":",
    b"\\",
    b"\n",
    b"\\ud800",
    b"\xff",
    b"null",
    b"NaN",
    b"1e999",
    b"\0",
]
_COUNT = 4


class Pieces(io.BytesIO):
    """A body, or a file, that hands out random pieces, as a connection does."""

    def __init__(self, data: bytes, chance: random.Random) -> None:
        super().__init__(data)
        self._chance = chance

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, self._chance.randint(1, 700)))

    read1 = read  # type: ignore[assignment]


def read(data: bytes, chance: random.Random) -> tuple[list[tuple[str, str]], str | None, list[tuple[int, bytes]]]:
    """(review_id or reason of every element, problem, position and bytes of every rejected one)."""
    s3 = StoredObject(data, lambda piece: Pieces(piece, chance))
    stored = io.BufferedReader(ReviewObject(s3, "bucket", "key"), CHUNK)
    file = unpacked(stored)
    reader = ReviewReader(Pieces(data, chance) if file is stored else file)
    found: list[tuple[str, str]] = []
    rejected = []
    for element in reader:
        reason = element.reason or defect(element.value)
        if reason is None:
            record = json.loads(make_event(element.value, "2026-01-01T00:00:00.000"))
            assert len(record) == 10 and record["review_id"] == element.value["review_id"]
            found.append(("sent", element.value["review_id"]))
        else:
            found.append(("rejected", reason))
            rejected.append((element.offset, element.raw))
    return found, reader.problem, rejected


def mutate(raw: bytes, chance: random.Random) -> bytes:
    data = bytearray(raw)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                data[at:at] = chance.choice(_TOKENS)
            case 2:
                del data[at : at + chance.randint(1, 30)]
            case 3:
                data[at:at] = data[max(0, at - chance.randint(1, 60)) : at]
            case 4:
                data[at : at + 1] = chance.choice(_TOKENS)
            case 5 if len(data) > 1:
                del data[at:]
        data = data or bytearray(b" ")
    return bytes(data)


def one(number: int, seed: int) -> tuple[str, bytes, str]:
    """(what became of it, the input, what does not hold or "")."""
    chance = random.Random(f"{seed}/{number}")
    values = [json.dumps(review(at), ensure_ascii=chance.random() < 0.5).encode() for at in range(_COUNT)]
    lines, inside = chance.random() < 0.4, chance.random() < 0.6
    touched = chance.randrange(_COUNT)
    if inside:
        values[touched] = mutate(values[touched], chance)
    data = b"\n".join(values) if lines else b"[" + b", ".join(values) + b"]"
    data = data if inside else mutate(data, chance)
    plain = data
    if packed := chance.random() < 0.2:
        data = gzip.compress(data, 1)
        data = mutate(data, chance) if chance.random() < 0.5 else data
    try:
        found, problem, rejected = read(data, chance)
        again = read(data, chance)
    except (SourceError, NoReviews):
        return "ends with a sentence", data, ""
    except Exception as error:  # what must never happen, reported with its input
        return "broken", data, f"{type(error).__name__}: {error}"
    if (found, problem) != again[:2]:
        return "broken", data, f"other pieces, other reviews: {found} {problem} and {again[:2]}"
    if not packed and any(plain[offset : offset + len(raw)] != raw for offset, raw in rejected):
        return "broken", data, "a position gives other bytes"
    arrived = Counter(review_id for kind, review_id in found if kind == "sent")
    missing = [at for at in range(_COUNT) if at != touched and f"rw{at:07d}" not in arrived]
    beside = [] if lines or not rejected else [touched + 1]
    if inside and not packed and problem is None and missing not in ([], beside):
        return "broken", data, f"untouched reviews are missing: {missing}"
    if inside and missing and problem is None and not packed:
        return "the next one rejected too", data, ""
    return ("all sent" if len(arrived) == _COUNT else "some rejected") + (", problem said" if problem else ""), data, ""


def _share(job: tuple[int, int, int]) -> tuple[Counter[str], list[tuple[bytes, str]]]:
    first, last, seed = job
    counts: Counter[str] = Counter()
    broken = []
    for number in range(first, last):
        what, data, why = one(number, seed)
        counts[what] += 1
        if why:
            broken.append((data, why))
    return counts, broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    jobs = [(at, min(at + 1000, options.count), options.seed) for at in range(0, options.count, 1000)]
    counts: Counter[str] = Counter()
    broken: list[tuple[bytes, str]] = []
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for some, bad in pool.imap_unordered(_share, jobs):
            counts += some
            broken += bad
    for what, number in counts.most_common():
        print(f"{number:>9,} {what}")
    for data, why in broken[:5]:
        print(f"BROKEN: {why}\n{data.hex()}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
