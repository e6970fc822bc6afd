"""What was not sent and why, kept in S3 as JSON Lines.

Objects are named after the first review they hold, and are written before the cursor moves past it. So an invocation
that is killed in between leaves an object that the next one writes again under the same name: nothing twice.
"""

import json
from collections import Counter, deque
from collections.abc import Callable

RAW_BYTES = 2_000  # of a rejected element are kept
MOST_WAITING = 2 << 20  # bytes of lines that wait for the cursor


class RejectedReviews:
    """``put`` writes one object: (key, body). ``counts`` continues an earlier invocation's."""

    def __init__(self, prefix: str, put: Callable[[str, bytes], None], counts: dict[str, int]) -> None:
        self.prefix = prefix
        self.counts = Counter(counts)  # by reason; only those the cursor has passed
        self.waiting_bytes = 0
        self._put = put
        self._waiting: deque[tuple[int, int, str, bytes]] = deque()

    @property
    def total(self) -> int:
        """Rejected reviews before the cursor."""
        return sum(self.counts.values())

    def add(self, index: int, sent_before: int, reason: str, byte_offset: int, raw: bytes) -> None:
        """Review ``index`` of the file (0-based), found after ``sent_before`` good ones at this byte of the data."""
        line = json.dumps(
            {
                "index": index,
                "byte_offset": byte_offset,
                "reason": reason,
                "bytes": len(raw),
                "raw": raw[:RAW_BYTES].decode("utf-8", "backslashreplace"),
            }
        ).encode()
        self._waiting.append((sent_before, index, reason, line))
        self.waiting_bytes += len(line)

    def pass_cursor(self, sent: int) -> None:
        """The first ``sent`` good reviews are written: keep the rejected ones before and between them for good."""
        first, lines = None, []
        for sent_before, index, reason, line in self._waiting:
            if sent_before > sent:
                break
            first = index if first is None else first
            lines.append((reason, line))
        if first is None:
            return
        self._put(f"{self.prefix}from-{first:012d}.jsonl", b"".join(line + b"\n" for _, line in lines))
        for reason, line in lines:
            self._waiting.popleft()
            self.counts[reason] += 1
            self.waiting_bytes -= len(line)
