// SPDX-License-Identifier: Apache-2.0
//
// The client over gRPC: channels used in turn, unary calls that block or call back.
#include "client/segmentation_client.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>
#include <limits>
#include <utility>
#include <vector>

#include "absl/base/call_once.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "candor/v1/segmentation.grpc.pb.h"
#include "client/client_security.h"
#include "client/error_details.h"
#include "client/grpc_status.h"
#include "client/grpc_stream.h"
#include "client/messages.h"
#include "client/server_list.h"
#include "core/base/status_macros.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "wire/segmentation_messages.h"

namespace candor {
namespace {

// Only our own methods are retried: they are idempotent, and a health probe has to tell the present state at once. gRPC
// caps the attempts at five, the first included. CANCELLED, if not by us (then nothing is retried), is a server that
// resets its streams because its time to drain is over. The throttle stops retries when half the tokens are used up by
// failures: a server that dies with 50 calls under way must not yet reach it. A stream is not retried: its frames would
// be old news, and the caller has to know which were answered. What gRPC does not retry is in HasBrokenOff().
constexpr char kMethodConfig[] = R"json(
  "methodConfig": [{
    "name": [{"service": "candor.v1.Segmentation"}],
    "retryPolicy": {
      "maxAttempts": 5,
      "initialBackoff": "0.1s",
      "maxBackoff": "2s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"]
    }
  }, {
    "name": [{"service": "candor.v1.Segmentation", "method": "SegmentStream"}]
  }],
  "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1}
)json";

// Only this policy of gRPC watches the servers' health.
constexpr char kBalancing[] = R"json(
  "loadBalancingConfig": [{"round_robin": {}}],
  "healthCheckConfig": {"serviceName": "candor.v1.Segmentation"},
)json";

constexpr int kMaxConnections = 64;

constexpr char kSegment[] = "/candor.v1.Segmentation/Segment";

using Headers = std::vector<std::pair<std::string, std::string>>;

Headers IdentityHeaders(const SegmentOptions& options) {
  Headers headers;
  if (!options.request_id.empty()) headers.emplace_back("x-request-id", options.request_id);
  if (!options.traceparent.empty()) headers.emplace_back("traceparent", options.traceparent);
  return headers;
}

grpc::ChannelArguments MakeChannelArguments(int max_message_bytes, bool is_balanced) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(absl::StrCat("{", is_balanced ? kBalancing : "", kMethodConfig, "}"));
  // A request larger than this buffer (256 KiB by default) would silently never be retried.
  arguments.SetInt(GRPC_ARG_PER_RPC_RETRY_BUFFER_SIZE, max_message_bytes);
  arguments.SetMaxReceiveMessageSize(max_message_bytes);
  arguments.SetMaxSendMessageSize(max_message_bytes);
  // Above the 30 s that our server accepts, so that it never answers "too many pings".
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  // A web proxy in the environment is not meant for a robot's own network, least of all for 127.0.0.1.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

// A call is made at most so often by us; gRPC's own attempts are within each.
constexpr int kMostCalls = 2;

// Whether a call that has ended is to be made once more though gRPC does not: it retries nothing once the first header
// of an answer is there. The server has then died in the middle of its answer, which begins with the request's id: in
// candor-server's refusals that comes last, so that gRPC retries them. UNKNOWN is gRPC's own "Stream removed" unless a
// reason says that it is the server's.
bool HasBrokenOff(const grpc::ClientContext& context, const absl::Status& status) {
  if (absl::IsUnknown(status)) return ErrorReason(status).empty();
  return absl::IsUnavailable(status) && !context.GetServerInitialMetadata().empty();
}

