# SPDX-License-Identifier: Apache-2.0
"""The tree that `cmake --install --component server` makes and Dockerfile ships: whole, small, and able to serve by itself."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from programs import BIN, SOURCE, Server, run

BUILD = BIN.parent
PROGRAMS = ["candor", "candor-server", "candor-train"]
# Those that Debian's slim image has for its own sake.
IN_EVERY_IMAGE = {"libc6", "libgcc-s1", "libstdc++6"}
MOST_BYTES = 800 << 20
UNPRIVILEGED = 65532

if not (BUILD / "cmake_install.cmake").is_file():
    print(f"skipped: {BUILD} is no build folder")
    sys.exit(77)


def packages_of_dockerfile():
    text = (SOURCE / "Dockerfile").read_text()
    return set(re.search(r"apt-get install --yes --no-install-recommends((?: \\\n +[a-z0-9.+-]+)+)", text).group(1).split()) - {"\\"}


def libraries(file):
    """{soname: path} of all that a program loads at its start, from ldd."""
    return dict(re.findall(r"^\s+(\S+) => (/\S+) ", run("ldd", file).stdout, re.MULTILINE))


def needed(file):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "--dynamic", file).stdout)


def owners(paths):
    """{path: Debian package} of libraries, whichever of /lib and /usr/lib ldd calls them by. One that has none is left out."""
    names = {path: {path, os.path.realpath(path), "/usr" + path, path.removeprefix("/usr")} for path in paths}
    lines = run("dpkg-query", "--search", *set().union(*names.values())).stdout.splitlines()
    found = {name: package.split(":")[0] for package, _, name in (line.partition(": ") for line in lines)}
    return {path: found[name] for path in paths for name in names[path] if name in found}


def with_dependencies(names):
    """The packages and all they depend on, of alternatives the installed one, as {name: KiB}."""
    form = "${Package}\t${Installed-Size}\t${Depends}, ${Pre-Depends}\t${Provides}\n"
    rows = [line.split("\t") for line in run("dpkg-query", "--show", "--showformat", form).stdout.splitlines()]
    installed = {row[0]: row for row in rows}
    providers = {}
    for row in rows:
        for provided in row[3].split(","):
            providers.setdefault(provided.split("(")[0].strip(), row[0])
    found, waiting = {}, list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = int(installed[name][1])
        for dependency in filter(str.strip, installed[name][2].split(",")):
            choices = [re.sub(r"[ :(].*", "", choice.strip()) for choice in dependency.split("|")]
            waiting.append(next(installed[c][0] if c in installed else providers[c] for c in choices if c in installed or c in providers))
    return found


class InstallTreeTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.prefix = pathlib.Path(cls.folder.name) / "opt" / "candor"
        subprocess.run(["cmake", "--install", BUILD, "--component", "server", "--prefix", cls.prefix], check=True,
                       stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def all_libraries(self):
        """Every library that one of the programs loads, as a path."""
        return {path for program in PROGRAMS for path in libraries(self.prefix / "bin" / program).values()}

    def outside(self):
        return {path for path in self.all_libraries() if not os.path.realpath(path).startswith(str(self.prefix))}

    def test_every_library_is_its_own_or_debians(self):
        for program in PROGRAMS:
            self.assertNotIn("not found", run("ldd", self.prefix / "bin" / program).stdout)
        allowed = with_dependencies(packages_of_dockerfile() | IN_EVERY_IMAGE)
        owner = owners(self.outside())
        self.assertEqual({path: owner.get(path) for path in self.outside() if owner.get(path) not in allowed}, {})

    def test_the_dockerfile_names_what_is_linked(self):
        files = [self.prefix / "bin" / program for program in PROGRAMS]
        files += [path for path in self.prefix.rglob("*.so*") if path.is_file()]
        paths = {}
        for program in PROGRAMS:
            paths.update(libraries(self.prefix / "bin" / program))
        linked = {paths[name] for file in files for name in needed(file) if name in paths}
        direct = set(owners(linked & self.outside()).values())
        self.assertEqual(direct - IN_EVERY_IMAGE, packages_of_dockerfile())

    def test_nothing_of_the_build_machine_is_in_the_run_paths(self):
        for program in PROGRAMS:
            dynamic = run("readelf", "--dynamic", self.prefix / "bin" / program).stdout
            self.assertEqual(re.findall(r"\[(\$ORIGIN[^]]*)\]", dynamic), ["$ORIGIN/../lib/candor:$ORIGIN/../lib/candor/torch/lib"])

    def test_it_is_small(self):
        tree = sum(path.stat().st_size for path in self.prefix.rglob("*") if path.is_file())
        packages = sum(with_dependencies(packages_of_dockerfile()).values()) << 10
        print(f"tree {tree >> 20} MiB, Debian's packages with all they depend on {packages >> 20} MiB", file=sys.stderr)
        self.assertLessEqual(tree + packages, MOST_BYTES)

    def test_licences_are_there(self):
        names = {path.name for path in (self.prefix / "share/doc/candor/licences").iterdir()}
        self.assertEqual({re.sub(r"-.*", "", name) for name in names} >= {"torch", "nvidia_cuda_runtime", "nvidia_cuda_cupti"}, True)
        self.assertIn("CC BY-NC", (self.prefix / "share/candor/models/camvid-student/README.md").read_text())

    def serve(self, sandbox, prefix):
        """A server of the tree answers its health check and segments a picture, and ends with 0 when it is asked to."""
        models = [f"--bundle={prefix}/share/candor/models/camvid-{name}" for name in ("student", "teacher")]
        flags = [*models, "--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0"]
        picture = next((self.prefix / "share/candor/models/samples").glob("*.jpg"))
        with Server(f"{prefix}/bin/candor-server", *flags, before=sandbox, env={}) as server:
            health = run(*sandbox, f"{prefix}/bin/candor", "health", "--server", server.address, env={})
            segment = run(self.prefix / "bin/candor", "segment", "--server", server.address, "--json", picture)
        self.assertEqual((health.returncode, health.stdout), (0, "SERVING\n"), health.stderr)
        self.assertEqual(segment.returncode, 0, segment.stderr)
        self.assertEqual(json.loads(segment.stdout)["model"]["name"], "camvid-student")
        self.assertEqual(server.exit_code, 0, server.log)

    def test_it_serves_from_where_it_was_installed(self):
        self.serve([], self.prefix)

    def test_it_needs_nothing_else_and_writes_nowhere(self):
        """As in the image: a root with nothing but the tree and the libraries, read-only, and no rights if we have any."""
        root = pathlib.Path(self.folder.name)
        for path in self.outside() | {"/lib64/ld-linux-x86-64.so.2"}:
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o755)
        for name in ("proc", "dev"):
            (root / name).mkdir()
        root.chmod(0o755)
        is_root = os.geteuid() == 0
        unshare = ["/usr/bin/unshare", "--mount", *([] if is_root else ["--map-root-user"])]
        user = f"--userspec={UNPRIVILEGED}:{UNPRIVILEGED}" if is_root else ""
        script = (f"mount --bind {root} {root} && mount --rbind /proc {root}/proc && mount --rbind /dev {root}/dev && "
                  f"mount -o remount,bind,ro {root} && ! touch {root}/file 2>/dev/null && exec chroot {user} {root} \"$@\"")
        sandbox = [*unshare, "/bin/sh", "-c", f"PATH=/usr/sbin:/usr/bin:/sbin:/bin; {script}", "sh"]
        probe = run(*sandbox, "/opt/candor/bin/candor", "--version")
        if probe.returncode != 0 and run(*unshare, "/bin/true").returncode != 0:
            self.skipTest(f"no mount namespaces here: {probe.stderr}")
        self.serve(sandbox, "/opt/candor")


if __name__ == "__main__":
    unittest.main()
