"""Everything that ends an invocation of the producer with a sentence instead of an answer."""


class ProducerError(Exception):
    """Root of the producer's errors; the message is one sentence: what happened, where, what to do next."""


class BadEvent(ProducerError):
    """The test event holds something that is not a setting, or a setting with an impossible value."""


class SourceError(ProducerError):
    """The object with the reviews cannot be read (missing, forbidden, encrypted, empty, replaced, not JSON)."""


class StreamError(ProducerError):
    """The Kinesis stream does not take records (missing, forbidden, unreachable for too long)."""


class StateError(ProducerError):
    """The run's state in S3 cannot be read or written."""


class AlreadyRunning(StateError):
    """Another invocation holds the lease on this stream's state."""


class LeaseLost(StateError):
    """Another invocation took the lease over: this one stops without writing anything more."""
