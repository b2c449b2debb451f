#!/usr/bin/env python3
"""Every pair of NAT kinds: connected at all, direct where that is possible, and lossless.

    nat_pairs.py --ginnel build/release/ginnel --runs 3 --hold 60

Each run builds a fresh world with a hub and one peer per site, starts all pairs side by side, times
them until they are direct, then sends 100 packets/s both ways over TUN through each pair that has
to be direct, and asks again. A pair passes when it does all that the matrix below says.
"""
import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import traffic
from lab import World
from nodes import DIRECT, RELAYED, Mesh, NodeFailed

# What is possible, kind against kind (the order of rows and columns is the same).
#   ok     plain punching does it             } direct within direct_limit()
#   ttl    needs low-TTL priming              }
#   may    needs birthday search, port prediction or TCP: direct or relayed, but connected
#   relay  nothing direct is possible
MATRIX = """
open            ok  ok  ok  ok  ok  ok   ok    ok    ok   ok    may
firewall            ok  ok  ok  ok  ttl  may   may   ok   may   relay
fullcone                ok  ok  ok  ok   ok    ok    ok   ok    may
restricted                  ok  ok  ok   ok    ok    ok   ok    relay
portrestricted                  ok  ttl  may   may   ok   may   relay
linuxclash                          ttl  may   may   ttl  may   relay
symmetric                                relay may   may  relay relay
symseq                                         may   may  may   relay
cgnat                                                ok   may   relay
cgnatsym                                                  relay relay
udpblocked                                                      relay
"""
# Two peers of one site.
INSIDE = {"samelan": "ok", "samelanhp": "ok", "cgnatpair": "relay"}

DIRECT_SECONDS = 3.0
# Behind a carrier's NAT about one pair in 150 needs a second try, which begins 4 s after the first.
SECOND_TRY_SECONDS = 5.5
KNOWN_SECONDS = 10   # until a node that is up knows the others
RELAY_SECONDS = 3.0  # a relayed pair has its first answer by then
PACKETS_PER_SECOND = 100
STATUS_SECONDS = 1.5  # path.kind follows the node's switch within 1 s


def read_matrix():
    rows = [line.split() for line in MATRIX.strip().splitlines()]
    kinds = [row[0] for row in rows]
    cells = {}
    for i, (kind, *values) in enumerate(rows):
        if len(values) != len(kinds) - i:
            raise ValueError(f"row {kind} has {len(values)} cells")
        for other, value in zip(kinds[i:], values):
            cells[kind, other] = cells[other, kind] = value
    return kinds, cells


KINDS, CELLS = read_matrix()


@dataclass
class Pair:
    """One cell in one run."""
    a: object
    b: object
    label: tuple
    expect: str
    first: float = None
    direct: float = None
    kind: str = "none"
    sent: int = 0
    lost: int = 0
    gap: float = 0.0
    why: str = ""
    faults: list = field(default_factory=list)

    @property
    def must_be_direct(self):
        return self.expect in ("ok", "ttl")

    def as_json(self):
        return {"a": self.a.name, "b": self.b.name, "expect": self.expect, "kind": self.kind,
                "seconds_to_first": self.first, "seconds_to_direct": self.direct,
                "sent": self.sent, "lost": self.lost, "longest_gap": self.gap,
                "faults": self.faults}


def sites_for(kinds):
    """Two sites of a kind that is paired with itself, one of a kind whose peers share a site."""
    return [kind for kind in kinds for _ in range(1 if kind in INSIDE else 2)]


def pairs_for(kinds, mesh):
    pairs = [Pair(mesh.node(f"{kind}-1a"), mesh.node(f"{kind}-1b"), (kind, kind), INSIDE[kind])
             for kind in kinds if kind in INSIDE]
    across = [kind for kind in kinds if kind not in INSIDE]
    for i, kind in enumerate(across):
        for other in across[i:]:
            rank = 2 if other == kind else 1
            pairs.append(Pair(mesh.node(f"{kind}-1"), mesh.node(f"{other}-{rank}"), (kind, other),
                              CELLS[kind, other]))
    return pairs


# -- one run --------------------------------------------------------------------------------------
# 1. connect: all pairs at once, `ping --until-direct`   2. check the kind at both ends
# 3. hold: packets both ways                             4. check the kind again

def run_once(options, kinds):
    with World(sites_for(kinds), overlap=options.overlap) as world:
        world.delay_by_kind()
        with Mesh(options.ginnel, world) as mesh:
            pairs = pairs_for(kinds, mesh)
            alive = [pair for pair in pairs if not (pair.a.failure or pair.b.failure)]
            for pair in pairs:
                if pair not in alive:
                    pair.faults.append(pair.a.failure or pair.b.failure)
            with ThreadPoolExecutor(max(1, len(alive))) as pool:
                list(pool.map(connect, alive))
            time.sleep(STATUS_SECONDS)
            check_kinds(alive, "after connecting")
            held = [pair for pair in alive if pair.must_be_direct and not pair.faults]
            if held and options.hold > 0:
                hold(held, options.hold)
                check_kinds(held, f"after {options.hold:g} s of traffic")
            explain(mesh, world, [pair for pair in pairs if pair.faults])
    return pairs


def direct_limit(pair):
    carrier = any(node.name.startswith("cgnat") for node in (pair.a, pair.b))
    return SECOND_TRY_SECONDS if carrier else DIRECT_SECONDS


