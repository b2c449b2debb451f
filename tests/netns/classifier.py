"""Says what a NAT does, in the manner of RFC 5780, with its own server and protocol.

The server has two addresses with two ports each. A client tells it from which of the four the
answer shall come; the answer holds the address the request came from. A nonce in each request makes
sure that an answer belongs to it.

    with Server(world.hubs[0]) as server:
        print(classify(world.peers[0], server))

Request: "GNAT", nonce 16, answer from (0..3) u8, delay in tenths of a second u8.
Answer:  "GNAT", nonce 16, IPv4 address 4, port u16be.
"""
import contextlib
import heapq
import os
import select
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab import World

MAGIC = b"GNAT"
REQUEST = struct.Struct("!4s16sBB")
ANSWER = struct.Struct("!4s16s4sH")
PORTS = (3478, 3479)
TCP_PORTS = (3478, 443)
ANSWER_SECONDS = 0.4  # the lab's round trip is about 0.1 ms; the machine may be busy
TRIES = 3
ALLOCATIONS = 4  # mappings looked at to tell sequential from random ports
STEP_MAX = 16  # a larger step between mappings counts as random

# Which of the server's four sockets: first or other address, first or other port.
MAIN, OTHER_PORT, OTHER_ADDRESS, OTHER_BOTH = range(4)


