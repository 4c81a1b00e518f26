// SPDX-License-Identifier: Apache-2.0
//
// Starting servers and calling them.
#include "tests/server/live_server.h"

#include <grpcpp/create_channel.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/config.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

LoadedModel Loaded(std::unique_ptr<FakeSegmenter> fake) {
  LoadedModel model;
  model.segmenter = std::move(fake);
  model.load_seconds = 0.25;
  return model;
}

// A connected socket, or -1.
int Connect(const std::string& host_port) {
  const absl::StatusOr<HostPort> address = ParseHostPort(host_port);
  if (!address.ok()) return -1;
  addrinfo* found = nullptr;
  if (getaddrinfo(address->host.c_str(), absl::StrCat(address->port).c_str(), nullptr, &found) != 0) return -1;
  const int fd = socket(found->ai_family, SOCK_STREAM, 0);
  const bool is_connected = connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  freeaddrinfo(found);
  if (is_connected) return fd;
  close(fd);
  return -1;
}

}  // namespace

std::string HttpGet(const std::string& host_port, const std::string& path) {
  const int fd = Connect(host_port);
  if (fd < 0) return "";
  // HTTP/1.0: the answer is not chunked and ends with the connection.
  const std::string request = absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n");
  std::string answer;
  if (write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
    char buffer[4096];
    for (ssize_t n = read(fd, buffer, sizeof(buffer)); n > 0; n = read(fd, buffer, sizeof(buffer))) {
      answer.append(buffer, static_cast<size_t>(n));
    }
  }
  close(fd);
  const size_t body = answer.find("\r\n\r\n");
  return body == std::string::npos ? "" : answer.substr(body + 4);
}

Image FourPixels() { return {4, 1, {0, 0, 9, 1, 51, 9, 2, 102, 9, 2, 255, 9}}; }

v1::SegmentRequest RawRequest() {
  const Image image = FourPixels();
  v1::SegmentRequest request;
  v1::RawImage& raw = *request.mutable_image()->mutable_raw();
  raw.set_format(v1::RGB8);
  raw.set_width(image.width);
  raw.set_height(image.height);
  raw.set_data(image.pixels.data(), image.pixels.size());
  return request;
}

v1::SegmentRequest EncodedRequest(std::string bytes) {
  v1::SegmentRequest request;
  request.mutable_image()->set_encoded(std::move(bytes));
  return request;
}

LiveServer::LiveServer(const std::function<void(v1::ServerConfig*)>& edit)
    : LiveServer(FakeModelInfo("street", ModelKind::kStudent), edit) {}

LiveServer::LiveServer(ModelInfo street_info, const std::function<void(v1::ServerConfig*)>& edit) {
  v1::ServerConfig config;
  config.set_listen("127.0.0.1:0");
  config.set_metrics_listen("127.0.0.1:0");
  config.set_threads(2);
  if (edit) edit(&config);
  FillServerConfigDefaults(&config);
  scheduler_ = std::make_unique<InferenceScheduler>(InferenceScheduler::Limits{config.max_pending_requests()});
  auto street = std::make_unique<FakeSegmenter>(std::move(street_info));
  auto committee = std::make_unique<FakeSegmenter>(FakeModelInfo("committee", ModelKind::kEnsemble));
  street_ = street.get();
  committee_ = committee.get();
  std::vector<LoadedModel> models;
  models.push_back(Loaded(std::move(street)));
  models.push_back(Loaded(std::move(committee)));
  auto registry = ModelRegistry::Create(std::move(models), config.default_model());
  EXPECT_THAT(registry, IsOk());
  auto server = Server::Start(config, *std::move(registry), scheduler_.get());
  EXPECT_THAT(server, IsOk());
  server_ = *std::move(server);
  channel_ = grpc::CreateChannel(server_->grpc_address(), grpc::InsecureChannelCredentials());
  stub_ = v1::Segmentation::NewStub(channel_);
}

LiveServer::~LiveServer() {
  street_->Release();
  committee_->Release();
}

grpc::Status LiveServer::Segment(const v1::SegmentRequest& request, v1::SegmentResponse* response) {
  grpc::ClientContext context;
  context.set_deadline(system_clock::now() + std::chrono::seconds(60));
  return stub_->Segment(&context, request, response);
}

grpc::Status LiveServer::Segment(const v1::SegmentRequest& request) {
  v1::SegmentResponse response;
  return Segment(request, &response);
}

bool LiveServer::ScrapeUntil(const std::string& line) const {
  const auto give_up = steady_clock::now() + std::chrono::seconds(20);
  while (steady_clock::now() < give_up) {
    if (absl::StrCat("\n", Scrape()).find(absl::StrCat("\n", line, "\n")) != std::string::npos) return true;
  }
  return false;
}

PendingCall::PendingCall(LiveServer* live, const v1::SegmentRequest& request, std::chrono::milliseconds timeout)
    : request_(request) {
  context_.set_deadline(system_clock::now() + timeout);
  live->stub().async()->Segment(&context_, &request_, &response_, [this](grpc::Status status) {
    status_ = std::move(status);
    done_.Notify();
  });
}

PendingCall::~PendingCall() {
  context_.TryCancel();
  done_.WaitForNotification();
}

const grpc::Status& PendingCall::Wait() {
  done_.WaitForNotification();
  return status_;
}

}  // namespace candor
