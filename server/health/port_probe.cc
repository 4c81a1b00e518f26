// SPDX-License-Identifier: Apache-2.0
//
// A caller of the lowest kind, made of sockets: gRPC's client would share threads and state with the server it judges.
#include "server/health/port_probe.h"

#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int fd() const { return fd_; }

 private:
  int fd_;
};

absl::Status Failed(absl::string_view step) {
  const char* reason = errno == EAGAIN || errno == EINPROGRESS ? "timed out" : std::strerror(errno);
  return absl::UnavailableError(absl::StrCat(step, ": ", reason));
}

absl::StatusOr<Socket> ConnectTo(const addrinfo& address, absl::Duration timeout) {
  Socket result(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (result.fd() < 0) return Failed("socket");
  const timeval limit = absl::ToTimeval(timeout);
  setsockopt(result.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));  // connect's limit, too
  setsockopt(result.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  if (connect(result.fd(), address.ai_addr, address.ai_addrlen) != 0) return Failed("connect");
  return result;
}

// The first address of the host that accepts: "localhost" has two.
absl::StatusOr<Socket> ConnectTo(const std::string& host, int port, absl::Duration timeout) {
  const bool has_brackets = host.size() > 2 && host.front() == '[';
  const std::string name = has_brackets ? host.substr(1, host.size() - 2) : host;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(name.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  if (error != 0) return absl::UnavailableError(absl::StrCat("resolve ", host, ": ", gai_strerror(error)));
  absl::StatusOr<Socket> result = absl::UnavailableError("no address");
  for (const addrinfo* next = found; next != nullptr && !result.ok(); next = next->ai_next) {
    result = ConnectTo(*next, timeout);
  }
  freeaddrinfo(found);
  return result;
}

absl::Status Send(int fd, const char* bytes, size_t size) {
  const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);  // less than `size` never comes of a few hundred bytes
  return sent == static_cast<ssize_t>(size) ? absl::OkStatus() : Failed("send");
}

// At least one byte.
absl::StatusOr<size_t> Receive(int fd, char* buffer, size_t size) {
  ssize_t got = 0;
  do {
    got = recv(fd, buffer, size, 0);
  } while (got < 0 && errno == EINTR);  // with a time limit on the socket, SIGSTOP and SIGCONT do that (signal(7))
  if (got < 0) return Failed("receive");
  if (got == 0) return absl::UnavailableError("receive: the connection was closed");
  return static_cast<size_t>(got);
}

// RFC 9113, 3.4: the preface is a fixed text and a SETTINGS frame, here an empty one; the server's begins with one.
absl::Status ExchangePrefaces(int fd) {
  constexpr absl::string_view kPreface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  constexpr size_t kHeaderBytes = 9;
  constexpr char kSettingsType = 4;
  RETURN_IF_ERROR(Send(fd, kPreface.data(), kPreface.size()));
  char header[kHeaderBytes];
  for (size_t got = 0; got < kHeaderBytes;) {
    ASSIGN_OR_RETURN(const size_t more, Receive(fd, header + got, kHeaderBytes - got));
    got += more;
  }
  return header[3] == kSettingsType ? absl::OkStatus() : absl::UnavailableError("receive: no HTTP/2 settings came");
}

// OpenSSL works on memory here: on a socket it would raise SIGPIPE when the server closes.
absl::Status SeeCertificate(int fd) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), &SSL_free);
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(tls.get(), kHttp2, sizeof(kHttp2));
  BIO* const from_server = BIO_new(BIO_s_mem());
  BIO* const to_server = BIO_new(BIO_s_mem());
  SSL_set_bio(tls.get(), from_server, to_server);  // which `tls` owns from here on
  for (;;) {
    const int result = SSL_connect(tls.get());
    const bool wants_more = SSL_get_error(tls.get(), result) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    if (SSL_get0_peer_certificate(tls.get()) != nullptr) return absl::OkStatus();
    if (!wants_more) return absl::UnavailableError("TLS handshake: the server showed no certificate");
    char buffer[4096];
    const int size = BIO_read(to_server, buffer, sizeof(buffer));
    if (size > 0) RETURN_IF_ERROR(Send(fd, buffer, static_cast<size_t>(size)));
    ASSIGN_OR_RETURN(const size_t got, Receive(fd, buffer, sizeof(buffer)));
    BIO_write(from_server, buffer, static_cast<int>(got));
  }
}

}  // namespace

absl::Status ProbePort(const std::string& host, int port, PortProtocol protocol, absl::Duration timeout) {
  ASSIGN_OR_RETURN(const Socket connection, ConnectTo(host, port, timeout));
  return protocol == PortProtocol::kTls ? SeeCertificate(connection.fd()) : ExchangePrefaces(connection.fd());
}

}  // namespace candor
