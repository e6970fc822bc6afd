"""Read a reviews file element by element, and say which elements are reviews that can be sent.

The file is a JSON array, JSON Lines or objects one behind the other, plain or gzip. Notebook 01 takes its first look at
the file with this module too, so it needs nothing but the standard library.
"""

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

CHUNK = 128 << 10  # bytes read at a time
MAX_ELEMENT = 8 << 20  # characters one element may have: bounds the memory, far beyond any record that Kinesis takes
MAX_PARTITION_KEY = 256  # characters, by Kinesis' count (UTF-16)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


# What each of a review's nine keys must hold.
RULES: dict[str, Callable[[Any], bool]] = {
    "review_id": _is_text,
    "reviewer": _is_text,
    "movie": _is_text,
    "rating": lambda value: value is None or _is_text(value),
    "review_summary": _is_text,
    "review_date": _is_text,
    "spoiler_tag": lambda value: type(value) is int and value in (0, 1),
    "review_detail": _is_text,
    "helpful": lambda value: isinstance(value, list) and len(value) == 2 and all(map(_is_text, value)),
}
KEYS = tuple(RULES)
_LEAD = re.compile("\ufeff?[ \t\r\n]*")  # a byte-order mark may come first
_GAP = re.compile("[ \t\r\n,]*")
_REVIEW_BEGINS = re.compile(r'\{[ \t\r\n]*"(' + "|".join(KEYS) + ')"')
_DECODER = json.JSONDecoder()


def defect(value: Any) -> str | None:
    """Say why a JSON value is not a review that can be sent; None when it is one. Further keys do not matter."""
    if not isinstance(value, dict):
        return "not an object"
    wrong = None
    for key in KEYS:
        if key not in value:
            return f"missing key: {key}"
        if not RULES[key](value[key]):
            wrong = wrong or f"wrong type: {key}"
    if wrong:
        return wrong
    for key in ("review_id", "reviewer"):
        if not value[key]:
            return f"empty {key}"
    try:
        too_long = len(value["review_id"].encode("utf-16-le")) > 2 * MAX_PARTITION_KEY
    except UnicodeEncodeError:
        return "review_id is no partition key"  # a lone surrogate has no UTF-8 form, so no hash and no shard
    return "review_id too long" if too_long else None


class NoReviews(ValueError):
    """Say that the file does not begin like reviews.

    The message is the end of a sentence that begins with the file's name.
    """


class Element(NamedTuple):
    """Describe one element: its value, or the reason why it has none; its first byte (uncompressed) and its bytes."""

    value: Any
    reason: str | None
    offset: int
    raw: bytes


def unpacked(file: Any) -> Any:
    """Return the buffered file itself, or what it holds where its first bytes say gzip."""
    return gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else file


class ReviewReader:
    """Read the elements of one file, in order.

    ``offset`` is the byte (uncompressed) where the next one is looked for.

    A reader made with an earlier one's ``offset`` and ``array``, and a file that stands there, goes on behind it.
    After the last element ``problem`` is None or says what is wrong with the file as a whole.
    """

    def __init__(self, file: Any, offset: int = 0, array: bool | None = None) -> None:
        """Find out whether the file is an array. Raises NoReviews when it is empty or begins like no reviews."""
        self.offset = offset
        self.problem: str | None = None
        self._file, self._ended = file, False
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._text, self._at = "", 0  # what was read, and where in it the next element is looked for
        if array is None:
            if not self._pass(_LEAD):
                raise NoReviews("is empty" + (f": {self.problem}" if self.problem else ""))
            first = self._text[self._at]
            if "\udc80" <= first <= "\udcff":
                raise NoReviews(f"is no JSON of reviews in UTF-8: it begins with the byte 0x{ord(first) - 0xDC00:02x}")
            if first not in "[{":
                raise NoReviews(f"is no JSON of reviews: it begins with {ascii(first)}, not with '[' or '{{'")
            array = first == "["
            self._step(array)
        self.array = array

    def __iter__(self) -> Iterator[Element]:
        """Yield every element once."""
        while self._pass(_GAP):
            if self.array and self._text[self._at] == "]":
                self._step(1)
                if self._pass(_LEAD):
                    self._say(f"something follows the closing ] at byte {self.offset:,} and was not read")
                return
            yield self._element()
        if self.array:
            self._say(f"no closing ] was found up to the file's end at byte {self.offset:,}")

    def _step(self, characters: int) -> None:
        self._at, self.offset = self._at + characters, self.offset + characters

    def _say(self, problem: str) -> None:
        self.problem = self.problem or problem

    def _more(self) -> bool:
        """Read the next chunk; False at the end of the file."""
        if self._ended:
            return False
        try:
            chunk = self._file.read1(CHUNK)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            what = "cut off" if isinstance(error, EOFError) else "damaged"
            self._say(f"the gzip data is {what} behind byte {self.offset:,} of the uncompressed file")
            chunk = b""
        self._ended = not chunk
        self._text, self._at = self._text[self._at :] + self._decode(chunk, self._ended), 0
        return True

    def _pass(self, pattern: re.Pattern[str]) -> bool:
        """Pass what the pattern matches; False at the end of the file."""
        while True:
            end = pattern.match(self._text, self._at).end()  # type: ignore[union-attr]
            self.offset += len(self._text[self._at : end].encode())
            self._at = end
            if end < len(self._text) or not self._more():
                return end < len(self._text)

    def _element(self) -> Element:
        """Read the element that begins here. A malformed one goes as far as the next whole review."""
        while True:
            value, reason, end, may_change = self._value(self._at)
            last = self._ended or len(self._text) - self._at >= MAX_ELEMENT
            if reason and (last or not may_change):
                begins = (match.start() for match in _REVIEW_BEGINS.finditer(self._text, self._at + 1))
                end = next((at for at in begins if RULES.keys() <= set(self._value(at)[0] or ())), None)
            if last and end is None:
                reason = reason if not may_change else "truncated" if self._ended else "element too long"
                end = len(self._text)
                if not self._ended:
                    self._say(f"the element at byte {self.offset:,} has no end within reach: the rest was not read")
                    self._ended = True
            if end is not None and (last or reason or not may_change):
                break
            self._more()
        text = self._text[self._at : end].rstrip(" \t\r\n,") if reason else self._text[self._at : end]
        try:
            raw = text.encode()
        except UnicodeEncodeError:  # bytes that are not UTF-8 stand in the text as lone surrogates
            raw, reason = text.encode("utf-8", "surrogateescape"), reason or "not UTF-8"
        element = Element(value, reason, self.offset, raw)
        self._at, self.offset = self._at + len(text), self.offset + len(raw)
        return element

    def _value(self, start: int) -> tuple[Any, str | None, int | None, bool]:
        """Decode: (value, None, its end) or (None, reason, None); and whether more text may change that.

        An error in the last characters may be there because the text ends too early ("tru", "\\u12", "-").
        """
        text, tail = self._text, len(self._text) - 16
        try:
            value, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            return None, "not JSON", None, error.pos >= tail or error.msg.startswith("Unterminated string")
        except ValueError:  # an integer of more than 4,300 digits
            return None, "not JSON", None, False
        except RecursionError:
            return None, "nested too deeply", None, False
        return value, None, end, text[start] not in '{["' and end > tail
