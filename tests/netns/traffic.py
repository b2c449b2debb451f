"""UDP packets at a steady rate between many pairs of nodes, each counted.

    flows = run([(a, b), (b, a)], packets_per_second=100, seconds=60)
    assert all(flow.lost == 0 for flow in flows)

One socket a node, on its overlay address; one thread; the packets of all flows are spread evenly
over each period, so that the test's own bursts do not overflow a queue.
"""
import contextlib
import select
import socket
import struct
import time
from dataclasses import dataclass, field

PORT = 9777
PACKET = struct.Struct("!IId")  # flow, sequence, when it was sent (one machine, one clock)
PAYLOAD_BYTES = 100
DRAIN_SECONDS = 2.0  # how long the last packets may be under way, also over a relay
BUFFER_BYTES = 8 << 20
SO_RCVBUFFORCE = 33


@dataclass
class Flow:
    source: object
    target: object
    sent: int = 0
    received: int = 0
    duplicates: int = 0
    errors: int = 0  # the kernel refused the packet: counts as lost
    longest_gap: float = 0.0  # seconds without a packet, as the receiver saw it
    latency_max: float = 0.0
    seen: set = field(default_factory=set)
    last: float = 0.0

    @property
    def lost(self):
        return self.sent - self.received

    def note(self, sequence, sent_at, now):
        if sequence in self.seen:
            self.duplicates += 1
            return
        self.seen.add(sequence)
        self.received += 1
        self.longest_gap = max(self.longest_gap, now - self.last)
        self.latency_max = max(self.latency_max, now - sent_at)
        self.last = now


class Exchange:
    def __init__(self, pairs, packets_per_second=100):
        """`pairs`: (source, target) nodes of nodes.py, one flow each."""
        self.flows = [Flow(source, target) for source, target in pairs]
        self.period = 1 / packets_per_second
        self.sockets = {}
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        try:
            for flow in self.flows:
                for node in (flow.source, flow.target):
                    if node.name not in self.sockets:
                        self.sockets[node.name] = self.stack.enter_context(self._open(node))
        except BaseException:
            self.stack.close()
            raise
        self.poll = select.poll()
        self.by_descriptor = {s.fileno(): s for s in self.sockets.values()}
        for descriptor in self.by_descriptor:
            self.poll.register(descriptor, select.POLLIN)
        return self

    def __exit__(self, *_):
        self.stack.close()

    @staticmethod
    def _open(node):
        sock = node.ns.socket()
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        sock.bind((node.addresses[0], PORT))
        sock.setblocking(False)
        return sock

    def run(self, seconds, events=()):
        """`events`: (seconds after the start, function) pairs, called between packets. They should
        be quick; what is slow belongs into a thread."""
        start = time.monotonic()
        for flow in self.flows:
            flow.last = start
        events = sorted(events, key=lambda event: event[0])
        count = max(1, len(self.flows))
        packets = round(seconds / self.period) * count
        for i in range(packets):
            due = start + (i // count + (i % count) / count) * self.period
            while events and time.monotonic() - start >= events[0][0]:
                events.pop(0)[1]()
            while (wait := due - time.monotonic()) > 0:
                self._receive(wait)
            self._send(i % count)
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline and any(flow.lost for flow in self.flows):
            self._receive(0.05)
        end = time.monotonic()
        for flow in self.flows:
            if flow.lost:  # what stays away to the end is a gap too
                flow.longest_gap = max(flow.longest_gap, min(end, start + seconds) - flow.last)
        return self.flows

    def _send(self, index):
        flow = self.flows[index]
        packet = PACKET.pack(index, flow.sent, time.monotonic()).ljust(PAYLOAD_BYTES, b"\0")
        flow.sent += 1
        try:
            self.sockets[flow.source.name].sendto(packet, (flow.target.addresses[0], PORT))
        except OSError:
            flow.errors += 1

    def _receive(self, seconds):
        for descriptor, _ in self.poll.poll(seconds * 1000):
            sock = self.by_descriptor[descriptor]
            with contextlib.suppress(OSError):  # empty again, or an ICMP error
                while True:
                    data = sock.recv(2048)
                    if len(data) == PAYLOAD_BYTES:
                        index, sequence, sent_at = PACKET.unpack_from(data)
                        self.flows[index].note(sequence, sent_at, time.monotonic())


def run(pairs, packets_per_second=100, seconds=10.0, events=()):
    with Exchange(pairs, packets_per_second) as exchange:
        return exchange.run(seconds, events)
