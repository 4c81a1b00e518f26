// SPDX-License-Identifier: Apache-2.0
//
// The client over gRPC: one channel, blocking unary calls.
#include "client/segmentation_client.h"

#include <grpcpp/grpcpp.h>

#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "candor/v1/segmentation.grpc.pb.h"
#include "client/client_security.h"
#include "client/messages.h"
#include "core/base/status_macros.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace candor {
namespace {

// Only our own methods are retried: they are idempotent, and a health probe has to tell the present state at once. gRPC
// caps the attempts at five, the first included.
constexpr char kServiceConfig[] = R"json({
  "methodConfig": [{
    "name": [{"service": "candor.v1.Segmentation"}],
    "retryPolicy": {
      "maxAttempts": 5,
      "initialBackoff": "0.1s",
      "maxBackoff": "2s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }],
  "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1}
})json";

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());  // same numbers
}

grpc::ChannelArguments MakeChannelArguments(int max_message_bytes) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kServiceConfig);
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

class GrpcSegmentationClient : public SegmentationClient {
 public:
  GrpcSegmentationClient(const ClientOptions& options, const std::shared_ptr<grpc::Channel>& channel)
      : timeout_(options.timeout),
        segmentation_(v1::Segmentation::NewStub(channel)),
        health_(grpc::health::v1::Health::NewStub(channel)) {}

  absl::StatusOr<SegmentResult> SegmentEncoded(absl::string_view file_bytes, const SegmentOptions& options) override {
    ASSIGN_OR_RETURN(v1::SegmentRequest request, MakeSegmentRequest(options));
    request.mutable_image()->set_encoded(file_bytes.data(), file_bytes.size());
    return Segment(request);
  }

  absl::StatusOr<SegmentResult> SegmentRaw(const RawImage& image, const SegmentOptions& options) override {
    ASSIGN_OR_RETURN(v1::SegmentRequest request, MakeSegmentRequest(options));
    *request.mutable_image()->mutable_raw() = MakeRawImage(image);
    return Segment(request);
  }

  absl::StatusOr<ModelList> ListModels() override {
    v1::ListModelsResponse reply;
    RETURN_IF_ERROR(Call(*segmentation_, &v1::Segmentation::Stub::ListModels, v1::ListModelsRequest(), &reply));
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
    RETURN_IF_ERROR(Call(*segmentation_, &v1::Segmentation::Stub::GetModel, request, &reply));
    return ReadModel(reply.model());
  }

  absl::StatusOr<HealthState> CheckHealth(const std::string& service) override {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    grpc::health::v1::HealthCheckResponse reply;
    const absl::Status status = Call(*health_, &grpc::health::v1::Health::Stub::Check, request, &reply);
    if (absl::IsNotFound(status)) return HealthState::kUnknownService;
    RETURN_IF_ERROR(status);
    return reply.status() == grpc::health::v1::HealthCheckResponse::SERVING ? HealthState::kServing
                                                                            : HealthState::kNotServing;
  }

 private:
  template <typename Stub, typename Method, typename Request, typename Reply>
  absl::Status Call(Stub& stub, Method method, const Request& request, Reply* reply) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
    return FromGrpc((stub.*method)(&context, request, reply));
  }

  absl::StatusOr<SegmentResult> Segment(const v1::SegmentRequest& request) {
    const auto start = std::chrono::steady_clock::now();
    v1::SegmentResponse reply;
    RETURN_IF_ERROR(Call(*segmentation_, &v1::Segmentation::Stub::Segment, request, &reply));
    const std::chrono::duration<double, std::milli> round_trip = std::chrono::steady_clock::now() - start;
    ASSIGN_OR_RETURN(SegmentResult result, ReadSegmentResponse(request, reply));
    result.round_trip_ms = round_trip.count();
    return result;
  }

  const absl::Duration timeout_;
  const std::unique_ptr<v1::Segmentation::Stub> segmentation_;
  const std::unique_ptr<grpc::health::v1::Health::Stub> health_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentationClient>> SegmentationClient::Create(const ClientOptions& options) {
  if (options.server.empty()) return absl::InvalidArgumentError("server: must be HOST:PORT, got an empty string");
  if (options.timeout <= absl::ZeroDuration() || options.timeout == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("timeout: must be > 0 and finite, got ", absl::FormatDuration(options.timeout)));
  }
  if (options.max_message_bytes < 1 || options.max_message_bytes > std::numeric_limits<int>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_message_bytes: must be in [1, 2147483647], got ", options.max_message_bytes));
  }
  ASSIGN_OR_RETURN(const ClientSecurity security, ClientSecurity::Read(options));
  const auto channel =
      security.OpenChannel(options.server, MakeChannelArguments(static_cast<int>(options.max_message_bytes)));
  return std::make_unique<GrpcSegmentationClient>(options, channel);
}

}  // namespace candor
