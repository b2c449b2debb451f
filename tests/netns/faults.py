#!/usr/bin/env python3
"""What must survive: hubs that die and come back, paths that die without a word.

    faults.py --ginnel build/release/ginnel [--only silent_cut,hub_restart]
              [--checker build/release/checker [--count 10000] [--seed 1]]

Each case builds its own world. Bounds are those of docs/design.md (liveness by authenticated data: a
dead direct path is back on the relay within 2 s).
"""
import argparse
import contextlib
import os
import sys
import threading
import time

import traffic
from lab import World
from nodes import DIRECT, RELAYED, Mesh

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from checked import Checked  # pylint: disable=wrong-import-position

BACK_ON_RELAY_SECONDS = 2.0
BACK_DIRECT_SECONDS = 5.0  # after the way is open again
HUB_BACK_SECONDS = 3.0
PEERS_OF_RESTART = 20
STATUS_LAG_SECONDS = 1.0  # path.kind follows the node's own switch within it
SEEN_DOWN_SECONDS = 5.0  # states follow the truth within it
CHECKED_SECONDS = 300  # for all acknowledged messages and the faults between them
FAULT_SECONDS = 3.0  # how long each of them lasts at least
DIRECT_AGAIN_SECONDS = 60  # punching that failed is tried again ever more rarely
RESUMED_SECONDS = 10.0  # messages flow again after the only way is open again


class Wrong(Exception):
    """The program did not do what it must; the text says what was seen."""


def demand(condition, text):
    if not condition:
        raise Wrong(text)


@contextlib.contextmanager
def network(options, kinds, hubs=1):
    with World(kinds, hubs=hubs) as world, Mesh(options.ginnel, world, hubs=hubs) as mesh:
        try:
            absent = [peer.failure for peer in mesh.peers if peer.failure]
            demand(not absent, "; ".join(absent))
            yield world, mesh
        except Exception:
            mesh.failed = True
            mesh.show_logs(mesh.hubs + mesh.peers[:4])
            raise


@contextlib.contextmanager
def direct_pair(options, kinds=("portrestricted", "portrestricted")):
    with network(options, list(kinds)) as (world, mesh):
        a, b = mesh.peers
        found = mesh.ping_until_direct(a, b)
        demand(found.direct is not None, f"never direct: {found.lines[-2:]}")
        yield world, mesh, a, b


def both_ways(a, b):
    return [(a, b), (b, a)]


def longest_gap(flows):
    return max(flow.longest_gap for flow in flows)


def after(seconds, function, *arguments):
    """Runs slow work beside the traffic; the thread's result is a list that it fills."""
    result = []

    def work():
        try:
            result.append(function(*arguments))
        except Exception as error:  # shown by the case, which finds no number
            result.append(error)
    thread = threading.Timer(seconds, work)
    thread.start()
    return thread, result


# -- hubs -----------------------------------------------------------------------------------------

def hub_killed(options):
    """With the hub dead a direct pair goes on, without a lost packet."""
    with direct_pair(options) as (_, mesh, a, b):
        flows = traffic.run(both_ways(a, b), 100, 10, events=[(2, mesh.hubs[0].kill)])
        lost = sum(flow.lost for flow in flows)
        demand(lost == 0, f"{lost} packets lost, longest gap {longest_gap(flows):.2f} s")
        kind = a.path_kind(b)
        demand(kind in DIRECT, f"the pair is on {kind}")
        hubs = [hub["state"] for hub in a.status()["hubs"]]
        demand("online" not in hubs, f"the dead hub is shown as {hubs} after 8 s")
        return f"{sum(flow.sent for flow in flows)} packets, none lost, still {kind}"


def hub_restart(options):
    """Killed and started again, the hub has all 20 peers back in 3 s, without any manual step."""
    with network(options, ["portrestricted"] * PEERS_OF_RESTART) as (_, mesh):
        hub, peers = mesh.hubs[0], mesh.peers
        demand(wait_for_online(hub, peers, 10) is not None, "not all peers were online before")
        hub.kill()
        time.sleep(SEEN_DOWN_SECONDS + 1)  # long enough for retries to have backed off
        start = time.monotonic()
        hub.up()
        took = wait_for_online(hub, peers, 20)
        back = len(online(hub, peers))
        demand(took is not None, f"only {back} of {len(peers)} came back in 20 s")
        took = time.monotonic() - start
        demand(took <= HUB_BACK_SECONDS, f"{took:.2f} s until all were back")
        found = mesh.ping_until_direct(peers[0], peers[-1])
        demand(found.first is not None, f"a new pair does not connect: {found.lines[-2:]}")
        return f"{len(peers)} peers back {took:.2f} s after the start"


