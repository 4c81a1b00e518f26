// SPDX-License-Identifier: Apache-2.0
//
// Who may do what with trainings: the service with tokens and certificates, and the client library and `candor` as its
// callers.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/training_client.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/subprocess.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/test_certificates.h"
#include "tests/trainer/service/fake_executor.h"
#include "trainer/service/service_server.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kTokens[] = "infer watcher-0123456789abcdef\nadmin trainer-0123456789abcdef\n";
constexpr char kWatcher[] = "watcher-0123456789abcdef";
constexpr char kTrainer[] = "trainer-0123456789abcdef";
constexpr char kStranger[] = "stranger-0123456789abcdef";

class TrainingAccessTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteContents(folder_.File("tokens"), kTokens);
    WriteContents(folder_.File("trainer.textproto"), "data: 'camvid:data' members: 2");
    RunsOptions options;
    options.folder = folder_.File("runs");
    options.poll = absl::Milliseconds(2);
    auto runs = TrainingRuns::Open(options, std::make_unique<FakeExecutor>(&script_));
    ASSERT_THAT(runs, IsOk());
    runs_ = *std::move(runs);
    auto security = OpenSecurity(/*tls=*/nullptr, folder_.File("tokens"));
    ASSERT_THAT(security, IsOk());
    auto server =
        ServiceServer::Start({"127.0.0.1:0", "off", folder_.File("models")}, *std::move(security), runs_.get());
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  // A caller who shows `token`; "" shows none.
  std::unique_ptr<TrainingClient> Caller(const std::string& token) const {
    ClientOptions options;
    options.server = server_->grpc_address();
    if (!token.empty()) {
      options.token_file = folder_.File("token of " + token);
      WriteContents(options.token_file, token);
    }
    auto client = TrainingClient::Create(options);
    EXPECT_THAT(client, IsOk());
    return *std::move(client);
  }
  absl::Status Submit(TrainingClient* client) const {
    return client->Submit("street", folder_.File("trainer.textproto"), {}).status();
  }

  // What changes something, and what only looks.
  std::vector<std::pair<std::string, absl::Status>> Changes(TrainingClient* client) const {
    return {{"CreateRun", Submit(client)},
            {"CancelRun", client->Cancel("street").status()},
            {"ResumeRun", client->Resume("street").status()},
            {"PublishBundle", client->Publish("street", /*teacher=*/false, "road").status()}};
  }
  static std::vector<std::pair<std::string, absl::Status>> Looks(TrainingClient* client) {
    return {{"GetRun", client->Get("street").status()},
            {"ListRuns", client->List().status()},
            {"WatchRun", client->Watch("street", [](const TrainingRun&) {}).status()}};
  }

  TemporaryFolder folder_;
  ExecutorScript script_;
  std::unique_ptr<TrainingRuns> runs_;
  std::unique_ptr<ServiceServer> server_;
};

TEST_F(TrainingAccessTest, WithoutAKnownTokenEveryCallIsUnauthenticated) {
  for (const auto& [token, rule] : {std::pair("", "Bearer TOKEN"), std::pair(kStranger, "unknown token")}) {
    const auto caller = Caller(token);
    for (const auto& calls : {Changes(caller.get()), Looks(caller.get())}) {
      for (const auto& [method, status] : calls) {
        EXPECT_THAT(status, HasStatus(absl::StatusCode::kUnauthenticated, HasSubstr(rule))) << method;
      }
    }
  }
  EXPECT_THAT(runs_->List(), IsEmpty());
}

TEST_F(TrainingAccessTest, TheRoleInferLooksAndChangesNothing) {
  const auto watcher = Caller(kWatcher);
  EXPECT_THAT(Submit(watcher.get()), HasStatus(absl::StatusCode::kPermissionDenied, HasSubstr("role is infer")));
  EXPECT_THAT(runs_->List(), IsEmpty());
  ASSERT_THAT(Submit(Caller(kTrainer).get()), IsOk());
  for (const auto& [method, status] : Changes(watcher.get())) {
    EXPECT_THAT(status, HasStatus(absl::StatusCode::kPermissionDenied,
                                  AllOf(HasSubstr("the token's role is infer"), HasSubstr("needs admin"))))
        << method;
  }
  EXPECT_THAT(script_.stopped(), IsEmpty());
  ASSERT_THAT(runs_->Cancel("street"), IsOk());  // so that watching ends
  for (const auto& [method, status] : Looks(watcher.get())) EXPECT_THAT(status, IsOk()) << method;
}

