# SPDX-License-Identifier: Apache-2.0
"""The Python client against a real server with fake models (tests/server/live_server.h)."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import google.protobuf  # noqa: F401
    import grpc
    import numpy as np
except ImportError as error:
    print(f"skipped: {error} (tools/setup.sh --test installs it)")
    sys.exit(77)

import candor

# The fake's labels are 0, 1, 2, 2; its uncertainty is 0, 0.2, 0.4 and 1, so 0.4 on average.
FOUR_PIXELS = np.array([[[0, 0, 0], [1, 51, 0], [2, 102, 0], [2, 255, 0]]], np.uint8)


class LiveServer:

    def __init__(self, *arguments):
        self.process = subprocess.Popen([os.environ["CANDOR_LIVE_SERVER"], *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[0]

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ok\n"

    def end(self):
        self.process.communicate()


class LiveServerTest(unittest.TestCase):

    def setUp(self):
        self.server = LiveServer()
        self.addCleanup(self.server.end)
        self.client = candor.Client(self.server.address)
        self.addCleanup(self.client.close)

    def stream(self, frames, **options):
        return self.client.stream(frames, timeout=60, **options)

    def test_escalates_unsure_pictures(self):
        sure = self.client.segment(FOUR_PIXELS, escalation=candor.Escalation(above=0.5))
        self.assertEqual((sure.model, sure.escalation, sure.members), ("street", "not_needed", 1))
        unsure = self.client.segment(FOUR_PIXELS, escalation=candor.Escalation("committee", above=0.3), anytime=True,
                                     priority="high")
        self.assertEqual((unsure.model, unsure.escalation, unsure.members), ("committee", "escalated", 2))
        self.assertIsNone(self.client.segment(FOUR_PIXELS).escalation)

    def test_errors_say_why(self):
        with self.assertRaises(candor.InvalidArgument) as caught:
            self.client.segment(b"no picture")
        error = caught.exception
        self.assertEqual(error.code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual((error.reason, error.field, error.retry_after), ("IMAGE_REFUSED", "image.encoded", None))
        self.assertRegex(error.request_id, "^[!-~]{1,64}$")
        with self.assertRaises(candor.NotFound) as caught:
            self.client.segment(FOUR_PIXELS, model="night")
        self.assertEqual(caught.exception.reason, "MODEL_NOT_FOUND")
        with self.assertRaises(candor.FailedPrecondition) as caught:
            self.client.segment(FOUR_PIXELS, uncertainty=[candor.Request("mutual_information")])
        self.assertEqual(caught.exception.reason, "UNCERTAINTY_KIND_NOT_AVAILABLE")
        with self.assertRaises(candor.InvalidArgument) as caught:
            self.client.segment(FOUR_PIXELS, escalation=candor.Escalation("street", above=0))
        self.assertEqual(caught.exception.field, "escalation.model")
        self.server.tell("block")
        with self.assertRaises(candor.DeadlineExceeded):
            self.client.segment(FOUR_PIXELS, timeout=0.05)
        self.server.tell("release")

    def test_streams_frames_and_gives_their_answers_in_order(self):
        frames = (candor.Frame(FOUR_PIXELS, "left", 40 + i, stamp_ns=i, frame_id="map") for i in range(20))
        with self.stream(frames) as answers:
            got = list(answers)
        self.assertEqual([a.index for a in got], list(range(20)))
        self.assertEqual([(a.camera, a.sequence, a.stamp_ns, a.frame_id) for a in got],
                         [("left", 40 + i, i, "map") for i in range(20)])
        for answer in got:
            np.testing.assert_array_equal(answer.result.labels, [[0, 1, 2, 2]])
            self.assertFalse(answer.is_preliminary)
        self.assertEqual((answers.statistics.frames, answers.statistics.answered), (20, 20))
        self.assertEqual([a.sequence for a in self.stream([FOUR_PIXELS, FOUR_PIXELS])], [0, 1])

    def test_the_latest_frame_wins(self):
        self.server.tell("block")

        def frames():
            yield candor.Frame(FOUR_PIXELS, "left", 0)
            self.server.tell("wait for one call")
            for i in range(1, 4):
                yield candor.Frame(FOUR_PIXELS, "left", i)
            # All four have come when the answer to the other camera's picture that cannot be read has.
            yield candor.Frame(b"no picture", "right", 4)

        answers = self.stream(frames(), latest=True)
        first = next(answers)
        self.assertIsInstance(first.error, candor.InvalidArgument)
        self.assertEqual((first.camera, first.error.reason), ("right", "IMAGE_REFUSED"))
        self.server.tell("release")
        left = list(answers)
        self.assertEqual([a.superseded_by for a in left], [None, 2, 3, None])
        self.assertEqual([a.result is None for a in left], [False, True, True, False])
        self.assertEqual(answers.statistics.superseded, 2)

    def test_an_unsure_students_answer_comes_first_and_the_teachers_follows(self):
        self.server.tell("block committee")
        answers = self.stream([FOUR_PIXELS], escalation=candor.Escalation(above=0.3))
        early = next(answers)
        self.assertTrue(early.is_preliminary)
        self.assertEqual((early.index, early.result.model, early.result.escalation), (0, "street", None))
        self.server.tell("release committee")
        answer = next(answers)
        self.assertFalse(answer.is_preliminary)
        self.assertEqual((answer.index, answer.result.model, answer.result.escalation), (0, "committee", "escalated"))
        self.assertEqual(list(answers), [])
        self.assertEqual(answers.statistics.answered, 1)

    def test_what_the_frames_raise_ends_the_stream(self):

        def frames():
            yield FOUR_PIXELS
            raise OSError("the camera fell off")

        with self.assertRaisesRegex(OSError, "the camera fell off"):
            list(self.stream(frames()))
        with self.assertRaisesRegex(ValueError, "image: must be uint8"):
            list(self.stream([np.zeros((2, 2), np.float32)]))
        with self.assertRaisesRegex(ValueError, "image: must be the bytes"):
            list(self.stream([None]))

    def test_a_stream_may_be_left_early(self):
        self.server.tell("block")
        with self.stream([FOUR_PIXELS]) as answers:
            pass
        with self.assertRaises(candor.Cancelled):
            next(answers)
        self.server.tell("release")
        self.assertEqual(self.client.segment(FOUR_PIXELS).model, "street")

    def test_refuses_options_that_make_no_request(self):
        for options, words in [({"max_unanswered": 0}, "max_unanswered: must be in"),
                               ({"frame_timeout": 0}, "frame_timeout: must be > 0"),
                               ({"priority": "urgent"}, "priority: must be low, normal or high, got 'urgent'")]:
            with self.assertRaisesRegex(ValueError, words):
                self.stream([], **options)


class SecureServerTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = LiveServer(self.folder)
        self.addCleanup(self.server.end)

    def file(self, name):
        return os.path.join(self.folder, name)

    def client(self, authority="ca.pem", own="client", token="token", **options):
        client = candor.Client(self.server.address, 20, tls_ca_file=self.file(authority),
                               tls_certificate_file=self.file(own + ".pem") if own else None,
                               tls_key_file=self.file(own + ".key") if own else None,
                               token_file=self.file(token) if token else None, **options)
        self.addCleanup(client.close)
        return client

    def test_connects_with_certificate_and_token(self):
        client = self.client()
        self.assertEqual(client.segment(FOUR_PIXELS).model, "street")
        self.assertEqual([a.result.model for a in client.stream([FOUR_PIXELS])], ["street"])
        self.assertEqual(self.client(tls_server_name="localhost").model().identity.name, "street")

    def test_is_refused_without_one_of_them(self):
        with self.assertRaises(candor.Unauthenticated):
            self.client(token=None).segment(FOUR_PIXELS)
        for wrong in [{"own": None}, {"own": "other"}, {"authority": "other_ca.pem"},
                      {"tls_server_name": "elsewhere"}]:
            with self.assertRaises(candor.Unavailable, msg=wrong):
                self.client(**wrong).model(timeout=20)

    def test_a_changed_token_is_read_again(self):
        client = self.client()
        client.model()
        with open(self.file("token"), "w") as token:
            token.write("wrong-0123456789abcdef")
        with self.assertRaises(candor.Unauthenticated):
            client.model()
        with open(self.file("token"), "w") as token:
            token.write("two tokens")
        with self.assertRaises(candor.Unauthenticated):
            client.model()
        with open(self.file("token"), "w") as token:
            token.write("second-0123456789abcdef\n")
        self.assertEqual(client.model().identity.name, "street")

    def test_names_files_that_cannot_be_used(self):
        for arguments, words in [({"authority": "missing.pem"}, "tls_ca_file: .*missing.pem: No such file"),
                                 ({"authority": "token"}, "tls_ca_file: .*token must hold PEM certificates"),
                                 ({"own": "server", "token": "tokens"}, "token_file: .*tokens must hold one token")]:
            with self.assertRaisesRegex(ValueError, words):
                self.client(**arguments)
        with self.assertRaisesRegex(ValueError, "tls_certificate_file, tls_key_file: .*client.pem and .*other.key"):
            candor.Client(tls_ca_file=self.file("ca.pem"), tls_certificate_file=self.file("client.pem"),
                          tls_key_file=self.file("other.key"))
        with self.assertRaisesRegex(ValueError, "one needs the other"):
            candor.Client(tls_ca_file=self.file("ca.pem"), tls_key_file=self.file("client.key"))
        with self.assertRaisesRegex(ValueError, "need tls_ca_file"):
            candor.Client(tls_server_name="localhost")
        with self.assertRaisesRegex(ValueError, "token_file: needs tls_ca_file, since 10.0.0.1:8500 is not a loopback"):
            candor.Client("10.0.0.1:8500", token_file=self.file("token"))


if __name__ == "__main__":
    unittest.main()
