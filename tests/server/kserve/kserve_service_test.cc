// SPDX-License-Identifier: Apache-2.0
//
// The Open Inference Protocol, over the wire.
#include "server/kserve/kserve_service.h"

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "inference/grpc_service.grpc.pb.h"
#include "tests/server/live_server.h"
#include "tests/testing/test_images.h"

namespace candor {
namespace {

using grpc::StatusCode;
using inference::GRPCInferenceService;
using inference::ModelInferRequest;
using inference::ModelInferResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

// FourPixels(), `pictures` times.
ModelInferRequest InferRequest(int64_t pictures = 1) {
  const Image image = FourPixels();
  ModelInferRequest request;
  request.set_model_name("street");
  auto* input = request.add_inputs();
  input->set_name("image");
  input->set_datatype("UINT8");
  for (const int64_t side : {pictures, int64_t{1}, int64_t{4}, int64_t{3}}) input->add_shape(side);
  std::string* raw = request.add_raw_input_contents();
  for (int i = 0; i < pictures; ++i) raw->append(image.pixels.begin(), image.pixels.end());
  return request;
}

ModelInferRequest EncodedInferRequest(const std::string& file) {
  ModelInferRequest request;
  request.set_model_name("street_encoded");
  auto* input = request.add_inputs();
  input->set_name("image");
  input->set_datatype("BYTES");
  input->add_shape(1);
  const auto size = static_cast<uint32_t>(file.size());
  request.add_raw_input_contents(std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + file);
  return request;
}

std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

class KServeServiceTest : public testing::Test {
 protected:
  // One call of any method; the response stays in `response`.
  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (GRPCInferenceService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    return (stub_.get()->*method)(&context, request, response);
  }
  grpc::Status Infer(const ModelInferRequest& request, ModelInferResponse* response) {
    return Call(&GRPCInferenceService::Stub::ModelInfer, request, response);
  }
  grpc::Status Infer(const ModelInferRequest& request) {
    ModelInferResponse response;
    return Infer(request, &response);
  }

