// SPDX-License-Identifier: Apache-2.0
#include "client/cli/train_command.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "candor/v1/training.grpc.pb.h"
#include "core/base/file.h"
#include "tests/client/cli/run_candor.h"

namespace candor {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void Fill(const std::string& name, v1::RunState state, v1::Run* run) {
  run->set_name(name);
  run->set_state(state);
  run->set_executor("local");
  run->set_directory("/runs/" + name);
  run->set_create_time_ms(1'000);
  run->set_progress(0.25);
  v1::TrainingProgress* member = run->add_trainings();
  member->set_name("member 0");
  member->set_step(20);
  member->set_steps(40);
  member->set_loss(0.5);
  member->set_images_per_second(12.5);
  member->set_validation_miou(0.375);
  v1::TrainingProgress* student = run->add_trainings();
  student->set_name("distillation");
  student->set_loss(kNan);
  student->set_validation_miou(kNan);
}

// "street" runs; "bad" fails while it is watched, "stopped" is cancelled, any other succeeds.
class FakeTraining final : public v1::Training::Service {
 public:
  grpc::Status CreateRun(grpc::ServerContext* /*context*/, const v1::CreateRunRequest* request,
                         v1::Run* response) override {
    config = request->config();
    Fill(request->name().empty() ? "run-1" : request->name(), v1::RUN_STATE_QUEUED, response);
    return grpc::Status::OK;
  }
  grpc::Status GetRun(grpc::ServerContext* /*context*/, const v1::GetRunRequest* request, v1::Run* response) override {
    if (request->name() != "street") return {grpc::StatusCode::NOT_FOUND, "no run '" + request->name() + "'"};
    Fill("street", v1::RUN_STATE_RUNNING, response);
    return grpc::Status::OK;
  }
  grpc::Status ListRuns(grpc::ServerContext* /*context*/, const v1::ListRunsRequest* /*request*/,
                        v1::ListRunsResponse* response) override {
    Fill("street", v1::RUN_STATE_RUNNING, response->add_runs());
    v1::Run* bad = response->add_runs();
    Fill("bad", v1::RUN_STATE_FAILED, bad);
    bad->set_message("data: gone");
    return grpc::Status::OK;
  }
  grpc::Status CancelRun(grpc::ServerContext* /*context*/, const v1::CancelRunRequest* request,
                         v1::Run* response) override {
    Fill(request->name(), v1::RUN_STATE_CANCELLING, response);
    return grpc::Status::OK;
  }
  grpc::Status ResumeRun(grpc::ServerContext* /*context*/, const v1::ResumeRunRequest* request,
                         v1::Run* response) override {
    Fill(request->name(), v1::RUN_STATE_QUEUED, response);
    return grpc::Status::OK;
  }
  grpc::Status WatchRun(grpc::ServerContext* /*context*/, const v1::WatchRunRequest* request,
                        grpc::ServerWriter<v1::Run>* writer) override {
    v1::Run run;
    Fill(request->name(), v1::RUN_STATE_RUNNING, &run);
    writer->Write(run);
    run.set_state(request->name() == "bad"       ? v1::RUN_STATE_FAILED
                  : request->name() == "stopped" ? v1::RUN_STATE_CANCELLED
                                                 : v1::RUN_STATE_SUCCEEDED);
    writer->Write(run);
    return grpc::Status::OK;
  }
  grpc::Status PublishBundle(grpc::ServerContext* /*context*/, const v1::PublishBundleRequest* request,
                             v1::PublishBundleResponse* response) override {
    const bool is_teacher = request->bundle() == v1::BUNDLE_KIND_TEACHER;
    response->set_directory(absl::StrCat("/models/", request->model(), "/", is_teacher ? 9 : 3));
    response->set_version(is_teacher ? 9 : 3);
    response->set_digest("abc");
    return grpc::Status::OK;
  }

  v1::TrainerConfig config;  // of the last CreateRun
};

class TrainCommandTest : public testing::Test {
 protected:
  TrainCommandTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }

  CandorRun Train(std::vector<std::string> arguments, bool terminal = false) const {
    arguments.insert(arguments.begin(), "train");
    arguments.insert(arguments.end(), {"--server", absl::StrCat("127.0.0.1:", port_)});
    return Candor(arguments, "", terminal);
  }
  std::string Config() const {
    EXPECT_TRUE(WriteFileAtomically(folder_.path("c.textproto"), "data: 'camvid:d' epochs: 3").ok());
    return folder_.path("c.textproto");
  }

