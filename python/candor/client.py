# SPDX-License-Identifier: Apache-2.0
"""The client: one call a picture, or a stream of frames."""
import json
from typing import Iterable, List, Optional, Union

import grpc

from candor.errors import from_rpc
from candor.requests import Escalation, Frame, Picture, Request, make_image, make_request
from candor.results import Segmentation, read_response
from candor.security import TokenFile, is_loopback, tls_credentials
from candor.stream import Stream, make_options
from candor.v1 import segmentation_pb2 as pb
from candor.v1 import segmentation_pb2_grpc

_SERVICE = "candor.v1.Segmentation"


def _channel_options(max_message_bytes: int, is_balanced: bool, tls_server_name: Optional[str]):
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
        }, {
            "name": [{"service": _SERVICE, "method": "SegmentStream"}],
        }],
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
    }
    if is_balanced:
        config["loadBalancingConfig"] = [{"round_robin": {}}]
        config["healthCheckConfig"] = {"serviceName": _SERVICE}
    options = [
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
    if tls_server_name:
        options.append(("grpc.ssl_target_name_override", tls_server_name))
    return options


class Client:
    """Thread-safe. Connects with the first call and reconnects by itself.

    server: HOST:PORT or any gRPC target; several as "10.0.0.1:8500,10.0.0.2:8500" (numeric) or "dns:///NAME:PORT".
    timeout: seconds of each call, retries included.
    tls_ca_file: PEM of the authorities that the server's certificate has to come from; without it there is no TLS.
    tls_certificate_file, tls_key_file: the client's own, for a server that asks for one. tls_server_name: in the
    server's certificate, if not the host in `server`.
    token_file: holds the token to send and nothing else; read again when it changes. Without TLS it is sent to a
    loopback address only.
    Raises ValueError for files that cannot be used, naming them.
    """

    def __init__(self, server: str = "127.0.0.1:8500", timeout: float = 30.0, max_message_bytes: int = 256 << 20, *,
                 tls_ca_file: Optional[str] = None, tls_certificate_file: Optional[str] = None,
                 tls_key_file: Optional[str] = None, tls_server_name: Optional[str] = None,
                 token_file: Optional[str] = None):
        if not timeout > 0:
            raise ValueError(f"timeout: must be > 0 seconds, got {timeout}")
        if bool(tls_certificate_file) != bool(tls_key_file):
            raise ValueError("tls_certificate_file, tls_key_file: one needs the other")
        if not tls_ca_file and (tls_certificate_file or tls_server_name):
            raise ValueError("tls_certificate_file, tls_server_name: need tls_ca_file")
        if token_file and not tls_ca_file and not is_loopback(server):
            raise ValueError(f"token_file: needs tls_ca_file, since {server} is not a loopback address")
        is_list = "," in server and not server.startswith(("ipv4:", "ipv6:"))
        target = f"{'ipv6' if server.startswith('[') else 'ipv4'}:{server.replace(' ', '')}" if is_list else server
        options = _channel_options(max_message_bytes, is_list or server.startswith("dns:///"), tls_server_name)
        self._timeout = timeout
        self._token = TokenFile(token_file) if token_file else None
        if tls_ca_file:
            credentials = tls_credentials(tls_ca_file, tls_certificate_file, tls_key_file)
            self._channel = grpc.secure_channel(target, credentials, options=options)
        else:
            self._channel = grpc.insecure_channel(target, options=options)
        self._stub = segmentation_pb2_grpc.SegmentationStub(self._channel)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Ends the calls under way."""
        self._channel.close()

    def segment(self, image: Picture, *, model: str = "", labels: bool = True,
                uncertainty: Optional[List[Request]] = None, priority: str = "normal", anytime: bool = False,
                escalation: Optional[Escalation] = None, timeout: Optional[float] = None) -> Segmentation:
        """Segments a JPEG or PNG file's bytes, or pixels: uint8 [height, width, 3] (RGB) or [height, width] (grey).

        uncertainty: by default the model's default kind with its map; [] for that kind's figures alone.
        priority: "low", "normal" or "high": who goes first when requests wait. anytime: an answer of some of an
        ensemble's members, at least two, rather than none within the timeout. escalation: a second model's answer where
        the first is unsure and the timeout allows.
        Arrays of the answer are views of its bytes and read-only, except u8 maps. Raises CandorError with the server's
        status (see candor.errors for its kinds), or InternalError for a reply that contradicts itself; ValueError for
        arguments that make no request.
        """
        request = make_request(model=model, labels=labels, uncertainty=uncertainty, priority=priority, anytime=anytime,
                               escalation=escalation)
        request.image.CopyFrom(make_image(image))
        return read_response(request, self._call(self._stub.Segment, request, timeout))

    def stream(self, frames: Iterable[Union[Frame, Picture]], *, latest: bool = False,
               max_unanswered: Optional[int] = None, frame_timeout: Optional[float] = None, model: str = "",
               labels: bool = True, uncertainty: Optional[List[Request]] = None, priority: str = "normal",
               anytime: bool = False, escalation: Optional[Escalation] = None,
               timeout: Optional[float] = None) -> Stream:
        """Segments frames of one or more cameras over one call; gives an iterator of their answers.

        `frames` is iterated on a thread of gRPC's, as fast as the server takes them; it may block until a camera has
        the next one. Each frame gets one answer, in its camera's order.
        latest: latest frame wins: while one frame of a camera is under way only its newest one waits, and those it
        replaces are answered with `superseded_by`. False: all are segmented. max_unanswered: frames that the server
        takes before it answers, 1 to 1,024; None: its default. frame_timeout: seconds from a frame's arrival at the
        server to its answer, at most 3,600; None: the client's timeout. timeout: of the whole stream; None: none.
        The rest is as of segment(), for every frame.
        """
        request = make_request(model=model, labels=labels, uncertainty=uncertainty, priority=priority, anytime=anytime,
                               escalation=escalation)
        options = make_options(latest, max_unanswered, self._timeout if frame_timeout is None else frame_timeout)
        return Stream(frames, request, options,
                      lambda messages: self._stub.SegmentStream(messages, timeout=timeout, metadata=self._headers()))

    def models(self, timeout: Optional[float] = None) -> List[pb.Model]:
        """The loaded models, as messages of candor/v1/segmentation.proto."""
        return list(self._call(self._stub.ListModels, pb.ListModelsRequest(), timeout).models)

    def model(self, name: str = "", timeout: Optional[float] = None) -> pb.Model:
        """A model by name or alias; "": the server's default."""
        return self._call(self._stub.GetModel, pb.GetModelRequest(model=name), timeout).model

    def _headers(self):
        return self._token.headers() if self._token else None

    def _call(self, method, request, timeout: Optional[float]):
        try:
            return method(request, timeout=self._timeout if timeout is None else timeout, metadata=self._headers())
        except grpc.RpcError as error:
            raise from_rpc(error) from None