  LiveServer live_;
  std::unique_ptr<GRPCInferenceService::Stub> stub_ = GRPCInferenceService::NewStub(live_.channel());
};

TEST_F(KServeServiceTest, PixelsAreAnsweredRaw) {
  ModelInferRequest request = InferRequest();
  request.set_id("q1");
  ModelInferResponse response;
  const grpc::Status status = Infer(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.id(), "q1");
  EXPECT_EQ(response.model_version(), "3");
  ASSERT_EQ(response.raw_output_contents_size(), 2);
  EXPECT_EQ(response.raw_output_contents(0), std::string("\0\1\2\2", 4));
  EXPECT_THAT(Floats(response.raw_output_contents(1)),
              ElementsAre(0, testing::FloatEq(0.2F), testing::FloatEq(0.4F), 1));
  EXPECT_THAT(response.outputs(1).shape(), ElementsAre(1, 1, 4));
  EXPECT_EQ(response.parameters().at("uncertainty_max").double_param(), 1);
}

TEST_F(KServeServiceTest, ABatchIsManyPicturesAndOneAnswer) {
  ModelInferResponse response;
  const grpc::Status status = Infer(InferRequest(5), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(5, 1, 4));
  std::string labels;
  for (int i = 0; i < 5; ++i) labels += std::string("\0\1\2\2", 4);
  EXPECT_EQ(response.raw_output_contents(0), labels);
  EXPECT_EQ(live_.street().calls().size(), 5u);
  EXPECT_EQ(response.parameters().count("uncertainty_mean[4]"), 1u);
}

TEST_F(KServeServiceTest, FilesGoToTheEncodedEntry) {
  PngSpec spec;
  spec.width = 2;
  spec.height = 1;
  spec.rows = {3, 0, 0, 1, 255, 0};
  ModelInferResponse response;
  const grpc::Status status = Infer(EncodedInferRequest(MakePng(spec)), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.raw_output_contents(0), std::string("\3\1", 2));
  const grpc::Status damaged = Infer(EncodedInferRequest("no picture"));
  EXPECT_EQ(damaged.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(damaged.error_message(), HasSubstr("image.encoded: "));
}

TEST_F(KServeServiceTest, HalfTheBytesIfAskedFor) {
  ModelInferRequest request = InferRequest();
  (*request.mutable_parameters())["uncertainty_datatype"].set_string_param("FP16");
  request.add_outputs()->set_name("uncertainty");
  ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  EXPECT_EQ(response.outputs(0).datatype(), "FP16");
  ASSERT_EQ(response.raw_output_contents(0).size(), 8u);
  EXPECT_EQ(response.raw_output_contents(0).substr(6), std::string("\x00\x3c", 2)) << "1 as an IEEE half";
  EXPECT_EQ(response.outputs_size(), 1);
}

TEST_F(KServeServiceTest, ErrorsHaveTritonsCodes) {
  ModelInferRequest request = InferRequest();
  request.set_model_name("nobody");
  EXPECT_EQ(Infer(request).error_code(), StatusCode::NOT_FOUND);
  request.set_model_name("");
  EXPECT_EQ(Infer(request).error_code(), StatusCode::NOT_FOUND);
  request = InferRequest();
  request.set_model_version("2");
  EXPECT_EQ(Infer(request).error_code(), StatusCode::NOT_FOUND);
  request.set_model_version("latest");
  EXPECT_EQ(Infer(request).error_code(), StatusCode::INVALID_ARGUMENT);
  request.set_model_version("3");
  EXPECT_TRUE(Infer(request).ok());
  (*request.mutable_parameters())["uncertainty_kind"].set_string_param("disagreement");
  const grpc::Status lacking = Infer(request);
  EXPECT_EQ(lacking.error_code(), StatusCode::INVALID_ARGUMENT) << "FAILED_PRECONDITION in our own protocol";
  EXPECT_THAT(lacking.error_message(), HasSubstr("DISAGREEMENT"));
  live_.street().FailWith(absl::InternalError("broken"));
  EXPECT_EQ(Infer(InferRequest()).error_code(), StatusCode::INTERNAL);
}

TEST_F(KServeServiceTest, ATimeoutIsADeadline) {
  ModelInferRequest request = InferRequest();
  (*request.mutable_parameters())["timeout"].set_int64_param(1);
  const grpc::Status late = Infer(request);
  EXPECT_EQ(late.error_code(), StatusCode::UNAVAILABLE) << "as Triton's queue says it: " << late.error_message();
  EXPECT_EQ(live_.street().calls().size(), 0u) << "it never reached the model";
  (*request.mutable_parameters())["timeout"].set_int64_param(60000000);
  EXPECT_TRUE(Infer(request).ok());
}

TEST_F(KServeServiceTest, MetadataAndConfigDescribeTheTensors) {
  inference::ModelMetadataResponse metadata;
  inference::ModelMetadataRequest metadata_request;
  metadata_request.set_name("student");
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ModelMetadata, metadata_request, &metadata).ok());
  EXPECT_EQ(metadata.name(), "student");
  EXPECT_THAT(metadata.versions(), ElementsAre("3"));
  ASSERT_EQ(metadata.inputs_size(), 1);
  EXPECT_THAT(metadata.inputs(0).shape(), ElementsAre(-1, -1, -1, 3));
  ASSERT_EQ(metadata.outputs_size(), 2);
  EXPECT_EQ(metadata.outputs(1).datatype(), "FP32");
  inference::ModelConfigResponse config;
  inference::ModelConfigRequest config_request;
  config_request.set_name("student_encoded");
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ModelConfig, config_request, &config).ok());
  EXPECT_EQ(config.config().max_batch_size(), 0);
  EXPECT_EQ(config.config().input(0).data_type(), inference::TYPE_STRING);
  EXPECT_THAT(config.config().input(0).dims(), ElementsAre(-1));
  config_request.set_name("street");
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ModelConfig, config_request, &config).ok());
  EXPECT_EQ(config.config().max_batch_size(), 64);
  EXPECT_THAT(config.config().input(0).dims(), ElementsAre(-1, -1, 3));
  EXPECT_THAT(config.config().output(0).dims(), ElementsAre(-1, -1));
  EXPECT_EQ(config.config().parameters().at("class_names").string_value(), "class0\nclass1\nclass2\nclass3");
  config_request.set_name("nobody");
  EXPECT_EQ(Call(&GRPCInferenceService::Stub::ModelConfig, config_request, &config).error_code(),
            StatusCode::NOT_FOUND);
}

