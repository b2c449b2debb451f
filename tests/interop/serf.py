#!/usr/bin/env python3
"""Our gossip members and Debian's serf in one cluster: each must see what the other sees.

    serf.py --ginnel build/debug/ginnel [--only plain,keys] [--churn SECONDS] [--seed N]

Views are compared field by field: name, address, state, tags. Exit 77: serf is not there, or no root.
"""
import argparse
import base64
import json
import os
import random
import subprocess
import sys
import time

from gossip_churn import Churn
from gossip_lab import CONT, STOP, Lab, Ours, Serf, Wrong, enter_namespace, step, until

# A rumor may miss a member, which then waits for its next push/pull: 30 s apart, and staggered.
JOIN_SECONDS = 75
SPREAD_SECONDS = 45
DEATH_SECONDS = 75  # a probe, the suspicion at its longest with two accusers, and gossip
PROTOCOLS = (2, 3, 4, 5)
# Between two changes at rate 1, and how long it changes before views are compared.
PAUSE_SECONDS = 5.0
BOUT_SECONDS = 120
CALM_SECONDS = 150


def demand(condition, text):
    if not condition:
        raise Wrong(text)


def alive(members):
    return {m.name: "alive" for m in members}


def mixed_cluster(lab, profile="lan"):
    """Serfs of every protocol, one without compression, and three of ours, one of them so too."""
    serfs = [lab.add(Serf, f"s{protocol}") for protocol in PROTOCOLS]
    ours = [lab.add(Ours, f"g{i}") for i in range(3)]
    for serf, protocol in zip(serfs, PROTOCOLS):
        serf.start(join=serfs[0] if serf is not serfs[0] else None, protocol=protocol,
                   profile=profile, compress=protocol != 4, tags=[f"role=p{protocol}"])
    ours[0].start(join=serfs[1], preset=profile)
    ours[1].start("--no-compression", join=serfs[0], preset=profile, tags=["zone=b", "role=web"])
    ours[2].start("--app", "serf", join=ours[0], preset=profile)
    return serfs, ours


# A rumor reaches most members, not always all. So queries, and the key
# changes that ride on them, are asked again, as an operator does.
def serf_acks(serf, name):
    _, text = serf.rpc("query", "-format=json", "-timeout=4s", name)
    return set(json.loads(text)["Acks"] or [])


def our_acks(member, name):
    _, text = member.verb("query", name, "--timeout", "4", "--json")
    lines = [json.loads(line) for line in text.splitlines()]
    acks = {line["from"] for line in lines if line["event"] == "ack"}
    demand(lines[-1] == {"v": 1, "event": "done", "acks": len(acks), "responses": 0},
           f"the last line is {lines[-1]}")
    return acks


