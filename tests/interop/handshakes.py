"""WireGuard handshake messages as bytes: a flood of them, and a watcher who sees them pass.

The flood's initiations have the right mac1 and nothing else that is right: whoever gets them must
do the work of a handshake, or demand a cookie (WireGuard section 5.3).
"""
import base64
import ctypes
import hashlib
import os
import socket
import struct
import threading
from collections import Counter

INITIATION, RESPONSE, COOKIE = 1, 2, 3
NAMES = {INITIATION: "initiation", RESPONSE: "response", COOKIE: "cookie"}
SIZES = {INITIATION: 148, RESPONSE: 92, COOKIE: 64}
MAC_BYTES = 16


def mac1_key(public_key):
    return hashlib.blake2s(b"mac1----" + base64.b64decode(public_key)).digest()


def initiation(key):
    body = struct.pack("<I", INITIATION) + os.urandom(SIZES[INITIATION] - 4 - 2 * MAC_BYTES)
    mac1 = hashlib.blake2s(body, digest_size=MAC_BYTES, key=key).digest()
    return body + mac1 + bytes(MAC_BYTES)


class Flood(threading.Thread):
    """`with Flood(ns, target, key):` sends bursts until the block ends.

    Bursts, so that a queue fills; small ones with pauses, so that the receiver's socket buffer does
    not: packets of live sessions share it.
    """

    def __init__(self, ns, source, target, public_key, burst=150, pause=0.05):
        super().__init__()
        key = mac1_key(public_key)
        self.packets = [initiation(key) for _ in range(burst)]
        self.pause, self.sent, self.cookies = pause, 0, 0
        self.stopping = threading.Event()
        self.socket = ns.socket()
        self.socket.bind((source, 0))
        self.socket.connect(target)
        self.socket.setblocking(False)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join()
        self.socket.close()

    def run(self):
        while not self.stopping.wait(self.pause):
            for packet in self.packets:
                try:
                    self.socket.send(packet)
                    self.sent += 1
                except OSError:  # full, or an ICMP error
                    break
            self._count_answers()

    def _count_answers(self):
        try:
            while True:
                answer = self.socket.recv(256)
                self.cookies += len(answer) == SIZES[COOKIE] and answer[0] == COOKIE
        except OSError:
            pass


# -- the watcher ----------------------------------------------------------------------------------

ETH_P_ALL = 3  # what goes out too
SO_ATTACH_FILTER = 26


def attach_filter(sock, ignored):
    """Classic BPF on a packet that begins with its IP header (SOCK_DGRAM): UDP, neither from nor to
    `ignored`, and a first payload byte of 1 to 3. Options in the IP header do not occur here."""
    address, = struct.unpack(">I", socket.inet_aton(ignored))
    lines = [
        (0x30, 0, 0, 9),        # ldb [9]
        (0x15, 0, 8, 17),       # UDP?
        (0x20, 0, 0, 12),       # ld [12]
        (0x15, 6, 0, address),  # from the flood
        (0x20, 0, 0, 16),       # ld [16]
        (0x15, 4, 0, address),  # to it
        (0x30, 0, 0, 28),       # ldb [28]
        (0x35, 0, 2, 1),        # at least 1?
        (0x35, 1, 0, 4),        # 4 or more: data
        (0x06, 0, 0, 0xffff),   # take it
        (0x06, 0, 0, 0),        # leave it
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    program = struct.pack("HL", len(lines), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


class Watcher(threading.Thread):
    """Counts the handshake messages that pass `device`, by (kind, source, target address).

    `with_cookie` counts those of them that carry a mac2.
    """

    def __init__(self, ns, device, ignored):
        """`ignored`: the address that floods come from."""
        super().__init__()
        self.seen, self.with_cookie = Counter(), Counter()
        self.stopping = False
        with ns.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                        socket.htons(ETH_P_ALL))
            attach_filter(self.socket, ignored)
            self.socket.bind((device, ETH_P_ALL))
        self.socket.settimeout(0.2)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.join()
        self.socket.close()

    def run(self):
        while not self.stopping:
            try:
                self._note(self.socket.recv(2048))
            except TimeoutError:
                continue

    def _note(self, packet):
        source, target = (socket.inet_ntoa(packet[at:at + 4]) for at in (12, 16))
        payload = packet[28:]
        kind = payload[0]
        if SIZES.get(kind) != len(payload):
            return
        key = NAMES[kind], source, target
        self.seen[key] += 1
        if kind != COOKIE and any(payload[-MAC_BYTES:]):
            self.with_cookie[key] += 1
