// SPDX-License-Identifier: Apache-2.0
#include "tests/client/fake_service.h"

#include <arpa/inet.h>
#include <grpcpp/health_check_service_interface.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/base/float16.h"
#include "core/image/decode.h"
#include "core/image/run_lengths.h"

namespace candor {
namespace {

void AddClass(const std::string& name, int red, int green, int blue, v1::Model* model) {
  v1::ClassInfo* info = model->add_classes();
  info->set_name(name);
  info->set_red(red);
  info->set_green(green);
  info->set_blue(blue);
}

void AddKind(v1::UncertaintyKind kind, const std::string& name, const std::string& unit, float range_max,
             v1::Model* model) {
  v1::UncertaintyKindInfo* info = model->add_uncertainty();
  info->set_kind(kind);
  info->set_name(name);
  info->set_unit(unit);
  info->set_range_max(range_max);
}

void AddStatistics(v1::UncertaintyKind kind, float threshold, v1::SegmentResponse* reply) {
  v1::UncertaintyStatistics* statistics = reply->add_statistics();
  statistics->set_kind(kind);
  statistics->set_mean(0.1F);
  statistics->set_max(0.9F);
  statistics->set_median(0.05F);
  statistics->set_p90(0.25F);
  statistics->set_p99(0.5F);
  statistics->set_threshold(threshold);
  statistics->set_share_above_threshold(0.125F);
}

void AddMap(const v1::UncertaintyRequest& asked, v1::UncertaintyKind kind, int pixels, float factor,
            v1::SegmentResponse* reply) {
  if (asked.encoding() == v1::MAP_ENCODING_UNSPECIFIED) return;
  std::vector<float> values(pixels);
  for (int i = 0; i < pixels; ++i) values[i] = factor * static_cast<float>(i % 8) / 16;
  v1::UncertaintyMap* map = reply->add_maps();
  map->set_kind(kind);
  map->set_encoding(asked.encoding());
  map->set_scale(1);
  if (asked.encoding() == v1::MAP_F32) {
    map->set_data(values.data(), values.size() * sizeof(float));
  } else {
    std::vector<uint16_t> halves;
    for (const float value : values) halves.push_back(FloatToHalf(value));
    map->set_data(halves.data(), halves.size() * sizeof(uint16_t));
  }
}

// Faithful about abstaining by predictive_stddev.
void AddLabels(const v1::SegmentRequest& request, bool teacher, v1::SegmentResponse* reply) {
  const int width = reply->width();
  const int height = reply->height();
  std::vector<uint8_t> labels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) labels.push_back(static_cast<uint8_t>(teacher && y == 0 ? 0 : (x + y) % 3));
  }
  if (request.has_abstain()) {
    int abstained = 0;
    for (size_t i = 0; i < labels.size(); ++i) {
      if ((teacher ? 2 : 1) * static_cast<float>(i % 8) / 16 <= request.abstain().threshold()) continue;
      labels[i] = static_cast<uint8_t>(request.abstain().index());
      ++abstained;
    }
    reply->set_abstained_share(static_cast<float>(abstained) / static_cast<float>(labels.size()));
  }
  reply->set_label_encoding(request.labels());
  if (request.labels() == v1::LABEL_RAW) reply->set_labels(labels.data(), labels.size());
  if (request.labels() == v1::LABEL_RLE) reply->set_labels(EncodeRuns(labels));
}

void AddClassStatistics(int index, float share, float mean, v1::SegmentResponse* reply) {
  v1::ClassStatistics* statistics = reply->add_classes();
  statistics->set_class_index(index);
  statistics->set_share(share);
  statistics->set_mean_uncertainty(mean);
}

}  // namespace

v1::Model FakeModel(const std::string& name) {
  v1::Model model;
  model.mutable_identity()->set_name(name);
  model.mutable_identity()->set_version(3);
  model.mutable_identity()->set_digest(std::string(64, 'a'));
  model.set_kind(name == "teacher" ? v1::ENSEMBLE : v1::STUDENT);
  model.add_aliases(name + "-alias");
  model.set_members(name == "teacher" ? 10 : 1);
  model.set_architecture("deeplabv3plus_resnet18");
  model.set_width(64);
  model.set_parameters(12'345'678);
  model.set_device("cpu");
  model.set_precision("fp32");
  AddClass("road", 128, 64, 128, &model);
  AddClass("sky", 0, 128, 255, &model);
  AddClass("tree", 0, 255, 0, &model);
  AddKind(v1::PREDICTIVE_STDDEV, "predictive_stddev", "probability", 1, &model);
  AddKind(v1::PREDICTIVE_ENTROPY, "predictive_entropy", "nats", std::log(3.0F), &model);
  model.set_predictions(model.members());
  if (name == "student") {
    v1::CalibrationInfo* calibration = model.mutable_calibration();
    calibration->set_data("validation");
    calibration->set_temperature(1.25F);
    calibration->mutable_verdict()->set_kind(v1::PREDICTIVE_STDDEV);
    calibration->mutable_verdict()->set_accept_max(0.05F);
    calibration->mutable_verdict()->set_review_max(0.2F);
    calibration->mutable_verdict()->set_error_rate(0.04F);
    calibration->mutable_verdict()->set_reject_error_rate(0.08F);
  }
  return model;
}

