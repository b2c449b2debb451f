#!/usr/bin/env python3
"""One cluster of many members of one kind on loopback, driven by lines: run.py starts two of these,
each in a network namespace of its own.

    fleet.py KIND GINNEL COUNT     reads: join | measure SECONDS | kill N | end; answers JSON lines
"""
import json
import os
import re
import selectors
import subprocess
import sys
import tempfile
import time

PORT = 7946
DEATH_SECONDS = 90
JOIN_SECONDS = 60
SERF_EVENT = re.compile(rb"EventMember(Join|Failed): (\S+)")


class Member:
    def __init__(self, kind, ginnel, folder, number):
        self.kind, self.number, self.name = kind, number, f"m{number}"
        self.ip = f"127.0.0.{number + 1}"
        self.known, self.failed = {}, {}  # names to when it said so
        join = [] if number == 0 else ["127.0.0.1:7946"]
        if kind == "serf":
            command = ["serf", "agent", f"-node={self.name}", f"-bind={self.ip}:{PORT}",
                       f"-rpc-addr={self.ip}:7373", "-profile=lan", "-log-level=info"]
            command += [f"-retry-join={address}" for address in join]
        else:
            command = [ginnel, "gossip", "--bind", f"{self.ip}:{PORT}", "--app", "serf", "--name",
                       self.name, "--json", "--dir", os.path.join(folder, self.name)]
            command += [word for address in join for word in ("--join", address)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, bufsize=0)

    def hear(self, line, now):
        if self.kind == "serf":
            found = SERF_EVENT.search(line)
            if found:
                told = self.known if found[1] == b"Join" else self.failed
                told.setdefault(found[2].decode(), now)
            return
        event = json.loads(line)
        if event["event"] in ("join", "fail"):
            told = self.known if event["event"] == "join" else self.failed
            told.setdefault(event["member"]["name"], now)

    def cpu_seconds(self):
        """All threads' time on a processor, to the nanosecond."""
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/schedstat") as stat:
                total += int(stat.read().split()[0])
        return total / 1e9

    def pss_kib(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup") as rollup:
            return int(re.search(r"^Pss:\s+(\d+)", rollup.read(), re.M).group(1))


def udp_sent():
    with open("/proc/net/snmp") as snmp:
        names, values = [line.split() for line in snmp if line.startswith("Udp:")]
    return int(values[names.index("OutDatagrams")])


class Fleet:
    def __init__(self, kind, ginnel, count):
        self.kind, self.ginnel, self.count = kind, ginnel, count
        self.folder = tempfile.mkdtemp(prefix="fleet-")
        self.selector = selectors.DefaultSelector()
        self.members, self.partial = [], {}

    def pump(self, seconds):
        for key, _ in self.selector.select(seconds):
            member = key.data
            data = os.read(key.fd, 1 << 16)
            if not data:
                self.selector.unregister(key.fileobj)
                continue
            now = time.monotonic()
            *lines, rest = (self.partial.get(member, b"") + data).split(b"\n")
            self.partial[member] = rest
            for line in lines:
                member.hear(line, now)

    def wait(self, done, seconds):
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            self.pump(0.1)
        return done()

    def join(self):
        """From the first launch until all know all: when the last one did, and the median."""
        start = time.monotonic()
        for number in range(self.count):
            member = Member(self.kind, self.ginnel, self.folder, number)
            self.members.append(member)
            self.selector.register(member.process.stdout, selectors.EVENT_READ, member)
            if number == 0:
                time.sleep(0.3)  # it listens, so that nobody waits a second to try again
        def others(member):
            return [when for name, when in member.known.items() if name != member.name]
        whole = self.wait(lambda: all(len(others(m)) >= self.count - 1 for m in self.members),
                          JOIN_SECONDS)
        took = sorted(max(others(m), default=start + JOIN_SECONDS) - start for m in self.members)
        return {"whole": whole, "last": took[-1], "median": took[len(took) // 2]}

    def measure(self, seconds):
        """What it costs: the answer comes when the time is over."""
        cpu, sent, start = self.cpu(), udp_sent(), time.monotonic()
        self.wait(lambda: False, seconds)
        return self.cost(cpu, sent, start)

    def cpu(self):
        return {m: m.cpu_seconds() for m in self.members}

    def cost(self, cpu, sent, start):
        took = time.monotonic() - start
        alive = self.members
        used = [m.cpu_seconds() - cpu[m] for m in alive]
        pss = [m.pss_kib() for m in alive]
        return {"cpu_percent": 100 * sum(used) / len(used) / took,
                "cpu_percent_max": 100 * max(used) / took,
                "pss_kib": sum(pss) / len(pss),
                "datagrams": (udp_sent() - sent) / took / len(alive),
                "false_failures": sum(len(m.failed) for m in alive)}

    def kill(self, number):
        """Its first and last report at the others, in seconds from the kill."""
        victim = next(m for m in self.members if m.number == number)
        self.members.remove(victim)
        cpu, sent, start = self.cpu(), udp_sent(), time.monotonic()
        victim.process.kill()
        victim.process.wait()
        self.wait(lambda: all(victim.name in m.failed for m in self.members), DEATH_SECONDS)
        told = sorted(m.failed.get(victim.name, start + DEATH_SECONDS) - start
                      for m in self.members)
        cost = self.cost(cpu, sent, start)
        for member in self.members:
            member.failed.pop(victim.name, None)
        return {"first": told[0], "last": told[-1], "cpu_percent": cost["cpu_percent"],
                "datagrams": cost["datagrams"], "seconds": time.monotonic() - start}

    def end(self):
        for member in self.members:
            member.process.kill()
            member.process.wait()
        subprocess.run(["rm", "-rf", self.folder], check=True)
        return {}


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    fleet = Fleet(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    try:
        for line in sys.stdin:
            verb, *words = line.split()
            answer = getattr(fleet, verb)(*[int(word) for word in words])
            print(json.dumps(answer), flush=True)
            if verb == "end":
                return
    finally:
        for member in fleet.members:
            if member.process.poll() is None:
                member.process.kill()


if __name__ == "__main__":
    main()
