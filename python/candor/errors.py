# SPDX-License-Identifier: Apache-2.0
"""What a call that failed raises."""
import grpc


class CandorError(Exception):
    """A call failed: `code` is a grpc.StatusCode, `message` one line that names the thing, the value and the rule."""

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message


def from_rpc(error: grpc.RpcError) -> CandorError:
    return CandorError(error.code(), error.details() or "")


def bad_reply(message: str) -> CandorError:
    return CandorError(grpc.StatusCode.INTERNAL, f"the server's reply contradicts itself: {message}")
