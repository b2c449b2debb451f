"""The smallest puncher that shows what a pair of NATs allows; Ginnel's own is judged against it.

Each side learns its public address from the classifier's server, hears the other's at the moment
of its introduction, and then sends to it every 20 ms until both have an answer. With `primed` it
keeps the order that avoids the Linux trap:
  1. the side introduced first sends only low-TTL packets: they open its own NAT and die on the way;
  2. the other side primes as well and at once sends packets that arrive;
  3. the first side sends full-TTL packets only once it has heard the other.
"""
import contextlib
import os
import select
import socket
import struct
import time
from dataclasses import dataclass, field

from classifier import MAIN, ask, bound

PACE_SECONDS = 0.02
PRIME_TTLS = (2, 3, 4)  # 2 opens a NAT at home; only 3 passes it and opens a carrier's behind it
FULL_TTL = 64
PING, PONG = 1, 2
PACKET = struct.Struct("!16sB")


@dataclass
class Side:
    sock: socket.socket
    starts: float  # when it is introduced
    may_send: bool  # full-TTL packets, once it has started
    targets: set = field(default_factory=set)
    primed: bool = False
    next_send: float = 0.0
    confirmed: tuple = ()  # the address that answered

    def act(self, now, nonce, prime):
        if now < self.starts or now < self.next_send:
            return
        self.next_send = now + PACE_SECONDS
        if prime and not self.primed:
            self.primed = True
            for ttl in PRIME_TTLS:
                self._send_all(nonce, ttl)
        if self.may_send:
            self._send_all(nonce, FULL_TTL)

    def _send_all(self, nonce, ttl):
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        for target in sorted(self.targets):
            self._send(nonce, PING, target)

    def _send(self, nonce, what, target):
        with contextlib.suppress(OSError):  # an ICMP error of an earlier packet
            self.sock.sendto(PACKET.pack(nonce, what), target)

    def hear(self, nonce):
        """Answers to wherever a ping with the right nonce came from: peer-reflexive."""
        try:
            data, source = self.sock.recvfrom(64)
        except OSError:
            return
        if len(data) != PACKET.size or data[:16] != nonce:
            return
        self.may_send = True
        self.targets.add(source)
        if data[16] == PONG:
            self.confirmed = source
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, FULL_TTL)
            self._send(nonce, PONG, source)


def punch(a, b, server, primed=False, a_later=0.0, limit=1.0):
    """The address at which `a` reaches `b` and the seconds it took, or (None, limit).

    `a_later`: how long after `b` the peer `a` is introduced.
    """
    nonce = os.urandom(16)
    with bound(a) as sock_a, bound(b) as sock_b:
        now = time.monotonic()
        first, second = Side(sock_b, now, not primed), Side(sock_a, now + a_later, True)
        for side, other in ((first, sock_a), (second, sock_b)):
            side.targets = {other.getsockname(), ask(other, server, MAIN, MAIN)} - {None}
        start = time.monotonic()
        first.starts, second.starts = start, start + a_later
        sides = {sock_a: second, sock_b: first}
        while (now := time.monotonic()) < start + a_later + limit:
            for side in sides.values():
                side.act(now, nonce, primed)
            for sock in select.select(list(sides), [], [], PACE_SECONDS / 4)[0]:
                sides[sock].hear(nonce)
            if first.confirmed and second.confirmed:
                return second.confirmed, time.monotonic() - start - a_later
    return None, limit
