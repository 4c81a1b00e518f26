// SPDX-License-Identifier: Apache-2.0
#include "client/cli/admin_command.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "candor/v1/admin.grpc.pb.h"
#include "tests/client/cli/run_candor.h"

namespace candor {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

void Fill(const std::string& model, int before, int after, double seconds, v1::ModelChange* change) {
  change->set_model(model);
  change->set_version_before(before);
  change->set_version_after(after);
  if (after != 0) change->set_digest(absl::StrCat("digest", after));
  change->set_load_seconds(seconds);
}

// "street" is served in version 2; 4 is the newest, 5 under copy. "busy" is ABORTED.
class FakeAdmin final : public v1::ModelAdmin::Service {
 public:
  grpc::Status LoadModel(grpc::ServerContext* /*context*/, const v1::LoadModelRequest* request,
                         v1::LoadModelResponse* response) override {
    if (request->model() == "busy") return {grpc::StatusCode::ABORTED, "another change of the models is under way"};
    if (request->model() != "street") return {grpc::StatusCode::NOT_FOUND, "model: no such one"};
    Fill("street", 2, request->version() == 0 ? 4 : request->version(), 0.25, response->mutable_change());
    return grpc::Status::OK;
  }
  grpc::Status UnloadModel(grpc::ServerContext* /*context*/, const v1::UnloadModelRequest* request,
                           v1::UnloadModelResponse* response) override {
    Fill(request->model(), 2, 0, 0, response->mutable_change());
    return grpc::Status::OK;
  }
  grpc::Status ReloadModels(grpc::ServerContext* /*context*/, const v1::ReloadModelsRequest* request,
                            v1::ReloadModelsResponse* response) override {
    if (request->model() == "street") Fill("street", 2, 2, 0, response->add_changes());
    return grpc::Status::OK;
  }
  grpc::Status RollbackModel(grpc::ServerContext* /*context*/, const v1::RollbackModelRequest* request,
                             v1::RollbackModelResponse* response) override {
    Fill(request->model(), 2, 1, 1.5, response->mutable_change());
    return grpc::Status::OK;
  }
  grpc::Status ListVersions(grpc::ServerContext* /*context*/, const v1::ListVersionsRequest* /*request*/,
                            v1::ListVersionsResponse* response) override {
    v1::ModelVersions& street = *response->add_models();
    street.set_model("street");
    street.set_directory("/models/street");
    street.set_served_version(2);
    street.set_previous_version(1);
    for (const int version : {1, 2, 4, 5}) {
      v1::VersionInfo& info = *street.add_versions();
      info.set_version(version);
      info.set_complete(version != 5);
    }
    return grpc::Status::OK;
  }
};

class AdminCommandTest : public testing::Test {
 protected:
  AdminCommandTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }

  CandorRun Admin(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "admin");
    arguments.insert(arguments.end(), {"--server", absl::StrCat("127.0.0.1:", port_)});
    return Candor(arguments);
  }

  FakeAdmin service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(AdminCommandTest, SaysWhatHasChanged) {
  EXPECT_EQ(Admin({"load", "street"}).out, "street: version 2 -> 4, loaded in 0.25 s\n");
  EXPECT_EQ(Admin({"load", "street", "--version", "1"}).out, "street: version 2 -> 1, loaded in 0.25 s\n");
  EXPECT_EQ(Admin({"unload", "street"}).out, "street: version 2 unloaded\n");
  EXPECT_EQ(Admin({"rollback", "street"}).out, "street: version 2 -> 1, loaded in 1.50 s\n");
  EXPECT_EQ(Admin({"reload"}).out, "nothing newer\n");
  EXPECT_EQ(Admin({"reload", "street"}).out, "street: version 2 as before\n");
}

TEST_F(AdminCommandTest, ChangesAsJson) {
  const CandorRun run = Admin({"unload", "street", "--json"});
  EXPECT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(json::parse(run.out), json::parse(R"({"changes": [{"model": "street", "version_before": 2,
      "version_after": null, "digest": null, "load_seconds": 0.0}]})"));
  EXPECT_EQ(json::parse(Admin({"load", "street", "--json"}).out)["changes"][0]["digest"], "digest4");
}

TEST_F(AdminCommandTest, ListsVersions) {
  EXPECT_EQ(Admin({"versions"}).out,
            "MODEL   VERSION  STATE       DIRECTORY\n"
            "street        1  previous    /models/street\n"
            "street        2  served      /models/street\n"
            "street        4  ready       /models/street\n"
            "street        5  incomplete  /models/street\n");
  const json object = json::parse(Admin({"versions", "--json"}).out);
  EXPECT_EQ(object["models"][0]["served_version"], 2);
  EXPECT_EQ(object["models"][0]["versions"][3], json::parse(R"({"version": 5, "complete": false})"));
}

TEST_F(AdminCommandTest, ErrorsHaveTheirExitCodes) {
  const CandorRun busy = Admin({"load", "busy"});
  EXPECT_EQ(busy.code, ExitCode::kTemporary);
  EXPECT_EQ(busy.err, "candor: another change of the models is under way\n");
  EXPECT_EQ(Admin({"load", "nothing"}).code, ExitCode::kFailure);
  EXPECT_THAT(busy.out, IsEmpty());
}

TEST_F(AdminCommandTest, RefusesWrongArguments) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"load"},
                                             {"unload"},
                                             {"rollback"},
                                             {"paint"},
                                             {"load", "street", "--version", "0"},
                                             {"load", "a", "b"}}) {
    const CandorRun run = Admin(arguments);
    EXPECT_EQ(run.code, ExitCode::kUsage) << testing::PrintToString(arguments);
    EXPECT_THAT(run.err, MatchesRegex("candor: [^\n]+\\(see candor admin --help\\)\n"));
  }
  const CandorRun several = Candor({"admin", "reload", "--server", "127.0.0.1:1,127.0.0.1:2"});
  EXPECT_EQ(several.code, ExitCode::kFailure);
  EXPECT_THAT(several.err, HasSubstr("server: must be one server"));
}

}  // namespace
}  // namespace candor
