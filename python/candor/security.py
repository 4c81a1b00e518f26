# SPDX-License-Identifier: Apache-2.0
"""TLS and the bearer token, by the rules of the C++ client (client/client_security.cc)."""
import os
import re
import ssl
import threading
from typing import Optional

import grpc


def _read(option: str, path: str) -> bytes:
    try:
        with open(path, "rb") as source:
            return source.read(1 << 20)
    except OSError as error:
        raise ValueError(f"{option}: {path}: {error.strerror}") from None


def tls_credentials(ca_file: str, certificate_file: Optional[str],
                    key_file: Optional[str]) -> grpc.ChannelCredentials:
    """Raises ValueError naming the file: gRPC would only say, with the first call, that it cannot connect."""
    authorities = _read("tls_ca_file", ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=authorities.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise ValueError(f"tls_ca_file: {ca_file} must hold PEM certificates") from None
    if not certificate_file:
        return grpc.ssl_channel_credentials(authorities)
    certificate = _read("tls_certificate_file", certificate_file)
    key = _read("tls_key_file", key_file)
    try:
        context.load_cert_chain(certificate_file, key_file, password=lambda: "")
    except (ssl.SSLError, ValueError):
        raise ValueError(f"tls_certificate_file, tls_key_file: {certificate_file} and {key_file} must hold a PEM "
                         "certificate and its key, without a password") from None
    return grpc.ssl_channel_credentials(authorities, key, certificate)


def is_loopback(servers: str) -> bool:
    """Whether each server in the list is this machine by its address."""
    for server in servers.split(","):
        host = server.strip().rpartition(":")[0]
        if not (re.fullmatch(r"127\.[0-9.]+", host) or host in ("localhost", "[::1]") or server.startswith("unix:")):
            return False
    return True


class TokenFile:
    """The token in a file, read again when the file changes; a file that then holds none changes nothing. Thread-safe."""

    def __init__(self, path: str):
        self._path = path
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._token = self._read()

    def headers(self) -> list:
        with self._lock:
            stamp = self._stamp()
            if stamp != self._seen:
                self._seen = stamp
                try:
                    self._token = self._read()
                except ValueError:
                    pass
            return [("authorization", f"Bearer {self._token}")]

    def _stamp(self):
        try:
            status = os.stat(self._path)
            return status.st_mtime_ns, status.st_size, status.st_ino
        except OSError:
            return None

    def _read(self) -> str:
        token = _read("token_file", self._path).strip()
        if not re.fullmatch(rb"[!-~]+", token):
            raise ValueError(f"token_file: {self._path} must hold one token and nothing else")
        return token.decode("ascii")
