"""How much one lane may put into its next request: the shard's speed limit, and how far its event times may spread.

The speed limit is learnt (or known from the start, see ``limited``): the published limit of a shard after the first
throttled record, less after more of them, slowly back up while nothing is throttled.

The spread is about order. PutRecords fails record by record: when record 3 of 500 fails and 4 to 500 are written, 3
comes after 500 however quickly it is sent again, and Flink drops it if 500 has moved the watermark past its windows. So
a request only spans more event time than the watermark delay while the stream has shown that it takes whole requests:
like TCP's slow start it begins at the delay, grows fourfold with every clean request and falls back after a failure.
Within the delay any order is harmless.
"""

SHARD_RECORDS = 1_000  # a second; Kinesis, "Quotas and limits", per shard
SHARD_BYTES = 1_000_000
REQUEST_RECORDS = 500  # PutRecords
REQUEST_BYTES = 5 << 20  # data and partition keys together, before base64
_REQUESTS_A_SECOND = 4  # while limited: small requests lose less when they are throttled
_FLOOR, _LESS, _MORE = 0.05, 0.7, 0.02
_CLEAN_AGAIN = 10  # clean requests per step after a failure; before the first failure one is enough
_UNLIMITED_SPAN = 1 << 45


class LaneGovernor:
    """Decisions for one lane; times are seconds of any steady clock, event times milliseconds."""

    def __init__(self, delay_ms: int, strict: bool = False, limited: bool = False) -> None:
        self._narrow = max(delay_ms - 1, 0)
        self._strict = strict
        self._share: float | None = 1.0 if limited else None  # of the shard's limit
        self._next_at = 0.0
        self._clean, self._needed = 0, 1
        self.span_ms = self._narrow

    @property
    def share(self) -> float | None:
        """Which part of the shard's published limit is used; None: no limit known."""
        return self._share

    @property
    def max_records(self) -> int:
        """Records the next request may hold."""
        if self._share is None:
            return REQUEST_RECORDS
        return max(1, min(REQUEST_RECORDS, int(SHARD_RECORDS * self._share / _REQUESTS_A_SECOND)))

    @property
    def max_bytes(self) -> int:
        """Bytes the next request may hold (one record always fits)."""
        if self._share is None:
            return REQUEST_BYTES
        return min(REQUEST_BYTES, int(SHARD_BYTES * self._share / _REQUESTS_A_SECOND))

    def wait(self, now: float) -> float:
        """Seconds until the next request may go out."""
        return 0.0 if self._share is None else max(0.0, self._next_at - now)

    def landed(self, now: float, records: int, size: int) -> None:
        """So much was written: it uses up the shard's limit for a while."""
        if self._share is not None:
            cost = max(records / SHARD_RECORDS, size / SHARD_BYTES) / self._share
            self._next_at = max(now, self._next_at) + cost

    def clean(self) -> None:
        """A request was written whole."""
        if self._share is not None:
            self._share = min(1.0, self._share + _MORE)
        if self._strict or self.span_ms >= _UNLIMITED_SPAN:
            return
        self._clean += 1
        if self._clean >= self._needed:
            self._clean = 0
            self.span_ms = max(4 * self.span_ms, 1000)

    def failed(self, throttled: bool, disordered: bool) -> None:
        """Records of a request failed; ``disordered``: a later one of the same request was written all the same."""
        if throttled:
            self._share = 1.0 if self._share is None else max(_FLOOR, self._share * _LESS)
        if disordered or not throttled:
            self.span_ms, self._clean, self._needed = self._narrow, 0, _CLEAN_AGAIN
