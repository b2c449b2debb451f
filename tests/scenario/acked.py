#!/usr/bin/env python3
"""Acknowledged messages over a hub on loopback: each exactly once, in order, whole.

usage: acked.py --ginnel PROGRAM --checker PROGRAM [--count N] [--seed S]

What happens to them when hubs and paths die: tests/netns/faults.py.
"""
import argparse
import os
import sys
import tempfile

from checked import Checked, CheckFailed
from hello import Hub

RUN_SECONDS = 100


def ends(program, folder, *arguments):
    """The command lines of both ends: who checks, who sends."""
    def end(role, name, peer):
        return [program, role, "--dir", os.path.join(folder, name), *arguments, name, peer]
    return end("check", "bob", "alice"), end("send", "alice", "bob")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True)
    parser.add_argument("--checker", required=True)
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--window", type=int, default=32)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Hub(options.ginnel, folder) as hub:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GINNEL_")}
        environment["GINNEL_TOKEN"] = hub.token()
        check, send = ends(options.checker, folder, "--count", str(options.count),
                           "--seed", str(options.seed), "--window", str(options.window))
        try:
            with Checked(check, send, env=environment) as run:
                print("ok     ", run.finish(RUN_SECONDS))
        except CheckFailed as error:
            print("FAILED ", error)
            with open(os.path.join(folder, "hub.log"), encoding="utf-8") as log:
                print("hub's log:\n" + log.read())
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
