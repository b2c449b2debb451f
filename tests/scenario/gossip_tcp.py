#!/usr/bin/env python3
"""`ginnel gossip --transport tcp` where no UDP passes at all.

    gossip_tcp.py GINNEL

As root, in a network namespace of its own in which nftables drops every UDP packet.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

GINNEL = os.path.abspath(sys.argv[1])
IN_NAMESPACE = "GINNEL_GOSSIP_TCP_NAMESPACE"
NO_UDP = """table inet no_udp {
  counter dropped {}
  chain out { type filter hook output priority 0; meta l4proto udp counter name dropped drop; }
}
"""
RUNNING = []


def demand(condition, text):
    if not condition:
        raise AssertionError(text)


def until(what, look, seconds=40):
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        demand(time.monotonic() < end, f"not within {seconds} s: {what}")
        time.sleep(0.1)


class Member:
    def __init__(self, folder, name, port, *words):
        self.name, self.dir = name, os.path.join(folder, name)
        self.address = f"127.0.0.1:{port}"
        self.log = os.path.join(folder, name + ".events")
        with open(self.log, "w") as out:
            self.process = subprocess.Popen(
                [GINNEL, "gossip", "--bind", self.address, "--dir", self.dir, "--name", name,
                 "--preset", "local", "--app", "ginnel", "--json", *words], stdout=out)
        RUNNING.append(self.process)
        until(f"{name} is ready", lambda: self.said("ready"))

    def said(self, event, **more):
        with open(self.log) as lines:
            seen = [json.loads(line) for line in lines if line.endswith("\n")]
        return [e for e in seen if e["event"] == event and
                all(e.get(k) == v for k, v in more.items())]

    def call(self, *words):
        return subprocess.run([GINNEL, *words, "--dir", self.dir], capture_output=True, text=True,
                              timeout=60)

    def ok(self, *words):
        done = self.call(*words)
        demand(done.returncode == 0, f"{self.name} {words}: {done.returncode} {done.stderr}")
        return done.stdout

    def state(self, name):
        rows = json.loads(self.ok("members", "--json"))["members"]
        return next((r["state"] for r in rows if r["name"] == name), None)

    def sockets(self, kind):
        out = subprocess.run(["ss", "-Hanp", kind], capture_output=True, text=True, check=True)
        return [line for line in out.stdout.splitlines() if f"pid={self.process.pid}," in line]


def udp_dropped():
    out = subprocess.run(["nft", "-j", "list", "counter", "inet", "no_udp", "dropped"],
                         capture_output=True, text=True, check=True).stdout
    return next(o["counter"]["packets"] for o in json.loads(out)["nftables"] if "counter" in o)


def scenario(folder):
    tcp = ("--transport", "tcp")
    a = Member(folder, "a", 7001, *tcp)
    b = Member(folder, "b", 7002, *tcp, "--join", a.address)
    c = Member(folder, "c", 7003, *tcp, "--join", a.address)
    for member in (a, b, c):
        member.ok("wait", "--for", "members=3", "--timeout", "20")
        demand(not member.sockets("-u"), f"{member.name} has a UDP socket")
    a.ok("msg", "--all", "hello")
    for member in (b, c):
        until(f"{member.name} hears the rumor", lambda m=member: m.said("user"))
    a.ok("msg", "--udp", "c", "a datagram")
    until("c hears the datagram", lambda: len(c.said("user")) == 2)
    b.ok("kv", "put", "color", "blue")
    for member in (a, c):
        until(f"{member.name} has the value",
              lambda m=member: m.call("kv", "get", "color").stdout.strip() == "blue")
    time.sleep(5)  # many rounds of probes
    for member in (a, b, c):
        demand(not member.said("suspect"), f"{member.name} suspected: {member.said('suspect')}")
        demand(len(member.sockets("-t")) <= 1 + 2 * 2 * 2, "connections are kept, not made anew")

    c.process.kill()
    for member in (a, b):
        until(f"{member.name} sees c failed", lambda m=member: m.state("c") == "failed")
    b.ok("leave")
    demand(b.process.wait(20) == 0, "b ends well")
    until("a sees b left", lambda: a.state("b") == "left")
    demand(udp_dropped() == 0, "somebody sent UDP")

    # The counterproof: with UDP the same members are cut off from rumors.
    d = Member(folder, "d", 7004)
    e = Member(folder, "e", 7005, "--join", d.address)
    e.ok("wait", "--for", "members=2", "--timeout", "20")
    until("UDP is dropped here", udp_dropped)

    # A member over UDP and one over TCP alone join and probe each other by streams.
    f = Member(folder, "f", 7006, "--join", a.address)
    until("f joined a", lambda: f.said("joined", via=a.address))
    time.sleep(5)  # what cannot be probed would be failed by now
    demand(a.state("f") == "alive" and f.state("a") == "alive", "probed by streams")


def main():
    if IN_NAMESPACE not in os.environ:
        if os.geteuid() != 0:
            print("skipped: needs root")
            return 77
        os.environ[IN_NAMESPACE] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, os.path.abspath(__file__),
                              GINNEL])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["nft", "-f", "-"], input=NO_UDP, text=True, check=True)
    folder = tempfile.mkdtemp(prefix="ginnel-gossip-tcp-")
    try:
        scenario(folder)
    finally:
        for process in RUNNING:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print("passed")
    return 0


sys.exit(main())
