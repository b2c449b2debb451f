#!/usr/bin/env python3
"""Our gossip members beside Debian's serf, both clusters at once, each in a namespace of its own.

    bench/serf/run.py --ginnel build/release/ginnel [--members 50] [--kills 20] [--idle 60]

Both join, then both are idle, then members of both are killed at the same moments: a disturbance of
the machine hits both alike. Needs root and serf. Writes the section between its markers in
docs/benchmarks.md (--print: only to stdout).
"""
import argparse
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../..")
BEGIN, END = "<!-- bench/serf begin -->", "<!-- bench/serf end -->"
KINDS = ("ginnel", "serf")
SETTLE_SECONDS = 10


class Side:
    def __init__(self, kind, ginnel, members):
        command = ["unshare", "-n", sys.executable, os.path.join(HERE, "fleet.py"), kind, ginnel,
                   str(members)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("a fleet ended early")
        return json.loads(line)


def both(sides, *words):
    for side in sides.values():
        side.ask(*words)
    return {kind: side.answer() for kind, side in sides.items()}


def measure(options):
    sides = {kind: Side(kind, os.path.abspath(options.ginnel), options.members) for kind in KINDS}
    out = {"join": both(sides, "join")}
    both(sides, "measure", SETTLE_SECONDS)
    out["idle"] = both(sides, "measure", options.idle)
    rng = random.Random(options.seed)
    out["kills"] = {kind: [] for kind in KINDS}
    for victim in rng.sample(range(1, options.members), options.kills):
        time.sleep(rng.random())
        for kind, told in both(sides, "kill", victim).items():
            out["kills"][kind].append(told)
            print(f"  kill m{victim} {kind}: first {told['first']:.2f} last {told['last']:.2f}",
                  file=sys.stderr, flush=True)
    both(sides, "end")
    return out


def versions(options):
    ours = subprocess.run([options.ginnel, "version"], capture_output=True, text=True).stdout
    package = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "serf"], capture_output=True,
                             text=True).stdout
    return {"ginnel": ours.split("\n")[0].replace("ginnel ", ""), "serf": f"Debian {package}"}


def middle(kills, key):
    return statistics.median(kill[key] for kill in kills)


def per_second(kills, key):
    """Over all the time of all kills."""
    total = sum(kill["seconds"] for kill in kills)
    return sum(kill[key] * kill["seconds"] for kill in kills) / total


def rows(out):
    """What is told of each side: name, figure, how it is written."""
    join, idle, kills = (lambda k: out["join"][k], lambda k: out["idle"][k],
                         lambda k: out["kills"][k])
    return [
        ("CPU of a member, idle, % of a core", lambda k: idle(k)["cpu_percent"], "{:.3f}"),
        ("CPU of a member while others die, %", lambda k: per_second(kills(k), "cpu_percent"),
         "{:.3f}"),
        ("memory of a member (proportional set size), KiB", lambda k: idle(k)["pss_kib"], "{:.0f}"),
        ("datagrams/s of a member, idle", lambda k: idle(k)["datagrams"], "{:.3f}"),
        ("datagrams/s of a member while others die", lambda k: per_second(kills(k), "datagrams"),
         "{:.3f}"),
        ("join: a member knows all, median, s", lambda k: join(k)["median"], "{:.2f}"),
        ("join: all know all, s", lambda k: join(k)["last"], "{:.2f}"),
        ("kill -9 to the first report, median, s", lambda k: middle(kills(k), "first"), "{:.2f}"),
        ("kill -9 to the first report, worst, s",
         lambda k: max(kill["first"] for kill in kills(k)), "{:.2f}"),
        ("kill -9 to the last report, median, s", lambda k: middle(kills(k), "last"), "{:.2f}"),
        ("kill -9 to the last report, worst, s",
         lambda k: max(kill["last"] for kill in kills(k)), "{:.2f}"),
    ]


def table(options, out):
    named = versions(options)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True,
                            text=True).stdout.strip()
    ginnel = os.path.relpath(options.ginnel, ROOT)
    command = (f"bench/serf/run.py --ginnel {ginnel} --members {options.members} "
               f"--kills {options.kills} --idle {options.idle} --seed {options.seed}")
    lines = [
        f"{options.members} members of each, LAN preset, both clusters at once on loopback, "
        f"{options.idle} s idle and {options.kills} kills;",
        f"{os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, commit {commit}; load "
        f"average before {options.load:.1f}" + (": take the ratios only." if options.load > 1 else
                                                "."),
        f"`{command}`", "",
        f"| | ginnel {named['ginnel']} | serf {named['serf']} | ratio |", "|---|---|---|---|"]
    for name, figure, form in rows(out):
        ours, theirs = figure("ginnel"), figure("serf")
        ratio = f"{ours / theirs:.2f}" if theirs else "-"
        lines.append(f"| {name} | {form.format(ours)} | {form.format(theirs)} | {ratio} |")
    wrong = {kind: out["idle"][kind]["false_failures"] for kind in KINDS}
    lines += ["", f"Members called failed that were not: {wrong['ginnel']} and {wrong['serf']}. "
              f"All joined: {out['join']['ginnel']['whole'] and out['join']['serf']['whole']}."]
    return "\n".join(lines)


def write(text):
    path = os.path.join(ROOT, "docs/benchmarks.md")
    with open(path, encoding="utf-8") as file:
        old = file.read()
    section = f"{BEGIN}\n{text}\n{END}"
    if BEGIN in old:
        new = re.sub(f"{BEGIN}.*{END}", lambda _: section, old, flags=re.S)
    else:
        new = (f"{old.rstrip()}\n\n## Beside serf\n\n`./dev bench serf` makes this section anew."
               f"\n\n{section}\n")
    with open(path, "w", encoding="utf-8") as file:
        file.write(new)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True)
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--idle", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--print", action="store_true")
    options = parser.parse_args()
    options.load = os.getloadavg()[0]
    out = measure(options)
    text = table(options, out)
    print(text)
    if not options.print:
        write(text)


if __name__ == "__main__":
    main()
