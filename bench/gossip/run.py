#!/usr/bin/env python3
"""Gossip in virtual time: Lifeguard's experiments, and clusters of many members.

usage: bench/gossip/run.py --simulator build/release/ginnel-sim-gossip [--large | --report] [--jobs N]

Runs what is missing in bench/gossip/results/*.csv, one row a run, and then writes the plots in
docs/plots and the two sections in docs/benchmarks.md. It may be stopped and started again. All
follows from the seeds: remove a file to measure it anew.
  --large    also 4000 members (4.4 GB of memory) and the partition of 1000
  --report   runs nothing
"""
import argparse
import concurrent.futures
import csv
import os
import subprocess
import sys
import threading

import report

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RESULTS = os.path.join(ROOT, "bench/gossip/results")

SEEDS = range(1, 6)
# What is compared everywhere. SWIM, LHA-Suspicion and Buddy are the same by either rules.
ENDS = [("memberlist", "SWIM"), ("memberlist", "Lifeguard"), ("paper", "Lifeguard")]
PARTS_ALONE = [("memberlist", "LHA-Probe"), ("paper", "LHA-Probe"), ("memberlist", "LHA-Suspicion"),
               ("memberlist", "Buddy")]
# The hard settings of the interval experiment: (C, D in ms, I in ms).
HARD = [(16, 32768, 64), (16, 16384, 64)]
# How it changes with C: one seed each.
SWEEP = [(c, 32768, 64) for c in (1, 4, 8, 32)]
# The threshold experiment: they stay silent.
GONE = [(16, 120000, 64)]
FILES = ("threshold", "interval", "scale", "partition")
SCALE = (64, 128, 256, 512, 1000)
PARTITION_S = 3600


class Job:
    """One run: which file its row goes to, and the options that make it."""

    def __init__(self, what, **options):
        self.what, self.options = what, options
        self.file = "partition" if options.get("partition") else what

    def key(self):
        return tuple(sorted((name, str(value)) for name, value in self.options.items()
                            if name not in ("quiet", "killed")))

    def is_row(self, row):
        return all(row.get(name) == value for name, value in self.key())

    def command(self, simulator):
        return [simulator, self.what] + [f"--{name}={value}" for name, value in self.options.items()]


def lifeguard_jobs(what, settings, variants, seeds):
    return [Job(what, rules=rules, part=part, concurrent=c, silent=d, between=i, seed=seed)
            for seed in seeds for c, d, i in settings for rules, part in variants]


def jobs(large):
    """What the plots cannot do without comes first."""
    out = lifeguard_jobs("threshold", GONE, ENDS, SEEDS)
    out += lifeguard_jobs("interval", HARD[:1], ENDS, SEEDS)
    out += [Job("scale", members=n, partition=0, seed=1) for n in SCALE]
    out += [Job("scale", members=n, quiet=1, killed=0, partition=PARTITION_S, seed=1)
            for n in ([128, 1000] if large else [128])]
    out += lifeguard_jobs("interval", SWEEP, ENDS, SEEDS[:1])
    out += lifeguard_jobs("threshold", GONE, PARTS_ALONE, SEEDS)
    out += lifeguard_jobs("interval", HARD[:1], PARTS_ALONE, SEEDS)
    out += lifeguard_jobs("interval", HARD[1:], ENDS, SEEDS)
    if large:
        out.append(Job("scale", members=4000, killed=5, partition=0, seed=1))
    return out


def read_rows(name):
    path = os.path.join(RESULTS, name + ".csv")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def append_row(name, header, row):
    path = os.path.join(RESULTS, name + ".csv")
    new = not os.path.exists(path)
    with open(path, "a", encoding="utf-8") as file:
        file.write((header + "\n" if new else "") + row + "\n")


def commit():
    said = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True,
                          text=True, check=False)
    return said.stdout.strip() or "?"


def run_all(todo, simulator, at_once):
    lock, made_by = threading.Lock(), commit()

    def run(job):
        said = subprocess.run(job.command(simulator), capture_output=True, text=True, check=True)
        header, row = said.stdout.splitlines()
        with lock:
            append_row(job.file, header + ",commit", f"{row},{made_by}")
            print(job.what, *job.options.values(), file=sys.stderr, flush=True)

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(run, job) for job in todo]:
            done.result()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulator", default=os.path.join(ROOT, "build/release/ginnel-sim-gossip"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    os.makedirs(RESULTS, exist_ok=True)
    if not options.report:
        done = {name: read_rows(name) for name in FILES}
        todo = [job for job in jobs(options.large)
                if not any(job.is_row(row) for row in done[job.file])]
        run_all(todo, options.simulator, options.jobs)
    report.write(ROOT, {name: read_rows(name) for name in FILES})
    return 0


if __name__ == "__main__":
    sys.exit(main())
