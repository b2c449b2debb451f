#!/usr/bin/env python3
"""The units are what systemd takes, harden the node, and READY comes when it is usable.

usage: units_test.py --units FOLDER --ginnel PROGRAM --installed PATH

 1. systemd-analyze verify has nothing to say about either unit
 2. systemd-analyze security rates each at most EXPOSURE_MAX (10 is a program without any limit)
 3. the daemon sends READY=1 to $NOTIFY_SOCKET, and `status` answers from that moment on
 4. on SIGTERM it sends STOPPING=1 and ends with 0
"""
import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile

UNITS = ("ginnel.service", "ginnel@.service")
EXPOSURE_MAX = 40  # tenths: of root with two capabilities and a device
READY_SECONDS = 20


def run(*words, **options):
    return subprocess.run(words, text=True, check=False, timeout=30, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)


def prepared(options, folder):
    """The units as they are installed, but that they start the program that was built."""
    out = []
    for unit in UNITS:
        with open(os.path.join(options.units, unit), encoding="utf-8") as file:
            text = file.read()
        if text.count(options.installed + " ") != 2:
            raise AssertionError(f"{unit} does not start {options.installed}")
        path = os.path.join(folder, unit.replace("@", "@one"))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(options.installed + " ", options.ginnel + " "))
        out.append(path)
    return out


def check_units(options, folder):
    for path in prepared(options, folder):
        done = run("systemd-analyze", "verify", "--man=no", path)
        own = [line for line in done.stdout.splitlines() if "ginnel" in line]
        assert not own, f"{path}:\n" + "\n".join(own)
        print(f"ok     {os.path.basename(path)} is valid")
        done = run("systemd-analyze", "security", "--offline=yes",
                   f"--threshold={EXPOSURE_MAX}", "--no-pager", path)
        rated = [line for line in done.stdout.splitlines() if "Overall exposure" in line]
        if not rated:
            print("skip   this systemd-analyze rates no files")
            continue
        assert done.returncode == 0, done.stdout
        print("ok     " + rated[0].lstrip("→ ").strip())


def check_ready(options, folder):
    node = os.path.join(folder, "node")
    made = run(options.ginnel, "--dir", node, "init", "--hub", "--name", "a", "--listen",
               "127.0.0.1:0", "--public", "127.0.0.1:7700")
    assert made.returncode == 0, made.stdout
    path = os.path.join(folder, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(READY_SECONDS)
        with open(os.path.join(node, "ginnel.toml"), "a", encoding="utf-8") as file:
            file.write('\n[tun]\nenable = "no"\n')
        environment = {**os.environ, "NOTIFY_SOCKET": path}
        with open(os.path.join(folder, "log"), "wb") as log:
            daemon = subprocess.Popen([options.ginnel, "--dir", node, "up", "--foreground"],
                                      env=environment, stdout=log, stderr=log)
        try:
            assert notify.recv(256) == b"READY=1"
            status = run(options.ginnel, "--dir", node, "status")
            assert status.returncode == 0, status.stdout
            print("ok     READY=1 comes when status answers")
            daemon.terminate()
            assert notify.recv(256) == b"STOPPING=1"
            assert daemon.wait(10) == 0
            print("ok     SIGTERM: STOPPING=1, exit 0")
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
            with open(os.path.join(folder, "log"), encoding="utf-8") as log:
                print(log.read(), end="", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag in ("--units", "--ginnel", "--installed"):
        parser.add_argument(flag, required=True)
    options = parser.parse_args()
    options.ginnel = os.path.abspath(options.ginnel)
    folder = tempfile.mkdtemp(prefix="ginnel-units-")
    try:
        check_units(options, folder)
        check_ready(options, folder)
    except AssertionError as error:
        print(f"FAILED {error}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