// `call` takes the context of one call, and returns how it ended.
template <typename Call>
absl::Status CallUntilWhole(absl::Duration timeout, const Headers& headers, const Call& call) {
  const auto deadline = absl::ToChronoTime(absl::Now() + timeout);
  for (int calls = 1;; ++calls) {
    grpc::ClientContext context;
    context.set_deadline(deadline);
    for (const auto& [name, value] : headers) context.AddMetadata(name, value);
    const absl::Status status = FromGrpc(call(&context));
    if (status.ok() || calls == kMostCalls || !HasBrokenOff(context, status)) return status;
  }
}

// A request as it is sent.
struct Outgoing {
  v1::SegmentRequest message;  // the picture's bytes are only placeholders
  grpc::ByteBuffer bytes;
};

// `Picture`: what PutPicture takes.
template <typename Picture>
absl::StatusOr<Outgoing> MakeOutgoing(const Picture& picture, const SegmentOptions& options) {
  Outgoing outgoing;
  ASSIGN_OR_RETURN(outgoing.message, MakeSegmentRequest(options));
  std::vector<grpc::Slice> large_fields;
  PutPicture(picture, outgoing.message.mutable_image(), &large_fields);
  outgoing.bytes = Serialize(outgoing.message, large_fields);
  return outgoing;
}

// Takes the bytes of `reply`.
absl::StatusOr<SegmentResult> ReadReply(const v1::SegmentRequest& request, grpc::ByteBuffer* reply) {
  Incoming<v1::SegmentResponse> incoming;
  incoming.bytes.Swap(reply);
  if (!Parse(&incoming)) return absl::InternalError("the server's reply is no candor.v1.SegmentResponse");
  return ReadSegmentResponse(request, incoming.message, &incoming.split);
}

// Owned by its handles and, until it has ended, by gRPC's callback.
class GrpcSegmentCall : public SegmentCall, public std::enable_shared_from_this<GrpcSegmentCall> {
 public:
  GrpcSegmentCall(Outgoing request, SegmentDone done, const std::shared_ptr<grpc::Channel>& channel)
      : request_(std::move(request)),
        done_(std::move(done)),
        start_(std::chrono::steady_clock::now()),
        stub_(channel) {}

  void Start(absl::Duration timeout, const Headers& headers) {
    const auto deadline = absl::ToChronoTime(absl::Now() + timeout);
    for (grpc::ClientContext& context : contexts_) {
      context.set_deadline(deadline);
      for (const auto& [name, value] : headers) context.AddMetadata(name, value);
    }
    Send();
  }

  // One that is yet to be used cancels its call at once.
  void Cancel() override {
    for (grpc::ClientContext& context : contexts_) context.TryCancel();
  }
  bool HasEnded() const override { return ended_.HasBeenNotified(); }

  const absl::StatusOr<SegmentResult>& Wait() override {
    ended_.WaitForNotification();
    absl::call_once(read_once_, [this] { result_ = Read(); });
    return result_;
  }

 private:
  void Send() {
    stub_.UnaryCall(&contexts_[calls_++], kSegment, {}, &request_.bytes, &reply_,
                    [self = shared_from_this()](const grpc::Status& status) { self->End(status); });
  }

  void End(const grpc::Status& status) {
    if (calls_ < kMostCalls && HasBrokenOff(contexts_[calls_ - 1], FromGrpc(status))) {
      reply_.Clear();
      Send();
      return;
    }
    round_trip_ = std::chrono::steady_clock::now() - start_;
    ending_ = status;
    request_.bytes.Clear();
    ended_.Notify();
    if (done_) std::exchange(done_, nullptr)(shared_from_this());
  }

  absl::StatusOr<SegmentResult> Read() {
    RETURN_IF_ERROR(FromGrpc(ending_));
    ASSIGN_OR_RETURN(SegmentResult result, ReadReply(request_.message, &reply_));
    result.round_trip_ms = round_trip_.count();
    return result;
  }

