#!/usr/bin/env python3
"""Gossip of a network's own nodes: a hub and three peers on loopback, without TUN devices.

    mesh.py GINNEL

 1. all become members; their tags are those of their tokens, and the role
 2. tags set | del at run time, and after a restart
 3. an event and a query reach all; events shows what came
 4. one that is killed is failed, and alive again when it comes back; one that goes down has left
 5. status and peers stay what sessions say
"""
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

GINNEL = sys.argv[1]
FOLDER = tempfile.mkdtemp(prefix="ginnel-mesh-")
STARTED = []


def demand(holds, what, details=""):
    print(("ok      " if holds else "FAILED  ") + what, flush=True)
    if not holds:
        print(details)
        raise SystemExit(1)


def free_ports():
    """A port that is free, and the next one: a hub's STUN wants both."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
            one.bind(("127.0.0.1", 0))
            try:
                two.bind(("127.0.0.1", one.getsockname()[1] + 1))
                return one.getsockname()[1]
            except (OSError, OverflowError):
                continue


class Node:
    def __init__(self, name):
        self.name, self.dir, self.process = name, os.path.join(FOLDER, name), None

    def run(self, *words, expect=0):
        done = subprocess.run([GINNEL, "--dir", self.dir, *words], text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if (done.returncode != 0) != (expect != 0):
            demand(False, f"{self.name}: {' '.join(words)} exits {expect}",
                   f"exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self):
        self.run("config", "set", "tun.enable", "no")
        # "local" says a rumor twice only, which does not always reach all.
        self.run("config", "set", "gossip.preset", "lan")
        with open(self.dir + ".log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([GINNEL, "--dir", self.dir, "up", "--foreground"],
                                            stdout=log, stderr=log)
        STARTED.append(self.process)

    def members(self):
        return {row["name"]: row for row in json.loads(self.run("members", "--json"))["members"]}

    def state(self, name):
        row = self.members().get(name)
        return row["state"] if row else None

    def wait_members(self, count):
        self.run("wait", "--for", f"members={count}", "--timeout", "40")


def eventually(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.3)
    return True


def found():
    hub = Node("hub")
    endpoint = f"127.0.0.1:{free_ports()}"
    hub.run("init", "--hub", "--name", "hub", "--listen", endpoint, "--public", endpoint)
    hub.start()
    hub.run("wait", "--timeout", "20")
    nodes = [hub]
    for name in ("alice", "bob", "carol"):
        token = os.path.join(FOLDER, name + ".token")
        with open(token, "w", encoding="utf-8") as file:
            file.write(hub.run("invite", "--tag", f"site={name}s-place"))
        node = Node(name)
        node.run("join", "--token-file", token, "--name", name)
        node.start()
        nodes.append(node)
    return nodes


def main():
    hub, alice, bob, carol = nodes = found()
    for node in nodes:
        node.wait_members(4)
    for node in nodes:
        rows = node.members()
        demand(sorted(rows) == ["alice", "bob", "carol", "hub"], f"{node.name} lists all", rows)
        demand(all(row["state"] == "alive" for row in rows.values()), "all are alive", rows)
        demand(rows["hub"]["tags"].get("role") == "hub" and
               rows["bob"]["tags"] == {"role": "peer", "site": "bobs-place"},
               "tags are the certificates' and the role", rows)
        demand(rows["bob"]["address"].startswith("[fd"), "an address is the overlay's IPv6", rows)

    bob.run("tags", "set", "rack=7")
    demand(eventually(lambda: hub.members()["bob"]["tags"].get("rack") == "7"),
           "the hub sees bob's new tag")
    bob.run("tags", "set", "role=hub", expect=2)

    alice.run("event", "deploy", "v1.2")
    def has_event(node):
        return any(line and json.loads(line).get("name") == "deploy" and
                   base64.b64decode(json.loads(line)["data"]) == b"v1.2"
                   for line in node.run("events", "--json").splitlines())
    for node in nodes:
        demand(eventually(lambda n=node: has_event(n), 20), f"the event reached {node.name}")

    lines = [json.loads(line) for line in
             carol.run("query", "uptime", "--timeout", "5", "--json").splitlines()]
    acked = {line["from"] for line in lines if line.get("event") == "ack"}
    demand(acked == {"hub", "alice", "bob", "carol"}, "all acknowledge a query", lines)

    bob.process.send_signal(signal.SIGKILL)
    bob.process.wait()
    demand(eventually(lambda: hub.state("bob") == "failed" and carol.state("bob") == "failed"),
           "who is killed has failed", hub.members())
    bob.start()
    bob.wait_members(4)
    demand(eventually(lambda: hub.state("bob") == "alive"), "and is alive when it comes back")
    demand(eventually(lambda: hub.members()["bob"]["tags"].get("rack") == "7"),
           "with the tag that was set")

    carol.run("down")
    carol.process.wait(20)
    demand(eventually(lambda: hub.state("carol") == "left" and alice.state("carol") == "left"),
           "who goes down has left", hub.members())
    status = json.loads(alice.run("status", "--json"))
    demand(status is not None, "status still answers")
    print("all is well")


try:
    main()
finally:
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.wait()
    shutil.rmtree(FOLDER, ignore_errors=True)
