// SPDX-License-Identifier: Apache-2.0
//
// New versions that are damaged, not complete, or half copied when the machine stops.
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "candor/v1/admin.grpc.pb.h"
#include "candor/v1/segmentation.grpc.pb.h"
#include "core/base/digest.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "server/config.h"
#include "server/server.h"
#include "tests/core/model/raw_safetensors.h"
#include "tests/server/lifecycle/fake_repository.h"
#include "tests/server/live_server.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

namespace fs = std::filesystem;
using grpc::StatusCode;
using testing::HasSubstr;

// A server of "street" (a student, version 1) and "crowd" (an ensemble of ten, version 1).
class ReloadFaultsTest : public testing::Test {
 protected:
  ReloadFaultsTest() {
    disk_.Write("street/1", ModelKind::kStudent);
    disk_.Write("crowd/1", ModelKind::kEnsemble, "old", 10);
    config_ = disk_.Configuration({{"street", {}}, {"crowd", {}}});
    config_.set_listen("127.0.0.1:0");
    config_.set_metrics_listen("off");
    config_.set_threads(2);
    FillServerConfigDefaults(&config_);
    auto server = Server::Start(config_, disk_.LoadAll(config_), &scheduler_, {nullptr, disk_.loader()});
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
    const auto channel = grpc::CreateChannel(server_->grpc_address(), grpc::InsecureChannelCredentials());
    admin_ = v1::ModelAdmin::NewStub(channel);
    segmentation_ = v1::Segmentation::NewStub(channel);
  }

  grpc::Status Reload() {
    grpc::ClientContext context;
    v1::ReloadModelsResponse response;
    return admin_->ReloadModels(&context, {}, &response);
  }
  // Of `model` in an answer; 0 if there is none.
  int VersionThatAnswers(const std::string& model) {
    v1::SegmentRequest request = RawRequest();
    request.set_model(model);
    grpc::ClientContext context;
    v1::SegmentResponse response;
    return segmentation_->Segment(&context, request, &response).ok() ? response.model().version() : 0;
  }
  // Which version of `model` a server that starts now would serve.
  int VersionAfterRestart(const std::string& model) {
    const std::unique_ptr<ModelRegistry> models = disk_.LoadAll(config_);
    const auto found = models->Find(model);
    EXPECT_THAT(found, IsOk());
    return found.ok() ? (*found)->segmenter->info().version : 0;
  }
  // Puts `bytes` in place of the student's weights, and their size and digest into model.json.
  void ReplaceWeights(const std::string& path, const std::string& bytes) const {
    WriteContents(disk_.At(path + "/model.safetensors"), bytes);
    const std::string manifest = disk_.At(path + "/model.json");
    nlohmann::json json = nlohmann::json::parse(Contents(manifest));
    json["weights"][0]["bytes"] = bytes.size();
    json["weights"][0]["sha256"] = Sha256Hex(bytes);
    WriteContents(manifest, json.dump());
  }

  FakeRepository disk_;
  v1::ServerConfig config_;
  InferenceScheduler scheduler_{{8}};
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::ModelAdmin::Stub> admin_;
  std::unique_ptr<v1::Segmentation::Stub> segmentation_;
};

