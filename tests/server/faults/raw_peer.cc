// SPDX-License-Identifier: Apache-2.0
#include "tests/server/faults/raw_peer.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/config.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

enum FrameType : char { kData = 0, kHeaders = 1, kResetStream = 3, kSettings = 4 };
constexpr char kEndStream = 1;
constexpr char kEndHeaders = 4;

std::string BigEndian(uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string Frame(FrameType type, char flags, uint32_t stream, absl::string_view payload) {
  const auto size = static_cast<uint32_t>(payload.size());
  return absl::StrCat(BigEndian(size, 3), std::string({type, flags}), BigEndian(stream, 4), payload);
}

// RFC 7541, 6.2.2: literal, not indexed, new name; no Huffman code.
std::string Header(absl::string_view name, absl::string_view value) {
  const auto text = [](absl::string_view s) { return absl::StrCat(std::string(1, static_cast<char>(s.size())), s); };
  return absl::StrCat(std::string(1, '\0'), text(name), text(value));
}

}  // namespace

std::string ClientPreface(uint32_t window) {
  constexpr uint32_t kInitialWindowSize = 4;
  return absl::StrCat("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                      Frame(kSettings, 0, 0, absl::StrCat(BigEndian(kInitialWindowSize, 2), BigEndian(window, 4))));
}

std::string CallHeaders(uint32_t stream, absl::string_view path) {
  return Frame(kHeaders, kEndHeaders, stream,
               absl::StrCat(Header(":method", "POST"), Header(":scheme", "http"), Header(":path", path),
                            Header(":authority", "localhost"), Header("content-type", "application/grpc"),
                            Header("te", "trailers")));
}

std::string MessageFrames(uint32_t stream, absl::string_view message, bool is_last) {
  constexpr size_t kLargestFrame = 16384;
  const std::string whole =
      absl::StrCat(std::string(1, '\0'), BigEndian(static_cast<uint32_t>(message.size()), 4), message);
  std::string frames;
  for (size_t at = 0; at < whole.size(); at += kLargestFrame) {
    const bool is_end = is_last && at + kLargestFrame >= whole.size();
    absl::StrAppend(&frames,
                    Frame(kData, is_end ? kEndStream : 0, stream, absl::string_view(whole).substr(at, kLargestFrame)));
  }
  return frames;
}

std::string ResetFrame(uint32_t stream) {
  constexpr uint32_t kCancel = 8;
  return Frame(kResetStream, 0, stream, BigEndian(kCancel, 4));
}

std::string WholeCall(uint32_t stream, absl::string_view path, absl::string_view message) {
  return CallHeaders(stream, path) + MessageFrames(stream, message);
}

RawPeer::RawPeer(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const auto parsed = ParseHostPort(address);
  EXPECT_THAT(parsed, IsOk());
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  target.sin_port = htons(static_cast<uint16_t>(parsed->port));
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&target), sizeof(target)) != 0) ADD_FAILURE() << "connect";
}

RawPeer::~RawPeer() { close(fd_); }

bool RawPeer::Send(absl::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawPeer::IsClosedWithin(int milliseconds) const {
  pollfd event = {fd_, POLLRDHUP, 0};
  return poll(&event, 1, milliseconds) > 0;
}

void RawPeer::WaitUntilClosed() const {
  char buffer[4096];
  while (read(fd_, buffer, sizeof(buffer)) > 0) {
  }
}

void RawPeer::WaitForAnswer() const {
  char buffer[4096];
  EXPECT_GT(read(fd_, buffer, sizeof(buffer)), 0);
}

}  // namespace candor