TEST_F(KServeServiceTest, ServerAndModelsAreReadyUntilTheDrain) {
  inference::ServerReadyResponse ready;
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ServerReady, inference::ServerReadyRequest(), &ready).ok());
  EXPECT_TRUE(ready.ready());
  inference::ModelReadyResponse model_ready;
  inference::ModelReadyRequest request;
  for (const auto& [name, is_ready] : std::vector<std::pair<const char*, bool>>{
           {"street", true}, {"teacher", true}, {"teacher_encoded", true}, {"nobody", false}, {"_encoded", false}}) {
    request.set_name(name);
    ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ModelReady, request, &model_ready).ok());
    EXPECT_EQ(model_ready.ready(), is_ready) << name;
  }
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckRequest health_request;
  health_request.set_service("inference.GRPCInferenceService");
  grpc::health::v1::HealthCheckResponse health;
  ASSERT_TRUE(grpc::health::v1::Health::NewStub(live_.channel())->Check(&context, health_request, &health).ok());
  EXPECT_EQ(health.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  live_.street().Block();
  PendingCall running(&live_, RawRequest());
  live_.street().WaitForCalls(1);
  std::thread drainer([this] { live_.server().Drain(); });
  do {
    ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ServerReady, inference::ServerReadyRequest(), &ready).ok());
  } while (ready.ready());
  while (Infer(InferRequest(3)).error_code() != StatusCode::UNAVAILABLE) {
  }
  inference::ServerLiveResponse is_live;
  EXPECT_TRUE(Call(&GRPCInferenceService::Stub::ServerLive, inference::ServerLiveRequest(), &is_live).ok());
  EXPECT_TRUE(is_live.live()) << "it still answers what it accepted";
  live_.street().Release();
  EXPECT_TRUE(running.Wait().ok());
  drainer.join();
}

TEST_F(KServeServiceTest, StatisticsCountEveryProtocol) {
  ASSERT_TRUE(Infer(InferRequest(2)).ok());
  ASSERT_TRUE(live_.Segment(RawRequest()).ok());
  ModelInferRequest wrong = InferRequest();
  (*wrong.mutable_parameters())["uncertainty_kind"].set_string_param("disagreement");
  ASSERT_FALSE(Infer(wrong).ok());
  inference::ModelStatisticsRequest request;
  request.set_name("student");
  inference::ModelStatisticsResponse statistics;
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ModelStatistics, request, &statistics).ok());
  ASSERT_EQ(statistics.model_stats_size(), 1);
  const inference::ModelStatistics& model = statistics.model_stats(0);
  EXPECT_EQ(model.name(), "student");
  EXPECT_EQ(model.inference_count(), 3u);
  EXPECT_GE(model.execution_count(), 2u);
  EXPECT_EQ(model.inference_stats().success().count(), 3u);
  EXPECT_EQ(model.inference_stats().fail().count(), 1u);
  EXPECT_GT(model.inference_stats().success().ns(), 0u);
  EXPECT_GE(model.inference_stats().success().ns(),
            model.inference_stats().queue().ns() + model.inference_stats().compute_infer().ns());
  request.set_name("");
  statistics.Clear();
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ModelStatistics, request, &statistics).ok());
  EXPECT_EQ(statistics.model_stats_size(), 4) << "two models, each for pixels and for files";
  const std::string page = HttpGet(live_.server().metrics_address(), "/metrics/triton");
  EXPECT_THAT(page, HasSubstr("nv_inference_count{model=\"street\",version=\"3\"} 3"));
  EXPECT_THAT(page, Not(HasSubstr("candor_")));
  EXPECT_THAT(live_.Scrape(), Not(HasSubstr("nv_inference")));
}

TEST_F(KServeServiceTest, TheIndexNamesEveryEntry) {
  inference::RepositoryIndexResponse index;
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::RepositoryIndex, inference::RepositoryIndexRequest(), &index).ok());
  std::vector<std::string> names;
  for (const auto& model : index.models()) {
    names.push_back(model.name());
    EXPECT_EQ(model.state(), "READY");
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("street", "student", "committee", "teacher", "street_encoded",
                                                   "student_encoded", "committee_encoded", "teacher_encoded"));
}

