#!/usr/bin/env python3
"""TCP through Ginnel and through others, in one interleaved run.

    bench/forward/run.py --ginnel build/release/ginnel

All tunnels are up at once between the same two namespaces; each round measures each of them for a
few seconds, so that a disturbance of the machine hits all alike. Reported are medians over the
rounds, ratios of them, and CPU seconds per 10^9 bytes received: of the tunnel's programs at both
ends, and of the whole machine. Both ends, iperf3 and the kernel share this machine's cores.

Writes the section between its markers in docs/benchmarks.md (--print: only to stdout).
"""
import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

from tunnels import Ginnel, Link, Nebula, Plain, WireguardGo

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
BEGIN, END = "<!-- bench/forward begin -->", "<!-- bench/forward end -->"
# Stated with every figure, as the kernel's own default differs from machine to machine.
CONGESTION = "cubic"
PORT = "5201"
PINGS = 200
TICKS = os.sysconf("SC_CLK_TCK")
# Beyond this share of the cores before a round the machine is not ours alone.
QUIET_SHARE = 0.1


@dataclass
class Series:
    """One tunnel's figures, one of each a round."""
    tunnel: object
    gbit: list = field(default_factory=list)
    tunnel_cpu: list = field(default_factory=list)  # CPU seconds per GB
    machine_cpu: list = field(default_factory=list)
    rtt: list = field(default_factory=list)  # microseconds, the median of one round's pings
    retransmits: list = field(default_factory=list)


def cpu_of(pids):
    """User and system seconds of these programs so far, all threads."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def machine_cpu():
    """Busy seconds of all cores so far."""
    with open("/proc/stat", encoding="ascii") as file:
        values = [int(value) for value in file.readline().split()[1:9]]
    return (sum(values) - values[3] - values[4]) / TICKS  # all but idle and iowait


def measure_tcp(link, series, seconds):
    pids = series.tunnel.pids
    tunnel, machine = cpu_of(pids), machine_cpu()
    said = subprocess.run(
        link.near.command("iperf3", "-c", series.tunnel.address, "-p", PORT, "-C", CONGESTION,
                          "-t", str(seconds), "-J"),
        capture_output=True, text=True, timeout=seconds + 20, check=False).stdout
    tunnel, machine = cpu_of(pids) - tunnel, machine_cpu() - machine
    document = json.loads(said)
    if "error" in document:
        raise RuntimeError(f"{series.tunnel.name}: iperf3: {document['error']}")
    received = document["end"]["sum_received"]
    gigabytes = received["bytes"] / 1e9
    series.gbit.append(received["bits_per_second"] / 1e9)
    series.tunnel_cpu.append(tunnel / gigabytes)
    series.machine_cpu.append(machine / gigabytes)
    series.retransmits.append(document["end"]["sum_sent"]["retransmits"])


def measure_rtt(link, series):
    said = link.near.run("ping", "-n", f"-c{PINGS}", "-i0.002", "-W1", series.tunnel.address,
                         check=False)
    times = [float(text) * 1000 for text in re.findall(r"time=([\d.]+) ms", said)]
    if times:
        series.rtt.append(statistics.median(times))


def measure(link, tunnels, rounds, seconds):
    all_series = [Series(tunnel) for tunnel in tunnels]
    for i in range(rounds):
        # Each round starts with another one, so that none always follows the same neighbour.
        for series in all_series[i % len(tunnels):] + all_series[:i % len(tunnels)]:
            measure_rtt(link, series)
            measure_tcp(link, series, seconds)
            print(f"round {i + 1} {series.tunnel.name:14} {series.gbit[-1]:7.2f} Gbit/s "
                  f"{series.tunnel_cpu[-1]:7.2f} s/GB", file=sys.stderr, flush=True)
    return all_series


# -- report ---------------------------------------------------------------------------------------

def spread(values, digits):
    if not values:
        return "-"
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} [{low:.{digits}f}-{high:.{digits}f}]"


def ratio(series, other):
    if other is None or series is other:
        return "-"
    return f"{statistics.median(series.gbit) / statistics.median(other.gbit):.3g}x"


def table(all_series):
    by_name = {series.tunnel.name: series for series in all_series}
    rivals = [by_name.get(name) for name in ("wireguard-go", "nebula", "plain veth")]
    lines = ["| | version | MTU | Gbit/s | vs wireguard-go | vs nebula | vs plain | tunnel s/GB "
             "| machine s/GB | RTT p50 us | TCP retransmits |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    for s in all_series:
        cpu = spread(s.tunnel_cpu, 2) if s.tunnel.pids else "-"
        cells = [s.tunnel.name, s.tunnel.version, str(s.tunnel.mtu), spread(s.gbit, 2),
                 *(ratio(s, rival) for rival in rivals), cpu, spread(s.machine_cpu, 2),
                 spread(s.rtt, 0), f"{statistics.median(s.retransmits):.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"model name\s*: (.*)", file.read())
    return found[1].strip() if found else os.uname().machine


def report(all_series, options, busy_before):
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True, check=False).stdout.strip() or "?"
    lines = ["Two network namespaces joined by a veth pair (MTU 1500) on one machine: "
             f"{cpu_model()}, {os.cpu_count()} cores, Linux {os.uname().release}; "
             f"commit {commit}.",
             f"One TCP stream (`iperf3 -C {CONGESTION}`), {options.rounds} interleaved rounds of "
             f"{options.seconds} s, each tunnel at its default MTU; median [lowest-highest].",
             "s/GB: CPU seconds per 10^9 bytes received, of the tunnel's programs at both ends, "
             "and of the whole machine with iperf3 and the kernel.", ""]
    if busy_before > QUIET_SHARE:
        lines[2] += f" **The machine was {busy_before:.0%} busy before: take the ratios only.**"
    return "\n".join(lines + table(all_series)) + "\n"


def write_section(path, text):
    section = f"{BEGIN}\n{text}{END}\n"
    old = ""
    with contextlib.suppress(FileNotFoundError):
        with open(path, encoding="utf-8") as file:
            old = file.read()
    if BEGIN in old and END in old:
        head, _, rest = old.partition(BEGIN)
        new = head + section + rest.partition(END)[2].lstrip("\n")
    else:
        new = (old or "# Benchmarks\n") + "\n## Forwarding\n\n" + section
    with open(path, "w", encoding="utf-8") as file:
        file.write(new)


def busy_share(seconds=1.0):
    before = machine_cpu()
    time.sleep(seconds)
    return (machine_cpu() - before) / seconds / os.cpu_count()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", help="the program under test (without it: only the others)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--out", default=os.path.join(ROOT, "docs/benchmarks.md"))
    parser.add_argument("--print", action="store_true", help="leave the file alone")
    options = parser.parse_args()
    busy = busy_share()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=f"gl{os.getpid()}-"))
        link = stack.enter_context(Link(folder))
        tunnels = [Plain(link), WireguardGo(link), Nebula(link)]
        if options.ginnel:
            tunnels.insert(1, Ginnel(link, os.path.abspath(options.ginnel)))
        for tunnel in tunnels:
            stack.enter_context(tunnel)
        link.start(link.far, "iperf3.log", "iperf3", "-s", "-p", PORT)
        time.sleep(0.5)
        text = report(measure(link, tunnels, options.rounds, options.seconds), options, busy)
    print(text)
    if not options.print:
        write_section(options.out, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