def online(hub, peers):
    names = {peer.name for peer in peers}
    return {row["name"] for row in hub.status()["peers"] if row["state"] == "online"} & names


def wait_for_online(hub, peers, seconds):
    start = time.monotonic()
    while (now := time.monotonic() - start) < seconds:
        if len(online(hub, peers)) == len(peers):
            return now
        time.sleep(0.05)
    return None


def second_hub(options):
    """Of two hubs one dies: a relayed pair goes on over the other."""
    with network(options, ["symmetric", "symmetric"], hubs=2) as (_, mesh):
        a, b = mesh.peers
        demand(mesh.ping_until_direct(a, b).first is not None, "never connected")
        via = (a.row(b).get("path") or {}).get("via") or ""
        victim = next((hub for hub in mesh.hubs if hub.name in str(via)), mesh.hubs[0])
        flows = traffic.run(both_ways(a, b), 100, 10, events=[(2, victim.kill)])
        gap = longest_gap(flows)
        demand(gap <= BACK_ON_RELAY_SECONDS, f"{gap:.2f} s without a packet")
        return f"{victim.name} died, longest gap {gap:.2f} s"


# -- paths ----------------------------------------------------------------------------------------

def silent_cut(options):
    """The direct path dies silently: on the relay in 2 s; direct again 5 s after it heals."""
    with direct_pair(options) as (world, mesh, a, b):
        sites = world.sites
        flows = traffic.run(both_ways(a, b), 100, 8, events=[(2, lambda: world.block(*sites))])
        gap, lost = longest_gap(flows), max(flow.lost for flow in flows)
        demand(gap <= BACK_ON_RELAY_SECONDS, f"{gap:.2f} s without a packet ({lost} lost)")
        for node, other in both_ways(a, b):
            kind = node.path_kind(other)
            demand(kind in RELAYED, f"{node.name} says {kind} with the direct path cut")
        world.unblock(*sites)
        thread, result = after(0, mesh.wait_for_kind, a, b, DIRECT, 20)
        flows = traffic.run(both_ways(a, b), 100, 8)
        thread.join()
        back, lost = result[0], sum(flow.lost for flow in flows)
        demand(isinstance(back, float), f"not direct again: {back}")
        demand(back <= BACK_DIRECT_SECONDS + STATUS_LAG_SECONDS, f"direct only {back:.2f} s later")
        demand(lost == 0, f"{lost} packets lost while changing back")
        return f"longest gap {gap:.2f} s; direct again in {back:.2f} s, none lost"


def one_way_cut(options):
    """Only one direction dies: both sides still leave the path in time."""
    with direct_pair(options) as (world, _, a, b):
        def cut():
            near, far = world.sites
            world.core.run("nft", "add", "element", "inet", "core", "blocked",
                           f"{{ {near.external} . {far.external} }}")
        flows = traffic.run(both_ways(a, b), 100, 8, events=[(2, cut)])
        gap = longest_gap(flows)
        demand(gap <= BACK_ON_RELAY_SECONDS, f"{gap:.2f} s without a packet")
        return f"longest gap {gap:.2f} s"


def idle_cut(options):
    """The path dies while nobody talks: the first packets afterwards wait for 2 s at most."""
    with direct_pair(options) as (world, _, a, b):
        world.block(*world.sites)
        time.sleep(3)
        flows = traffic.run([(a, b)], 100, 6)
        demand(flows[0].longest_gap <= BACK_ON_RELAY_SECONDS,
               f"{flows[0].longest_gap:.2f} s without a packet")
        return f"longest gap {flows[0].longest_gap:.2f} s"


def nat_reboot(options):
    """One NAT forgets all its mappings while data flows."""
    with direct_pair(options) as (world, _, a, b):
        flows = traffic.run(both_ways(a, b), 100, 8,
                            events=[(2, lambda: world.rebind(world.sites[0]))])
        gap = longest_gap(flows)
        demand(gap <= BACK_ON_RELAY_SECONDS, f"{gap:.2f} s without a packet")
        return f"longest gap {gap:.2f} s"


