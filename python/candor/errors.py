# SPDX-License-Identifier: Apache-2.0
"""What a call that failed raises: an exception for each status code that a caller may want to tell from the others."""
import os
from typing import Optional

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class CandorError(Exception):
    """A call failed. Those below say how; any other code is a CandorError itself.

    code: a grpc.StatusCode. message: one line that names the thing, the value and the rule. reason: why, for programs,
    e.g. "QUEUE_FULL"; "" if the error is not from candor-server but from something on the way. request_id: as in the
    server's log; "" if unknown. field: of the request that was refused, e.g. "image.raw.stride"; "" for other errors.
    retry_after: seconds to wait before asking an overloaded server again; None: it did not say.
    """

    def __init__(self, code: grpc.StatusCode, message: str, *, reason: str = "", request_id: str = "", field: str = "",
                 retry_after: Optional[float] = None):
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        self.request_id = request_id
        self.field = field
        self.retry_after = retry_after


class InvalidArgument(CandorError):
    """The request is wrong whenever it is sent; `field` says where."""


class FailedPrecondition(CandorError):
    """The model cannot do that, such as a kind of uncertainty that it lacks."""


class NotFound(CandorError):
    """No such model."""


class ResourceExhausted(CandorError):
    """The server has too much to do, or the message is too large. `retry_after` says when to come again."""


class DeadlineExceeded(CandorError):
    """No answer in time."""


class Unavailable(CandorError):
    """The server is not there, starting or shutting down; retried already."""


class Unauthenticated(CandorError):
    """No token, or one that the server does not know."""


class PermissionDenied(CandorError):
    """The token's role does not allow it."""


class Cancelled(CandorError):
    """The call was given up, by close() or cancel()."""


class InternalError(CandorError):
    """A fault of the server, or an answer of it that contradicts itself."""


_TYPES = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.INTERNAL: InternalError,
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _read_details():
    """google.rpc's messages in a pool of their own: in the common one they would clash with other packages' copies."""
    files = descriptor_pb2.FileDescriptorSet()
    with open(os.path.join(os.path.dirname(__file__), "error_details.binpb"), "rb") as source:
        files.ParseFromString(source.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)

    def message(name):
        descriptor = pool.FindMessageTypeByName(f"google.rpc.{name}")
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        return message_factory.MessageFactory(pool).GetPrototype(descriptor)

    return {name: message(name) for name in ("Status", "ErrorInfo", "BadRequest", "RetryInfo")}


_DETAILS = _read_details()


def _details_of(error: grpc.RpcError) -> dict:
    """CandorError's keyword arguments; nothing that cannot be read."""
    found = {}
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        try:
            for detail in _DETAILS["Status"].FromString(value).details:
                name = detail.type_url.rpartition("google.rpc.")[2]
                if name not in _DETAILS:
                    continue
                content = _DETAILS[name].FromString(detail.value)
                if name == "ErrorInfo" and content.domain == "candor":
                    found.update(reason=content.reason, request_id=content.metadata.get("request_id", ""))
                elif name == "BadRequest" and content.field_violations:
                    found["field"] = content.field_violations[0].field
                elif name == "RetryInfo" and content.HasField("retry_delay"):
                    delay = content.retry_delay
                    found["retry_after"] = max(0.0, delay.seconds + delay.nanos / 1e9)
        except Exception:  # protobuf's DecodeError is another class in every implementation
            continue
    return found


def make_error(code: grpc.StatusCode, message: str, **details) -> CandorError:
    return _TYPES.get(code, CandorError)(code, message, **details)


def from_rpc(error: grpc.RpcError) -> CandorError:
    return make_error(error.code(), error.details() or "", **_details_of(error))


def from_frame(error) -> CandorError:
    """Of a stream's v1.FrameError."""
    if error.code not in _CODES or not error.code:
        return bad_reply(f"error.code: unknown value {error.code}")
    retry_after = error.retry_delay_ms / 1000 if error.retry_delay_ms > 0 else None
    return make_error(_CODES[error.code], error.message, reason=error.reason, retry_after=retry_after)


def bad_reply(message: str) -> CandorError:
    return InternalError(grpc.StatusCode.INTERNAL, f"the server's reply contradicts itself: {message}")
