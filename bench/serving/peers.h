// SPDX-License-Identifier: Apache-2.0
//
// What candor's server is measured against: the least that a gRPC server can do with messages of the same sizes.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <memory>
#include <string>

#include "candor/v1/segmentation.grpc.pb.h"

namespace candor {

// A server on a free port of 127.0.0.1.
class BenchServer {
 public:
  virtual ~BenchServer() = default;
  virtual std::string address() const = 0;
};

double MillisecondsSince(std::chrono::steady_clock::time_point start);

// How a process keeps freed memory: as candor does (process_setup.h), or by glibc's defaults, which give large blocks
// back to the system and get them anew, page by page.
enum class Allocator { kOfCandor, kOfGlibc };

// Neither parses nor copies: the bytes of `answer` for every call.
std::unique_ptr<BenchServer> StartBareEcho(const std::string& answer);

// The same, once it has decoded the request's picture.
std::unique_ptr<BenchServer> StartDecodingEcho(const std::string& answer);

// Generated code as gRPC's examples use it: the request is parsed, the message `answer` copied into the response and
// serialized.
std::unique_ptr<BenchServer> StartPlainProto(Allocator allocator, const std::string& answer);

// Generated code at the client's end.
class PlainCaller {
 public:
  // The allocator is the process's.
  PlainCaller(Allocator allocator, const std::string& address, const v1::SegmentRequest& request);
  // Milliseconds until the answer is here. Ends the program on an error.
  double Call();

 private:
  const v1::SegmentRequest request_;
  std::unique_ptr<v1::Segmentation::Stub> stub_;
};

// A client that sends and receives bytes, so that it costs the same whatever server answers.
class RawCaller {
 public:
  struct Times {
    double all_ms = 0;     // until the answer is here
    double decode_ms = 0;  // of which StartDecodingEcho's server decoded
  };

  explicit RawCaller(const std::string& address);
  // Ends the program on an error.
  Times Call(const grpc::ByteBuffer& request, grpc::ByteBuffer* answer);

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace candor
