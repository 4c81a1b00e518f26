// SPDX-License-Identifier: Apache-2.0
//
// A peer without an HTTP/2 library, which can do what a library would not: be slow, silent, or cut off anywhere.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace candor {

// Frames of RFC 9113, as bytes to send.

// The client's first words. `window`: how much of an answer it takes before it says that it has read some.
std::string ClientPreface(uint32_t window = 65535);
// The headers of a call to `path` ("/package.Service/Method"). Streams are numbered 1, 3, 5, ...
std::string CallHeaders(uint32_t stream, absl::string_view path);
// A gRPC message. `is_last`: no more will come on this stream.
std::string MessageFrames(uint32_t stream, absl::string_view message, bool is_last = true);
std::string ResetFrame(uint32_t stream);
// All of a unary call after the preface.
std::string WholeCall(uint32_t stream, absl::string_view path, absl::string_view message);

constexpr char kSegmentPath[] = "/candor.v1.Segmentation/Segment";
constexpr char kSegmentStreamPath[] = "/candor.v1.Segmentation/SegmentStream";

// One TCP connection, closed by the destructor. It reads nothing unless told to.
class RawPeer {
 public:
  // Test failure if nobody listens on `address` (HOST:PORT on this machine).
  explicit RawPeer(const std::string& address);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  // False once the server has closed the connection.
  bool Send(absl::string_view bytes) const;
  // Whether the server closes the connection within `milliseconds` without a word.
  bool IsClosedWithin(int milliseconds) const;
  // Reads what the server says until it closes the connection.
  void WaitUntilClosed() const;
  // Reads until the server has said anything at all.
  void WaitForAnswer() const;

 private:
  int fd_ = -1;
};

}  // namespace candor
