#!/usr/bin/env python3
"""`ginnel wg export` against a real daemon on loopback: what it writes, and each error's own words.

usage: wg_export.py --ginnel PROGRAM

The errors must be these texts to the letter; ends with `N passed, N failed`.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

from hello import Hub

KEY = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw="
TAKEN = "  -> `ginnel peers` shows what is taken\n"
# Of a hub called `hub` that has let in `phone` with KEY: arguments, exit code, stderr.
IN = "ginnel: wg export: the WireGuard peer "
ERRORS = [
    ("export phone", 1,
     IN + "phone cannot be let in: another one has this name [E_NAME_TAKEN]\n" + TAKEN),
    ("export hub", 1,
     IN + "hub cannot be let in: another one has this name [E_NAME_TAKEN]\n" + TAKEN),
    (f"export tablet --public-key {KEY}", 1,
     IN + "tablet cannot be let in: another one has this key [E_EXISTS]\n" + TAKEN),
    ("export tablet --public-key hunter2", 2,
     "ginnel: wg export tablet: no WireGuard public key: 44 characters of base64 [E_USAGE]\n"
     "  -> wg pubkey\n"),
    ("export tablet --via eve", 5,
     "ginnel: wg export: nobody here is called eve [E_UNKNOWN_PEER]\n"
     "  -> `ginnel peers` lists who is known\n"),
    ("export tablet --endpoint nowhere", 2,
     "ginnel: wg export tablet: --endpoint nowhere is no HOST:PORT [E_USAGE]\n"
     "  -> for instance --endpoint vpn.example.org:7700\n"),
    ("export tab.let", 2,
     "ginnel: wg export tab.let: must be 1 to 63 of a-z, 0-9 and - [E_USAGE]\n"
     "  -> ginnel help E_USAGE\n"),
]


class Checks:
    passed = failed = 0

    def that(self, good, text):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok' if good else 'FAILED':7} {text}", flush=True)


def wg(hub, line):
    command = [hub.program, "--dir", hub.dir, "wg", *line.split()]
    return subprocess.run(command, text=True, capture_output=True, timeout=20, check=False)


def toml(hub):
    with open(os.path.join(hub.dir, "ginnel.toml"), encoding="utf-8") as file:
        return file.read()


def check_first(hub, checks):
    before = toml(hub)
    done = wg(hub, f"export phone --public-key {KEY} --via hub --endpoint vpn.example.org:7700")
    checks.that(done.returncode == 0, f"phone is let in {done.stderr}")
    own = hub.run("wg", "show").split()[2]
    for line in (f"PublicKey = {own}", "Endpoint = vpn.example.org:7700"):
        checks.that(line + "\n" in done.stdout, line)
    checks.that("\nPrivateKey" not in done.stdout, "no private key is made where there is one")
    address = re.search(r"^Address = (\S+), (\S+)$", done.stdout, re.M)
    section = (f'\n[[wireguard.peer]]\nname = "phone"\npublic_key = "{KEY}"\n'
               f'allowed_ips = ["{address[1]}", "{address[2]}"]\n')
    checks.that(toml(hub) == before + section, "ginnel.toml has the section and is as it was else")
    hub.run("config", "check")
    plan = json.loads(hub.run("--json", "config", "reload"))
    checks.that(plan["changed"] == plan["restart"] == [], f"nothing is left to reload: {plan}")


def check_row(hub, checks):
    row = next(r for r in json.loads(hub.run("--json", "peers"))["peers"] if r["name"] == "phone")
    checks.that(row["id"] is None and row["state"] == "down", f"a row without an Id: {row}")
    sent = subprocess.run([hub.program, "--dir", hub.dir, "msg", "phone", "hi"], text=True,
                          capture_output=True, timeout=20, check=False)
    checks.that(sent.returncode == 5 and "takes IP packets only" in sent.stderr,
                f"a message is refused: {sent.stderr.strip()}")


def check_errors(hub, checks):
    before = toml(hub)
    for line, code, text in ERRORS:
        done = wg(hub, line)
        good = done.returncode == code and done.stderr == text and done.stdout == ""
        checks.that(good, f"wg {line}" + ("" if good else f": {done.returncode} {done.stderr}"))
    checks.that(toml(hub) == before, "what is refused changes nothing")


def check_broken_file(hub, checks):
    with open(os.path.join(hub.dir, "ginnel.toml"), "a", encoding="utf-8") as file:
        file.write("\nbroken\n")
    done = wg(hub, "export tablet")
    path = os.path.join(hub.dir, "ginnel.toml")
    checks.that(done.returncode == 2 and done.stdout == "" and done.stderr ==
                f"ginnel: wg export: {path} has problems, or only a person can edit it [E_USAGE]\n"
                f"  -> ginnel --dir {hub.dir} config check; add the [[wireguard.peer]] by hand\n",
                "a file with problems is not added to")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True, help="the program under test")
    options = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder, Hub(options.ginnel, folder) as hub:
        hub.token()  # it is up
        check_first(hub, checks)
        check_row(hub, checks)
        check_errors(hub, checks)
        check_broken_file(hub, checks)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
