// SPDX-License-Identifier: Apache-2.0
#include "client/client_security.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "candor/v1/segmentation.grpc.pb.h"
#include "gmock/gmock.h"
#include "tests/client/cli/run_candor.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/test_certificates.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kUnavailable = absl::StatusCode::kUnavailable;

// Has no models, and remembers the tokens it is shown.
class TokenCollector final : public v1::Segmentation::Service {
 public:
  explicit TokenCollector(const std::shared_ptr<grpc::ServerCredentials>& credentials) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~TokenCollector() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> tokens() {
    absl::MutexLock lock(&mu_);
    return tokens_;
  }

 private:
  grpc::Status ListModels(grpc::ServerContext* context, const v1::ListModelsRequest* /*request*/,
                          v1::ListModelsResponse* /*response*/) override {
    absl::MutexLock lock(&mu_);
    const auto [begin, end] = context->client_metadata().equal_range("authorization");
    for (auto it = begin; it != end; ++it) tokens_.emplace_back(it->second.data(), it->second.size());
    return grpc::Status::OK;
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  absl::Mutex mu_;
  std::vector<std::string> tokens_ ABSL_GUARDED_BY(mu_);
};

class ClientSecurityTest : public testing::Test {
 protected:
  ClientSecurityTest() {
    const CertificateAndKey own = clients_.Issue("robot");
    WriteContents(folder_.File("ca.pem"), servers_.certificate());
    WriteContents(folder_.File("other_ca.pem"), clients_.certificate());
    WriteContents(folder_.File("own.pem"), own.certificate);
    WriteContents(folder_.File("own.key"), own.key);
    WriteContents(folder_.File("token"), "robot-0123456789abcdef\n");
  }

  // TLS that requires a certificate from clients_.
  std::shared_ptr<grpc::ServerCredentials> MutualTls() const {
    const CertificateAndKey pair = servers_.Issue("server");
    grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_key_cert_pairs = {{pair.key, pair.certificate}};
    options.pem_root_certs = clients_.certificate();
    return grpc::SslServerCredentials(options);
  }

  ClientOptions Options(const std::string& address, const std::string& ca = "ca.pem") const {
    ClientOptions options;
    options.server = address;
    options.timeout = absl::Seconds(10);
    options.tls_ca_file = folder_.File(ca);
    options.tls_certificate_file = folder_.File("own.pem");
    options.tls_key_file = folder_.File("own.key");
    return options;
  }

  static absl::Status Call(const ClientOptions& options) {
    const auto client = SegmentationClient::Create(options);
    return client.ok() ? (*client)->ListModels().status() : client.status();
  }