// Tensors that do not fit the architecture (another shape or class count, one too many or missing) are Torch's to find:
// WeightsTest, SegmenterTest.
TEST_F(ReloadFaultsTest, EveryDamageIsRefusedWithReasonAndPathAndTheOldModelGoesOn) {
  const std::string weights = disk_.At("street/2/model.safetensors");
  const std::string manifest = disk_.At("street/2/model.json");
  constexpr char kOne[] = R"("a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]})";
  const struct {
    const char* what;
    std::function<void()> damage;
    StatusCode code;
    std::string message;
  } cases[] = {
      {"weights missing", [&] { fs::remove(weights); }, StatusCode::DATA_LOSS, "model.safetensors: missing"},
      {"weights empty", [&] { WriteContents(weights, ""); }, StatusCode::DATA_LOSS, "has 0"},
      {"weights cut", [&] { fs::resize_file(weights, fs::file_size(weights) - 1); }, StatusCode::DATA_LOSS,
       "must have the"},
      {"one bit",
       [&] {
         std::string bytes = Contents(weights);
         bytes.back() ^= 1;
         WriteContents(weights, bytes);
       },
       StatusCode::DATA_LOSS, "must have the SHA-256"},
      {"header over the limit", [&] { ReplaceWeights("street/2", RawSafetensors(uint64_t{1} << 40, "{}")); },
       StatusCode::FAILED_PRECONDITION, "header: must have at most"},
      {"overlap",
       [&] {
         ReplaceWeights("street/2",
                        FileOf(absl::StrCat("{", kOne, R"(,"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})"), 3));
       },
       StatusCode::FAILED_PRECONDITION, "model.safetensors: "},
      {"twice", [&] { ReplaceWeights("street/2", FileOf(absl::StrCat("{", kOne, ",", kOne, "}"), 2)); },
       StatusCode::FAILED_PRECONDITION, "model.safetensors: "},
      {"manifest empty", [&] { WriteContents(manifest, ""); }, StatusCode::FAILED_PRECONDITION, "model.json: "},
      {"manifest cut", [&] { fs::resize_file(manifest, fs::file_size(manifest) / 2); }, StatusCode::FAILED_PRECONDITION,
       "model.json: "},
  };
  for (const auto& test : cases) {
    disk_.Remove("street/2");
    disk_.Write("street/2", ModelKind::kStudent, "new");
    test.damage();
    const grpc::Status status = Reload();
    EXPECT_EQ(status.error_code(), test.code) << test.what << ": " << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(test.message)) << test.what;
    EXPECT_THAT(status.error_message(), HasSubstr(disk_.At("street/2"))) << test.what;
    EXPECT_EQ(VersionThatAnswers("street"), 1) << test.what;
  }
  disk_.Write("street/3", ModelKind::kStudent, "new");
  EXPECT_TRUE(Reload().ok());
  EXPECT_EQ(VersionThatAnswers("street"), 3);
}

TEST_F(ReloadFaultsTest, AnEnsembleOfWhichOneMemberCannotBeReadIsRefused) {
  for (int member = 0; member < 10; ++member) {
    disk_.Remove("crowd/2");
    disk_.Write("crowd/2", ModelKind::kEnsemble, "new", 10);
    const std::string file = absl::StrCat("crowd/2/member_", member, ".safetensors");
    fs::remove(disk_.At(file));
    const grpc::Status status = Reload();
    EXPECT_EQ(status.error_code(), StatusCode::DATA_LOSS);
    EXPECT_THAT(status.error_message(), HasSubstr(disk_.At(file)));
    EXPECT_EQ(VersionThatAnswers("crowd"), 1);
  }
}

// A copy brings model.json last; whatever it had brought when the machine stopped, the next start serves a whole model.
TEST_F(ReloadFaultsTest, AStopAtAnyFileOfACopyLeavesTheLastCompleteVersion) {
  disk_.Write("elsewhere", ModelKind::kEnsemble, "new", 10);
  fs::create_directories(disk_.At("crowd/2"));
  for (int copied = 0; copied <= 10; ++copied) {
    EXPECT_EQ(VersionAfterRestart("crowd"), 1) << copied << " of 10 members copied";
    EXPECT_TRUE(Reload().ok());
    EXPECT_EQ(VersionThatAnswers("crowd"), 1);
    if (copied == 10) break;
    const std::string name = absl::StrCat("/member_", copied, ".safetensors");
    fs::copy(disk_.At("elsewhere") + name, disk_.At("crowd/2") + name);
  }
  fs::copy(disk_.At("elsewhere/model.json"), disk_.At("crowd/2/model.json"));
  EXPECT_EQ(VersionAfterRestart("crowd"), 2);
  EXPECT_TRUE(Reload().ok());
  EXPECT_EQ(VersionThatAnswers("crowd"), 2);
}

// Members of two versions in one directory: the digests of model.json are those of one of them.
TEST_F(ReloadFaultsTest, AMixedEnsembleIsNeverServed) {
  disk_.Write("elsewhere", ModelKind::kEnsemble, "new", 10);
  disk_.Write("crowd/2", ModelKind::kEnsemble, "old", 10);
  for (int member = 0; member < 4; ++member) {
    const std::string name = absl::StrCat("/member_", member, ".safetensors");
    fs::copy(disk_.At("elsewhere") + name, disk_.At("crowd/2") + name, fs::copy_options::overwrite_existing);
  }
  EXPECT_EQ(Reload().error_code(), StatusCode::DATA_LOSS);
  fs::copy(disk_.At("elsewhere/model.json"), disk_.At("crowd/2/model.json"), fs::copy_options::overwrite_existing);
  EXPECT_EQ(Reload().error_code(), StatusCode::DATA_LOSS);
  EXPECT_EQ(VersionThatAnswers("crowd"), 1);
}

}  // namespace
}  // namespace candor
