#!/usr/bin/env python3
"""Debian's `stun` (stun-client, RFC 3489) asks a hub of ours from behind a NAT: the address and port
that it shows must be those that the NAT's conntrack has, and CHANGE-REQUEST *port* must be answered
from the probe port.

    stun_client.py --ginnel build/debug/ginnel

Exit 77: cannot run here.
"""
import argparse
import os
import re
import shutil
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "netns"))
# pylint: disable=wrong-import-position
from lab import World  # noqa: E402
from nodes import PORT, Mesh  # noqa: E402

# The first keeps ports, the second gives each flow a random one: there the answer must be right.
KINDS = ["portrestricted", "symmetric", "open"]
SOURCE_PORT = 41000
CLIENT_SECONDS = 20
ANSWER_SECONDS = 2
SERVER = "{}:" + str(PORT)
# RFC 3489 section 11.2.4: a Binding request of 8 bytes, CHANGE-REQUEST with bit 1, *change port*.
CHANGE_PORT = struct.pack("!HH16sHHI", 1, 8, b"ginnel interop 3", 3, 4, 2)


def ask(peer, hub, test, port):
    """Runs one test of the client and returns all that it printed."""
    command = peer.ns.command("stun", SERVER.format(hub.addresses[0]), str(test), "-v",
                              "-p", str(port), "-i", peer.address)
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=CLIENT_SECONDS).stdout


def mapped(text):
    """The address and port that the server saw, as the client prints them."""
    found = re.search(r"[Mm]appedAddr(?:ess)?\s*=\s*([0-9.]+):(\d+)", text)
    return (found[1], int(found[2])) if found else None


def translated(site, peer, hub, port):
    """What the NAT made of (peer, port) toward the hub: the reply direction's destination."""
    listed = site.edge.run("conntrack", "-L", "-p", "udp", "--orig-src", peer.address,
                           "--orig-dst", hub.addresses[0], check=False)
    for line in listed.splitlines():
        if f"sport={port} dport={PORT}" in line:
            reply = re.findall(r"dst=([0-9.]+) sport=\d+ dport=(\d+)", line)[1]
            return reply[0], int(reply[1])
    return None


def changed_source(peer, hub, port):
    """Where the answer to the client's own request of test 3 comes from: `stun` does not say."""
    with peer.ns.socket() as sock:
        sock.bind((peer.address, port))
        sock.settimeout(ANSWER_SECONDS)
        sock.sendto(CHANGE_PORT, (hub.addresses[0], PORT))
        try:
            return sock.recvfrom(2048)[1]
        except TimeoutError:
            return "nowhere", 0


def check(name, is_right, detail):
    print(f"{'ok    ' if is_right else 'FAILED'} {name}: {detail}")
    return is_right


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True)
    options = parser.parse_args()
    if os.geteuid() != 0 or not all(map(shutil.which, ("stun", "ip", "nft", "conntrack"))):
        return 77
    results = []
    with World(KINDS) as world, Mesh(options.ginnel, world, peers=False):
        hub = world.hubs[0]
        for number, site in enumerate(world.sites):
            peer, port = site.peers[0], SOURCE_PORT + 10 * number
            text = ask(peer, hub, 1, port)
            seen = mapped(text)
            wanted = translated(site, peer, hub, port) if site.kind.nat else (peer.address, port)
            right = seen is not None and seen == wanted
            results.append(check(site.name, right, f"stun shows {seen}, the NAT has {wanted}"))
            if not right:
                print(text)
        # Only without a filter can an answer from another port come through.
        open_peer = next(site for site in world.sites if site.spec.kind == "open").peers[0]
        seen = mapped(ask(open_peer, hub, 3, SOURCE_PORT + 100))
        source = changed_source(open_peer, hub, SOURCE_PORT + 110)
        right = seen == (open_peer.address, SOURCE_PORT + 100) and source[1] == PORT + 1
        results.append(check("CHANGE-REQUEST port", right,
                             f"stun shows {seen}, the answer comes from {source}"))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
