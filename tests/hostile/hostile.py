#!/usr/bin/env python3
"""A hub and a peer, both real daemons on loopback, under a flood of hostile datagrams.

usage: hostile.py --ginnel PROGRAM --flood PROGRAM [--datagrams N] [--seed S]

Half of the flood comes from outside (random bytes, and packets of live sessions with changes), half
from inside (sealed by a node with a genuine certificate: a peer against its hub, a hub against its
peer; HELLOs, tables, lanes, relay frames and IP packets with changes). It shows that

 1. neither daemon crashes, and both still answer their control sockets and end gracefully
 2. nothing that outsiders sent was answered but by STUN answers and cookies
 3. the resident memory of each grew at most 4 MiB after the first fifth of the flood
 4. newcomers joined the hub meanwhile, each in under 1 s
 5. the insiders were let in and heard all along, so that what they sent was opened

Ends with `N passed, N failed`.
"""
import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

GROWTH_MAX = 4 << 20
JOIN_SECONDS_MAX = 1.0
JOINS = 8
HERE = os.path.dirname(os.path.abspath(__file__))


def free_port():
    """A port that is free, and the next one: a hub's STUN wants both."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                two.bind(("127.0.0.1", port + 1))
                return port
            except OSError:
                continue


class Node:
    def __init__(self, program, folder, name):
        self.program, self.name, self.folder = program, name, folder
        self.dir = os.path.join(folder, name)
        self.process = None

    def run(self, *arguments, **options):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GINNEL_")}
        return subprocess.run([self.program, "--dir", self.dir, *arguments], text=True, timeout=30,
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=True, **options).stdout

    def up(self):
        log = open(self.log_path(), "w", encoding="utf-8")
        self.process = subprocess.Popen([self.program, "--dir", self.dir, "up", "--foreground"],
                                        stdout=log, stderr=log)

    def log_path(self):
        return os.path.join(self.folder, self.name + ".log")

    def ask(self, *arguments):
        """As run, until the daemon has come up."""
        end = time.monotonic() + 20
        while True:
            try:
                return self.run(*arguments)
            except subprocess.CalledProcessError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def answers(self):
        try:
            return self.run("status", "--json").startswith("{")
        except (subprocess.SubprocessError, OSError):
            return False

    def end(self):
        """The exit code of a graceful end; None: it hangs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None


class Joiner:
    """One newcomer. Its time is from the start of `ginnel join` to its end."""

    def __init__(self, program, folder, number, token):
        self.name = f"newcomer{number}"
        self.good, self.seconds, self.output = False, 0.0, ""
        self.command = [program, "--dir", os.path.join(folder, self.name), "join", "--token-file",
                        token, "--no-tun", "--name", self.name]
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        start = time.monotonic()
        done = subprocess.run(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=60, check=False)
        self.seconds, self.output = time.monotonic() - start, done.stdout
        self.good = done.returncode == 0 and self.seconds < JOIN_SECONDS_MAX


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, holds, details=""):
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        print(f"{'ok' if holds else 'FAILED':8}{what}" + (f": {details}" if details else ""),
              flush=True)


def start_hub(options, folder):
    hub = Node(options.ginnel, folder, "hub")
    endpoint = f"127.0.0.1:{free_port()}"
    hub.run("init", "--hub", "--name", "hub", "--listen", endpoint, "--public", endpoint)
    hub.run("config", "set", "tun.enable", "no")
    hub.up()
    token = os.path.join(folder, "token")
    with open(token, "w", encoding="utf-8") as file:
        file.write(hub.ask("invite", "--uses", str(JOINS + 1)))
    return hub, token


def start_victim(options, folder, token):
    victim = Node(options.ginnel, folder, "victim")
    victim.run("join", "--token-file", "-", "--no-tun", "--name", "victim", "--listen",
               f"127.0.0.1:{free_port()}", input=token)
    victim.up()
    return victim


def read_until(flood, word):
    for line in flood.stdout:
        if line.startswith(word):
            return line.split(maxsplit=1)[-1].strip()
    raise RuntimeError(f"the flood ended before it said {word}: {flood.wait()}")


def watch(options, folder, token, flood):
    """The newcomers of the run, each joining as the flood goes on, and the flood's own result."""
    joined, result = [], None
    for line in flood.stdout:
        if line.startswith("{"):
            result = json.loads(line)
        elif line.startswith("at ") and len(joined) < JOINS:
            if not joined or not joined[-1].thread.is_alive():
                joined.append(Joiner(options.ginnel, folder, len(joined), token))
    return joined, result


def judge(report, joined, result, nodes):
    report.check("the flood went out", result is not None, json.dumps(result))
    for joiner in joined:
        joiner.thread.join()
    slow = [j for j in joined if not j.good]
    times = ", ".join(f"{j.seconds:.2f}" for j in joined)
    report.check(f"{len(joined)} newcomers joined meanwhile, each in under {JOIN_SECONDS_MAX:.0f} s",
                 joined and not slow, times + "".join("\n" + j.output for j in slow))
    for node in nodes:
        report.check(f"the {node.name} still answers", node.answers())
        code = node.end()
        report.check(f"the {node.name} ends gracefully", code == 0, f"exit {code}")
        if code != 0:
            with open(node.log_path(), encoding="utf-8", errors="replace") as log:
                print(log.read()[-4000:])
    if result is None:
        return
    # And a response to an initiation that is not theirs, sent as it was, which a target had refused.
    report.check("outsiders got nothing but STUN answers and cookies", result["wrong"] == 0,
                 f"{result['stun']} and {result['cookies']}, {result['responses']} responses to "
                 f"captured initiations, {result['wrong']} others")
    for name, node in (("hub", nodes[0]), ("peer", nodes[1])):
        of = result[name]
        growth = of["end_bytes"] - of["warm_bytes"]
        report.check(f"the {name}'s memory grew at most 4 MiB", 0 < of["warm_bytes"] and
                     growth <= GROWTH_MAX, f"{of['warm_bytes'] >> 10} KiB, then {growth >> 10:+} KiB")
        report.check(f"the {name} heard its insider all along", of["insider_lives"] >= 2 and
                     of["insider_attacks"] >= of["sent"] // 5 and of["insider_pings"] >= 2,
                     f"let in {of['insider_lives']} times, {of['insider_attacks']} sealed packets")
        log = os.path.getsize(node.log_path())
        report.check(f"the {name}'s log stays short", log <= GROWTH_MAX, f"{log >> 10} KiB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ginnel", required=True)
    parser.add_argument("--flood", required=True)
    parser.add_argument("--datagrams", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    report = Report()
    print(f"{options.datagrams} datagrams, seed {options.seed}")
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        hub, token = start_hub(options, folder)
        nodes = [hub]
        flood = subprocess.Popen(
            [options.flood, "--corpora", os.path.join(HERE, "..", "..", "fuzz", "corpus"), "--token",
             token, "--datagrams", str(options.datagrams), "--seed", str(options.seed)],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            victim = start_victim(options, folder, read_until(flood, "token "))
            nodes.append(victim)
            read_until(flood, "attached")
            flood.stdin.write(f"{hub.process.pid} {victim.process.pid}\n")
            flood.stdin.flush()
            joined, result = watch(options, folder, token, flood)
            judge(report, joined, result, nodes)
        finally:
            if flood.poll() is None:
                flood.kill()
            for node in nodes:
                node.end()
    print(f"took {time.monotonic() - start:.0f} s")
    print(f"{report.passed} passed, {report.failed} failed")
    return 0 if report.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
