#!/usr/bin/env python3
"""Shared data as its user meets it: kv and meta between three `ginnel gossip --app ginnel`.

    metadata.py GINNEL

On loopback, on ports that are free.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

GINNEL = os.path.abspath(sys.argv[1])
FOLDER = tempfile.mkdtemp(prefix="ginnel-metadata-")
RUNNING = []


def demand(condition, text):
    if not condition:
        raise AssertionError(text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Member:
    def __init__(self, name, *words):
        self.dir = os.path.join(FOLDER, name)
        self.address = f"127.0.0.1:{free_port()}"
        self.process = subprocess.Popen(
            [GINNEL, "gossip", "--bind", self.address, "--dir", self.dir, "--name", name,
             "--preset", "local", *words], stdout=subprocess.DEVNULL)
        RUNNING.append(self)
        self.call("wait", "--for", "members=1", retry=True)

    def call(self, *words, stdin=b"", retry=False):
        end = time.monotonic() + 20
        while True:
            done = subprocess.run([GINNEL, *words, "--dir", self.dir], input=stdin,
                                  capture_output=True, timeout=60)
            if not (retry and done.returncode and time.monotonic() < end):
                return done
            time.sleep(0.1)

    def ok(self, *words, **more):
        done = self.call(*words, **more)
        demand(done.returncode == 0, f"{words}: {done.returncode} {done.stderr.decode()}")
        return done.stdout

    def fails(self, code, exit, *words):
        done = self.call(*words)
        demand(done.returncode == exit and f"[{code}]" in done.stderr.decode() and not done.stdout,
               f"{words}: {done.returncode} {done.stderr.decode()}")


def values_spread(a, b, c):
    raw = bytes(range(256)) * 40
    a.ok("kv", "put", "raw", "-", stdin=raw)
    demand(c.ok("kv", "get", "raw", retry=True) == raw, "raw bytes arrive as they are")
    big = os.urandom(1 << 20)
    b.ok("kv", "put", "big", "-", stdin=big)
    demand(a.ok("kv", "get", "big", retry=True) == big, "a value of 1 MiB is fetched")
    a.fails("E_UNKNOWN_KEY", 5, "kv", "get", "nothing")
    a.fails("E_UNKNOWN_KEY", 5, "meta", "read")
    b.ok("meta", "publish", "hello")
    demand(c.ok("meta", "read", retry=True) == b"hello", "meta")
    keys = json.loads(a.ok("kv", "ls", "--json"))["keys"]
    demand([k["key"] for k in keys] == ["big", "raw"], keys)
    b.ok("kv", "del", "raw")
    end = time.monotonic() + 10
    while c.call("kv", "get", "raw").returncode != 5:
        demand(time.monotonic() < end, "a deletion spreads")
        time.sleep(0.1)


def versions_are_compared(a):
    version = a.ok("kv", "put", "k", "1", "--if-seen", "0").decode().strip()
    a.fails("E_CHANGED", 1, "kv", "put", "k", "2", "--if-seen", "0")
    a.ok("kv", "put", "k", "2", "--if-seen", version)
    a.fails("E_CHANGED", 1, "kv", "del", "k", "--if-seen", version)
    shown = json.loads(a.ok("kv", "get", "k", "--json"))
    demand(shown["data"] == "2" and shown["writer"] == "a" and shown["key"] == "k", shown)
    a.ok("kv", "del", "k", "--if-seen", shown["version"])


def own_rows(a, b):
    a.ok("kv", "put", "rack", "r7", "--own")
    demand(b.ok("kv", "get", "rack", "--node", "a", retry=True) == b"r7", "an own row is read")
    b.fails("E_UNKNOWN_KEY", 5, "kv", "get", "rack")
    long = "x" * 2000
    a.ok("tags", "set", f"long={long}", "role=web")
    end = time.monotonic() + 10
    while True:
        rows = json.loads(b.ok("members", "--json"))["members"]
        tags = next(r["tags"] for r in rows if r["name"] == "a")
        if tags == {"long": long, "role": "web"}:
            return
        demand(time.monotonic() < end, f"tags beyond 512 bytes: {sorted(tags)}")
        time.sleep(0.1)


def watchers_hear(a, b):
    watch = subprocess.Popen([GINNEL, "kv", "watch", "w/", "--present", "-n", "3", "--dir", b.dir],
                             stdout=subprocess.PIPE, text=True)
    first = None
    a.ok("kv", "put", "w/1", "one")
    first = watch.stdout.readline()
    a.ok("kv", "put", "other", "-", stdin=b"unheard")
    a.ok("kv", "put", "w/1", "two")
    second = watch.stdout.readline()
    a.ok("kv", "del", "w/1")
    third = watch.stdout.readline()
    demand((first, second, third) == ("put w/1 one\n", "put w/1 two\n", "del w/1\n"),
           (first, second, third))
    demand(watch.wait(20) == 0, "watch -n 3 ends")


def elsewhere_it_says_why():
    other = Member("plain", "--app", "none")
    other.fails("E_WRONG_APP", 1, "kv", "put", "k", "v")
    demand("--app ginnel" in other.call("meta", "read").stderr.decode(), "names the flag")


def main():
    a = Member("a", "--app", "ginnel")
    b = Member("b", "--join", a.address)  # --app auto takes what it finds
    c = Member("c", "--join", b.address)
    for member in (a, b, c):
        member.ok("wait", "--for", "members=3", "--timeout", "20")
    values_spread(a, b, c)
    versions_are_compared(a)
    own_rows(a, b)
    watchers_hear(a, b)
    elsewhere_it_says_why()
    print("passed")


try:
    main()
finally:
    for member in RUNNING:
        member.process.send_signal(signal.SIGKILL)
        member.process.wait()
    shutil.rmtree(FOLDER, ignore_errors=True)