class Server:
    """Answers from the hub's two addresses, in a thread, until the `with` block ends."""

    def __init__(self, hub):
        self.ends = [(address, port) for address in hub.addresses for port in PORTS]
        self.tcp_ends = [(hub.addresses[0], port) for port in TCP_PORTS]
        self.sockets, self.listeners = [], []
        for end in self.ends:
            self.sockets.append(hub.ns.socket())
            self.sockets[-1].bind(end)
        for end in self.tcp_ends:
            self.listeners.append(hub.ns.socket(kind=socket.SOCK_STREAM))
            self.listeners[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listeners[-1].bind(end)
            self.listeners[-1].listen(64)  # the kernel completes the handshake: that is the answer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        for s in self.sockets + self.listeners:
            s.close()

    def _serve(self):
        later, serial = [], 0
        while not self._stop.is_set():
            for s in select.select(self.sockets, [], [], 0.02)[0]:
                data, source = s.recvfrom(2048)
                if len(data) == REQUEST.size and data[:4] == MAGIC:
                    _, nonce, end, tenths = REQUEST.unpack(data)
                    serial += 1
                    heapq.heappush(later, (time.monotonic() + tenths / 10, serial, end, nonce,
                                           source))
            while later and later[0][0] <= time.monotonic():
                _, _, end, nonce, (address, port) = heapq.heappop(later)
                answer = ANSWER.pack(MAGIC, nonce, socket.inet_aton(address), port)
                with contextlib.suppress(OSError):
                    self.sockets[end % 4].sendto(answer, (address, port))


def ask(sock, server, to, answer_from, tries=TRIES, tenths=0):
    """Our address as the server's socket `to` sees it, or None when no answer came."""
    for _ in range(tries):
        nonce = os.urandom(16)
        with contextlib.suppress(OSError):  # an ICMP error of an earlier packet
            sock.sendto(REQUEST.pack(MAGIC, nonce, answer_from, tenths), server.ends[to])
        deadline = time.monotonic() + ANSWER_SECONDS + tenths / 10
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([sock], [], [], left)[0]:
                break
            with contextlib.suppress(OSError):
                data, source = sock.recvfrom(2048)
                if (len(data) == ANSWER.size and data[4:20] == nonce
                        and source == server.ends[answer_from]):
                    _, _, address, port = ANSWER.unpack(data)
                    return socket.inet_ntoa(address), port
    return None


@dataclass(frozen=True)
class Class:
    mapping: str = "-"  # none | eim | adm | apdm; - without UDP
    filtering: str = "-"  # eif | adf | apdf
    ports: str = "-"  # kept | sequential | random
    hairpin: bool = False  # a LAN mate is reached through the public address
    trap: bool = False  # an unsolicited packet that came first spoils the mapping (Linux)
    tcp: str = "any"  # any | 443 | none

    def __str__(self):
        flags = [name for name in ("hairpin", "trap") if getattr(self, name)]
        return " ".join([f"{self.mapping}/{self.filtering}", f"ports {self.ports}",
                         f"tcp {self.tcp}", *flags])


# nat.md's probe results: what each kind must prove to be before anything is tested with it.
EXPECTED = {
    "open": Class("none", "eif", "kept"),
    "firewall": Class("none", "apdf", "kept"),
    "fullcone": Class("eim", "eif", "kept"),
    "restricted": Class("eim", "adf", "kept"),
    "portrestricted": Class("eim", "apdf", "kept"),
    "linuxclash": Class("eim", "apdf", "kept", trap=True),
    "symmetric": Class("apdm", "apdf", "random"),
    "symseq": Class("apdm", "apdf", "sequential"),
    "samelan": Class("eim", "apdf", "kept"),
    "samelanhp": Class("eim", "apdf", "kept", hairpin=True),
    "cgnat": Class("eim", "apdf", "kept"),
    "cgnatsym": Class("apdm", "apdf", "random"),
    "cgnatpair": Class("eim", "apdf", "kept"),
    "udpblocked": Class(),
    "tcp443": Class(tcp="443"),
}


def classify(peer, server):
    """Each question has its own socket: an earlier packet would have opened the way."""
    tcp = classify_tcp(peer, server)
    with bound(peer) as sock:
        seen = [ask(sock, server, to, to) for to in range(4)]
    if None in seen:
        return Class(tcp=tcp)
    filtering, trap = classify_filtering(peer, server)
    mapping = "none" if seen[MAIN][0] == peer.address else classify_mapping(seen)
    # Without NAT there is no public address that differs from one's own to come back through.
    hairpin = mapping != "none" and classify_hairpin(peer, server)
    return Class(mapping, filtering, classify_ports(peer, server), hairpin, trap, tcp)


def bound(peer):
    sock = peer.ns.socket()
    sock.bind((peer.address, 0))
    return sock


def classify_mapping(seen):
    if len(set(seen)) == 1:
        return "eim"
    return "adm" if seen[MAIN] == seen[OTHER_PORT] else "apdm"


def classify_filtering(peer, server):
    with bound(peer) as sock:
        before = ask(sock, server, MAIN, MAIN)
        if ask(sock, server, MAIN, OTHER_BOTH, tries=2):
            return "eif", False
        # That answer was unsolicited. Where it took the tuple of our own packet to the same place,
        # this packet leaves from another port.
        after = ask(sock, server, OTHER_BOTH, OTHER_BOTH)
    with bound(peer) as sock:
        control = ask(sock, server, MAIN, MAIN), ask(sock, server, OTHER_BOTH, OTHER_BOTH)
    trap = before != after and control[0] == control[1]
    with bound(peer) as sock:
        ask(sock, server, MAIN, MAIN)
        return ("adf" if ask(sock, server, MAIN, OTHER_PORT, tries=2) else "apdf"), trap


def classify_ports(peer, server):
    """How new mappings get their ports: as many sockets, or one where each target is a mapping."""
    with bound(peer) as sock:
        ports = [ask(sock, server, to, to) for to in range(ALLOCATIONS)]
        local = sock.getsockname()[1]
    if None in ports:
        return "-"
    ports = [port for _, port in ports]
    if all(port == local for port in ports):
        return "kept"
    steps = {b - a for a, b in zip(ports, ports[1:])}
    return "sequential" if all(0 < step <= STEP_MAX for step in steps) else "random"


def classify_hairpin(peer, server):
    """Two sockets of one host: does what one sends to the other's public address come in?"""
    with bound(peer) as a, bound(peer) as b:
        public = ask(b, server, MAIN, MAIN)
        ask(a, server, MAIN, MAIN)
        nonce = os.urandom(16)
        for _ in range(2):
            with contextlib.suppress(OSError):
                a.sendto(nonce, public)
            if select.select([b], [], [], ANSWER_SECONDS)[0]:
                with contextlib.suppress(OSError):
                    return b.recvfrom(64)[0] == nonce
    return False


def classify_tcp(peer, server):
    reached = []
    for end in server.tcp_ends:
        with peer.ns.socket(kind=socket.SOCK_STREAM) as sock:
            sock.settimeout(2 * ANSWER_SECONDS)
            reached.append(sock.connect_ex(end) == 0)
    return {(True, True): "any", (False, True): "443"}.get(tuple(reached), "none")


def lifetime(peer, server, seconds_max):
    """The last of 1, 2, … seconds after which an answer still comes in. One socket each: on a NAT
    that keeps ports a second packet of the same socket would prove nothing."""
    def answered_after(seconds):
        with bound(peer) as sock:
            return ask(sock, server, MAIN, MAIN, tries=1, tenths=seconds * 10) is not None
    with ThreadPoolExecutor(seconds_max) as pool:
        answers = list(pool.map(answered_after, range(1, seconds_max + 1)))
    return answers.index(False) if False in answers else seconds_max


def verify(kinds):
    """Prints a table of what each kind should be and is. Returns an exit code."""
    with World(kinds) as world, Server(world.hubs[0]) as server:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda peer: classify(peer, server), world.peers))
    specs = [site.spec for site in world.sites for _ in site.peers]
    failed = 0
    print(f"{'PEER':22} {'IS':42} SHOULD BE")
    for peer, spec, is_class in zip(world.peers, specs, found):
        wanted = EXPECTED[spec.kind]
        ok = is_class == wanted
        failed += not ok
        print(f"{peer.name:22} {str(is_class):42} {'the same' if ok else f'{wanted}  <- FAILED'}")
    print(f"{len(found) - failed} passed, {failed} failed")
    return 1 if failed else 0
