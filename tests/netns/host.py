#!/usr/bin/env python3
"""What stands around a node: NATs of which it says what they are, an address that changes, a hub by
name and without a key that moves, a network without UDP.

    host.py --ginnel build/release/ginnel [--only nat_class,roam] [--slow]
"""
import argparse
import contextlib
import os
import re
import sys
import time

from lab import World
from nodes import PORT, Mesh

CLASS_SECONDS = 8  # three questions, one of which is answered by 1.5 s of silence
TRAP_SECONDS = 75  # until the entry of an unsolicited packet has expired and is asked again
ROAM_SECONDS = 2
BLOCKED_SECONDS = 12  # three heartbeats, then three questions
NAMED_HUB_SECONDS = 10  # from its return until it is online again

# With one hub nothing tells whether a filter that ignores ports looks at addresses.
CLASSES = {
    "open": ("none", "unknown"),
    "firewall": ("none", "apdf"),
    "fullcone": ("eim", "unknown"),
    "restricted": ("eim", "unknown"),
    "portrestricted": ("eim", "apdf"),
    "symmetric": ("apdm", "apdf"),
    "symseq": ("apdm", "apdf"),
    "cgnat": ("eim", "apdf"),
}


class Wrong(Exception):
    """The program did not do what it must; the text says what was seen."""


def until(seconds, look, wanted):
    """Asks until the answer is right; returns the seconds that took. `look` may fail meanwhile."""
    start, seen = time.monotonic(), None
    while time.monotonic() - start < seconds:
        seen = look()
        if seen == wanted:
            return time.monotonic() - start
        time.sleep(0.05)
    raise Wrong(f"{seen} after {seconds} s, not {wanted}")


@contextlib.contextmanager
def network(options, kinds, hubs=1):
    with World(kinds, hubs=hubs) as world, Mesh(options.ginnel, world, hubs=hubs) as mesh:
        try:
            absent = [peer.failure for peer in mesh.peers if peer.failure]
            if absent:
                raise Wrong("; ".join(absent))
            yield world, mesh
        except Exception:
            mesh.failed = True
            mesh.show_logs(mesh.hubs + mesh.peers)
            raise


def nat_of(node):
    nat = node.status()["self"]["nat"]
    return nat["mapping"], nat["filtering"]


def nat_class(options):
    with network(options, list(CLASSES)) as (world, mesh):
        kinds = [site.spec.kind for site in world.sites]
        for kind, peer in zip(kinds, mesh.peers):
            took = until(CLASS_SECONDS, lambda node=peer: nat_of(node), CLASSES[kind])
            print(f"  {kind}: {'/'.join(CLASSES[kind])} ({took:.1f} s)")
        text = mesh.peers[kinds.index("portrestricted")].cli("status")
        if "NAT port-restricted" not in text:
            raise Wrong(text)


def trap(options):
    """The Linux trap makes a cone look symmetric, for as long as its entry lives."""
    with network(options, ["linuxclash"]) as (_, mesh):
        took = until(TRAP_SECONDS, lambda: nat_of(mesh.peers[0]), ("eim", "apdf"))
        print(f"  linuxclash: eim/apdf after {took:.1f} s")


def seen_at(hub, peer):
    return ((hub.row(peer).get("path") or {}).get("endpoint") or "").rsplit(":", 1)[0]


def roam(options):
    """The host's own address changes: nothing tells the daemon but the kernel."""
    with network(options, ["open", "portrestricted"]) as (world, mesh):
        hub, roamer, other = mesh.hubs[0], *mesh.peers
        if mesh.ping_until_direct(roamer, other).direct is None:
            raise Wrong("never direct")
        site = world.sites[0]
        world.roam(site)
        took = until(ROAM_SECONDS, lambda: seen_at(hub, roamer), site.external)
        print(f"  the hub sees the new address after {took:.2f} s")
        took = until(ROAM_SECONDS, lambda: seen_at(other, roamer), site.external)
        print(f"  the peer sends there after {took:.2f} s more")


def udp_blocked(options):
    with network(options, ["portrestricted"]) as (world, mesh):
        peer = mesh.peers[0]
        until(CLASS_SECONDS, lambda: peer.status()["self"]["udp"], "ok")
        world.rekind(world.sites[0], "udpblocked")
        took = until(BLOCKED_SECONDS, lambda: peer.status()["self"]["udp"], "blocked")
        print(f"  said to be blocked after {took:.1f} s")


def rewrite(node, pattern, text):
    path = os.path.join(node.dir, "ginnel.toml")
    with open(path, encoding="utf-8") as file:
        before = file.read()
    after, count = re.subn(pattern, text, before, flags=re.M)
    if count != 1:
        raise Wrong(f"{path} has no line {pattern}:\n{before}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(after)


def name_hub(node, address):
    with open(node.hosts, "w", encoding="ascii") as file:
        file.write(f"127.0.0.1 localhost {node.name}\n{address} hub.lab\n")


def hub_state(node):
    hubs = node.status()["hubs"]
    return [(hub["name"], hub["state"]) for hub in hubs]


def hub_by_name(options):
    """A peer knows its hub by name alone; the hub moves to another address."""
    with network(options, ["portrestricted"]) as (world, mesh):
        hub, peer = mesh.hubs[0], mesh.peers[0]
        first, second = world.hubs[0].addresses
        peer.stop()
        rewrite(peer, r"^hubs\s*=.*$", f'hubs = ["hub.lab:{PORT}"]')
        name_hub(peer, first)
        peer.up()
        took = until(NAMED_HUB_SECONDS, lambda: hub_state(peer), [(hub.name, "online")])
        print(f"  a hub by name, without a key, is online after {took:.1f} s")
        hub.stop()
        rewrite(hub, r"^public\s*=.*$", f'public = "{second}:{PORT}"')
        rewrite(hub, r"^\[node\]$", f'[node]\nlisten = ["udp://{second}:{PORT}"]')
        name_hub(peer, second)
        hub.up()
        took = until(NAMED_HUB_SECONDS, lambda: hub_state(peer), [(hub.name, "online")])
        print(f"  it is back {took:.1f} s after its return elsewhere")


CASES = {"nat_class": nat_class, "roam": roam, "udp_blocked": udp_blocked,
         "hub_by_name": hub_by_name}
SLOW = {"trap": trap}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True)
    parser.add_argument("--only", default="", help="CASE,… of " + ",".join([*CASES, *SLOW]))
    parser.add_argument("--slow", action="store_true", help="those that take minutes, too")
    options = parser.parse_args()
    cases = CASES | (SLOW if options.slow or options.only else {})
    chosen = options.only.split(",") if options.only else list(cases)
    failed = 0
    for name in chosen:
        try:
            cases[name](options)
            print(f"ok     {name}", flush=True)
        except Exception as error:  # one case must not hide the others
            failed += 1
            print(f"FAILED {name}: {error}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