namespace {

// By the fake's figures: a mean of 0.1 and a verdict of REVIEW.
bool IsEscalated(const v1::SegmentRequest& request) {
  return request.has_escalation() && (!request.escalation().has_above() || request.escalation().above() < 0.1F);
}

grpc::Status AnswerAlone(const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
  const bool teacher = request.model() == "teacher";
  if (!teacher && request.model() != "student" && !request.model().empty()) {
    return {grpc::StatusCode::NOT_FOUND, "model: no model named " + request.model()};
  }
  int width = request.image().raw().width();
  int height = request.image().raw().height();
  if (request.image().has_encoded()) {
    const auto image = DecodeImage(request.image().encoded(), DecodeLimits());
    if (!image.ok()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, absl::StrCat("image.encoded: ", image.status().message())};
    }
    width = image->width;
    height = image->height;
  }
  reply->set_request_id("r-17");
  reply->mutable_model()->set_name(teacher ? "teacher" : "student");
  reply->mutable_model()->set_version(3);
  reply->mutable_model()->set_digest(std::string(64, 'a'));
  reply->set_width(width);
  reply->set_height(height);
  AddLabels(request, teacher, reply);
  AddStatistics(v1::PREDICTIVE_STDDEV, 0.3F, reply);
  for (const v1::UncertaintyRequest& asked : request.uncertainty()) {
    const bool is_default = asked.kind() == v1::UNCERTAINTY_KIND_UNSPECIFIED || asked.kind() == v1::PREDICTIVE_STDDEV;
    if (!is_default) AddStatistics(asked.kind(), asked.has_threshold() ? asked.threshold() : 0.3F, reply);
    if (is_default && asked.has_threshold()) reply->mutable_statistics(0)->set_threshold(asked.threshold());
    AddMap(asked, is_default ? v1::PREDICTIVE_STDDEV : asked.kind(), width * height, teacher ? 2 : 1, reply);
  }
  AddClassStatistics(1, 0.75F, 0.2F, reply);
  AddClassStatistics(0, 0.25F, 0.4F, reply);
  v1::GroupStatistics* group = reply->add_groups();
  group->set_name("drivable");
  group->set_share(0.25F);
  group->set_mean_uncertainty(0.4F);
  if (!teacher) reply->set_verdict(v1::REVIEW);
  const int members = request.anytime() ? 3 : 10;
  reply->set_members(teacher ? members : 1);
  if (request.has_frame()) *reply->mutable_frame() = request.frame();
  reply->mutable_timing()->set_decode_ms(1.5F);
  reply->mutable_timing()->set_queue_ms(0.25F);
  reply->mutable_timing()->set_infer_ms(teacher ? 40 : 10);
  reply->mutable_timing()->set_encode_ms(2.5F);
  return grpc::Status::OK;
}

}  // namespace

grpc::Status AnswerFaithfully(const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
  v1::SegmentRequest asked = request;
  if (IsEscalated(request)) {
    asked.set_model(request.escalation().model().empty() ? "teacher" : request.escalation().model());
  }
  const grpc::Status status = AnswerAlone(asked, reply);
  if (request.has_escalation()) reply->set_escalation(IsEscalated(request) ? v1::ESCALATED : v1::NOT_NEEDED);
  return status;
}

class FakeServer::Service final : public v1::Segmentation::Service {
 public:
  explicit Service(SegmentCallHandler handler)
      : handler_(std::move(handler)), models_{FakeModel("student"), FakeModel("teacher")} {}

  grpc::Status Segment(grpc::ServerContext* context, const v1::SegmentRequest* request,
                       v1::SegmentResponse* reply) override {
    {
      absl::MutexLock lock(&mu_);
      ++calls_;
      peers_.insert(context->peer());
      last_request_ = *request;
    }
    return handler_(context, *request, reply);
  }

  grpc::Status SegmentStream(grpc::ServerContext* context,
                             grpc::ServerReaderWriter<v1::StreamResponse, v1::StreamRequest>* stream) override {
    StreamHandler handler;
    {
      absl::MutexLock lock(&mu_);
      handler = stream_handler_;
    }
    return handler ? handler(context, stream) : AnswerInTurn(context, stream);
  }

  grpc::Status ListModels(grpc::ServerContext* context, const v1::ListModelsRequest*,
                          v1::ListModelsResponse* reply) override {
    context->AddInitialMetadata("x-request-id", "r-17");
    absl::MutexLock lock(&mu_);
    for (const v1::Model& model : models_) *reply->add_models() = model;
    reply->set_default_model(models_[0].identity().name());
    return grpc::Status::OK;
  }