  Outgoing request_;
  SegmentDone done_;
  const std::chrono::steady_clock::time_point start_;
  grpc::GenericStub stub_;
  std::array<grpc::ClientContext, kMostCalls> contexts_;
  int calls_ = 0;  // begun; one ends before the next begins
  grpc::ByteBuffer reply_;
  // Set before the notification, read after it.
  grpc::Status ending_;
  std::chrono::duration<double, std::milli> round_trip_{};
  absl::Notification ended_;
  absl::once_flag read_once_;
  absl::StatusOr<SegmentResult> result_;
};

class GrpcSegmentationClient : public SegmentationClient {
 public:
  // `channels` are used in turn, `health_channel` for health alone.
  GrpcSegmentationClient(const ClientOptions& options, const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                         const std::shared_ptr<grpc::Channel>& health_channel)
      : timeout_(options.timeout), health_(grpc::health::v1::Health::NewStub(health_channel)) {
    for (const auto& channel : channels) connections_.push_back(std::make_unique<Connection>(channel));
  }

  absl::StatusOr<SegmentResult> SegmentEncoded(absl::string_view file_bytes, const SegmentOptions& options) override {
    ASSIGN_OR_RETURN(const Outgoing request, MakeOutgoing(file_bytes, options));
    return Segment(request, options);
  }

  absl::StatusOr<SegmentResult> SegmentRaw(const RawImage& image, const SegmentOptions& options) override {
    ASSIGN_OR_RETURN(const Outgoing request, MakeOutgoing(image, options));
    return Segment(request, options);
  }

  absl::StatusOr<std::shared_ptr<SegmentCall>> StartSegmentEncoded(absl::string_view file_bytes,
                                                                   const SegmentOptions& options,
                                                                   SegmentDone done) override {
    ASSIGN_OR_RETURN(Outgoing request, MakeOutgoing(file_bytes, options));
    return Start(std::move(request), options, std::move(done));
  }

  absl::StatusOr<std::shared_ptr<SegmentCall>> StartSegmentRaw(const RawImage& image, const SegmentOptions& options,
                                                               SegmentDone done) override {
    ASSIGN_OR_RETURN(Outgoing request, MakeOutgoing(image, options));
    return Start(std::move(request), options, std::move(done));
  }

  absl::StatusOr<std::unique_ptr<SegmentationStream>> OpenStream(const StreamOptions& options) override {
    return GrpcStream::Open(Next().channel, options, timeout_);
  }

  absl::StatusOr<ModelList> ListModels() override {
    v1::ListModelsResponse reply;
    v1::Segmentation::Stub& stub = Next().stub;
    RETURN_IF_ERROR(CallUntilWhole(timeout_, {}, [&](grpc::ClientContext* context) {
      return stub.ListModels(context, v1::ListModelsRequest(), &reply);
    }));
    ModelList list;
    list.default_model = reply.default_model();
    for (const v1::Model& model : reply.models()) {
      ASSIGN_OR_RETURN(ModelDescription description, ReadModel(model));
      list.models.push_back(std::move(description));
    }
    return list;
  }

  absl::StatusOr<ModelDescription> GetModel(const std::string& name) override {
    v1::GetModelRequest request;
    request.set_model(name);
    v1::GetModelResponse reply;
    v1::Segmentation::Stub& stub = Next().stub;
    RETURN_IF_ERROR(CallUntilWhole(
        timeout_, {}, [&](grpc::ClientContext* context) { return stub.GetModel(context, request, &reply); }));
    return ReadModel(reply.model());
  }

  absl::StatusOr<HealthState> CheckHealth(const std::string& service) override {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    grpc::health::v1::HealthCheckResponse reply;
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
    const absl::Status status = FromGrpc(health_->Check(&context, request, &reply));
    if (absl::IsNotFound(status)) return HealthState::kUnknownService;
    RETURN_IF_ERROR(status);
    return reply.status() == grpc::health::v1::HealthCheckResponse::SERVING ? HealthState::kServing
                                                                            : HealthState::kNotServing;
  }

 private:
  struct Connection {
    explicit Connection(const std::shared_ptr<grpc::Channel>& opened)
        : channel(opened), stub(opened), generic_stub(opened) {}