  TempFolder folder_;
  FakeTraining service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(TrainCommandTest, SubmitSendsTheConfiguration) {
  const CandorRun run = Train({"submit", "--config", Config(), "--set", "epochs: 7", "--name", "road"});
  EXPECT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(service_.config.data(), "camvid:d");
  EXPECT_EQ(service_.config.epochs(), 7);
  EXPECT_THAT(run.out, StartsWith("road: queued, 25 % done (local, /runs/road)\n"));
}

TEST_F(TrainCommandTest, AConfigurationThatCannotBeReadIsNamed) {
  EXPECT_THAT(Train({"submit", "--config", folder_.path("none")}).err, HasSubstr("none"));
  const CandorRun run = Train({"submit", "--config", Config(), "--set", "epoch: 7"});
  EXPECT_EQ(run.code, ExitCode::kFailure);
  EXPECT_THAT(run.err, AllOf(HasSubstr("'epoch: 7'"), HasSubstr("epoch")));
}

TEST_F(TrainCommandTest, StatusOfOneAndOfAll) {
  EXPECT_EQ(Train({"status", "street"}).out,
            "street: running, 25 % done (local, /runs/street)\n"
            "TRAINING      DONE  STEP  STEPS    LOSS    MIOU  IMAGES/S\n"
            "member 0      50 %    20     40  0.5000  0.3750      12.5\n"
            "distillation   0 %     0      0       -       -         -\n");
  const std::string all = Train({"status"}).out;
  EXPECT_THAT(all, AllOf(StartsWith("RUN"), HasSubstr("street  running"), HasSubstr("data: gone")));
  const CandorRun unknown = Train({"status", "nobody"});
  EXPECT_EQ(unknown.code, ExitCode::kFailure);
  EXPECT_EQ(unknown.err, "candor: no run 'nobody'\n");
}

TEST_F(TrainCommandTest, StatusAsJson) {
  const json run = json::parse(Train({"status", "street", "--json"}).out);
  EXPECT_EQ(run["run"], "street");
  EXPECT_EQ(run["state"], "running");
  EXPECT_EQ(run["created"], "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(run["ended"], nullptr);
  EXPECT_EQ(run["trainings"][0]["loss"], 0.5);
  EXPECT_EQ(run["trainings"][1]["loss"], nullptr);
  EXPECT_EQ(run["trainings"][1]["validation_miou"], nullptr);
}

TEST_F(TrainCommandTest, WatchEndsAsTheRunDoes) {
  EXPECT_EQ(Train({"watch", "road"}).code, ExitCode::kOk);
  EXPECT_EQ(Train({"watch", "bad"}).code, ExitCode::kFailure);
  EXPECT_EQ(Train({"watch", "stopped"}).code, ExitCode::kTemporary);
  EXPECT_EQ(Train({"submit", "--config", Config(), "--name", "bad", "--watch"}).code, ExitCode::kFailure);
  const CandorRun run = Train({"watch", "road", "--json"});
  const std::vector<std::string> lines = absl::StrSplit(run.out, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(json::parse(lines[0])["state"], "running");
  EXPECT_EQ(json::parse(lines[1])["state"], "succeeded");
}

TEST_F(TrainCommandTest, ProgressIsForTerminals) {
  EXPECT_THAT(Train({"watch", "road"}).err, IsEmpty());
  EXPECT_THAT(Train({"watch", "road"}, /*terminal=*/true).err,
              HasSubstr("road ━━━━━━·················· 25 %  running  member 0 50 %  12.5 images/s"));
}

TEST_F(TrainCommandTest, CancelResumePublish) {
  EXPECT_THAT(Train({"cancel", "street"}).out, StartsWith("street: cancelling"));
  EXPECT_THAT(Train({"resume", "street"}).out, StartsWith("street: queued"));
  EXPECT_EQ(Train({"publish", "street", "--model", "road"}).out, "road: version 3 (/models/road/3)\n");
  EXPECT_EQ(json::parse(Train({"publish", "street", "--model", "road", "--teacher", "--json"}).out)["version"], 9);
}

TEST_F(TrainCommandTest, RefusesWrongArguments) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {}, {"submit"}, {"watch"}, {"cancel"}, {"publish", "street"}, {"paint"}, {"status", "a", "b"}}) {
    EXPECT_EQ(Train(arguments).code, ExitCode::kUsage) << testing::PrintToString(arguments);
  }
}

TEST(TrainCommandConnectionTest, NobodyThereIsExit69) {
  const CandorRun run = Candor({"train", "status", "--server", "127.0.0.1:1", "--timeout", "5"});
  EXPECT_EQ(run.code, ExitCode::kUnavailable);
  EXPECT_THAT(run.err, HasSubstr("is candor-training-server running?"));
}

}  // namespace
}  // namespace candor
