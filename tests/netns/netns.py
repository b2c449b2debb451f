"""Network namespaces by name: enter one, run in it, end what runs in it.

    ns = Namespace("gl42-hub")
    s = ns.socket(socket.AF_INET, socket.SOCK_DGRAM)  # a socket keeps the namespace it was made in
    ns.run("ip", "route")

`entered` moves only the calling thread, so one program may hold sockets in every namespace of a
world, and several threads may work in different namespaces at once.
"""
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time

CLONE_NEWNET = 0x40000000
COMMAND_SECONDS = 30  # any one `ip`, `nft` or `conntrack` call; they take milliseconds

libc = ctypes.CDLL(None, use_errno=True)


class CommandFailed(Exception):
    """A command of the lab's own ended badly; the text has the command and what it said."""


def setns(descriptor):
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def call(*command, text="", check=True):
    """Runs a command in the current namespace and returns what it printed."""
    done = subprocess.run(command, input=text, capture_output=True, text=True,
                          timeout=COMMAND_SECONDS)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: {done.stderr.strip()}\n{text}")
    return done.stdout


class Namespace:
    def __init__(self, name):
        self.name = name

    @contextlib.contextmanager
    def entered(self):
        """Inside the `with` block the calling thread is in the namespace."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            there = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
            try:
                setns(there)
            finally:
                os.close(there)
            try:
                yield
            finally:
                setns(home)
        finally:
            os.close(home)

    def run(self, *command, text="", check=True):
        with self.entered():
            return call(*command, text=text, check=check)

    def ip(self, lines):
        """Runs many `ip` commands in one process."""
        if lines:
            self.run("ip", "-batch", "-", text="\n".join(lines) + "\n")

    def sysctl(self, settings):
        """`settings`: {"net/ipv4/ip_forward": 1}. /proc/sys/net shows the thread's namespace."""
        with self.entered():
            for key, value in settings.items():
                with open(f"/proc/sys/{key}", "w", encoding="ascii") as file:
                    file.write(str(value))

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_DGRAM):
        with self.entered():
            return socket.socket(family, kind)

    def command(self, *command, hosts=None):
        """The argument list that runs a program here, by exec only: its pid is the program's.

        `hosts`: a file that the program sees as /etc/hosts, so that it never writes the machine's.
        """
        enter = ["ip", "netns", "exec", self.name]
        if hosts:
            enter += ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
        return [*enter, *command]

    def pids(self):
        listed = call("ip", "netns", "pids", self.name, check=False)
        return [int(pid) for pid in listed.split() if int(pid) != os.getpid()]


def end_all_in(namespaces, patience=2.0):
    """Ends every process inside these namespaces, politely first; never one outside them."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pids = [pid for ns in namespaces for pid in ns.pids()]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + patience
        while any(ns.pids() for ns in namespaces if pids) and time.monotonic() < deadline:
            time.sleep(0.02)
