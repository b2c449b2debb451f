"""Tables for docs/benchmarks.md and plots for docs/plots, out of the rows of bench/gossip/results."""
import os
import statistics

from svg import Axis, Chart

SWIM = ("memberlist", "SWIM")
# (rules, part), its name, and whether it depends on the rules.
ROWS = [(SWIM, "SWIM"),
        (("memberlist", "LHA-Probe"), "LHA-Probe"),
        (("paper", "LHA-Probe"), "LHA-Probe, paper's rules"),
        (("memberlist", "LHA-Suspicion"), "LHA-Suspicion"),
        (("memberlist", "Buddy"), "Buddy"),
        (("memberlist", "Lifeguard"), "Lifeguard"),
        (("paper", "Lifeguard"), "Lifeguard, paper's rules")]
COMPARED = [ROWS[0], ROWS[5], ROWS[6]]


def write(root, results):
    plots = os.path.join(root, "docs/plots")
    os.makedirs(plots, exist_ok=True)
    page = os.path.join(root, "docs/benchmarks.md")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    text = put_section(text, "lifeguard", "Lifeguard", lifeguard(results, plots))
    text = put_section(text, "scale", "Gossip at scale", scale(results, plots))
    with open(page, "w", encoding="utf-8") as file:
        file.write(text)


def put_section(text, name, title, lines):
    begin, end = (f"<!-- bench/gossip {name} {edge} -->" for edge in ("begin", "end"))
    section = "\n".join([begin, *lines, end])
    if begin not in text:
        return f"{text.rstrip()}\n\n## {title}\n\n{section}\n"
    head, _, rest = text.partition(begin)
    return head + section + rest.partition(end)[2]


def table(titles, rows):
    return [f"| {' | '.join(titles)} |", "|" + "---|" * len(titles),
            *(f"| {' | '.join(cells)} |" for cells in rows)]


def made_by(*results):
    """The commits and seeds of the rows."""
    rows = [row for rows in results for row in rows]
    commits = sorted({row["commit"] for row in rows})
    seeds = sorted({int(row["seed"]) for row in rows})
    spread = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else str(seeds[0])
    return f"seed{'s' if len(seeds) > 1 else ''} {spread}, commit {', '.join(commits)}"


def add_up(rows, *names):
    return [sum(int(row[name]) for row in rows) for name in names]


def milliseconds(rows, name):
    return sorted(int(t) for row in rows for t in row[name].split() if t != "never")


def quantile(ordered, part):
    return ordered[round(part * (len(ordered) - 1))]


def seconds(ms, digits=2):
    return f"{ms / 1000:.{digits}f} s"


# -- Lifeguard ------------------------------------------------------------------------------------

def at(rows, variant, **setting):
    return [row for row in rows if (row["rules"], row["part"]) == variant
            and all(row[name] == str(value) for name, value in setting.items())]


def hard_settings(rows):
    """Those with more than one seed, the hardest first."""
    seeds = {}
    for row in rows:
        key = (int(row["concurrent"]), int(row["silent"]), int(row["between"]))
        seeds.setdefault(key, set()).add(row["seed"])
    return sorted((key for key, of in seeds.items() if len(of) > 1), key=lambda key: -key[1])


def fewer(swim, ours):
    return f"{swim / ours:.0f}x" if ours else "all" if swim else "-"


def interval_table(rows, setting):
    c, d, i = setting
    cells = []
    base = 0
    for variant, name in ROWS:
        runs = at(rows, variant, concurrent=c, silent=d, between=i)
        if not runs:
            continue
        false, healthy, suspicions, datagrams, size, streamed = add_up(
            runs, "false_positives", "false_positives_at_healthy", "suspicions", "datagrams",
            "datagram_bytes", "stream_bytes")
        each = [int(run["false_positives"]) for run in runs]
        base = base or statistics.mean(each)
        member_seconds = sum(int(run["members"]) * int(run["seconds"]) for run in runs)
        cells.append([name, str(len(runs)), str(false), f"{min(each)} to {max(each)}",
                      "1x" if variant == SWIM else fewer(base, statistics.mean(each)), str(healthy),
                      str(suspicions), f"{datagrams / member_seconds:.2f}",
                      f"{size / member_seconds:.0f}", f"{streamed / member_seconds:.0f}"])
    titles = ["", "runs", "FP", "of one run", "fewer", "FP-", "suspicions", "datagrams/s",
              "bytes/s", "stream bytes/s"]
    return table(titles, cells)