def roam(options):
    """One site gets another public address while data flows."""
    with direct_pair(options) as (world, _, a, b):
        flows = traffic.run(both_ways(a, b), 100, 10,
                            events=[(2, lambda: world.roam(world.sites[0]))])
        gap = longest_gap(flows)
        demand(gap <= BACK_ON_RELAY_SECONDS, f"{gap:.2f} s without a packet")
        return f"longest gap {gap:.2f} s, now {a.path_kind(b)}"


# -- messages -------------------------------------------------------------------------------------

def checker_command(options, mesh, site, role, name, peer):
    """A program of the library, a node of its own in the site's namespace."""
    return site.peers[0].ns.command(
        options.checker, role, "--dir", os.path.join(mesh.folder, f"checker-{name}"),
        "--count", str(options.count), "--seed", str(options.seed), name, peer)


def faults_in_turn(options, world, mesh, run):
    """One fault after each seventh of the messages: they flow before, through and after it."""
    hub, sites = mesh.hubs[0], world.sites
    stories = []

    def await_part(number, kinds):
        run.wait_for_taken(options.count * number // 7, CHECKED_SECONDS)
        run.wait_for_kind(kinds, DIRECT_AGAIN_SECONDS)

    def hold(what):
        before, start = run.sender.taken, time.monotonic()
        time.sleep(FAULT_SECONDS)
        run.wait_for_taken(before + 1, 20)  # they go on while it lasts
        stories.append(f"{what} at {before} ({time.monotonic() - start:.1f} s)")

    await_part(1, RELAYED)
    world.unblock(*sites)
    start = time.monotonic()
    run.wait_for_kind(DIRECT, DIRECT_AGAIN_SECONDS)
    stories.append(f"direct at {run.sender.taken} ({time.monotonic() - start:.1f} s)")
    await_part(2, DIRECT)
    hub.kill()
    hold("hub killed")
    hub.up()
    stories.append(f"hub restarted at {run.sender.taken}")
    await_part(3, DIRECT)
    world.block(*sites)
    run.wait_for_kind(RELAYED, 20)
    hold("cut")
    await_part(4, RELAYED)
    hub.kill()  # the only way now
    time.sleep(FAULT_SECONDS)
    hub.up()
    resumed = after_restart(run)
    stories.append(f"relay restarted at {run.sender.taken} (on again in {resumed:.1f} s)")
    await_part(5, RELAYED)
    world.unblock(*sites)
    await_part(6, DIRECT)
    world.rebind(sites[0])
    stories.append(f"NAT rebooted at {run.sender.taken}")
    return stories


def after_restart(run):
    """Seconds until a message is taken again."""
    before, start = run.sender.taken, time.monotonic()
    run.wait_for_taken(before + 1, RESUMED_SECONDS)
    return time.monotonic() - start


def acked(options):
    """Acknowledged messages through all of it: each exactly once, in order, none fails."""
    with network(options, ["portrestricted", "portrestricted"]) as (world, mesh):
        world.block(*world.sites)  # they begin on the relay
        token = mesh.hubs[0].cli("invite", "--uses", "2").strip()
        near, far = world.sites
        check = checker_command(options, mesh, far, "check", "bob", "alice")
        send = checker_command(options, mesh, near, "send", "alice", "bob")
        with Checked(check, send, env=os.environ | {"GINNEL_TOKEN": token}) as run:
            stories = faults_in_turn(options, world, mesh, run)
            result = run.finish(CHECKED_SECONDS)
        return f"{result}; {', '.join(stories)}"


CASES = [hub_killed, hub_restart, second_hub, silent_cut, one_way_cut, idle_cut, nat_reboot, roam,
         acked]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True, help="the program under test")
    parser.add_argument("--checker", help="the program of tests/scenario: without it, no `acked`")
    parser.add_argument("--count", type=int, default=10000, help="messages of `acked`")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(case.__name__ for case in CASES))
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - {case.__name__ for case in CASES}:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    if not options.checker:
        names = [name for name in names if name != "acked"]
    failed = 0
    for case in (case for case in CASES if case.__name__ in names):
        start = time.monotonic()
        try:
            verdict, text = "ok", case(options)
        except Exception as error:  # any error is a failure of this case, and the next one runs
            verdict, text = "FAILED", f"{case.__doc__} {type(error).__name__}: {error}"
            failed += 1
        print(f"{verdict:7}{time.monotonic() - start:6.1f} s  {case.__name__}: {text}", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
