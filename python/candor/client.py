# SPDX-License-Identifier: Apache-2.0
"""The client: one call a picture."""
import json
from dataclasses import dataclass
from typing import List, Optional, Union

import grpc
import numpy as np

from candor.errors import from_rpc
from candor.results import Segmentation, read_response
from candor.v1 import segmentation_pb2 as pb
from candor.v1 import segmentation_pb2_grpc

_SERVICE = "candor.v1.Segmentation"
_ENCODINGS = {None: pb.MAP_ENCODING_UNSPECIFIED, "f32": pb.MAP_F32, "f16": pb.MAP_F16, "u8": pb.MAP_U8}
KINDS = tuple(name.lower() for name, number in pb.UncertaintyKind.items() if number)


@dataclass(frozen=True)
class Request:
    """One kind of uncertainty to ask for.

    kind: one of candor.client.KINDS, or "" for the model's default. encoding: of the map, "f32", "f16" or "u8" (a
    quarter of the bytes; becomes float32 here), or None for the figures alone. threshold: pixels above it are
    counted; None: the server's.
    """

    kind: str = ""
    encoding: Optional[str] = "f32"
    threshold: Optional[float] = None


def _channel_options(max_message_bytes: int, is_balanced: bool):
    # The policy of the C++ client (client/segmentation_client.cc): calls that a server leaves unanswered go on to
    # another, and of several servers those that are not ready are left out.
    config = {
        "methodConfig": [{
            "name": [{"service": _SERVICE}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }],
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
    }
    if is_balanced:
        config["loadBalancingConfig"] = [{"round_robin": {}}]
        config["healthCheckConfig"] = {"serviceName": _SERVICE}
    return [
        ("grpc.service_config", json.dumps(config)),
        # A request larger than this buffer (256 KiB by default) would silently never be retried.
        ("grpc.per_rpc_retry_buffer_size", max_message_bytes),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.enable_http_proxy", 0),
    ]


def _image(image: Union[bytes, bytearray, memoryview, np.ndarray]) -> pb.Image:
    if not isinstance(image, np.ndarray):
        return pb.Image(encoded=bytes(image))
    is_grey = image.ndim == 2
    if image.dtype != np.uint8 or not (is_grey or (image.ndim == 3 and image.shape[2] == 3)):
        raise ValueError("image: must be uint8 of shape [height, width, 3] (RGB) or [height, width], "
                         f"got {image.dtype} {list(image.shape)}")
    height, width = image.shape[:2]
    pixels = pb.RawImage(format=pb.GREY8 if is_grey else pb.RGB8, width=width, height=height, data=image.tobytes())
    return pb.Image(raw=pixels)


def _make_request(image, model: str, labels: bool, uncertainty: List[Request]) -> pb.SegmentRequest:
    request = pb.SegmentRequest(model=model, image=_image(image), labels=pb.LABEL_RAW if labels else 0)
    for asked in uncertainty:
        if asked.kind and asked.kind not in KINDS:
            raise ValueError(f"uncertainty kind: must be one of {', '.join(KINDS)}, got {asked.kind!r}")
        if asked.encoding not in _ENCODINGS:
            raise ValueError(f"uncertainty encoding: must be f32, f16, u8 or None, got {asked.encoding!r}")
        request.uncertainty.add(kind=pb.UncertaintyKind.Value(asked.kind.upper()) if asked.kind else 0,
                                encoding=_ENCODINGS[asked.encoding], threshold=asked.threshold)
    return request


class Client:
    """Thread-safe. Connects with the first call and reconnects by itself.

    server: HOST:PORT or any gRPC target; several as "10.0.0.1:8500,10.0.0.2:8500" (numeric) or "dns:///NAME:PORT".
    timeout: seconds of each call, retries included.
    """

    def __init__(self, server: str = "127.0.0.1:8500", timeout: float = 30.0, max_message_bytes: int = 256 << 20):
        if not timeout > 0:
            raise ValueError(f"timeout: must be > 0 seconds, got {timeout}")
        is_list = "," in server and not server.startswith(("ipv4:", "ipv6:"))
        target = f"{'ipv6' if server.startswith('[') else 'ipv4'}:{server.replace(' ', '')}" if is_list else server
        self._timeout = timeout
        self._channel = grpc.insecure_channel(
            target, options=_channel_options(max_message_bytes, is_list or server.startswith("dns:///")))
        self._stub = segmentation_pb2_grpc.SegmentationStub(self._channel)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Ends the calls under way."""
        self._channel.close()

    def segment(self, image: Union[bytes, np.ndarray], *, model: str = "", labels: bool = True,
                uncertainty: Optional[List[Request]] = None, timeout: Optional[float] = None) -> Segmentation:
        """Segments a JPEG or PNG file's bytes, or pixels: uint8 [height, width, 3] (RGB) or [height, width] (grey).

        uncertainty: by default the model's default kind with its map; [] for that kind's figures alone.
        Arrays of the answer are views of its bytes and read-only, except u8 maps. Raises CandorError with the server's
        status, or INTERNAL for a reply that contradicts itself; ValueError for arguments that make no request.
        """
        request = _make_request(image, model, labels, [Request()] if uncertainty is None else uncertainty)
        return read_response(request, self._call(self._stub.Segment, request, timeout))

    def models(self, timeout: Optional[float] = None) -> List[pb.Model]:
        """The loaded models, as messages of candor/v1/segmentation.proto."""
        return list(self._call(self._stub.ListModels, pb.ListModelsRequest(), timeout).models)

    def model(self, name: str = "", timeout: Optional[float] = None) -> pb.Model:
        """A model by name or alias; "": the server's default."""
        return self._call(self._stub.GetModel, pb.GetModelRequest(model=name), timeout).model

    def _call(self, method, request, timeout: Optional[float]):
        try:
            return method(request, timeout=self._timeout if timeout is None else timeout)
        except grpc.RpcError as error:
            raise from_rpc(error) from None
