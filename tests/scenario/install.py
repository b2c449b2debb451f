#!/usr/bin/env python3
"""What was installed is enough to build with: the cores one by one, and the library.

usage: install.py --build BUILD --source SOURCE

 1. `cmake --install BUILD` into a folder of its own; the program there says its version
 2. headers: those of the cores and the public ones, none that is for tests
 3. examples/cores, copied out of the tree, builds with find_package(ginnel); each program exits 0
 4. a core without cryptography asks for no other package
 5. examples/hello.cc builds with ginnel::ginnel, and two of it greet each other (hello.py)
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

CORES = ["base", "control", "crypto", "kcp", "path", "relay", "stun", "swim", "wg"]
HELLO_PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(hello LANGUAGES CXX)
find_package(ginnel REQUIRED)
add_executable(hello hello.cc)
target_link_libraries(hello PRIVATE ginnel::ginnel)
"""
FLAGS = "-O0 -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-missing-field-initializers"
BUILD_SECONDS = 600  # against hanging; it takes 30 s of one processor
RUN_SECONDS = 120


class Failed(Exception):
    pass


def run(*command, seconds=RUN_SECONDS, **options):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=seconds, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout}")
    return done.stdout


class Installed:
    def __init__(self, folder, build):
        self.folder, self.prefix = folder, os.path.join(folder, "prefix")
        # The folder has another name each time: what ccache holds must not depend on it.
        self.environment = dict(os.environ, CCACHE_BASEDIR=folder, CCACHE_NOHASHDIR="1")
        run("cmake", "--install", build, "--prefix", self.prefix)

    def build(self, source, *options):
        """Configures and builds the project in `source` against this prefix; returns its folder."""
        out = tempfile.mkdtemp(dir=self.folder)
        options = [f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_FLAGS={FLAGS}", *options]
        if shutil.which("ccache"):
            options.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
        run("cmake", "-G", "Ninja", "-S", source, "-B", out, *options, seconds=BUILD_SECONDS,
            env=self.environment)
        run("cmake", "--build", out, "--parallel", "1", seconds=BUILD_SECONDS, env=self.environment)
        return out

    def headers(self):
        top = os.path.join(self.prefix, "include")
        return {os.path.relpath(os.path.join(folder, name), top)
                for folder, _, names in os.walk(top) for name in names}


def shows_version(installed, _):
    text = run(os.path.join(installed.prefix, "bin", "ginnel"), "version")
    if "ginnel" not in text:
        raise Failed(text)


def has_the_headers_and_no_others(installed, _):
    headers = installed.headers()
    wanted = {"ginnel/ginnel.h", "ginnel-cores/base/drain.h", "ginnel-cores/proto/kcp/kcp.h"}
    strange = {h for h in headers if "testing" in h or "test" in os.path.basename(h) or
               not h.endswith(".h") or not h.startswith(("ginnel/", "ginnel-cores/"))}
    if strange or not wanted <= headers:
        raise Failed(f"missing: {wanted - headers}\nnot to be there: {strange}")


def shows_each_core(installed, source):
    copy = shutil.copytree(os.path.join(source, "examples", "cores"),
                           os.path.join(installed.folder, "cores"))
    sources = sorted(name[:-3] for name in os.listdir(copy) if name.endswith(".cc"))
    if sources != CORES:
        raise Failed(f"examples of {sources}, cores {CORES}")
    out = installed.build(copy)
    for core in CORES:
        if not run(os.path.join(out, core)):
            raise Failed(f"{core} shows nothing")


def asks_for_no_other_package(installed, _):
    out = installed.build(os.path.join(installed.folder, "cores"), "-DCORES=base;kcp;path;stun",
                          *[f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=TRUE" for name in
                            ("OpenSSL", "PkgConfig", "Threads", "spdlog", "tomlplusplus")])
    run(os.path.join(out, "kcp"))


def greets_by_the_library(installed, source):
    project = os.path.join(installed.folder, "hello")
    os.mkdir(project)
    shutil.copy(os.path.join(source, "examples", "hello.cc"), project)
    with open(os.path.join(project, "CMakeLists.txt"), "w", encoding="utf-8") as out:
        out.write(HELLO_PROJECT)
    out = installed.build(project)
    run(sys.executable, os.path.join(source, "tests", "scenario", "hello.py"),
        "--ginnel", os.path.join(installed.prefix, "bin", "ginnel"),
        "--hello", os.path.join(out, "hello"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--source", required=True)
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        installed = Installed(folder, options.build)
        for check in (shows_version, has_the_headers_and_no_others, shows_each_core,
                      asks_for_no_other_package, greets_by_the_library):
            what = check.__name__.replace("_", " ")
            try:
                check(installed, options.source)
                print("ok      " + what, flush=True)
            except (Failed, subprocess.TimeoutExpired) as failure:
                good = False
                print(f"FAILED  {what}\n{failure}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
