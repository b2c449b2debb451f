#!/usr/bin/env python3
"""Delays packets by destination, as this kernel has no netem: delay.py TUN PREFIX=SECONDS…

Reads packets that policy routing sends into the TUN device, holds each for its destination's time
and writes it back, when the ordinary routes take it on. Says `ready` once the device is up.
"""
import fcntl
import heapq
import ipaddress
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
PACKET_BYTES = 65536
QUEUE_PACKETS = 20000  # beyond it packets are lost, as in any router


def open_tun(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "up", "txqueuelen", "5000"], check=True)
    return tun


def destination(packet):
    if packet[0] >> 4 == 4:
        return ipaddress.ip_address(packet[16:20])
    return ipaddress.ip_address(packet[24:40])


class Delays:
    def __init__(self, arguments):
        pairs = [argument.split("=") for argument in arguments]
        self.prefixes = [(ipaddress.ip_network(prefix), float(s)) for prefix, s in pairs]
        self.known = {}

    def of(self, address):
        if address not in self.known:
            self.known[address] = next((s for p, s in self.prefixes if address in p), 0.0)
        return self.known[address]


def main():
    tun, delays = open_tun(sys.argv[1]), Delays(sys.argv[2:])
    print("ready", flush=True)
    queue, serial = [], 0
    while True:
        wait = max(0.0, queue[0][0] - time.monotonic()) if queue else None
        if select.select([tun], [], [], wait)[0]:
            try:
                packet = os.read(tun, PACKET_BYTES)
            except BlockingIOError:
                packet = b""
            if packet and len(queue) < QUEUE_PACKETS:
                serial += 1  # equal times leave in the order of arrival
                due = time.monotonic() + delays.of(destination(packet))
                heapq.heappush(queue, (due, serial, packet))
        while queue and queue[0][0] <= time.monotonic():
            os.write(tun, heapq.heappop(queue)[2])


if __name__ == "__main__":
    main()
