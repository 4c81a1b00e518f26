// SPDX-License-Identifier: Apache-2.0
//
// Two small servers, and their clients.
#include "bench/serving/peers.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "core/base/process_setup.h"
#include "core/image/decode.h"

namespace candor {
namespace {

constexpr char kMethod[] = "/candor.v1.Segmentation/Segment";
constexpr char kDecodeMs[] = "decode-ms";  // trailing metadata

[[noreturn]] void Fail(const grpc::Status& status) {
  std::fprintf(stderr, "candor-bench-serving: call failed: %s\n", status.error_message().c_str());
  std::exit(1);
}

void SetUp(Allocator allocator) {
  if (allocator == Allocator::kOfCandor) ConfigureAllocator();
  DisableDeadlockDetection();
}

// Opens the port.
template <typename Service>
class SmallServer : public BenchServer {
 public:
  template <typename... Arguments>
  explicit SmallServer(Allocator allocator, Arguments&&... arguments)
      : service_(std::forward<Arguments>(arguments)...) {
    SetUp(allocator);
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

// Of the picture in `request`, as candor decodes it.
double MillisecondsOfDecoding(const grpc::ByteBuffer& request) {
  grpc::Slice bytes;
  v1::SegmentRequest message;
  if (!request.DumpToSingleSlice(&bytes).ok() ||
      !message.ParseFromArray(bytes.begin(), static_cast<int>(bytes.size()))) {
    std::abort();
  }
  const auto start = std::chrono::steady_clock::now();
  const absl::StatusOr<Image> image = DecodeImage(message.image().encoded(), DecodeLimits{int64_t{1} << 24});
  if (!image.ok()) std::abort();
  return MillisecondsSince(start);
}

class EchoService : public v1::Segmentation::WithRawCallbackMethod_Segment<v1::Segmentation::Service> {
 public:
  EchoService(const std::string& answer, bool decodes) : decodes_(decodes) {
    const grpc::Slice slice(answer);
    answer_ = grpc::ByteBuffer(&slice, 1);
  }
  grpc::ServerUnaryReactor* Segment(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* response) override {
    if (decodes_) context->AddTrailingMetadata(kDecodeMs, absl::StrCat(MillisecondsOfDecoding(*request)));
    *response = answer_;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const bool decodes_;
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

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

double MillisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

std::unique_ptr<BenchServer> StartBareEcho(const std::string& answer) {
  return std::make_unique<SmallServer<EchoService>>(Allocator::kOfCandor, answer, false);
}

std::unique_ptr<BenchServer> StartDecodingEcho(const std::string& answer) {
  return std::make_unique<SmallServer<EchoService>>(Allocator::kOfCandor, answer, true);
}

std::unique_ptr<BenchServer> StartPlainProto(Allocator allocator, const std::string& answer) {
  return std::make_unique<SmallServer<PlainService>>(allocator, answer);
}

PlainCaller::PlainCaller(Allocator allocator, const std::string& address, const v1::SegmentRequest& request)
    : request_(request) {
  SetUp(allocator);
  stub_ = v1::Segmentation::NewStub(MakeChannel(address));
}

double PlainCaller::Call() {
  grpc::ClientContext context;
  v1::SegmentResponse response;
  const auto start = std::chrono::steady_clock::now();
  const grpc::Status status = stub_->Segment(&context, request_, &response);
  const double took = MillisecondsSince(start);
  if (!status.ok()) Fail(status);
  return took;
}

RawCaller::RawCaller(const std::string& address) : channel_(MakeChannel(address)) {}

RawCaller::Times RawCaller::Call(const grpc::ByteBuffer& request, grpc::ByteBuffer* answer) {
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
  Times times;
  times.all_ms = MillisecondsSince(start);
  if (!status.ok()) Fail(status);
  const auto& metadata = context.GetServerTrailingMetadata();
  if (const auto decode = metadata.find(kDecodeMs); decode != metadata.end()) {
    times.decode_ms = std::strtod(std::string(decode->second.data(), decode->second.size()).c_str(), nullptr);
  }
  return times;
}

}  // namespace candor