def threshold_table(rows):
    cells = []
    base = None
    for variant, name in ROWS:
        runs = at(rows, variant)
        if not runs:
            continue
        first, everyone = milliseconds(runs, "first"), milliseconds(runs, "all")
        base = base or quantile(first, 0.5)
        cells.append([name, str(len(first)), str(add_up(runs, "missed")[0]),
                      *(seconds(quantile(first, part)) for part in (0.5, 0.99, 0.999)),
                      f"{quantile(first, 0.5) / base:.3f}",
                      *(seconds(quantile(everyone, part)) for part in (0.5, 0.99, 0.999))])
    titles = ["", "found", "missed", "first: median", "99 %", "99.9 %", "median to SWIM's",
              "all: median", "99 %", "99.9 %"]
    return table(titles, cells)


def plot_parts(rows, setting, plots):
    c, d, i = setting
    runs = [(name, at(rows, variant, concurrent=c, silent=d, between=i)) for variant, name in ROWS]
    short = [(name.replace(", paper's rules", " *"), got) for name, got in runs if got]
    means = [statistics.mean(int(row["false_positives"]) for row in got) for _, got in short]
    chart = Chart(f"False positives of one run: C = {c}, D = {d / 1000:.1f} s, I = {i} ms",
                  Axis("* by the paper's rules"), Axis("mean number", log=True, low=1))
    chart.grouped_bars([name for name, _ in short],
                       [("declared dead though never silent", [round(mean) for mean in means])])
    chart.write(os.path.join(plots, "lifeguard-parts.svg"))


def plot_concurrent(rows, setting, plots):
    _, d, i = setting
    chart = Chart(f"False positives and the number of silent members: D = {d / 1000:.1f} s, I = {i} ms",
                  Axis("C, members silent at once, of 128", ticks=[1, 4, 8, 16, 32], low=0),
                  Axis("mean number in two minutes", log=True, low=1))
    for variant, name in COMPARED:
        means = {}
        for row in at(rows, variant, silent=d, between=i):
            means.setdefault(int(row["concurrent"]), []).append(int(row["false_positives"]))
        if means:
            chart.line(name, [(c, statistics.mean(means[c])) for c in sorted(means)])
    chart.write(os.path.join(plots, "lifeguard-concurrent.svg"))


def plot_latency(rows, plots):
    chart = Chart("How soon 16 members that fall silent are declared dead",
                  Axis("seconds since they fell silent", low=10, ticks=range(10, 21, 2)),
                  Axis("% of them, known to somebody", ticks=[0, 25, 50, 75, 100], high=100))
    for variant, name in COMPARED:
        first = milliseconds(at(rows, variant), "first")
        share = [100 * (n + 1) / len(first) for n in range(len(first))]
        if first:
            chart.line(name, [(t / 1000, y) for t, y in zip(first, share)])
    chart.write(os.path.join(plots, "lifeguard-latency.svg"))


def lifeguard(results, plots):
    interval, threshold = results["interval"], results["threshold"]
    if not interval or not threshold:
        return ["No runs yet: `./dev bench gossip`."]
    settings = hard_settings(interval)
    plot_parts(interval, settings[0], plots)
    plot_concurrent(interval, settings[0], plots)
    plot_latency(threshold, plots)
    lines = [
        f"`./dev bench gossip` ({made_by(interval, threshold)}; every run a row in "
        "`bench/gossip/results/`).", "",
        "Lifeguard's experiments (arXiv 1707.00788, section V): 128 members, alpha 5, beta 6, K 3; "
        "C of them do not hear and speak",
        "for D ms. FP: a member that was never silent is declared dead, counted at each member that "
        "says so; FP-: those said by",
        "members that were never silent. Traffic is per member and second, all 128. \"Paper's "
        "rules\": the health score stretches the",
        "probe's timeout too and goes to 8, a nack comes at 80 % of it; without LHA-Probe both rules "
        "are the same.", ""]
    for c, d, i in settings:
        lines += [f"Interval experiment, C = {c}, D = {d} ms, I = {i} ms: silent for D and back for "
                  "I, for two minutes.", "", *interval_table(interval, (c, d, i)), ""]
    lines += ["Threshold experiment: 16 members fall silent and stay so. How soon the first other "
              "declares each dead, and all have.", "", *threshold_table(threshold), "",
              "![False positives of each part](plots/lifeguard-parts.svg)",
              "![False positives and the number of silent members](plots/lifeguard-concurrent.svg)",
              "![How soon silent members are declared dead](plots/lifeguard-latency.svg)"]
    return lines


