# SPDX-License-Identifier: Apache-2.0
"""Two servers under load, one of them killed or drained: no call fails, with candor's clients alone or behind HAProxy.

The calls ask for statistics, as a supervisor of many cameras does; an answer of this size is sent in one piece, so that a server
dies either before it or after it.
"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import candor
import grpc
import monitoring_files as files
from candor.v1 import segmentation_pb2, segmentation_pb2_grpc
from live_programs import SAMPLES, STUDENT, Program, Server
from live_programs import candor as run_candor
from programs import BIN, SOURCE, TOOLS
from waiting import PATIENCE_S, wait_for

STREET = SAMPLES / "0001TP_008550.jpg"
CALLS = 10
DRAINING = "drain_delay_ms: 600000"


class PythonCallers:
    """Threads that share a Python client and ask again as soon as they are answered."""

    def __init__(self, address, number):
        self.answers = 0
        self.errors = []
        self._ended = threading.Event()
        self._open(address)
        self._threads = [threading.Thread(target=self._ask) for _ in range(number)]
        for thread in self._threads:
            thread.start()

    def _open(self, address):
        client = candor.Client(address)
        picture = STREET.read_bytes()
        self._segment = lambda: client.segment(picture, labels=False, uncertainty=[])
        self._close = client.close

    def _ask(self):
        while not self._ended.is_set():
            try:
                self._segment()
                self.answers += 1
            except (candor.CandorError, grpc.RpcError) as error:
                self.errors.append(str(error))

    def stop(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._close()


class PlainCallers(PythonCallers):
    """The same with nothing but gRPC, which asks once and takes what comes: clients of other languages."""

    def _open(self, address):
        channel = grpc.insecure_channel(address, options=[("grpc.enable_retries", 0)])
        stub = segmentation_pb2_grpc.SegmentationStub(channel)
        request = segmentation_pb2.SegmentRequest(image=segmentation_pb2.Image(encoded=STREET.read_bytes()))
        self._segment = lambda: stub.Segment(request, timeout=PATIENCE_S)
        self._close = channel.close


class CommandLineCaller(Program):
    """`candor segment`, the C++ client, on one picture again and again."""

    def __init__(self, address, folder, name):
        self._out = pathlib.Path(folder) / f"{name}.jsonl"
        with self._out.open("w") as out:
            super().__init__(folder, name, [BIN / "candor", "segment", "--json", "--server", address] + [STREET.name] * 50000,
                             stdout=out, cwd=STREET.parent)

    @property
    def answers(self):
        return self._out.read_text().count("\n")

    @property
    def errors(self):
        return [line for line in self.log.read_text().splitlines() if line != "candor: interrupted"]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait()


class Proxy(Program):
    """HAProxy with deploy/haproxy/haproxy.cfg for these servers, on a free port."""

    def __init__(self, folder, servers):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            self.address = "127.0.0.1:%d" % listener.getsockname()[1]
            config = (SOURCE / "deploy" / "haproxy" / "haproxy.cfg").read_text()
            replacements = {"bind 127.0.0.1:8500 ": f"bind fd@{listener.fileno()} "}
            replacements.update((f"server {name} 127.0.0.1:{port}\n", f"server {name} {server.address}\n")
                                for (name, port), server in zip((("a", 8511), ("b", 8512)), servers))
            for old, new in replacements.items():
                assert config.count(old) == 1, old
                config = config.replace(old, new)
            file = pathlib.Path(folder) / "haproxy.cfg"
            file.write_text(config)
            libraries = f"{TOOLS}/usr/lib/x86_64-linux-gnu"
            super().__init__(folder, "haproxy", [TOOLS / "usr" / "sbin" / "haproxy", "-db", "-f", file],
                             pass_fds=[listener.fileno()], stdout=subprocess.DEVNULL,
                             env={**os.environ, "LD_LIBRARY_PATH": libraries})


class ReplicasTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.servers = [self.start_server("a"), self.start_server("b", settings=DRAINING)]

    def start_server(self, name, **options):
        server = Server(self.folder, name, [STUDENT], **options)
        self.addCleanup(self.end, server)
        return server

    @staticmethod
    def end(program):
        if program.process.poll() is None:
            program.kill()
        if program.process.stdout:
            program.process.stdout.close()

    def start_proxy(self):
        proxy = Proxy(self.folder, self.servers)
        self.addCleanup(self.end, proxy)
        return proxy

    def start_load(self, address, *kinds):
        callers = []
        for kind in kinds:
            callers.append(kind(address, 3))
            self.addCleanup(callers[-1].stop)
        for name in ("first caller", "second caller"):
            callers.append(CommandLineCaller(address, self.folder, name))
            self.addCleanup(self.end, callers[-1])
        for caller in callers:
            wait_for("answers", lambda caller=caller: caller.answers > 0)
        return callers

    def answered_by(self, server):
        return server.value("candor_requests_total", method="Segment", code="OK")

    def wait_for_calls(self, server):
        before = self.answered_by(server)
        wait_for(f"{CALLS} calls for {server.address}", lambda: self.answered_by(server) >= before + CALLS)

    def stop_and_check(self, callers):
        for caller in callers:
            caller.stop()
        for caller in callers:
            self.assertEqual(caller.errors, [])
            self.assertGreater(caller.answers, 0)

    def kill_one_of_two_and_start_it_again(self, callers):
        for server in self.servers:
            self.wait_for_calls(server)
        self.servers[1].kill()
        self.wait_for_calls(self.servers[0])
        again = self.start_server("b again", listen=self.servers[1].address)
        self.assertEqual(again.address, self.servers[1].address)
        self.wait_for_calls(again)
        self.stop_and_check(callers)

    def test_clients_with_two_addresses_do_not_notice_a_kill(self):
        addresses = ",".join(server.address for server in self.servers)
        self.kill_one_of_two_and_start_it_again(self.start_load(addresses, PythonCallers))

    def test_clients_behind_haproxy_do_not_notice_a_kill(self):
        self.kill_one_of_two_and_start_it_again(self.start_load(self.start_proxy().address, PythonCallers, PlainCallers))

    def test_haproxy_leaves_a_server_that_drains(self):
        proxy = self.start_proxy()
        callers = self.start_load(proxy.address, PythonCallers, PlainCallers)
        leaving, staying = self.servers[1], self.servers[0]
        self.wait_for_calls(leaving)
        leaving.process.send_signal(signal.SIGTERM)
        proxy.find_in_log("Server candor/b is DOWN")
        self.wait_for_calls(staying)  # meanwhile what was on its way to the other has arrived
        answered = self.answered_by(leaving)
        self.wait_for_calls(staying)
        self.assertEqual(self.answered_by(leaving), answered)
        self.stop_and_check(callers)

    def test_haproxy_passes_streams_and_pictures_larger_than_its_buffers(self):
        bench = ["bench", "--server", self.start_proxy().address, "--warmup", "0", "--json"]
        frames = json.loads(run_candor(*bench, "--cameras", "2", "--rate", "10", "--requests", "8"))
        self.assertEqual((frames["answers"], frames["errors"]), (8, {}))
        # 3 MiB there, 5 MiB back.
        pictures = json.loads(run_candor(*bench, "--raw", "--size", "1024x1024", "--requests", "2", "--check"))
        self.assertEqual((pictures["answers"], pictures["check"]["mismatches"]), (2, 0))

    def test_haproxy_lets_nobody_change_models(self):
        run_candor("admin", "reload", "--server", self.servers[0].address)
        address = self.start_proxy().address
        run_candor("models", "--server", address)
        run_candor("health", "--server", address)
        channel = grpc.insecure_channel(address)
        self.addCleanup(channel.close)
        for method in ("candor.v1.ModelAdmin/ReloadModels", "inference.GRPCInferenceService/RepositoryModelUnload",
                       "inference.GRPCInferenceService/SystemSharedMemoryRegister"):
            with self.assertRaises(grpc.RpcError) as caught:
                channel.unary_unary(f"/{method}")(b"", timeout=PATIENCE_S)
            self.assertEqual((caught.exception.code(), caught.exception.details()),
                             (grpc.StatusCode.PERMISSION_DENIED, "not through this proxy"), method)
        channel.unary_unary("/inference.GRPCInferenceService/RepositoryIndex")(b"", timeout=PATIENCE_S)


if __name__ == "__main__":
    files.skip_without("usr/sbin/haproxy")
    unittest.main()