TEST_F(TrainingAccessTest, TheRoleAdminMayDoAll) {
  const auto trainer = Caller(kTrainer);
  ASSERT_THAT(Submit(trainer.get()), IsOk());
  EXPECT_THAT(trainer->Publish("street", /*teacher=*/false, "road"),
              HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("has not finished")));
  EXPECT_THAT(trainer->Cancel("street"), IsOk());
  for (const auto& [method, status] : Looks(trainer.get())) EXPECT_THAT(status, IsOk()) << method;
  EXPECT_THAT(trainer->Resume("street"), IsOk());
}

TEST_F(TrainingAccessTest, ProbesNeedNoToken) {
  const auto channel = grpc::CreateChannel(server_->grpc_address(), grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  EXPECT_TRUE(grpc::health::v1::Health::NewStub(channel)->Check(&context, {}, &response).ok());
}

// The programs themselves, over TLS.
class TrainingAccessProgramsTest : public testing::Test {
 protected:
  TrainingAccessProgramsTest() {
    const CertificateAndKey own = authority_.Issue("training service");
    WriteContents(folder_.File("ca.pem"), authority_.certificate());
    WriteContents(folder_.File("own.pem"), own.certificate);
    WriteContents(folder_.File("own.key"), own.key);
    WriteContents(folder_.File("tokens"), kTokens);
    WriteContents(folder_.File("watcher"), kWatcher);
  }

  std::vector<std::string> Service(const std::string& key) const {
    return {CANDOR_BIN_DIR "/candor-training-server",
            "--runs",
            folder_.File("runs"),
            "--listen",
            "127.0.0.1:0",
            "--metrics-listen",
            "off",
            "--train",
            "/bin/false",
            "--tls-cert",
            folder_.File("own.pem"),
            "--tls-key",
            key,
            "--token-file",
            folder_.File("tokens")};
  }

  const TemporaryFolder folder_;
  const TestAuthority authority_;
};

TEST_F(TrainingAccessProgramsTest, TheFlagsOfBothSidesFitEachOther) {
  Subprocess service(Service(folder_.File("own.key")));
  const std::vector<std::string> words = absl::StrSplit(service.ReadLine(), absl::ByAnyChar(" ="));
  ASSERT_EQ(words.size(), 5u) << service.Wait().err;
  const auto train = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {CANDOR_BIN_DIR "/candor", "train"});
    arguments.insert(arguments.end(), {"--server", words[2], "--tls-ca", folder_.File("ca.pem")});
    return RunProgram(arguments);
  };
  const Finished nobody = train({"status"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("see --token-file"));
  const Finished looking = train({"status", "--token-file", folder_.File("watcher")});
  EXPECT_EQ(looking.exit_code, 0) << looking.err;
  const Finished changing = train({"cancel", "street", "--token-file", folder_.File("watcher")});
  EXPECT_EQ(changing.exit_code, 1);
  EXPECT_THAT(changing.err, HasSubstr("the token's role is infer, this call needs admin"));
}

TEST_F(TrainingAccessProgramsTest, FilesThatWillNotDoEndItBeforeAnythingBegins) {
  WriteContents(folder_.File("other.key"), authority_.Issue("other").key);
  const Finished wrong_key = RunProgram(Service(folder_.File("other.key")));
  EXPECT_EQ(wrong_key.exit_code, 78);
  EXPECT_THAT(wrong_key.err, HasSubstr("other.key is not the key"));
  WriteContents(folder_.File("tokens"), "admin short");
  const Finished wrong_token = RunProgram(Service(folder_.File("own.key")));
  EXPECT_EQ(wrong_token.exit_code, 78);
  EXPECT_THAT(wrong_token.err, AllOf(HasSubstr("token_file: "), HasSubstr("line 1")));
  EXPECT_FALSE(std::filesystem::exists(folder_.File("runs")));
}

}  // namespace
}  // namespace candor
