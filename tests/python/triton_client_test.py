# SPDX-License-Identifier: Apache-2.0
"""Triton's own client, unmodified, against a real server with fake models (their answers: tests/testing/fake_segmenter.h)."""
import os
import queue
import subprocess
import sys
import unittest
import urllib.request
import zlib

try:
    import numpy as np
    import tritonclient.grpc as triton
    from tritonclient.utils import InferenceServerException, shared_memory
except ImportError as error:
    print(f"skipped: {error} (tools/setup.sh --test installs it)")
    sys.exit(77)

PIXELS = np.array([[[[0, 0, 9], [1, 51, 9], [2, 102, 9], [2, 255, 9]]]], np.uint8)
LABELS = [[[0, 1, 2, 2]]]
UNCERTAINTY = np.array([[[0, 0.2, 0.4, 1]]], np.float32)


def png(pixels):
    """A PNG without any library's help."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def image_input(pixels=PIXELS):
    tensor = triton.InferInput("image", list(pixels.shape), "UINT8")
    tensor.set_data_from_numpy(pixels)
    return [tensor]


def file_input(*files):
    tensor = triton.InferInput("image", [len(files)], "BYTES")
    tensor.set_data_from_numpy(np.array(files, np.object_))
    return [tensor]


class TritonClientTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen([os.environ["CANDOR_LIVE_SERVER"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True)
        cls.address, cls.metrics_address = cls.server.stdout.readline().split()
        cls.client = triton.InferenceServerClient(cls.address)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.communicate()

    def tell(self, command):
        self.server.stdin.write(command + "\n")
        self.server.stdin.flush()
        self.assertEqual(self.server.stdout.readline(), "ok\n")

    def expect_error(self, code, words, call, *arguments, **options):
        with self.assertRaises(InferenceServerException) as caught:
            call(*arguments, **options)
        self.assertEqual(caught.exception.status(), f"StatusCode.{code}")
        self.assertIn(words, caught.exception.message())

    def check(self, answer, pictures=1):
        np.testing.assert_array_equal(answer.as_numpy("labels"), LABELS * pictures)
        np.testing.assert_allclose(answer.as_numpy("uncertainty"), np.repeat(UNCERTAINTY, pictures, 0), rtol=1e-6)

    def test_health(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("student"))
        self.assertTrue(self.client.is_model_ready("student_encoded", "3"))
        self.assertFalse(self.client.is_model_ready("student", "4"))
        self.assertFalse(self.client.is_model_ready("nobody"))

    def test_metadata_config_and_index(self):
        metadata = self.client.get_server_metadata()
        self.assertEqual(metadata.name, "candor")
        self.assertIn("statistics", metadata.extensions)
        self.assertIn("system_shared_memory", metadata.extensions)
        model = self.client.get_model_metadata("student")
        self.assertEqual([(t.name, t.datatype, list(t.shape)) for t in model.inputs], [("image", "UINT8", [-1, -1, -1, 3])])
        self.assertEqual([(t.name, t.datatype) for t in model.outputs], [("labels", "UINT8"), ("uncertainty", "FP32")])
        self.assertEqual([(t.datatype, list(t.shape)) for t in self.client.get_model_metadata("student_encoded").inputs],
                         [("BYTES", [-1])])
        config = self.client.get_model_config("teacher", as_json=True)["config"]
        self.assertEqual(config["max_batch_size"], 64)
        self.assertEqual(config["input"], [{"name": "image", "data_type": "TYPE_UINT8", "format": "FORMAT_NHWC",
                                            "dims": ["-1", "-1", "3"]}])
        self.assertEqual(config["dynamic_batching"]["priority_levels"], "3")
        index = self.client.get_model_repository_index()
        self.assertEqual({(m.name, m.version, m.state) for m in index.models},
                         {(name + form, "3", "READY") for name in ["street", "student", "committee", "teacher"]
                          for form in ["", "_encoded"]})

    def test_statistics(self):
        before = self.client.get_inference_statistics("committee").model_stats[0]
        self.client.infer("committee", image_input(np.repeat(PIXELS, 3, 0)))
        after = self.client.get_inference_statistics("committee").model_stats[0]
        self.assertEqual(after.name, "committee")
        self.assertEqual(after.inference_count - before.inference_count, 3)
        stats = after.inference_stats
        for part in [stats.success, stats.queue, stats.compute_input, stats.compute_infer, stats.compute_output]:
            self.assertGreater(part.ns, 0)
        with urllib.request.urlopen(f"http://{self.metrics_address}/metrics/triton") as page:
            self.assertIn('nv_inference_count{model="committee",version="3"}', page.read().decode())

    def test_infers_pixels(self):
        answer = self.client.infer("student", image_input(), request_id="r1")
        self.check(answer)
        response = answer.get_response()
        self.assertEqual((response.id, response.model_name, response.model_version), ("r1", "student", "3"))
        self.assertAlmostEqual(response.parameters["uncertainty_mean"].double_param, 0.4, places=6)
        self.check(self.client.infer("student", image_input(np.repeat(PIXELS, 4, 0))), 4)

    def test_infers_files(self):
        self.check(self.client.infer("student_encoded", file_input(png(PIXELS[0]))))
        self.check(self.client.infer("student_encoded", file_input(png(PIXELS[0]), png(PIXELS[0]))), 2)
        with open(os.environ["CANDOR_SAMPLE_JPEG"], "rb") as sample:
            answer = self.client.infer("teacher_encoded", file_input(sample.read()))
        self.assertEqual(answer.as_numpy("labels").shape, (1, 360, 480))

    def test_sends_what_is_asked_for(self):
        answer = self.client.infer("student", image_input(), outputs=[triton.InferRequestedOutput("uncertainty")],
                                   parameters={"uncertainty_datatype": "FP16", "uncertainty_threshold": 0.3})
        self.assertIsNone(answer.as_numpy("labels"))
        uncertainty = answer.as_numpy("uncertainty")
        self.assertEqual(uncertainty.dtype, np.float16)
        np.testing.assert_allclose(uncertainty, UNCERTAINTY, rtol=1e-3)
        self.assertEqual(answer.get_response().parameters["uncertainty_share_above_threshold"].double_param, 0.5)

    def test_priority_and_timeout(self):
        self.check(self.client.infer("student", image_input(), priority=1, timeout=30_000_000))
        self.expect_error("UNAVAILABLE", "", self.client.infer, "student", image_input(), timeout=1)
        self.expect_error("INVALID_ARGUMENT", "priority", self.client.infer, "student", image_input(), priority=9)

    def test_error_codes(self):
        self.expect_error("NOT_FOUND", "nobody", self.client.infer, "nobody", image_input())
        self.expect_error("NOT_FOUND", "version", self.client.infer, "student", image_input(), model_version="4")
        self.expect_error("INVALID_ARGUMENT", "[N,H,W,3]", self.client.infer, "student", image_input(PIXELS[0]))
        self.expect_error("INVALID_ARGUMENT", "image.encoded", self.client.infer, "student_encoded", file_input(b"x"))
        self.expect_error("INVALID_ARGUMENT", "colour", self.client.infer, "student", image_input(),
                          parameters={"colour": "red"})
        self.expect_error("INVALID_ARGUMENT", "sequence_", self.client.infer, "student", image_input(), sequence_id=5)
        self.expect_error("INVALID_ARGUMENT", "classification", self.client.infer, "student", image_input(),
                          outputs=[triton.InferRequestedOutput("labels", class_count=2)])
        self.expect_error("UNIMPLEMENTED", "", self.client.load_model, "student")
        self.expect_error("UNIMPLEMENTED", "", self.client.unload_model, "student")
        self.expect_error("UNIMPLEMENTED", "", self.client.update_log_settings, {"log_info": False})

    def test_settings_that_may_be_read(self):
        self.assertEqual(self.client.get_trace_settings().settings["trace_level"].value, ["OFF"])
        self.assertFalse(self.client.get_log_settings().settings["log_info"].bool_param)
        self.client.unregister_cuda_shared_memory()
        self.assertEqual(len(self.client.get_cuda_shared_memory_status().regions), 0)

    def test_streams(self):
        replies = queue.Queue()
        with triton.InferenceServerClient(self.address) as client:
            client.start_stream(lambda result, error: replies.put((result, error)))
            for i in range(20):
                client.async_stream_infer("nobody" if i == 7 else "student", image_input(), request_id=str(i))
            for i in range(20):
                result, error = replies.get(timeout=30)
                if i == 7:
                    self.assertIn("nobody", error.message())
                    continue
                self.assertIsNone(error)
                self.assertEqual(result.get_response().id, str(i))
                self.check(result)
            client.stop_stream()

    def test_cancels(self):
        replies = queue.Queue()
        self.tell("block")
        try:
            call = self.client.async_infer("student", image_input(), lambda result, error: replies.put((result, error)))
            call.cancel()
            result, error = replies.get(timeout=30)
            self.assertIsNone(result)
            self.assertEqual(error.status(), "StatusCode.CANCELLED")
        finally:
            self.tell("release")
        self.check(self.client.infer("student", image_input()))

    def test_system_shared_memory(self):
        prefix = f"/candor-test-{os.getpid()}"
        image = shared_memory.create_shared_memory_region("image_region", prefix + "-in", PIXELS.nbytes)
        labels = shared_memory.create_shared_memory_region("labels_region", prefix + "-out", 4)
        try:
            shared_memory.set_shared_memory_region(image, [PIXELS])
            self.client.register_system_shared_memory("image_region", prefix + "-in", PIXELS.nbytes)
            self.client.register_system_shared_memory("labels_region", prefix + "-out", 4)
            self.assertEqual(set(self.client.get_system_shared_memory_status().regions), {"image_region", "labels_region"})
            tensor = triton.InferInput("image", list(PIXELS.shape), "UINT8")
            tensor.set_shared_memory("image_region", PIXELS.nbytes)
            wanted = triton.InferRequestedOutput("labels")
            wanted.set_shared_memory("labels_region", 4)
            answer = self.client.infer("student", [tensor], outputs=[wanted, triton.InferRequestedOutput("uncertainty")])
            np.testing.assert_array_equal(shared_memory.get_contents_as_numpy(labels, np.uint8, [1, 1, 4]), LABELS)
            np.testing.assert_allclose(answer.as_numpy("uncertainty"), UNCERTAINTY, rtol=1e-6)
            self.expect_error("ALREADY_EXISTS", "image_region", self.client.register_system_shared_memory, "image_region",
                              prefix + "-in", PIXELS.nbytes)
            self.expect_error("INVALID_ARGUMENT", "inside", self.client.register_system_shared_memory, "other",
                              prefix + "-in", 1 << 40)
            os.truncate("/dev/shm" + prefix + "-in", 0)
            self.expect_error("INVALID_ARGUMENT", "cut to 0 bytes", self.client.infer, "student", [tensor])
            self.check(self.client.infer("student", image_input()))
            self.client.unregister_system_shared_memory("image_region")
            self.expect_error("INVALID_ARGUMENT", "image_region", self.client.infer, "student", [tensor])
        finally:
            self.client.unregister_system_shared_memory()
            shared_memory.destroy_shared_memory_region(image)
            shared_memory.destroy_shared_memory_region(labels)


if __name__ == "__main__":
    unittest.main()
