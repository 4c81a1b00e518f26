// SPDX-License-Identifier: Apache-2.0
//
// What candor's server is measured against: the least that a gRPC server can do with messages of the same sizes.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/byte_buffer.h>

#include <functional>
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

// Neither parses nor copies: the bytes of `answer` for every call.
std::unique_ptr<BenchServer> StartBareEcho(const std::string& answer);

// Generated code as gRPC's examples use it: the request is parsed, the message `answer` copied into the response and
// serialized.
std::unique_ptr<BenchServer> StartPlainProto(const std::string& answer);

// A server in a process of its own, which ends with this object. gRPC must not have been used in this one yet.
class ServerProcess {
 public:
  // `start` runs there once Start is called.
  explicit ServerProcess(const std::function<std::unique_ptr<BenchServer>(const std::string& answer)>& start);
  ~ServerProcess();
  // Returns the address.
  std::string Start(const std::string& answer);

 private:
  int socket_ = -1;
  int pid_ = -1;
};

// A client that sends and receives bytes, so that it costs the same whatever server answers.
class RawCaller {
 public:
  explicit RawCaller(const std::string& address);
  // Milliseconds until the answer is here. Ends the program on an error.
  double Call(const grpc::ByteBuffer& request, grpc::ByteBuffer* answer);
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace candor
