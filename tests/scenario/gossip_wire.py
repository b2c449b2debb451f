"""memberlist's bytes as a hostile hand writes them: just enough msgpack, LZW and frames."""
import functools
import socket
import struct

PING, ALIVE, PUSH_PULL, COMPOUND, COMPRESS, ENCRYPT, USER, LABEL = 0, 4, 6, 7, 9, 10, 8, 0xf4
DEAD, SUSPECT, ACK = 5, 3, 2


def pack(value):
    """The old format of msgpack, as memberlist writes it: raw for texts and bytes."""
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return bytes([value]) if value < 128 else b"\xce" + struct.pack(">I", value)
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        size = len(value)
        head = bytes([0xa0 | size]) if size < 32 else b"\xda" + struct.pack(">H", size)
        return (head if size < 1 << 16 else b"\xdb" + struct.pack(">I", size)) + value
    out = bytes([0x80 | len(value)])
    for key, inner in value.items():
        out += pack(key) + pack(inner)
    return out


def message(kind, **fields):
    return bytes([kind]) + pack(fields)


def node(name, port, state=0, vsn=b"\x01\x05\x02\x00\x00\x00", incarnation=1):
    return pack({"Addr": socket.inet_aton("127.0.0.1"), "Incarnation": incarnation, "Meta": b"",
                 "Name": name, "Port": port, "State": state, "Vsn": vsn})


def push_pull(nodes, count=None, user_state=0):
    head = {"Join": True, "Nodes": len(nodes) if count is None else count,
            "UserStateLen": user_state}
    return bytes([PUSH_PULL]) + pack(head) + b"".join(nodes)


def lzw(data):
    """As Go's compress/lzw, least significant bits first, 8 bits."""
    out, held, bits, width = bytearray(), 0, 0, 9
    table, following, prefix = {}, 257, -1

    def put(code):
        nonlocal held, bits
        held |= code << bits
        bits += width
        while bits >= 8:
            out.append(held & 0xff)
            held >>= 8
            bits -= 8
    put(256)
    for byte in data:
        if prefix < 0:
            prefix = byte
            continue
        code = table.get((prefix, byte))
        if code is not None:
            prefix = code
            continue
        put(prefix)
        following += 1
        if following == 1 << width and width < 12:
            width += 1
        elif following == 4095:
            put(256)
            table, following, width = {}, 257, 9
            prefix = byte
            continue
        table[prefix, byte] = following
        prefix = byte
    if prefix >= 0:
        put(prefix)
        following += 1
        if following == 1 << width and width < 12:
            width += 1
    put(257)
    if bits:
        out.append(held & 0xff)
    return bytes(out)


@functools.cache
def compressed(data):
    return message(COMPRESS, Algo=0, Buf=lzw(data))


def compound(parts):
    sizes = b"".join(struct.pack(">H", len(part)) for part in parts)
    return bytes([COMPOUND, len(parts)]) + sizes + b"".join(parts)
