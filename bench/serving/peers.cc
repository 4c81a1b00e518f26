// SPDX-License-Identifier: Apache-2.0
//
// Two small servers, processes for servers, and a client of bytes.
#include "bench/serving/peers.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server_builder.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "server/process_setup.h"

namespace candor {
namespace {

constexpr char kMethod[] = "/candor.v1.Segmentation/Segment";

// Opens the port.
template <typename Service>
class SmallServer : public BenchServer {
 public:
  explicit SmallServer(const std::string& answer) : service_(answer) {
    ConfigureAllocator();
    DisableDeadlockDetection();
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(-1);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  std::string address() const override { return absl::StrCat("127.0.0.1:", port_); }

 private:
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class EchoService : public v1::Segmentation::WithRawCallbackMethod_Segment<v1::Segmentation::Service> {
 public:
  explicit EchoService(const std::string& answer) {
    const grpc::Slice slice(answer);
    answer_ = grpc::ByteBuffer(&slice, 1);
  }
  grpc::ServerUnaryReactor* Segment(grpc::CallbackServerContext* context, const grpc::ByteBuffer* /*request*/,
                                    grpc::ByteBuffer* response) override {
    *response = answer_;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  grpc::ByteBuffer answer_;
};

class PlainService : public v1::Segmentation::CallbackService {
 public:
  explicit PlainService(const std::string& answer) { answer_.ParseFromString(answer); }
  grpc::ServerUnaryReactor* Segment(grpc::CallbackServerContext* context, const v1::SegmentRequest* /*request*/,
                                    v1::SegmentResponse* response) override {
    *response = answer_;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  v1::SegmentResponse answer_;
};

bool ReadAll(int fd, char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t got = read(fd, bytes, size);
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

// False at the end of the stream.
bool Receive(int fd, std::string* message) {
  uint32_t size = 0;
  if (!ReadAll(fd, reinterpret_cast<char*>(&size), sizeof(size))) return false;
  message->resize(size);
  return ReadAll(fd, message->data(), size);
}

void Send(int fd, const std::string& message) {
  const auto size = static_cast<uint32_t>(message.size());
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof(size));
  bytes += message;
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t wrote = write(fd, bytes.data() + sent, bytes.size() - sent);
    if (wrote <= 0) std::abort();
    sent += static_cast<size_t>(wrote);
  }
}

}  // namespace

std::unique_ptr<BenchServer> StartBareEcho(const std::string& answer) {
  return std::make_unique<SmallServer<EchoService>>(answer);
}

std::unique_ptr<BenchServer> StartPlainProto(const std::string& answer) {
  return std::make_unique<SmallServer<PlainService>>(answer);
}

ServerProcess::ServerProcess(const std::function<std::unique_ptr<BenchServer>(const std::string& answer)>& start) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) std::abort();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(sockets[0]);
    std::string message;
    std::unique_ptr<BenchServer> server;
    while (Receive(sockets[1], &message)) {
      server = nullptr;
      server = start(message);
      Send(sockets[1], server->address());
    }
    _exit(0);
  }
  close(sockets[1]);
  socket_ = sockets[0];
}

ServerProcess::~ServerProcess() {
  close(socket_);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string ServerProcess::Start(const std::string& answer) {
  Send(socket_, answer);
  std::string address;
  if (!Receive(socket_, &address)) std::abort();
  return address;
}

RawCaller::RawCaller(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel_ = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

double RawCaller::Call(const grpc::ByteBuffer& request, grpc::ByteBuffer* answer) {
  grpc::GenericStub stub(channel_);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  absl::Notification done;
  grpc::Status status;
  const auto start = std::chrono::steady_clock::now();
  stub.UnaryCall(&context, kMethod, {}, &request, answer, [&done, &status](grpc::Status ending) {
    status = std::move(ending);
    done.Notify();
  });
  done.WaitForNotification();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (!status.ok()) {
    std::fprintf(stderr, "call failed: %s\n", status.error_message().c_str());
    std::exit(1);
  }
  return took.count();
}

}  // namespace candor
