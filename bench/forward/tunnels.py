"""What is compared: each tunnel between the same two namespaces, all of them up at once.

A tunnel is a context manager with `name`, `version`, `mtu` (as its program chose it), `address` (of
the far end, through the tunnel) and `pids` of its programs at both ends.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/netns"))
from netns import Namespace, call, end_all_in  # noqa: E402
from nodes import Node  # noqa: E402

NEAR, FAR = "10.99.0.1", "10.99.0.2"
READY_SECONDS = 15


class Link:
    """Two namespaces joined by a veth pair: the bench's underlay."""

    def __init__(self, folder):
        self.folder = folder
        prefix = f"gl{os.getpid()}x0-"
        self.near, self.far = Namespace(prefix + "near"), Namespace(prefix + "far")

    def __enter__(self):
        for ns in (self.near, self.far):
            call("ip", "netns", "add", ns.name)
        call("ip", "link", "add", "eth0", "netns", self.near.name, "type", "veth", "peer", "name",
             "eth0", "netns", self.far.name)
        for ns, address in ((self.near, NEAR), (self.far, FAR)):
            ns.ip([f"address add {address}/24 dev eth0", "link set eth0 up", "link set lo up"])
        return self

    def __exit__(self, *_):
        end_all_in([self.near, self.far])
        for ns in (self.near, self.far):
            call("ip", "netns", "del", ns.name, check=False)

    def start(self, ns, log, *command, **environment):
        """A program in a namespace; its pid is its own."""
        with open(os.path.join(self.folder, log), "ab") as out:
            return subprocess.Popen(ns.command(*command), stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=out, env=os.environ | environment)

    def logs(self):
        """The ends of what all programs said, for the text of an error."""
        texts = []
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".log"):
                with open(os.path.join(self.folder, name), encoding="utf-8",
                          errors="replace") as file:
                    texts.append(f"--- {name}\n{file.read()[-2000:]}")
        return "\n".join(texts)


class Tunnel:
    def __init__(self, link):
        self.link = link
        self.programs = []

    @property
    def pids(self):
        return [program.pid for program in self.programs]

    def __exit__(self, *_):
        for program in self.programs:
            program.terminate()
        for program in self.programs:
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()

    def wait_until_usable(self):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if "1 received" in self.link.near.run("ping", "-c1", "-W1", self.address, check=False):
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.name}: no packet passes after {READY_SECONDS} s\n"
                           f"{self.link.logs()}")

    @property
    def mtu(self):
        route = json.loads(self.link.near.run("ip", "-json", "route", "get", self.address))[0]
        return json.loads(self.link.near.run("ip", "-json", "link", "show", route["dev"]))[0]["mtu"]


class Plain(Tunnel):
    """No tunnel: what the machine and TCP can do at all."""
    name, version, address = "plain veth", "", FAR

    def __enter__(self):
        self.version = os.uname().release
        self.wait_until_usable()
        return self


class WireguardGo(Tunnel):
    name, address = "wireguard-go", "10.98.1.2"

    def __enter__(self):
        self.version = package_version("wireguard-go")
        # Its control sockets are files that all namespaces share, so the names are unique.
        ends = [(self.link.near, f"gw{os.getpid()}a", "10.98.1.1", FAR),
                (self.link.far, f"gw{os.getpid()}b", "10.98.1.2", NEAR)]
        keys = [self._key(device) for _, device, _, _ in ends]
        for ns, device, _, _ in ends:
            self.programs.append(self.link.start(
                ns, f"{device}.log", "wireguard-go", "--foreground", device, LOG_LEVEL="error",
                WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD="1"))
        for (ns, device, own, endpoint), (path, _), (_, public) in zip(ends, keys, keys[::-1]):
            wait_for_file(f"/var/run/wireguard/{device}.sock")
            ns.run("wg", "set", device, "private-key", path, "listen-port", "51820", "peer", public,
                   "endpoint", f"{endpoint}:51820", "allowed-ips", "10.98.1.0/24")
            ns.ip([f"address add {own}/24 dev {device}", f"link set {device} up"])
        self.wait_until_usable()
        return self

    def _key(self, device):
        private = call("wg", "genkey")
        path = os.path.join(self.link.folder, f"{device}.key")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(private)
        return path, call("wg", "pubkey", text=private).strip()


NEBULA_CONFIG = """
pki: {{ca: {folder}/ca.crt, cert: {folder}/{name}.crt, key: {folder}/{name}.key}}
static_host_map: {{"10.98.2.1": ["{near}:4242"], "10.98.2.2": ["{far}:4242"]}}
lighthouse: {{am_lighthouse: false}}
listen: {{host: 0.0.0.0, port: 4242}}
tun: {{dev: nebula1}}
logging: {{level: warning}}
firewall: {{outbound: [{{port: any, proto: any, host: any}}],
  inbound: [{{port: any, proto: any, host: any}}]}}
"""


class Nebula(Tunnel):
    """As its defaults have it: AES-256-GCM, one routine."""
    name, address = "nebula", "10.98.2.2"

    def __enter__(self):
        self.version = package_version("nebula")
        folder = self.link.folder
        call("nebula-cert", "ca", "-name", "bench", "-out-crt", f"{folder}/ca.crt", "-out-key",
             f"{folder}/ca.key")
        for ns, name, own in ((self.link.near, "near", "10.98.2.1"),
                              (self.link.far, "far", "10.98.2.2")):
            call("nebula-cert", "sign", "-name", name, "-ip", f"{own}/24", "-ca-crt",
                 f"{folder}/ca.crt", "-ca-key", f"{folder}/ca.key", "-out-crt",
                 f"{folder}/{name}.crt", "-out-key", f"{folder}/{name}.key")
            path = f"{folder}/{name}.yml"
            with open(path, "w", encoding="ascii") as file:
                file.write(NEBULA_CONFIG.format(folder=folder, name=name, near=NEAR, far=FAR))
            self.programs.append(self.link.start(ns, f"nebula-{name}.log", "nebula", "-config",
                                                 path))
        self.wait_until_usable()
        return self


class Ginnel(Tunnel):
    """A hub at the far end and one peer, joined as a user would."""
    name = "ginnel"

    def __init__(self, link, binary):
        super().__init__(link)
        self.binary = binary

    def __enter__(self):
        document = json.loads(call(self.binary, "--json", "version"))
        self.version = f"{document['version']} {document['commit'][:10]}"
        hub = Node(self.binary, self.link.far, self.link.folder, "hub")
        peer = Node(self.binary, self.link.near, self.link.folder, "peer")
        hub.cli("init", "--hub", "--network", "bench", "--name", "hub", "--public", f"{FAR}:7700")
        hub.up()
        self.programs.append(hub.process)
        token = os.path.join(self.link.folder, "token")
        with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(hub.cli("invite"))
        peer.cli("join", "--token-file", token, "--name", "peer")
        peer.up()
        self.programs.append(peer.process)
        self.address = hub.addresses[0]
        self.wait_until_usable()
        return self


def package_version(package):
    said = call("dpkg-query", "-W", "-f", "${Version}", package, check=False)
    return f"Debian {said}" if said else "not a package"


def wait_for_file(path):
    deadline = time.monotonic() + READY_SECONDS
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{path} did not appear")
        time.sleep(0.02)