# -- many members ---------------------------------------------------------------------------------

def per_member(row, name):
    return int(row[name]) / int(row["members"]) / int(row["quiet"])


def median(row, name):
    return statistics.median(milliseconds([row], name))


def scale_table(rows):
    cells = []
    for row in rows:
        first, everyone = milliseconds([row], "first"), milliseconds([row], "all")
        cells.append([row["members"], seconds(int(row["joined"]), 1),
                      f"{per_member(row, 'datagrams'):.2f}",
                      f"{per_member(row, 'datagram_bytes'):.0f}",
                      f"{per_member(row, 'stream_bytes'):.0f}",
                      f"{int(row['stream_bytes']) / int(row['streams']):.0f}", str(len(first)),
                      seconds(median(row, "first")), seconds(max(first)),
                      seconds(median(row, "all")), seconds(max(everyone)),
                      row["false_positives"]])
    titles = ["members", "joined after", "datagrams/s", "bytes/s", "stream bytes/s",
              "bytes a stream", "killed", "first: median", "worst", "all: median", "worst", "false"]
    return table(titles, cells)


def plot_scale(rows, plots):
    sizes = [int(row["members"]) for row in rows]
    cost = Chart("What an idle member sends", Axis("members", log=True, ticks=sizes),
                 Axis("bytes a second"))
    cost.line("datagrams", zip(sizes, (per_member(row, "datagram_bytes") for row in rows)))
    cost.line("streams (push/pull)", zip(sizes, (per_member(row, "stream_bytes") for row in rows)))
    cost.write(os.path.join(plots, "gossip-idle.svg"))
    death = Chart("How soon a death is known: median", Axis("members", log=True, ticks=sizes),
                  Axis("seconds"))
    death.line("to the first", zip(sizes, (median(row, "first") / 1000 for row in rows)))
    death.line("to all", zip(sizes, (median(row, "all") / 1000 for row in rows)))
    death.write(os.path.join(plots, "gossip-death.svg"))


def scale(results, plots):
    rows = sorted(results["scale"], key=lambda row: int(row["members"]))
    halves = sorted(results["partition"], key=lambda row: int(row["members"]))
    if not rows:
        return ["No runs yet: `./dev bench gossip`."]
    plot_scale(rows, plots)
    lines = [
        f"`./dev bench gossip` ({made_by(rows, halves)}).", "",
        "LAN preset. Members join every 5 ms, each by way of an earlier one; \"joined after\" counts "
        "from the last. Then nothing happens",
        f"for {rows[0]['quiet']} s: what a member sends. Then members are killed, one after the "
        "other: how soon the first says so, and all.", "",
        *scale_table(rows), "",
        "Datagrams do not grow with the cluster. Streams do, as memberlist's: a push/pull carries "
        "everybody, both ways. Its interval is 30 s,",
        "and 30 s more with each doubling beyond 32 members, so what a member sends grows with "
        "n / log n. (Push/pulls come in waves after the",
        "joins; beyond 256 members the interval is longer than the time measured, so the figure for "
        "streams depends on the wave.)", "",
        "![What an idle member sends](plots/gossip-idle.svg)",
        "![How soon a death is known](plots/gossip-death.svg)", ""]
    if halves:
        lines += ["Two halves do not hear each other for an hour, and then they do. How long until "
                  "everybody knows everybody, without help:", "",
                  *table(["members", "healed after"],
                         [[row["members"], "never" if row["healed"] == "never"
                           else seconds(int(row["healed"]), 1)] for row in halves])]
    missing = [] if any(row["members"] == "4000" for row in rows) else ["4000 members"]
    if not any(row["members"] == "1000" for row in halves):
        missing.append("the partition of 1000")
    if missing:
        lines += ["", f"Not run yet: {' and '.join(missing)} (`./dev bench gossip --large`)."]
    return lines