TEST_F(KServeServiceTest, WhatItLacksItSays) {
  inference::RepositoryModelLoadRequest load;
  load.set_model_name("street");
  inference::RepositoryModelLoadResponse loaded;
  EXPECT_EQ(Call(&GRPCInferenceService::Stub::RepositoryModelLoad, load, &loaded).error_code(),
            StatusCode::UNIMPLEMENTED);
  inference::CudaSharedMemoryUnregisterResponse unregistered;
  EXPECT_TRUE(Call(&GRPCInferenceService::Stub::CudaSharedMemoryUnregister,
                   inference::CudaSharedMemoryUnregisterRequest(), &unregistered)
                  .ok())
      << "perf_analyzer calls it whatever the server has";
  inference::SystemSharedMemoryUnregisterResponse system_unregistered;
  EXPECT_TRUE(Call(&GRPCInferenceService::Stub::SystemSharedMemoryUnregister,
                   inference::SystemSharedMemoryUnregisterRequest(), &system_unregistered)
                  .ok());
  inference::SystemSharedMemoryRegisterRequest region;
  region.set_name("r");
  region.set_key("/r");
  region.set_byte_size(1);
  inference::SystemSharedMemoryRegisterResponse registered;
  const grpc::Status off = Call(&GRPCInferenceService::Stub::SystemSharedMemoryRegister, region, &registered);
  EXPECT_EQ(off.error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(off.error_message(), HasSubstr("system_shared_memory"));
  inference::ServerMetadataResponse metadata;
  ASSERT_TRUE(Call(&GRPCInferenceService::Stub::ServerMetadata, inference::ServerMetadataRequest(), &metadata).ok());
  EXPECT_THAT(metadata.extensions(), IsSupersetOf({"statistics", "model_configuration"}));
  EXPECT_THAT(metadata.extensions(), Not(testing::Contains("system_shared_memory")));
}

TEST_F(KServeServiceTest, OneFailedPictureFailsTheRequestAndStopsTheOthers) {
  ModelInferRequest request = EncodedInferRequest("damaged");
  PngSpec spec;
  const std::string good = MakePng(spec);
  const auto size = static_cast<uint32_t>(good.size());
  request.mutable_inputs(0)->set_shape(0, 2);
  request.mutable_raw_input_contents(0)->append(std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + good);
  EXPECT_EQ(Infer(request).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(live_.ScrapeUntil("candor_requests_in_flight 0"));
  EXPECT_TRUE(Infer(InferRequest()).ok());
}

TEST_F(KServeServiceTest, ACallerWhoGivesUpEndsItsPictures) {
  live_.street().Block();
  grpc::ClientContext context;
  const ModelInferRequest request = InferRequest(3);
  ModelInferResponse response;
  absl::Notification done;
  grpc::Status status;
  stub_->async()->ModelInfer(&context, &request, &response, [&](grpc::Status result) {
    status = std::move(result);
    done.Notify();
  });
  live_.street().WaitForCalls(1);
  context.TryCancel();
  done.WaitForNotification();
  EXPECT_EQ(status.error_code(), StatusCode::CANCELLED);
  EXPECT_TRUE(live_.ScrapeUntil("candor_requests_in_flight 0")) << "though the model still blocks";
  live_.street().Release();
  EXPECT_TRUE(Infer(InferRequest()).ok());
}

TEST(KServeOverloadTest, AFullQueueIsUnavailableWithItsReason) {
  LiveServer live([](v1::ServerConfig* config) { config->set_max_pending_requests(2); });
  const auto stub = GRPCInferenceService::NewStub(live.channel());
  live.street().Block();
  PendingCall running(&live, RawRequest());
  live.street().WaitForCalls(1);
  grpc::ClientContext context;
  ModelInferResponse response;
  const grpc::Status full = stub->ModelInfer(&context, InferRequest(2), &response);
  EXPECT_EQ(full.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(full.error_message(), HasSubstr("max_pending_requests is 2"));
  EXPECT_THAT(full.error_details(), HasSubstr("QUEUE_FULL"));
  live.street().Release();
  EXPECT_TRUE(running.Wait().ok());
}

}  // namespace
}  // namespace candor
