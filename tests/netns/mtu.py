#!/usr/bin/env python3
"""Packet sizes over underlays of 1280, 1400 and 1500 bytes, direct and relayed.

    mtu.py --ginnel build/release/ginnel

For each underlay: a ping of exactly the size that the node reports passes unfragmented, one byte
more is answered with packet-too-big and that size, IPv6 carries its minimum of 1280 everywhere,
and TCP moves data, over IPv4 and over IPv6. The other end always has 1500.
"""
import argparse
import hashlib
import os
import re
import socket
import subprocess
import sys
import threading
import time

from lab import World
from nodes import RELAYED, Mesh, NodeFailed

UNDERLAYS = (1280, 1400, 1500)
SETTLE_SECONDS = 5.0  # the path's size is confirmed by then
HEADERS = {4: 28, 6: 48}  # bytes of IP and ICMP around a ping's payload
IPV6_MINIMUM = 1280  # RFC 8200 section 5
TCP_BYTES = 4_000_000
TCP_SECONDS = 30
TCP_PORT = 9778


class Wrong(Exception):
    """The program did not do what it must; the text says what was seen."""


def demand(condition, text):
    if not condition:
        raise Wrong(text)


def reported_mtu(node, other):
    """Bytes of the largest inner packet to `other` that needs no fragment, as the node says."""
    status = node.status()
    row = next((row for row in status["peers"] if row["name"] == other.name), {})
    for where in (row.get("path") or {}, row, status["self"], status):
        if isinstance(where.get("mtu"), int):
            return where["mtu"]
    raise Wrong(f"{node.name} reports no mtu in `status --json`")


def family(address):
    return 6 if ":" in address else 4


def ping(node, address, packet_bytes):
    """What one unfragmentable ping said, errors included."""
    payload = packet_bytes - HEADERS[family(address)]
    command = node.ns.command("ping", "-n", "-c1", "-W2", "-Mdo", f"-s{payload}", address)
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=20, check=False).stdout


def passes(node, address, packet_bytes):
    """A few tries: the first may wait for a session."""
    return any(" 1 received" in ping(node, address, packet_bytes) for _ in range(3))


def refusal(node, address, packet_bytes):
    """The size in the packet-too-big that such a ping gets, from the kernel or from the node."""
    said = ""
    for _ in range(3):  # where the node answers, the kernel's own word follows at the next try
        said = ping(node, address, packet_bytes)
        if " 1 received" in said:
            raise Wrong(f"a packet of {packet_bytes} bytes passed")
        if size := re.search(r"mtu(?: ?= ?|: )(\d+)", said):
            return int(size[1])
    raise Wrong(f"no packet-too-big for {packet_bytes} bytes: {said}")


def check_sizes(a, b):
    mtu = reported_mtu(a, b)
    for address in b.addresses:
        # IPv6 has no smaller packets: where the path is smaller, they go in two parts unseen.
        size = mtu if family(address) == 4 else max(mtu, IPV6_MINIMUM)
        demand(passes(a, address, size), f"a packet of {size} bytes to {address} is lost")
        if size > mtu:
            continue
        told = refusal(a, address, size + 1)
        demand(told == size, f"{size} pass to {address}, but packet-too-big says {told}")
    return mtu


def check_tcp(a, b, address):
    """Both ways at once, whole and unchanged; Mbit/s."""
    data = os.urandom(TCP_BYTES)
    wanted = hashlib.sha256(data).hexdigest()
    kind = socket.AF_INET6 if family(address) == 6 else socket.AF_INET
    with b.ns.socket(kind, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, TCP_PORT))
        listener.listen(1)
        listener.settimeout(TCP_SECONDS)
        with a.ns.socket(kind, socket.SOCK_STREAM) as near:
            near.settimeout(TCP_SECONDS)
            start = time.monotonic()
            near.connect((address, TCP_PORT))
            far, _ = listener.accept()
            with far:
                far.settimeout(TCP_SECONDS)
                senders = [threading.Thread(target=send_all, args=(s, data)) for s in (near, far)]
                receivers = [Receiver(s, TCP_BYTES) for s in (near, far)]
                for thread in senders + receivers:
                    thread.start()
                for thread in senders + receivers:
                    thread.join(TCP_SECONDS + 5)
    for receiver in receivers:
        demand(receiver.digest == wanted, f"TCP delivered {receiver.got} of {TCP_BYTES} bytes")
    return 2 * TCP_BYTES * 8 / (time.monotonic() - start) / 1e6


def send_all(sock, data):
    try:
        sock.sendall(data)
    except OSError:
        pass  # the receiver reports what is missing


class Receiver(threading.Thread):
    def __init__(self, sock, size):
        super().__init__()
        self.sock, self.size, self.got, self.digest = sock, size, 0, ""

    def run(self):
        digest = hashlib.sha256()
        try:
            while self.got < self.size and (data := self.sock.recv(1 << 16)):
                digest.update(data)
                self.got += len(data)
        except OSError:
            pass
        self.digest = digest.hexdigest()


def check(mesh, world, path, a, b):
    """One underlay by one path, in both directions."""
    if path == "relayed":
        world.block(*world.sites)
        demand(mesh.wait_for_kind(a, b, RELAYED, 10) is not None, "never on the relay")
    else:
        found = mesh.ping_until_direct(a, b)
        demand(found.direct is not None, f"never direct: {found.lines[-2:]}")
    time.sleep(SETTLE_SECONDS)
    sizes = check_sizes(a, b), check_sizes(b, a)
    rates = [check_tcp(a, b, address) for address in b.addresses]
    return f"{sizes[0]} and {sizes[1]} bytes, TCP {' and '.join(f'{r:.0f}' for r in rates)} Mbit/s"


def run_underlay(options, underlay):
    """Yields (path, fault, text) for the direct and the relayed path."""
    kinds = [f"portrestricted+mtu{underlay}", "portrestricted"]
    with World(kinds) as world, Mesh(options.ginnel, world) as mesh:
        a, b = mesh.peers
        for path in ("direct", "relayed"):
            try:
                demand(not a.failure and not b.failure, a.failure or b.failure)
                yield path, False, check(mesh, world, path, a, b)
            except (Wrong, NodeFailed, OSError) as error:
                mesh.failed = True
                mesh.show_logs([a, b])
                yield path, True, str(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True, help="the program under test")
    parser.add_argument("--underlays", default=",".join(map(str, UNDERLAYS)))
    options = parser.parse_args()
    passed = failed = 0
    for underlay in map(int, options.underlays.split(",")):
        for path, fault, text in run_underlay(options, underlay):
            passed, failed = passed + (not fault), failed + fault
            verdict = "FAILED" if fault else "ok"
            print(f"{verdict:7} underlay {underlay}, {path}: {text}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
