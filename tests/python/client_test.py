# SPDX-License-Identifier: Apache-2.0
"""The Python client against the C++ fake server (its answers: tests/client/fake_service.h), and, for what that would
never answer, against one of its own."""
import os
import struct
import subprocess
import sys
import threading
import unittest
import zlib
from concurrent import futures

try:
    import google.protobuf  # noqa: F401
    import grpc
    import numpy as np
except ImportError as error:
    print(f"skipped: {error} (tools/setup.sh --test installs it)")
    sys.exit(77)

import candor
from candor.v1 import segmentation_pb2 as pb
from candor.v1 import segmentation_pb2_grpc


def grey_png(width, height):
    """A PNG without any library's help."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class FakeServerTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen([os.environ["CANDOR_FAKE_SERVER"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        cls.address = cls.server.stdout.readline().decode().strip()
        cls.client = candor.Client(cls.address)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.communicate()

    def test_gives_labels_and_uncertainty_of_pixels_as_arrays(self):
        answer = self.client.segment(np.zeros((2, 5, 3), np.uint8))
        self.assertEqual(answer.labels.dtype, np.uint8)
        np.testing.assert_array_equal(answer.labels, [[0, 1, 2, 0, 1], [1, 2, 0, 1, 2]])
        entry = answer.uncertainty[0]
        self.assertEqual(entry.kind, "predictive_stddev")
        self.assertEqual(entry.map.dtype, np.float32)
        np.testing.assert_array_equal(entry.map, np.array([[0, 1, 2, 3, 4], [5, 6, 7, 0, 1]]) / 16)
        self.assertFalse(entry.map.flags.owndata, "a view, not a copy")
        for got, expected in [(entry.mean, 0.1), (entry.max, 0.9), (entry.median, 0.05), (entry.p90, 0.25),
                              (entry.p99, 0.5), (entry.threshold, 0.3), (entry.share_above_threshold, 0.125)]:
            self.assertAlmostEqual(got, expected, places=6)
        self.assertEqual((answer.width, answer.height), (5, 2))
        self.assertEqual((answer.request_id, answer.model, answer.model_version), ("r-17", "student", 3))
        self.assertEqual(answer.model_digest, "a" * 64)
        self.assertEqual(answer.verdict, "review")
        self.assertEqual([(c.class_index, c.share) for c in answer.classes], [(1, 0.75), (0, 0.25)])
        self.assertEqual(answer.server_times, candor.StageTimes(1.5, 0.25, 10, 2.5))

    def test_sends_files_and_grey_and_strided_pixels(self):
        answer = self.client.segment(grey_png(4, 3))
        self.assertEqual(answer.labels.shape, (3, 4))
        self.assertEqual(self.client.segment(np.zeros((3, 7), np.uint8)).labels.shape, (3, 7))
        every_second = np.zeros((6, 8, 3), np.uint8)[::2, ::-2]
        self.assertEqual(self.client.segment(every_second).labels.shape, (3, 4))

    def test_asks_for_models_kinds_and_thresholds(self):
        answer = self.client.segment(np.zeros((2, 2), np.uint8), model="teacher", labels=False, uncertainty=[
            candor.Request("predictive_entropy", threshold=0.75), candor.Request(encoding=None)])
        self.assertIsNone(answer.labels)
        self.assertIsNone(answer.verdict)
        default, entropy = answer.uncertainty
        self.assertIsNone(default.map)
        self.assertEqual((entropy.kind, entropy.threshold), ("predictive_entropy", 0.75))
        np.testing.assert_array_equal(entropy.map, [[0, 0.125], [0.25, 0.375]])
        figures = self.client.segment(np.zeros((2, 2), np.uint8), uncertainty=[]).uncertainty
        self.assertEqual([(entry.kind, entry.map) for entry in figures], [("predictive_stddev", None)])

    def test_raises_the_servers_status(self):
        with self.assertRaises(candor.CandorError) as caught:
            self.client.segment(grey_png(2, 2), model="nobody")
        self.assertEqual(caught.exception.code, grpc.StatusCode.NOT_FOUND)
        self.assertIn("no model named nobody", caught.exception.message)
        with self.assertRaises(candor.CandorError) as caught:
            self.client.segment(b"no picture")
        self.assertEqual(caught.exception.code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertTrue(caught.exception.message.startswith("image.encoded: "))

    def test_refuses_arguments_that_make_no_request(self):
        for image in [np.zeros((2, 2), np.float32), np.zeros((2, 2, 4), np.uint8), np.zeros(4, np.uint8)]:
            with self.assertRaisesRegex(ValueError, "image: must be uint8"):
                self.client.segment(image)
        with self.assertRaisesRegex(ValueError, "must be one of predictive_stddev, .*got 'doubt'"):
            self.client.segment(b"", uncertainty=[candor.Request("doubt")])
        with self.assertRaisesRegex(ValueError, "encoding: must be f32"):
            self.client.segment(b"", uncertainty=[candor.Request(encoding="f64")])
        with self.assertRaisesRegex(ValueError, "timeout: must be > 0"):
            candor.Client(self.address, timeout=0)

    def test_lists_models(self):
        self.assertEqual([model.identity.name for model in self.client.models()], ["student", "teacher"])
        self.assertEqual([c.name for c in self.client.model().classes], ["road", "sky", "tree"])
        with self.assertRaises(candor.CandorError):
            self.client.model("nobody")

    def test_may_be_used_from_threads(self):
        with futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda size: self.client.segment(np.zeros((size, size), np.uint8)), range(1, 33)))
        self.assertEqual([answer.width for answer in answers], list(range(1, 33)))

    def test_goes_on_with_the_second_of_two_servers(self):
        other = subprocess.Popen([os.environ["CANDOR_FAKE_SERVER"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        address = other.stdout.readline().decode().strip()
        with candor.Client(f"{address},{self.address}") as client:
            for call in range(40):
                if call == 20:
                    other.kill()
                self.assertEqual(client.segment(np.zeros((2, 2), np.uint8)).model, "student")
        other.communicate()


class Scripted(segmentation_pb2_grpc.SegmentationServicer):
    """Answers with `reply`; without one, waits until the caller has gone."""
    reply = None

    def Segment(self, request, context):
        if self.reply is None:
            gone = threading.Event()
            context.add_callback(gone.set)
            gone.wait(20)
        return self.reply or pb.SegmentResponse()


class ScriptedServerTest(unittest.TestCase):

    def setUp(self):
        self.service = Scripted()
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        segmentation_pb2_grpc.add_SegmentationServicer_to_server(self.service, self.server)
        self.client = candor.Client(f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}")
        self.server.start()

    def tearDown(self):
        self.client.close()
        self.server.stop(None).wait()

    def reply(self, **changes):
        values = dict(width=2, height=2, labels=bytes([0, 1, 2, 3]),
                      statistics=[pb.UncertaintyStatistics(kind=pb.MARGIN, mean=0.5)])
        values.update(changes)
        return pb.SegmentResponse(**values)

    def segment(self, encoding="f32"):
        return self.client.segment(np.zeros((2, 2), np.uint8), uncertainty=[candor.Request("margin", encoding)])

    def test_reads_halves_and_bytes(self):
        halves = np.array([0, 0.5, 0.25, 1], "<f2")
        self.service.reply = self.reply(
            maps=[pb.UncertaintyMap(kind=pb.MARGIN, encoding=pb.MAP_F16, scale=1, data=halves.tobytes())])
        margin = self.segment("f16").uncertainty[0].map
        self.assertEqual(margin.dtype, np.float16)
        np.testing.assert_array_equal(margin, [[0, 0.5], [0.25, 1]])
        self.service.reply = self.reply(
            maps=[pb.UncertaintyMap(kind=pb.MARGIN, encoding=pb.MAP_U8, scale=0.25, data=bytes([0, 1, 2, 255]))])
        margin = self.segment("u8").uncertainty[0].map
        self.assertEqual(margin.dtype, np.float32)
        np.testing.assert_array_equal(margin, [[0, 0.25], [0.5, 63.75]])

    def test_trusts_no_size_of_the_reply(self):
        whole = pb.UncertaintyMap(kind=pb.MARGIN, encoding=pb.MAP_F32, data=bytes(16))
        short = pb.UncertaintyMap(kind=pb.MARGIN, encoding=pb.MAP_F32, data=bytes(15))
        strange = pb.UncertaintyMap(kind=pb.MARGIN, encoding=9, data=bytes(16))
        for reply, words in [(self.reply(maps=[whole], labels=bytes(3)), "labels: 2x2 need 4 bytes, got 3"),
                             (self.reply(maps=[short]), "maps of margin: 2x2 need 16 bytes, got 15"),
                             (self.reply(maps=[strange]), "unknown encoding 9"),
                             (self.reply(), "maps: asked for 1, got 0"),
                             (self.reply(maps=[whole], width=0), "must be >= 1, got 0x2"),
                             (self.reply(maps=[whole], width=3), "sent 2x2, got 3x2"),
                             (self.reply(maps=[whole], statistics=[]), "statistics"),
                             (self.reply(maps=[whole], verdict=9), "verdict: unknown value 9")]:
            self.service.reply = reply
            with self.assertRaises(candor.CandorError) as caught:
                self.segment()
            self.assertEqual(caught.exception.code, grpc.StatusCode.INTERNAL)
            self.assertIn(words, caught.exception.message)

    def test_ends_at_the_deadline(self):
        with self.assertRaises(candor.CandorError) as caught:
            self.client.segment(b"x", timeout=0.05)
        self.assertEqual(caught.exception.code, grpc.StatusCode.DEADLINE_EXCEEDED)


if __name__ == "__main__":
    unittest.main()