  grpc::Status GetModel(grpc::ServerContext* context, const v1::GetModelRequest* request,
                        v1::GetModelResponse* reply) override {
    context->AddInitialMetadata("x-request-id", "r-17");
    absl::MutexLock lock(&mu_);
    const std::string name = request->model().empty() ? models_[0].identity().name() : request->model();
    for (const v1::Model& model : models_) {
      if (model.identity().name() != name) continue;
      *reply->mutable_model() = model;
      return grpc::Status::OK;
    }
    return {grpc::StatusCode::NOT_FOUND, "model: no model named " + name};
  }

  void SetStream(StreamHandler handler) {
    absl::MutexLock lock(&mu_);
    stream_handler_ = std::move(handler);
  }
  v1::StreamOptions last_options() const {
    absl::MutexLock lock(&mu_);
    return last_options_;
  }
  void SetModels(const std::vector<v1::Model>& models) {
    absl::MutexLock lock(&mu_);
    models_ = models;
  }
  int calls() const {
    absl::MutexLock lock(&mu_);
    return calls_;
  }
  v1::SegmentRequest last_request() const {
    absl::MutexLock lock(&mu_);
    return last_request_;
  }
  int connections() const {
    absl::MutexLock lock(&mu_);
    return static_cast<int>(peers_.size());
  }

 private:
  grpc::Status AnswerInTurn(grpc::ServerContext* context,
                            grpc::ServerReaderWriter<v1::StreamResponse, v1::StreamRequest>* stream) {
    v1::StreamRequest request;
    v1::StreamStatistics statistics;
    while (stream->Read(&request)) {
      if (request.has_options()) {
        absl::MutexLock lock(&mu_);
        last_options_ = request.options();
        continue;
      }
      v1::StreamResponse answer;
      answer.set_index(statistics.frames());
      if (request.frame().has_frame()) *answer.mutable_frame() = request.frame().frame();
      if (IsEscalated(request.frame())) {
        v1::StreamResponse early = answer;
        AnswerAlone(request.frame(), early.mutable_preliminary());
        stream->Write(early);
      }
      const grpc::Status status = Segment(context, &request.frame(), answer.mutable_result());
      statistics.set_frames(statistics.frames() + 1);
      if (status.ok()) {
        statistics.set_answered(statistics.answered() + 1);
      } else {
        answer.mutable_error()->set_code(status.error_code());
        answer.mutable_error()->set_message(status.error_message());
        const bool is_late = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
        statistics.set_late(statistics.late() + (is_late ? 1 : 0));
        statistics.set_failed(statistics.failed() + (is_late ? 0 : 1));
      }
      stream->Write(answer);
    }
    v1::StreamResponse last;
    last.set_index(statistics.frames());
    *last.mutable_statistics() = statistics;
    stream->Write(last);
    return grpc::Status::OK;
  }

  const SegmentCallHandler handler_;
  mutable absl::Mutex mu_;
  std::vector<v1::Model> models_ ABSL_GUARDED_BY(mu_);
  StreamHandler stream_handler_ ABSL_GUARDED_BY(mu_);
  v1::StreamOptions last_options_ ABSL_GUARDED_BY(mu_);
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
  v1::SegmentRequest last_request_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> peers_ ABSL_GUARDED_BY(mu_);
};

FakeServer::FakeServer(SegmentHandler handler)
    : FakeServer(SegmentCallHandler([handler = std::move(handler)](grpc::ServerContext*, const auto& request,
                                                                   auto* reply) { return handler(request, reply); })) {}

FakeServer::FakeServer(SegmentCallHandler handler) : service_(std::make_unique<Service>(std::move(handler))) {
  grpc::EnableDefaultHealthCheckService(true);
  Start();
}

FakeServer::~FakeServer() { Stop(); }

void FakeServer::Start() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address(), grpc::InsecureServerCredentials(), &port_);
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  SetServing("candor.v1.Segmentation", true);
}

void FakeServer::Stop() {
  if (server_ != nullptr) server_->Shutdown();
  server_ = nullptr;
}

void FakeServer::StopAtOnce() {
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  server_ = nullptr;
}

std::string FakeServer::address() const { return absl::StrCat("127.0.0.1:", port_); }
int FakeServer::calls() const { return service_->calls(); }
int FakeServer::connections() const { return service_->connections(); }
void FakeServer::SetStream(StreamHandler handler) { service_->SetStream(std::move(handler)); }
v1::StreamOptions FakeServer::last_options() const { return service_->last_options(); }
v1::SegmentRequest FakeServer::last_request() const { return service_->last_request(); }
void FakeServer::SetModels(const std::vector<v1::Model>& models) { service_->SetModels(models); }
void FakeServer::SetServing(const std::string& service, bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(service, serving);
}

// Bound but not listening: nobody else can take the port, and the kernel refuses every connection to it.
DeadAddress::DeadAddress() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (socket_ >= 0 && bind(socket_, generic, size) == 0 && getsockname(socket_, generic, &size) == 0) {
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
}

DeadAddress::~DeadAddress() { close(socket_); }

}  // namespace candor
