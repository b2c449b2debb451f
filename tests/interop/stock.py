"""A stock WireGuard peer: Debian's wireguard-go in a namespace, with `wg` to configure it.

    with StockPeer(world, site.peers[0].ns, "phone") as phone:
        phone.configure(hub_key, ["10.66.0.1/32"], endpoint="203.0.113.2:7700")
        phone.up(["10.66.9.7/32"])
"""
import contextlib
import ctypes
import os
import re
import socket
import subprocess
import time

from netns import call

READY_SECONDS = 10
MTU = 1420  # wireguard-go's own
# What wireguard-go asks for since 2023. With the kernel's default, 0.2 MB, Debian's loses packets
# whenever it waits 50 ms for its processor, and they are not ours to lose.
SOCKET_BYTES = 7 << 20
SYS_PIDFD_GETFD, SO_RCVBUFFORCE = 438, 33


def run(*command, text=""):
    return call(*command, text=text).strip()


class StockPeer:
    serial = 0

    def __init__(self, ns, folder, name):
        StockPeer.serial += 1
        self.ns, self.name = ns, name
        # Its socket's name is shared between namespaces; an interface's name has 15 characters.
        self.interface = f"gi{os.getpid() % 10**7}x{StockPeer.serial}"
        self.socket = f"/var/run/wireguard/{self.interface}.sock"
        self.log = os.path.join(folder, f"{name}.log")
        self.private = run("wg", "genkey")
        self.public = run("wg", "pubkey", text=self.private)
        self.addresses = []

    def __enter__(self):
        environment = os.environ | {"WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "verbose"}
        with open(self.log, "wb") as log:
            # Entered by exec alone, so the pid is the program's own.
            self.process = subprocess.Popen(
                self.ns.command("wireguard-go", "-f", self.interface), env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_SECONDS
        while not os.path.exists(self.socket):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"wireguard-go does not start: {self.text()[-400:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)

    def load(self, config):
        """`wg setconf`: a whole configuration without wg-quick's own keys."""
        run("wg", "setconf", self.interface, "/dev/stdin", text=config)

    def configure(self, public_key, allowed, endpoint="", preshared="", keepalive=0, port=0):
        lines = ["[Interface]", f"PrivateKey = {self.private}"]
        lines += [f"ListenPort = {port}"] if port else []
        lines += ["[Peer]", f"PublicKey = {public_key}", f"AllowedIPs = {', '.join(allowed)}"]
        lines += [f"Endpoint = {endpoint}"] if endpoint else []
        lines += [f"PresharedKey = {preshared}"] if preshared else []
        lines += [f"PersistentKeepalive = {keepalive}"] if keepalive else []
        self.load("\n".join(lines) + "\n")

    def up(self, addresses, routes, mtu=MTU):
        """`addresses`: with length; `routes`: what leads into the tunnel."""
        self.addresses = [address.split("/")[0] for address in addresses]
        device = f"dev {self.interface}"
        self.ns.ip([f"address add {address} {device} nodad" if ":" in address else
                    f"address add {address} {device}" for address in addresses]
                   + [f"link set {self.interface} mtu {mtu} up"]
                   + [f"route add {route} {device}" for route in routes])

        self._enlarge_sockets()

    def _enlarge_sockets(self):
        """Its UDP sockets, which it opens once the link is up."""
        libc = ctypes.CDLL(None, use_errno=True)
        handle = os.pidfd_open(self.process.pid)
        try:
            for number in os.listdir(f"/proc/{self.process.pid}/fd"):
                copy = libc.syscall(SYS_PIDFD_GETFD, handle, int(number), 0)
                if copy < 0:
                    continue
                try:
                    with socket.socket(fileno=copy) as sock:
                        if sock.type == socket.SOCK_DGRAM and sock.family != socket.AF_UNIX:
                            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BYTES)
                except OSError:  # no socket
                    os.close(copy)
        finally:
            os.close(handle)

    # -- what it knows ----------------------------------------------------------------------------

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def count(self, pattern):
        return len(re.findall(pattern, self.text()))

    def latest_handshake(self):
        """Seconds since 1970; 0: none."""
        return int(run("wg", "show", self.interface, "latest-handshakes").split()[-1])

    def port(self):
        return int(run("wg", "show", self.interface, "listen-port"))