def events_and_queries(serfs, ours):
    serfs[3].rpc("event", "deploy", "v1")
    for member in ours:
        until(f"{member.name} hears serf's event", SPREAD_SECONDS,
              lambda m=member: [e for e in m.said("event") if e["name"] == "deploy"])
        data = base64.b64decode(member.said("event")[0]["data"])
        demand(data == b"v1", f"{member.name} heard {data}")
    monitor = subprocess.Popen(["serf", "monitor", f"-rpc-addr={serfs[0].ip}:7373"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        names = {m.name for m in serfs + ours}
        until("serf's query is acknowledged by all", 60,
              lambda: serf_acks(serfs[2], "uptime") == names)
        for member in ours:
            demand([e for e in member.said("query") if e["name"] == "uptime"],
                   f"{member.name} said nothing of the query")
        until("our query is acknowledged by all", 60, lambda: our_acks(ours[1], "load") == names)
        ours[2].verb("event", "greet", "hello")
        seen = ""
        while "greet" not in seen:
            line = monitor.stdout.readline()
            demand(line, "serf monitor ended")
            seen += line
    finally:
        monitor.kill()
        monitor.wait()


def stop_and_go(stopped, watcher):
    """It is suspected while it stands still, and alive again by its own word when it goes on."""
    mark, own_mark = len(watcher.events), len(getattr(stopped, "events", ()))
    stopped.signal(STOP)
    try:
        until(f"{stopped.name}, stopped, is suspected", DEATH_SECONDS,
              lambda: watcher.said("suspect", stopped.name, mark))
    finally:
        stopped.signal(CONT)
    until(f"{stopped.name} is alive again", SPREAD_SECONDS,
          lambda: watcher.said("alive", stopped.name, mark) or
          watcher.said("join", stopped.name, mark))
    if isinstance(stopped, Serf):
        until(f"{stopped.name} says that it refutes", SPREAD_SECONDS,
              lambda: stopped.logged("memberlist: Refuting a"))
    if isinstance(stopped, Ours):
        until(f"{stopped.name} says that it refuted", SPREAD_SECONDS,
              lambda: stopped.said("refute", since=own_mark))


def plain(lab, options):
    serfs, ours = mixed_cluster(lab)
    everyone = alive(serfs + ours)
    lab.converge(everyone, JOIN_SECONDS)
    step("7 members converge, protocols 2 to 5, views equal")
    for member in ours:
        rows = {row["name"]: row for row in member.members()["members"]}
        demand(rows["s4"]["vsn"] == [1, 5, 2, 2, 5, 4], f"{member.name}: {rows['s4']['vsn']}")
        demand(member.members()["app"] == "serf", f"{member.name} is not serf's")

    ours[0].verb("tags", "set", "role=db", "zone=a")
    serfs[2].rpc("tags", "-set", "zone=c")
    until("tags spread", SPREAD_SECONDS,
          lambda: serfs[0].view()["g0"][2] == {"role": "db", "zone": "a"} and
          ours[2].view()["s4"][2] == {"role": "p4", "zone": "c"})
    lab.converge(everyone, SPREAD_SECONDS)
    step("tags of both kinds spread")

    events_and_queries(serfs, ours)
    step("events and queries both ways")

    for stopped in (serfs[3], ours[2]):
        stop_and_go(stopped, ours[0])
    lab.converge(everyone, SPREAD_SECONDS)
    step("stopped members are suspected and refute")

    serfs[1].leave()
    ours[1].leave()
    left = everyone | {"s3": "left", "g1": "left"}
    lab.converge(left, SPREAD_SECONDS)
    step("leaves are seen as left by both")

    serfs[2].kill()
    ours[2].kill()
    dead = left | {"s4": "failed", "g2": "failed"}
    lab.converge(dead, DEATH_SECONDS)
    fail = ours[0].said("fail", "s4")
    demand(fail and fail[0]["by"], f"no word who failed s4: {fail}")
    step("kill -9 is seen as failed by both")

    serfs[0].rpc("force-leave", "g2")
    lab.converge(dead | {"g2": "left"}, SPREAD_SECONDS)
    step("force-leave turns failed into left for both")

    serfs[2].start(join=serfs[0], protocol=4, compress=False, tags=["role=p4"])
    ours[2].start(join=serfs[0])
    serfs[1].start(join=serfs[0], protocol=3, tags=["role=p3"])
    ours[1].start(join=serfs[0], tags=["zone=b", "role=web"])
    lab.converge(everyone, JOIN_SECONDS)
    step("restarted members are alive again")


def key(byte):
    return base64.b64encode(bytes([byte] * 32)).decode()


def write_secret(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    return path


def remove_key(member, file):
    """A member that has it no more says so: a second try must not wait for that one."""
    code, text = member.verb("key", "rm", "--token-file", file, "--json", check=False)
    answer = json.loads(text)
    return code == 0 or answer["answered"] == answer["members"]


def keys_of_all(member):
    code, text = member.verb("key", "ls", "--json", check=False)
    rows = json.loads(text)["keys"]
    return rows if code == 0 and all(row["members"] == 6 for row in rows) else None


def keys(lab, options):
    old, new = key(1), key(2)
    serfs = [lab.add(Serf, f"s{i}") for i in range(3)]
    ours = [lab.add(Ours, f"g{i}") for i in range(3)]
    for serf in serfs:
        ring = write_secret(os.path.join(lab.folder, serf.name + ".ring"), json.dumps([old]))
        serf.start(join=serfs[0] if serf is not serfs[0] else None, keyring=ring, profile="lan",
                   compress=serf is not serfs[1])
    files = {}
    for member in ours:  # one of them keeps its keys in serf's form
        text = json.dumps([old]) if member is ours[1] else old + "\n"
        files[member] = write_secret(os.path.join(lab.folder, member.name + ".keys"), text)
        words = ["--no-compression"] if member is ours[2] else []
        member.start(*words, join=serfs[0], key_file=files[member], preset="lan")
    everyone = alive(serfs + ours)
    lab.converge(everyone, JOIN_SECONDS)
    step("an encrypted cluster of 6 converges")

    for operation in ("-install", "-use"):
        until(f"serf keys {operation}", 60,
              lambda o=operation: serfs[0].rpc("keys", f"{o}={new}")[0] == 0)
    new_file = write_secret(os.path.join(lab.folder, "new"), new + "\n")
    old_file = write_secret(os.path.join(lab.folder, "old"), old + "\n")
    until("key rm", 60, lambda: remove_key(ours[0], old_file))
    for member in ours:
        until(f"{member.name} has the new key alone", SPREAD_SECONDS,
              lambda m=member: new in open(files[m]).read() and old not in open(files[m]).read())
        demand(os.stat(files[member]).st_mode & 0o777 == 0o600, "the key file's mode")
    demand(json.load(open(files[ours[1]])) == [new], "serf's form of the key file was kept")
    code, text = serfs[1].rpc("keys", "-list")
    demand(new in text and old not in text, f"serf keys -list: {text}")
    rows = until("key ls has all six", 60, lambda: keys_of_all(ours[2]))
    demand(len(rows) == 1, f"key ls: {rows}")
    demand(new not in json.dumps(rows), "key ls shows a key")
    until("key install of a key that is there", 60,
          lambda: ours[2].verb("key", "install", "--token-file", new_file, check=False)[0] == 0)
    step("a rolling key change, begun by serf and ended by us, takes in all six")

    serfs[2].kill()
    lab.converge(everyone | {"s2": "failed"}, DEATH_SECONDS)
    stranger = lab.add(Ours, "stranger").start(join=serfs[0])
    until("a member without the key fails to join", JOIN_SECONDS,
          lambda: stranger.said("join_failed"))
    demand(stranger.view().keys() == {"stranger"}, "it got in")
    stranger.kill()
    step("a member without the key stays out")


def profiles(lab, options):
    """The other timings: slow, so only when asked for."""
    for profile in ("local", "wan"):
        with Lab(lab.ginnel) as inner:
            serfs, ours = mixed_cluster(inner, profile)
            everyone = alive(serfs + ours)
            inner.converge(everyone, 90)
            serfs[2].kill()
            ours[2].kill()
            inner.converge(everyone | {"s4": "failed", "g2": "failed"}, 240)
            step(f"profile {profile}: joins and deaths seen alike")


def churn(lab, options):
    """Bouts of change by a seed; at the end of each, views are one."""
    rng = random.Random(options.seed)
    changes = Churn(lab, rng, PAUSE_SECONDS / options.rate)
    start, bout = time.monotonic(), 0
    while not bout or time.monotonic() - start < options.churn:
        bout += 1
        changes.run(min(BOUT_SECONDS, options.churn))
        changes.calm()
        lab.converge({m.name: s for m, s in changes.state.items()}, CALM_SECONDS, changes.may_lack)
        step(f"bout {bout}, seed {options.seed}: {changes.told()}; views equal")
        changes.return_all()
        lab.converge(alive(changes.state), CALM_SECONDS)
        step(f"bout {bout}: all are back, views equal")


CASES = {"plain": plain, "keys": keys, "profiles": profiles, "churn": churn}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True)
    parser.add_argument("--only", default="plain,keys")
    parser.add_argument("--churn", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--rate", type=float, default=10, help="changes in five seconds")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    enter_namespace()
    names = [name for name in options.only.split(",") if name]
    names += ["churn"] if options.churn else []
    failed = 0
    for name in names:
        try:
            with Lab(options.ginnel) as lab:
                CASES[name](lab, options)
            print(f"{name}: passed")
        except Wrong as wrong:
            failed += 1
            print(f"{name}: FAILED: {wrong}")
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
