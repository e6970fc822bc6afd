"""Answer the operations on a stream's tags, by its name or by its ARN."""

import re
from collections.abc import Mapping
from typing import Any

from localaws.kinesis.backend import Backend, require_stream
from localaws.kinesis.errors import invalid, over_limit
from localaws.kinesis.shards import Stream

MAX_TAGS = 50  # Kinesis API reference, "Tags": at most 50 for a resource
# The characters the API reference of Tag allows, in keys and values alike.
_ALLOWED = re.compile(r"^[\w\s.:/=+\-@]*$")


class Tags:
    """Answer the operations on tags; each takes the request's members and returns the answer's."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def add_tags_to_stream(self, data: dict[str, Any]) -> dict[str, Any]:
        """Answer AddTagsToStream and TagResource."""
        stream = self._stream(data)
        stream["tags"] = checked({**tags_of(stream), **data["Tags"]})
        return {}

    def remove_tags_from_stream(self, data: dict[str, Any]) -> dict[str, Any]:
        """Answer RemoveTagsFromStream and UntagResource."""
        stream, doomed = self._stream(data), data["TagKeys"]
        stream["tags"] = {key: value for key, value in tags_of(stream).items() if key not in doomed}
        return {}

    tag_resource, untag_resource = add_tags_to_stream, remove_tags_from_stream

    def list_tags_for_stream(self, data: dict[str, Any]) -> dict[str, Any]:
        """Answer ListTagsForStream: a page of at most ``Limit`` tags after ``ExclusiveStartTagKey``."""
        limit, after = data.get("Limit", MAX_TAGS), data.get("ExclusiveStartTagKey", "")
        rest = [one for one in _as_list(self._stream(data)) if one["Key"] > after]
        return {"Tags": rest[:limit], "HasMoreTags": len(rest) > limit}

    def list_tags_for_resource(self, data: dict[str, Any]) -> dict[str, Any]:
        """Answer ListTagsForResource: all of them."""
        return {"Tags": _as_list(self._stream(data))}

    def _stream(self, data: dict[str, Any]) -> Stream:
        arn = data.get("ResourceARN")
        return require_stream(self._backend, {"StreamARN": arn} if arn else data)


def tags_of(stream: Stream) -> Mapping[str, str]:
    """Return the tags a stream has."""
    return stream.get("tags") or {}


def checked(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags as they may be kept; raises what AWS raises for tags that may not."""
    if len(tags) > MAX_TAGS:
        raise over_limit(f"A stream has at most {MAX_TAGS} tags.")
    for key, value in tags.items():
        if not _ALLOWED.match(key) or not _ALLOWED.match(value) or key.startswith("aws:"):
            raise invalid(f"The tag {key!r} holds a character that tags may not have, or begins with aws:.")
    return dict(tags)


def _as_list(stream: Stream) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags_of(stream).items())]
