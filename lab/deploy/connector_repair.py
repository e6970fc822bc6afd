"""Repairs one class of the connector, without which a snapshot cannot always be restored.

``KinesisStreamsStateSerializer`` (flink-connector-kinesis 4.3.0) writes a buffered record's partition key as its number
of *characters* followed by its UTF-8 *bytes*, and reads that number of bytes back. The first key beyond ASCII, such
as a Chinese reviewer's name, shifts everything behind it: the job fails with NegativeArraySizeException when it is
restored from a checkpoint or savepoint that caught such a record in the sink's buffer, and it fails for ever.

The repair writes the key with ``DataOutputStream.writeUTF`` and reads it with ``DataInputStream.readUTF``. Both methods
keep their length, so nothing else in the class file moves (Java Virtual Machine Specification, chapter 4).
"""

import re
import struct

from lab.core.errors import LabError

CLASS = "org/apache/flink/connector/kinesis/sink/KinesisStreamsStateSerializer.class"

# out.writeInt(key.length()); out.write(key.getBytes(UTF_8));
_WRITE = re.compile(rb"\x2c\x2b\xb6..\xb6..\x2c\x2b\xb2..\xb6..\xb6..\xb1", re.S)
# int length = in.readInt(); byte[] key = new byte[length]; in.read(key); return new String(key, UTF_8);
_READ = re.compile(rb"\x2b\xb6..\x3d\x1c\xbc\x08\x4e\x2b\x2d\xb6..\x57\xbb..\x59\x2d\xb2..\xb7..\xb0", re.S)
_NOP, _ALOAD_1, _ALOAD_2, _INVOKEVIRTUAL, _ARETURN, _RETURN = b"\x00", b"\x2b", b"\x2c", b"\xb6", b"\xb0", b"\xb1"
# Bytes of a constant after its tag, by tag; a Utf8 (1) says its own length.
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}


class RepairFailed(LabError):
    """The class is not the one this repair was made for."""


def repair(content: bytes) -> bytes:
    """The repaired class file; raises RepairFailed where the two methods are not found exactly once each."""
    pool = _Pool(content)
    write_utf = pool.method("java/io/DataOutputStream", "writeUTF", "(Ljava/lang/String;)V")
    read_utf = pool.method("java/io/DataInputStream", "readUTF", "()Ljava/lang/String;")
    body = content[pool.end :]
    for pattern, code in (
        (_WRITE, _ALOAD_2 + _ALOAD_1 + _INVOKEVIRTUAL + struct.pack(">H", write_utf) + _RETURN),
        (_READ, _ALOAD_1 + _INVOKEVIRTUAL + struct.pack(">H", read_utf) + _ARETURN),
    ):
        found = list(pattern.finditer(body))
        if len(found) != 1:
            raise RepairFailed(
                f"{CLASS} is not that of flink-connector-kinesis 4.3.0; look whether the new version still needs "
                "lab/connector_repair.py."
            )
        start, end = found[0].span()
        body = body[:start] + code.rjust(end - start, _NOP) + body[end:]
    return content[:8] + struct.pack(">H", pool.count) + content[10 : pool.end] + pool.added + body


class _Pool:
    """A class file's constant pool, to which method references can be added."""

    def __init__(self, content: bytes) -> None:
        (self.count,) = struct.unpack_from(">H", content, 8)
        self.added = b""
        self._utf8: dict[int, bytes] = {}
        self._classes: dict[int, int] = {}
        position, index = 10, 1
        while index < self.count:
            tag = content[position]
            if tag == 1:
                (length,) = struct.unpack_from(">H", content, position + 1)
                self._utf8[index] = content[position + 3 : position + 3 + length]
                position += 3 + length
            else:
                if tag == 7:
                    (self._classes[index],) = struct.unpack_from(">H", content, position + 1)
                position += 1 + _SIZES[tag]
            index += 2 if tag in (5, 6) else 1
        self.end = position

    def method(self, owner: str, name: str, descriptor: str) -> int:
        """Add a Methodref and return its index; the class itself is in the pool already."""
        owners = [index for index, named in self._classes.items() if self._utf8[named] == owner.encode()]
        if not owners:
            raise RepairFailed(f"{CLASS} does not use {owner}: it is not that of flink-connector-kinesis 4.3.0.")
        name_index, descriptor_index = self._add_utf8(name), self._add_utf8(descriptor)
        named = self._add(b"\x0c" + struct.pack(">HH", name_index, descriptor_index))
        return self._add(b"\x0a" + struct.pack(">HH", owners[0], named))

    def _add_utf8(self, text: str) -> int:
        return self._add(b"\x01" + struct.pack(">H", len(text)) + text.encode())

    def _add(self, constant: bytes) -> int:
        self.added += constant
        self.count += 1
        return self.count - 1
