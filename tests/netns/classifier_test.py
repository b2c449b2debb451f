#!/usr/bin/env python3
"""Proves each kind of NAT with the classifier before any test trusts it."""
import sys

from classifier import verify
from nat import KINDS

if __name__ == "__main__":
    sys.exit(verify(sys.argv[1:] or list(KINDS)))
