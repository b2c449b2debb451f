#!/usr/bin/env python3
"""A network by shared secret, with real daemons on loopback: in without a token, out with another
secret, and a session key that is renewed while messages flow.

usage: secret.py --ginnel PROGRAM

Ends with `N passed, N failed`.
"""
import argparse
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

SECONDS = 40  # for anything to happen, on a busy machine


class Checks:
    passed = failed = 0

    def that(self, good, text):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok' if good else 'FAILED':7} {text}", flush=True)


class Node:
    def __init__(self, program, folder, name, secret, more=""):
        self.program, self.name, self.process = program, name, None
        self.dir = os.path.join(folder, name)
        os.mkdir(self.dir)
        with open(os.path.join(self.dir, "ginnel.toml"), "w", encoding="utf-8") as file:
            file.write(f'[network]\nsecret_file = "{secret}" # theirs\n{more}'
                       '[tun]\nenable = "no"\n')

    def call(self, *words, **how):
        return subprocess.run([self.program, "--dir", self.dir, *words], text=True, check=False,
                              capture_output=True, timeout=SECONDS, **how)

    def up(self):
        log = open(os.path.join(self.dir, "log"), "a", encoding="utf-8")
        self.process = subprocess.Popen([self.program, "--dir", self.dir, "up", "--foreground"],
                                        stdout=log, stderr=log)
        return until(lambda: self.call("status").returncode == 0)

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(SECONDS)

    def status(self):
        return json.loads(self.call("status", "--json").stdout)


def until(condition):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return udp.getsockname()[1]


def check_secrets(program, folder, checks):
    secret = os.path.join(folder, "net.secret")
    made = subprocess.run([program, "key", "new", "-o", secret], check=False, capture_output=True)
    checks.that(made.returncode == 0 and not made.stdout, "key new -o prints nothing")
    checks.that(stat.S_IMODE(os.stat(secret).st_mode) == 0o600, "its file is private")
    again = subprocess.run([program, "key", "new", "-o", secret], check=False, capture_output=True)
    checks.that(again.returncode == 1 and b"E_EXISTS" in again.stderr, "and is never overwritten")
    weak = os.path.join(folder, "weak.secret")
    with open(weak, "w", encoding="utf-8") as file:
        file.write("hunter2\n")
    os.chmod(weak, 0o600)
    node = Node(program, folder, "weak", weak)
    for words in (("init", "--name", "weak"), ("config", "check")):
        ran = node.call(*words)
        good = ran.returncode == 7 and "E_SECRET_WEAK" in ran.stderr
        good = good and "hunter2" not in ran.stderr and "ginnel key new" in ran.stderr
        checks.that(good, f"{' '.join(words)} refuses a weak secret {ran.stderr.strip()}")
    return secret


def check_network(hub, alice, bob, checks):
    for node, flags in ((hub, ("--hub",)), (alice, ()), (bob, ())):
        made = node.call("init", *flags, "--name", node.name)
        checks.that(made.returncode == 0, f"init {node.name} {made.stderr.strip()}")
        checks.that(node.up(), f"{node.name} is up")
    waited = alice.call("wait", "--peer", "bob", "--timeout", "20")
    checks.that(waited.returncode == 0, f"alice sees bob {waited.stderr.strip()}")
    refused = hub.call("revoke", "bob")
    checks.that(refused.returncode == 1 and "E_SHARED_SECRET" in refused.stderr, "nobody is revoked")
    refused = hub.call("invite")
    checks.that(refused.returncode == 1 and "E_SHARED_SECRET" in refused.stderr, "or invited")


def check_rotation(alice, checks):
    before = json.loads(alice.call("key", "ls", "--json").stdout)
    rotated = alice.call("key", "rotate")
    checks.that(rotated.returncode == 0, f"key rotate {rotated.stderr.strip()}")
    after = json.loads(alice.call("key", "ls", "--json").stdout)
    checks.that(before["id"] == after["id"], "the Id stays")
    checks.that(before["session"] != after["session"], "the session key is another one")
    checks.that(alice.call("ping", "bob", "-c", "2").returncode == 0, "bob still answers")


def check_stranger(stranger, checks):
    made = stranger.call("init", "--name", "stranger")
    checks.that(made.returncode == 0 and stranger.up(), "with another secret a node is up")
    wrong = lambda: [h for h in stranger.status()["health"] if h["code"] == "E_WRONG_NETWORK"]
    checks.that(until(wrong), "and says that the hub is of another network")
    health = wrong()
    checks.that(health and "secret" in health[0]["text"] and "secret" in health[0]["fix"],
                f"text and fix name the secret {health}")
    checks.that(stranger.status()["hubs"][0]["state"] == "down", "that hub is down")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ginnel", required=True)
    program = os.path.abspath(parser.parse_args().ginnel)
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="ginnel-secret-") as folder:
        secret = check_secrets(program, folder, checks)
        other = os.path.join(folder, "other.secret")
        subprocess.run([program, "key", "new", "-o", other], check=True)
        at = f"127.0.0.1:{free_port()}"
        hubs = f'hubs = ["{at}"]\n'
        own = f'[node]\nlisten = ["udp://{at}"]\n[hub]\npublic = "{at}"\nprobe_port = {free_port()}\n'
        hub = Node(program, folder, "hub", secret, own)
        alice, bob = (Node(program, folder, name, secret, hubs) for name in ("alice", "bob"))
        stranger = Node(program, folder, "stranger", other, hubs)
        try:
            check_network(hub, alice, bob, checks)
            check_rotation(alice, checks)
            check_stranger(stranger, checks)
        finally:
            for node in (stranger, bob, alice, hub):
                node.end()
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
