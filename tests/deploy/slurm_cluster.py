# SPDX-License-Identifier: Apache-2.0
"""A Slurm cluster of two nodes on this machine, from Debian's packages as tools/setup.sh --deploy unpacks them.

Nothing is installed and no port or path is shared with a Slurm that may be there: configuration, keys, sockets, logs and
spools lie in one folder, and every client call says which configuration it means.
"""
import ctypes
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess

from waiting import PATIENCE_S, wait_for

NODES = ("n1", "n2")
PR_SET_CHILD_SUBREAPER = 36
LIBRARIES = "usr/lib/x86_64-linux-gnu"
PROGRAMS = ("usr/sbin/munged", "usr/sbin/slurmctld-wlm", "usr/sbin/slurmd-wlm", "usr/sbin/slurmstepd-wlm", "usr/bin/sbatch")

# Short times where a cluster has long ones: a node that does not answer is down after SlurmdTimeout, and a requeued job may
# start again after cred_expire (120 s by default).
CONFIGURATION = """
ClusterName=candor
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
PluginDir={plugins}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides

SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
SlurmdTimeout=8
MessageTimeout=5
KillWait=10
{nodes}
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=main Nodes=ALL Default=YES MaxTime=60 PriorityTier=1 State=UP
PartitionName=urgent Nodes=ALL MaxTime=60 PriorityTier=2 State=UP
"""


class Unavailable(Exception):
    """The daemons are not there, or cannot run on this machine."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody had a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class SlurmCluster:
    """Owns every process below this one: what a daemon leaves behind becomes this process's child."""

    def __init__(self, tools: pathlib.Path, folder: pathlib.Path) -> None:
        missing = [name for name in PROGRAMS if not (tools / name).exists()]
        if missing:
            raise Unavailable(f"{tools}: no {', '.join(missing)}; tools/setup.sh --deploy unpacks them")
        self.tools = tools
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self.user = pwd.getpwuid(os.getuid()).pw_name
        libraries = [str(tools / LIBRARIES), str(tools / LIBRARIES / "slurm-wlm"), str(tools / "lib/x86_64-linux-gnu")]
        self.env = dict(os.environ, SLURM_CONF=str(self.conf), LD_LIBRARY_PATH=":".join(libraries))
        self.env["PATH"] = f"{tools}/usr/bin:{self.env['PATH']}"
        self.daemons: dict[str, subprocess.Popen] = {}
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(self) -> None:
        """Returns once both nodes are idle. Unavailable, with the daemons' last words, if they do not come up."""
        self._write_configuration()
        try:
            self._start_munged()
            self._daemon("slurmctld", self.tools / "usr/sbin/slurmctld-wlm", "-D", "-f", self.conf)
            for node in NODES:
                self.start_node(node)
            self.await_idle()
        except TimeoutError as error:
            raise Unavailable(f"Slurm's daemons do not run here: {error}\n{self.last_words()}") from error

    def start_node(self, node: str) -> None:
        stepd = self.tools / "usr/sbin/slurmstepd-wlm"
        self._daemon(node, self.tools / "usr/sbin/slurmd-wlm", "-D", "-N", node, "-d", stepd, "-f", self.conf)

    def kill_node(self, node: str) -> None:
        """As if its power were cut: all end by SIGKILL, a step before its job, whose end it would report as a failure."""
        self.daemons[node].kill()
        self.daemons.pop(node).wait()
        jobs = [pid for pid in descendants(os.getpid()) if f"SLURMD_NODENAME={node}" in _read(pid, "environ").split("\0")]
        steps = [step for step in map(_parent, jobs) if _read(step, "cmdline").startswith("slurmstepd")]
        for pid in [*steps, *jobs]:
            _kill(pid)

    def clear(self) -> None:
        """Cancels all jobs and starts nodes that were killed; returns once both nodes are idle."""
        self.run("scancel", "--user", self.user)
        for node in NODES:
            if node not in self.daemons:
                self.start_node(node)
        self.await_idle()

    def stop(self) -> None:
        """Ends every process. Safe to call at any time."""

        def all_ended() -> bool:
            running = [pid for pid in descendants(os.getpid()) if "State:\tZ" not in _read(pid, "status")]
            for pid in running:
                _kill(pid)
            return not running

        wait_for("Slurm's processes have ended", all_ended)
        for daemon in self.daemons.values():
            daemon.wait()
        self.daemons.clear()
        for pid in descendants(os.getpid()):
            os.waitpid(pid, 0)

    def run(self, *argv: object, **env: str) -> subprocess.CompletedProcess:
        """A client program, or one that calls them, to its end; `env` over the usual environment."""
        command = [str(part) for part in argv]
        return subprocess.run(command, env={**self.env, **env}, capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    def answer(self, *argv: object) -> str:
        """What the program says on stdout; "" if it fails, as while the controller is busy."""
        done = self.run(*argv)
        return done.stdout.strip() if done.returncode == 0 else ""

    def await_idle(self) -> None:
        state = ["sinfo", "--noheader", "--partition", "main", "--Node", "--format", "%t"]
        wait_for("both nodes are idle", lambda: self.answer(*state).split() == ["idle"] * len(NODES), seconds=60)

    def job(self, job_id: str) -> dict[str, str]:
        """The fields of `scontrol show job`, for a job ID or ARRAY_TASK; empty when it is not known."""
        return dict(re.findall(r"(\w+)=(\S*)", self.answer("scontrol", "--oneliner", "show", "job", job_id)))

    def last_words(self) -> str:
        """The ends of the daemons' logs, to be read when something fails."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-40:]) for log in logs)

    def _write_configuration(self) -> None:
        ports = free_ports(1 + len(NODES))
        host = socket.gethostname().split(".")[0]
        nodes = [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 State=UNKNOWN"
            for node, port in zip(NODES, ports[1:])
        ]
        self.conf.write_text(
            CONFIGURATION.format(
                host=host,
                controller_port=ports[0],
                user=self.user,
                folder=self.folder,
                plugins=self.tools / LIBRARIES / "slurm-wlm",
                nodes="\n".join(nodes),
            )
        )
        # Without it slurmd might ask systemd for a scope.
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nIgnoreSystemd=yes\n")
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir()

    def _start_munged(self) -> None:
        folder = self.folder / "munge"
        folder.mkdir(mode=0o700)
        key = folder / "key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        files = [f"--{name}-file={folder}/{name}" for name in ("key", "pid", "seed")]
        # Forced, since others may not enter this folder: here is only one user.
        self._daemon("munged", self.tools / "usr/sbin/munged", "--foreground", "--force", f"--socket={folder}/socket", *files)
        wait_for("munged listens", (folder / "socket").exists, seconds=30)

    def _daemon(self, name: str, *argv: object) -> None:
        # setpriv: it ends with this process, even if that is killed.
        command = ["setpriv", "--pdeathsig", "KILL", *(str(part) for part in argv)]
        with (self.folder / f"{name}.log").open("a") as log:
            self.daemons[name] = subprocess.Popen(
                command, env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )


def descendants(ancestor: int) -> list[int]:
    """The processes below one, ended but not yet waited for included."""
    children: dict[int, list[int]] = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        children.setdefault(_parent(pid), []).append(pid)
    found = [ancestor]
    for pid in found:
        found.extend(children.get(pid, []))
    return found[1:]


def _read(pid: int, name: str) -> str:
    """A file of /proc; "" once the process has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def _parent(pid: int) -> int:
    found = re.search(r"^PPid:\s(\d+)$", _read(pid, "status"), re.MULTILINE)
    return int(found.group(1)) if found else 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
