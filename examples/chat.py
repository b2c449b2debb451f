#!/usr/bin/env python3
"""A chat in Python; see chat.cc.

usage: chat.py [--attach] NAME PEER…      (GINNEL_TOKEN for the first time; ends with the input)
"""
import sys

import ginnel


def main(words):
    attach = words[:1] == ["--attach"]
    words = words[1:] if attach else words
    if len(words) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    name, peers = words[0], words[1:]
    node = ginnel.Node.attach() if attach else ginnel.Node.join(ginnel.token_from_env(), name)
    with node:
        node.on_message("chat", lambda m: print(f"{m.from_name}: {m.text}", flush=True))
        for line in sys.stdin:
            for failed in node.send_acked(peers, "chat", line.rstrip("\n")):
                print(f"{failed.peer} did not get that: {failed.error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