def connect(pair):
    # A ping to a name that nobody has yet fails at once, and rightly: what is measured begins when
    # both ends hold the other's row.
    for node, other in ((pair.a, pair.b), (pair.b, pair.a)):
        node.cli("wait", "--peer", other.name, "--timeout", str(KNOWN_SECONDS), check=False)
    found = Mesh.ping_until_direct(pair.a, pair.b)
    pair.first, pair.direct, pair.kind = found.first, found.direct, found.kind
    if found.first is None:
        pair.faults.append(f"never connected: {' | '.join(found.lines[-3:])}")
    elif pair.must_be_direct and found.direct is None:
        pair.faults.append(f"not direct: {' | '.join(found.lines[-2:])}")
    elif pair.must_be_direct and found.direct > direct_limit(pair):
        pair.faults.append(f"direct only after {found.direct:.2f} s")
    elif found.first > RELAY_SECONDS:
        pair.faults.append(f"first answer only after {found.first:.2f} s")
    elif (found.code == 0) != (found.direct is not None):
        pair.faults.append(f"ping --until-direct ended with {found.code} on a {found.kind} path")


def check_kinds(pairs, when):
    """Both ends must say what they use; each node is asked once."""
    nodes = {node.name: node for pair in pairs for node in (pair.a, pair.b)}

    def rows(node):
        try:
            return {row["name"]: row["path"]["kind"] for row in node.status()["peers"]}
        except (NodeFailed, KeyError, TypeError) as error:
            return {"": str(error)}
    with ThreadPoolExecutor(4) as pool:
        known = dict(zip(nodes, pool.map(rows, nodes.values())))
    for pair in pairs:
        for node, other in ((pair.a, pair.b), (pair.b, pair.a)):
            kind = known[node.name].get(other.name, "none")
            if node is pair.a:
                pair.kind = kind
            if kind not in allowed(pair):
                pair.faults.append(f"{when} {node.name} says {kind}, expected {pair.expect}")


def allowed(pair):
    if pair.must_be_direct:
        return DIRECT
    return RELAYED if pair.expect == "relay" else DIRECT + RELAYED


def hold(pairs, seconds):
    both_ways = [ends for pair in pairs for ends in ((pair.a, pair.b), (pair.b, pair.a))]
    flows = traffic.run(both_ways, PACKETS_PER_SECOND, seconds)
    for i, pair in enumerate(pairs):
        mine = flows[2 * i:2 * i + 2]
        pair.sent, pair.lost = sum(f.sent for f in mine), sum(f.lost for f in mine)
        pair.gap = max(f.longest_gap for f in mine)
        for flow in mine:
            if flow.lost or flow.duplicates:
                pair.faults.append(
                    f"{flow.source.name} -> {flow.target.name}: {flow.lost} of {flow.sent} lost, "
                    f"{flow.duplicates} doubled, longest gap {flow.longest_gap:.2f} s")


# -- what is said about it ------------------------------------------------------------------------

def explain(mesh, world, failed):
    """While everything still runs: reasons, logs and NAT tables of pairs that failed."""
    shown = set()
    for pair in failed:
        mesh.failed = True
        print(f"FAILED {pair.a.name} x {pair.b.name}: {'; '.join(pair.faults)}")
        try:
            print(pair.a.cli("why", pair.b.name, check=False))
        except NodeFailed as error:
            print(error)
        nodes = [node for node in (pair.a, pair.b) if node.name not in shown]
        mesh.show_logs(nodes)
        shown |= {node.name for node in nodes}
        for site in world.sites:
            if any(peer.name in (pair.a.name, pair.b.name) for peer in site.peers):
                print(world.conntrack(site))


def print_matrix(runs):
    """Median-free and blunt: the slowest of all runs, or how many failed."""
    cells = {}
    for pairs in runs:
        for pair in pairs:
            cells.setdefault(pair.label, []).append(pair)
    columns = list(dict.fromkeys(label[1] for label in cells))
    print(f"\n{'slowest seconds':16}" + "".join(f"{name[:9]:>10}" for name in columns))
    for row in dict.fromkeys(label[0] for label in cells):
        print(f"{row:16}" + "".join(f"{cell_text(cells.get((row, c))):>10}" for c in columns))


def cell_text(pairs):
    if not pairs:
        return ""
    failed = sum(bool(pair.faults) for pair in pairs)
    if failed:
        return f"{failed}/{len(pairs)} BAD"
    if all(pair.kind in DIRECT for pair in pairs):
        return f"{max(pair.direct or 0 for pair in pairs):.2f}"
    kinds = {pair.kind if pair.kind in RELAYED else "direct" for pair in pairs}
    return "mixed" if len(kinds) > 1 else kinds.pop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True, help="the program under test")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--hold", type=float, default=60, help="seconds of traffic")
    parser.add_argument("--kinds", default=",".join(KINDS + list(INSIDE)))
    parser.add_argument("--overlap", action="store_true", help="all LANs are 192.168.1.0/24")
    parser.add_argument("--json", help="write the results there")
    options = parser.parse_args()
    kinds = options.kinds.split(",")
    if unknown := [kind for kind in kinds if kind not in KINDS and kind not in INSIDE]:
        parser.error(f"no such kind: {', '.join(unknown)}")
    runs = []
    for i in range(options.runs):
        start = time.monotonic()
        runs.append(run_once(options, kinds))
        bad = sum(bool(pair.faults) for pair in runs[-1])
        print(f"run {i + 1} of {options.runs}: {len(runs[-1]) - bad} pairs as expected, {bad} not, "
              f"{time.monotonic() - start:.0f} s", flush=True)
    print_matrix(runs)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"v": 1, "hold": options.hold,
                       "runs": [[pair.as_json() for pair in pairs] for pairs in runs]}, file,
                      indent=1)
    failed = sum(bool(pair.faults) for pairs in runs for pair in pairs)
    print(f"{sum(map(len, runs)) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
