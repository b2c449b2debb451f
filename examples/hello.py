#!/usr/bin/env python3
"""Two programs that greet each other by name, in Python; see hello.cc.

usage: hello.py [--dir DIR] NAME PEER        with PYTHONPATH=build/release/python

The token comes from `ginnel invite --uses 2` on a hub. Either may start first.
"""
import argparse
import sys
import threading
import time

import ginnel

PATIENCE_SECONDS = 20


def greet(node, name, peer, end):
    """Until the peer's program has taken it: it may have to be started first. The last error."""
    while True:
        failed = node.send_acked(peer, "hello", f"hello from {name}", max(end - time.monotonic(), 0.01))
        if not failed:
            return None
        if time.monotonic() + 0.2 >= end:
            return failed[0].error
        time.sleep(0.2)


def take_part(node, name, peer):
    end = time.monotonic() + PATIENCE_SECONDS
    greeted = threading.Event()

    def on_hello(message):
        print(f"{message.from_name}: {message.text}", flush=True)
        if message.from_name == peer:
            greeted.set()

    node.on_message("hello", on_hello)
    error = greet(node, name, peer, end)
    heard = greeted.wait(max(end - time.monotonic(), 0))
    if error:
        print(f"hello: {error}\nhello: {peer} did not take our greeting", file=sys.stderr)
    if not heard:
        print(f"hello: {peer} did not greet us", file=sys.stderr)
    return 1 if error or not heard else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir")
    parser.add_argument("name")
    parser.add_argument("peer")
    who = parser.parse_args()
    try:
        node = ginnel.Node.join(token=ginnel.token_from_env(), name=who.name, dir=who.dir)
    except ginnel.GinnelError as error:
        print(f"hello: {error}", file=sys.stderr)
        return 1
    with node:
        return take_part(node, who.name, who.peer)


if __name__ == "__main__":
    sys.exit(main())
