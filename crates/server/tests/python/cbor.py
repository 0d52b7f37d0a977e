"""As much of CBOR (RFC 8949) as rpc-v2-cbor needs: enough to speak it without a library."""

import struct


class Epoch(float):
    """A timestamp: tag 1."""


def encode(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, Epoch):
        return head(6, 1) + b"\xfb" + struct.pack(">d", value)
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(encode(item) for item in value)
    return head(5, len(value)) + b"".join(encode(name) + encode(item) for name, item in value.items())


def head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for more, form, limit in ((24, ">B", 2**8), (25, ">H", 2**16), (26, ">I", 2**32), (27, ">Q", 2**64)):
        if number < limit:
            return bytes([major << 5 | more]) + struct.pack(form, number)
    raise ValueError(number)


def decode(data):
    value, rest = item(data)
    assert not rest, rest
    return value


def item(data):
    major, more, data = data[0] >> 5, data[0] & 31, data[1:]
    if major == 7:
        if more in (25, 26, 27):
            size, form = {25: (2, ">e"), 26: (4, ">f"), 27: (8, ">d")}[more]
            return struct.unpack(form, data[:size])[0], data[size:]
        return {20: False, 21: True, 22: None, 23: None, 31: StopIteration}[more], data
    number = more
    if 24 <= more <= 27:
        size = 1 << (more - 24)
        number, data = int.from_bytes(data[:size], "big"), data[size:]
    is_endless = more == 31
    if major == 0:
        return number, data
    if major == 1:
        return -1 - number, data
    if major in (2, 3):
        if is_endless:
            parts, data = sequence(data, None)
            return (b"" if major == 2 else "").join(parts), data
        text = data[:number]
        return (text if major == 2 else text.decode()), data[number:]
    if major == 4:
        return sequence(data, None if is_endless else number)
    if major == 5:
        flat, data = sequence(data, None if is_endless else 2 * number)
        return dict(zip(flat[::2], flat[1::2])), data
    return item(data)


def sequence(data, count):
    found = []
    while count is None or len(found) < count:
        value, data = item(data)
        if value is StopIteration:
            break
        found.append(value)
    return found, data
