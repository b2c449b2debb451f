"""The traffic of a run: `ping -i 0.01` and iperf3, and what of it was lost when."""
import json
import re
import subprocess
import time

PING_INTERVAL = 0.01
ANSWER_SECONDS = 3.0  # an echo that takes longer is lost
IPERF_SECONDS = 20  # more than a transfer's time: then it hangs
WRAP = 1 << 16  # of ICMP sequence numbers


class Ping:
    """One `ping -i 0.01` in the background; `lost` are the times of those without an answer."""

    def __init__(self, label, ns, target, path):
        self.label, self.ns, self.target, self.path = label, ns, target, path
        self.sent = self.doubled = 0
        self.lost = []  # seconds since 1970, about when each was sent

    def start(self):
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                self.ns.command("ping", "-n", "-D", "-i", str(PING_INTERVAL), "-W",
                                str(ANSWER_SECONDS), self.target),
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        self.started = time.time()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(2)  # it prints its sum
        self.process.wait(10)
        with open(self.path, encoding="ascii", errors="replace") as file:
            self._read(file.read())

    def _read(self, text):
        total = re.search(r"(\d+) packets transmitted", text)
        self.sent = int(total[1]) if total else 0
        self.doubled = text.count("(DUP!)")
        answers, last = {}, 0
        for at, printed in re.findall(r"^\[([\d.]+)\] .*icmp_seq=(\d+) .*time=", text, re.M):
            # The number nearest to the one before that ends in what was printed.
            step = (int(printed) - last + WRAP // 2) % WRAP - WRAP // 2
            last += step
            answers[last] = float(at)
        # The last ones may be answered after the end.
        at = self.started
        for sequence in range(1, self.sent - round(ANSWER_SECONDS / PING_INTERVAL) + 1):
            if sequence in answers:
                at = answers[sequence]
            else:
                self.lost.append(at)


class Transfer:
    """One TCP stream of iperf3, paced by the kernel: bursts would fill the socket of a wireguard-go
    that waits for its processor, and echoes would be lost with them."""

    def __init__(self, label, client, server, target, seconds, mbit, port):
        self.label = label
        listen = server.command("iperf3", "-s", "-1", "-B", target, "-p", str(port))
        self.server = subprocess.Popen(listen, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.3)
        send = ["iperf3", "-J", "-c", target, "-p", str(port), "-t", str(seconds), "--fq-rate",
                f"{mbit}M", "--connect-timeout", "5000"]
        self.started, self.seconds = time.time(), seconds
        self.client = subprocess.Popen(client.command(*send), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self):
        left = self.started + self.seconds + IPERF_SECONDS - time.time()
        try:
            text, _ = self.client.communicate(timeout=max(1, left))
        except subprocess.TimeoutExpired:
            text = '{"error": "it hangs"}'
        for process in (self.client, self.server):
            if process.poll() is None:
                process.kill()
            process.wait()
        report = json.loads(text)
        self.error = report.get("error", "")
        end = report.get("end", {})
        self.bytes = end.get("sum_received", {}).get("bytes", 0)
        self.retransmits = end.get("sum_sent", {}).get("retransmits", 0)
        # (from, to) in seconds since 1970 of whole seconds without a byte.
        self.stalls = [(self.started + i["sum"]["start"], self.started + i["sum"]["end"])
                       for i in report.get("intervals", [])
                       if i["sum"]["bytes"] == 0 and i["sum"]["seconds"] > 0.5]


def full_sockets(ns):
    """How many datagrams the kernel dropped in this namespace since a program did not read them."""
    with ns.entered(), open("/proc/thread-self/net/snmp", encoding="ascii") as file:
        names, values = (line.split() for line in file if line.startswith("Udp:"))
    return int(values[names.index("RcvbufErrors")])