  const TemporaryFolder folder_;
  const TestAuthority servers_{"servers"};
  const TestAuthority clients_{"clients"};
};

TEST_F(ClientSecurityTest, ShowsItsCertificateAndVerifiesTheServers) {
  const TokenCollector server(MutualTls());
  EXPECT_THAT(Call(Options(server.address())), IsOk());
  ClientOptions distrustful = Options(server.address(), "other_ca.pem");
  distrustful.timeout = absl::Milliseconds(500);  // which retries until then
  EXPECT_THAT(Call(distrustful), Not(IsOk()));
  ClientOptions bare = Options(server.address());
  bare.timeout = absl::Milliseconds(500);
  bare.tls_certificate_file.clear();
  bare.tls_key_file.clear();
  EXPECT_THAT(Call(bare), Not(IsOk()));
}

TEST_F(ClientSecurityTest, ANameThatIsNotInTheCertificateIsRefusedUnlessGiven) {
  const TokenCollector server(MutualTls());
  ClientOptions options = Options(server.address());
  options.timeout = absl::Milliseconds(500);
  options.tls_server_name = "elsewhere.example";
  EXPECT_THAT(Call(options), Not(IsOk()));
  options.tls_server_name = "localhost";
  options.timeout = absl::Seconds(10);
  EXPECT_THAT(Call(options), IsOk());
}

TEST_F(ClientSecurityTest, SendsTheTokenWithEachCallAndReadsItAgain) {
  TokenCollector server(MutualTls());
  ClientOptions options = Options(server.address());
  options.token_file = folder_.File("token");
  const auto client = SegmentationClient::Create(options);
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT((*client)->ListModels(), IsOk());
  WriteContents(folder_.File("token"), "other-0123456789abcdef");
  EXPECT_THAT((*client)->ListModels(), IsOk());
  WriteContents(folder_.File("token"), "");
  EXPECT_THAT((*client)->ListModels(), IsOk());
  EXPECT_THAT(server.tokens(), ElementsAre("Bearer robot-0123456789abcdef", "Bearer other-0123456789abcdef",
                                           "Bearer other-0123456789abcdef"));
}

TEST_F(ClientSecurityTest, ATokenTravelsInPlainTextWithinThisMachineOnly) {
  TokenCollector server(grpc::InsecureServerCredentials());
  ClientOptions options;
  options.server = server.address();
  EXPECT_THAT(Call(options), IsOk());
  EXPECT_THAT(server.tokens(), IsEmpty());
  options.token_file = folder_.File("token");
  EXPECT_THAT(Call(options), IsOk());
  EXPECT_THAT(server.tokens(), ElementsAre("Bearer robot-0123456789abcdef"));
  for (const char* elsewhere : {"192.0.2.1:8500", "robot:8500", "dns:///localhost:8500", "127.example.com:8500",
                                "127.0.0.1:8500,192.0.2.1:8500", "[2001:db8::1]:8500"}) {
    options.server = elsewhere;
    EXPECT_THAT(ClientSecurity::Read(options), HasStatus(kInvalid, StartsWith("token_file: needs tls_ca_file")))
        << elsewhere;
  }
  for (const char* here : {"localhost:1", "[::1]:1", "127.0.0.1:1,127.0.0.2:1", "unix:/run/candor"}) {
    options.server = here;
    EXPECT_THAT(ClientSecurity::Read(options), IsOk()) << here;
  }
}

TEST_F(ClientSecurityTest, NamesTheOptionThatIsWrong) {
  const auto error = [this](const std::function<void(ClientOptions*)>& edit) {
    ClientOptions options = Options("a:1");
    edit(&options);
    return ClientSecurity::Read(options).status();
  };
  EXPECT_THAT(error([](ClientOptions* o) { o->tls_key_file.clear(); }), HasStatus(kInvalid, HasSubstr("tls_key_file")));
  EXPECT_THAT(error([](ClientOptions* o) { o->tls_ca_file.clear(); }),
              HasStatus(kInvalid, HasSubstr("need tls_ca_file")));
  EXPECT_THAT(error([this](ClientOptions* o) { o->tls_ca_file = folder_.File("none"); }),
              HasStatus(absl::StatusCode::kNotFound, StartsWith("tls_ca_file: ")));
  EXPECT_THAT(error([this](ClientOptions* o) { o->tls_ca_file = folder_.File("token"); }),
              HasStatus(kInvalid, AllOf(StartsWith("tls_ca_file: "), HasSubstr("no certificate"))));
  EXPECT_THAT(error([this](ClientOptions* o) { o->tls_certificate_file = folder_.File("ca.pem"); }),
              HasStatus(kInvalid, AllOf(StartsWith("tls_key_file: "), HasSubstr("not the key"))));
  WriteContents(folder_.File("token"), "two secrets");
  EXPECT_THAT(error([this](ClientOptions* o) { o->token_file = folder_.File("token"); }),
              HasStatus(kInvalid, AllOf(StartsWith("token_file: "), Not(HasSubstr("secrets")))));
}

TEST_F(ClientSecurityTest, TheCommandLineHasTheFlags) {
  TokenCollector server(MutualTls());
  std::vector<std::string> command = {"models",
                                      "--server",
                                      server.address(),
                                      "--tls-ca",
                                      folder_.File("ca.pem"),
                                      "--tls-cert",
                                      folder_.File("own.pem"),
                                      "--tls-key",
                                      folder_.File("own.key"),
                                      "--token-file",
                                      folder_.File("token")};
  const CandorRun run = Candor(command);
  EXPECT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_THAT(server.tokens(), ElementsAre("Bearer robot-0123456789abcdef"));
  command.back() = folder_.File("none");
  EXPECT_THAT(Candor(command).err, AllOf(HasSubstr("token_file: "), HasSubstr("none")));
}

TEST_F(ClientSecurityTest, PlainTextToATlsServerFailsInWords) {
  const TokenCollector server(MutualTls());
  ClientOptions options;
  options.server = server.address();
  options.timeout = absl::Seconds(10);
  EXPECT_THAT(Call(options), HasStatus(kUnavailable, Not(IsEmpty())));
  const CandorRun run = Candor({"models", "--server", server.address(), "--timeout", "10"});
  EXPECT_EQ(run.code, ExitCode::kUnavailable);
  EXPECT_THAT(run.err, HasSubstr("(does it want TLS? see --tls-ca)"));
}

}  // namespace
}  // namespace candor