    std::shared_ptr<grpc::Channel> channel;
    v1::Segmentation::Stub stub;
    grpc::GenericStub generic_stub;  // for messages with pictures, as bytes
  };

  // Each call takes the next one.
  Connection& Next() { return *connections_[next_.fetch_add(1, std::memory_order_relaxed) % connections_.size()]; }

  absl::StatusOr<std::shared_ptr<SegmentCall>> Start(Outgoing request, const SegmentOptions& options,
                                                     SegmentDone done) {
    auto call = std::make_shared<GrpcSegmentCall>(std::move(request), std::move(done), Next().channel);
    call->Start(options.timeout.value_or(timeout_), IdentityHeaders(options));
    return call;
  }

  // As generated code does a call that blocks: the thread itself waits for the network.
  static grpc::Status CallAndWait(grpc::GenericStub* stub, grpc::ClientContext* context,
                                  const grpc::ByteBuffer& request, grpc::ByteBuffer* reply) {
    grpc::CompletionQueue queue;
    grpc::Status status;
    const auto call = stub->PrepareUnaryCall(context, kSegment, request, &queue);
    call->StartCall();
    call->Finish(reply, &status, /*tag=*/nullptr);
    queue.Shutdown();
    void* tag = nullptr;
    for (bool ok = false; queue.Next(&tag, &ok);) continue;
    return status;
  }

  absl::StatusOr<SegmentResult> Segment(const Outgoing& request, const SegmentOptions& options) {
    const auto start = std::chrono::steady_clock::now();
    grpc::GenericStub& stub = Next().generic_stub;
    grpc::ByteBuffer reply;
    RETURN_IF_ERROR(
        CallUntilWhole(options.timeout.value_or(timeout_), IdentityHeaders(options), [&](grpc::ClientContext* context) {
          reply.Clear();
          return CallAndWait(&stub, context, request.bytes, &reply);
        }));
    const std::chrono::duration<double, std::milli> round_trip = std::chrono::steady_clock::now() - start;
    ASSIGN_OR_RETURN(SegmentResult result, ReadReply(request.message, &reply));
    result.round_trip_ms = round_trip.count();
    return result;
  }

  const absl::Duration timeout_;
  std::vector<std::unique_ptr<Connection>> connections_;  // filled by the constructor
  std::atomic<size_t> next_ = 0;
  const std::unique_ptr<grpc::health::v1::Health::Stub> health_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentationClient>> SegmentationClient::Create(const ClientOptions& options) {
  ASSIGN_OR_RETURN(const ServerTarget server, ParseServers(options.server));
  if (options.timeout <= absl::ZeroDuration() || options.timeout == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("timeout: must be > 0 and finite, got ", absl::FormatDuration(options.timeout)));
  }
  if (options.max_message_bytes < 1 || options.max_message_bytes > std::numeric_limits<int>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_message_bytes: must be in [1, 2147483647], got ", options.max_message_bytes));
  }
  if (options.connections < 1 || options.connections > kMaxConnections) {
    return absl::InvalidArgumentError(
        absl::StrCat("connections: must be in [1, ", kMaxConnections, "], got ", options.connections));
  }
  ASSIGN_OR_RETURN(const ClientSecurity security, ClientSecurity::Read(options));
  const auto connect = [&](bool is_balanced) {
    grpc::ChannelArguments arguments = MakeChannelArguments(static_cast<int>(options.max_message_bytes), is_balanced);
    // Channels to one server would share a connection.
    if (options.connections > 1) arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return security.OpenChannel(server.target, arguments);
  };
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < options.connections; ++i) channels.push_back(connect(server.is_balanced));
  // A channel that avoids servers which are not serving could not ask them.
  const auto health_channel = server.is_balanced ? connect(false) : channels[0];
  return std::make_unique<GrpcSegmentationClient>(options, channels, health_channel);
}

}  // namespace candor
