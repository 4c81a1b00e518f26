// SPDX-License-Identifier: Apache-2.0
#include "server/config.h"

#include <unistd.h>

#include <cmath>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "candor/v1/config.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// Defaults, then one model, then `text`.
v1::ServerConfig Config(const std::string& text) {
  v1::ServerConfig config;
  config.add_models()->set_bundle("models/a");
  EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(text, &config)) << text;
  FillServerConfigDefaults(&config);
  return config;
}

// A file with `text`, gone with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    path_ = testing::TempDir() + "config_test_XXXXXX";
    close(mkstemp(path_.data()));
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ConfigTest, DefaultsAreTheDocumentedOnes) {
  const v1::ServerConfig config = Config("");
  EXPECT_EQ(config.listen(), "127.0.0.1:8500");
  EXPECT_EQ(config.metrics_listen(), "127.0.0.1:8502");
  EXPECT_EQ(config.device(), "auto");
  EXPECT_EQ(config.precision(), "auto");
  EXPECT_EQ(config.threads(), 0);
  EXPECT_EQ(config.max_pixels(), 4096 * 4096);
  EXPECT_EQ(config.max_message_bytes(), 64 * 1024 * 1024);
  EXPECT_EQ(config.message_memory_bytes(), 4 * 64 * 1024 * 1024);
  EXPECT_EQ(config.max_pending_requests(), 64);
  EXPECT_FLOAT_EQ(config.uncertainty_threshold(), 0.1F);
  EXPECT_EQ(config.drain_timeout_ms(), 30000);
  EXPECT_EQ(config.refused_dump_dir(), "");
  EXPECT_EQ(config.refused_dump_max_bytes(), 268435456);
  EXPECT_EQ(config.refused_dump_max_files(), 1000);
  EXPECT_EQ(config.drain_delay_ms(), 0);
  EXPECT_EQ(config.self_probe_interval_ms(), 5000);
  EXPECT_EQ(config.self_probe_failures(), 3);
  EXPECT_EQ(config.max_concurrent_streams(), 128);
  EXPECT_EQ(config.handshake_timeout_ms(), 10000);
  EXPECT_EQ(config.max_connection_age_ms(), 1800000);
  EXPECT_EQ(config.max_connection_age_grace_ms(), 0);
  EXPECT_EQ(config.unread_answer_ms(), 10000);
  EXPECT_EQ(config.keepalive_ms(), 60000);
  EXPECT_EQ(config.keepalive_timeout_ms(), 20000);
  EXPECT_FALSE(config.has_tls());
  EXPECT_TRUE(config.token_file().empty());
  EXPECT_TRUE(config.reflection());
  EXPECT_EQ(config.log_level(), "info");
  EXPECT_THAT(ValidateServerConfig(config), IsOk());
}

TEST(ConfigTest, ExplicitZerosAreNotReplacedByDefaults) {
  const v1::ServerConfig config = Config("drain_timeout_ms: 0 uncertainty_threshold: 0 reflection: false");
  EXPECT_EQ(config.drain_timeout_ms(), 0);
  EXPECT_EQ(config.uncertainty_threshold(), 0);
  EXPECT_FALSE(config.reflection());
  EXPECT_THAT(ValidateServerConfig(config), IsOk());
}

TEST(ConfigTest, MessageMemoryFollowsTheMessageLimit) {
  EXPECT_EQ(Config("max_message_bytes: 1000000").message_memory_bytes(), 4000000);
}

TEST(ConfigTest, EveryFieldIsCheckedAndNamed) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"models {}", "models[1].bundle: must name a directory, got \"\""},
      {"models { bundle: 'x' version: -1 }", "models[1].version: must be in [0, 2147483647], got -1"},
      {"model_roots: 'x' model_roots: ''", "model_roots[1]: must name a directory, got \"\""},
      {"models { bundle: 'b' aliases: ['x', ''] }", "models[1].aliases[1]: must not be empty"},
      {"listen: 'localhost'", "listen: must be HOST:PORT with a port in [0, 65535], got \"localhost\""},
      {"metrics_listen: '127.0.0.1:65536'", "metrics_listen: must be HOST:PORT"},
      {"device: 'gpu'", "device: must be auto, cpu or cuda, got \"gpu\""},
      {"precision: 'int4'", "precision: must be auto, fp32, bf16 or int8, got \"int4\""},
      {"threads: -1", "threads: must be in [0, 1024], got -1"},
      {"threads: 1025", "threads: must be in [0, 1024], got 1025"},
      {"max_pixels: 0", "max_pixels: must be in [1, 268435456], got 0"},
      {"max_pixels: 268435457", "max_pixels: must be in [1, 268435456], got 268435457"},
      {"max_message_bytes: 1023", "max_message_bytes: must be in [1024, 1073741824], got 1023"},
      {"max_message_bytes: 9223372036854775807", "max_message_bytes: must be in [1024, 1073741824]"},
      {"max_message_bytes: 4096 message_memory_bytes: 4095",
       "message_memory_bytes: must be at least max_message_bytes (4096), got 4095"},
      {"max_pending_requests: 0", "max_pending_requests: must be in [1, 65536], got 0"},
      {"max_pending_requests: 65537", "max_pending_requests: must be in [1, 65536], got 65537"},
      {"uncertainty_threshold: 1.5", "uncertainty_threshold: must be in [0, 1], got 1.5"},
      {"uncertainty_threshold: nan", "uncertainty_threshold: must be in [0, 1], got nan"},
      {"refused_dump_max_bytes: 0", "refused_dump_max_bytes: must be in [1, 1099511627776], got 0"},
      {"refused_dump_max_files: 100001", "refused_dump_max_files: must be in [1, 100000], got 100001"},
      {"drain_timeout_ms: -1", "drain_timeout_ms: must be in [0, 3600000], got -1"},
      {"tls {}", "tls.certificate_file: must name a file"},
      {"tls { certificate_file: 'a' }", "tls.key_file: must name a file"},
      {"tls { certificate_file: 'a' key_file: 'b' require_client_certificate: true }",
       "tls.require_client_certificate: needs client_ca_file"},
      {"token_file: 'a' listen: '0.0.0.0:8500'",
       "token_file: needs tls, since listen (0.0.0.0:8500) is not a loopback"},
      {R"(token_file: 'a' listen: 'a\nb:1')", R"(token_file: needs tls, since listen (a\nb:1) is not a loopback)"},
      {"token_file: 'a' listen: '127.example.com:8500'", "token_file: needs tls"},
      {"self_probe_interval_ms: -1", "self_probe_interval_ms: must be in [0, 3600000], got -1"},
      {"self_probe_failures: 0", "self_probe_failures: must be in [1, 1000], got 0"},
      {"drain_delay_ms: -1", "drain_delay_ms: must be in [0, 3600000], got -1"},
      {"max_concurrent_streams: 0", "max_concurrent_streams: must be in [1, 65536], got 0"},
      {"handshake_timeout_ms: 0", "handshake_timeout_ms: must be in [1, 600000], got 0"},
      {"max_connection_age_ms: -1", "max_connection_age_ms: must be in [0, 86400000], got -1"},
      {"max_connection_age_grace_ms: -1", "max_connection_age_grace_ms: must be in [0, 86400000], got -1"},
      {"unread_answer_ms: 0", "unread_answer_ms: must be in [1, 3600000], got 0"},
      {"keepalive_ms: 0", "keepalive_ms: must be in [1, 86400000], got 0"},
      {"keepalive_timeout_ms: 600001", "keepalive_timeout_ms: must be in [1, 600000], got 600001"},
      {"log_level: 'loud'", "log_level: must be debug, info, warning or error, got \"loud\""},
  };
  for (const auto& test : cases) {
    EXPECT_THAT(ValidateServerConfig(Config(test.text)), HasStatus(kInvalid, StartsWith(test.message))) << test.text;
  }
}

TEST(ConfigTest, ClientCertificatesAreRequiredIfTheirAuthorityIsNamed) {
  EXPECT_FALSE(Config("tls { certificate_file: 'a' key_file: 'b' }").tls().require_client_certificate());
  EXPECT_TRUE(
      Config("tls { certificate_file: 'a' key_file: 'b' client_ca_file: 'c' }").tls().require_client_certificate());
}

TEST(ConfigTest, TokensNeedTlsUnlessOnlyThisMachineListens) {
  for (const char* text :
       {"token_file: 't'", "token_file: 't' listen: '[::1]:0'", "token_file: 't' listen: 'localhost:1'",
        "token_file: 't' listen: '0.0.0.0:1' tls { certificate_file: 'a' key_file: 'b' }"}) {
    EXPECT_THAT(ValidateServerConfig(Config(text)), IsOk()) << text;
  }
}

TEST(ConfigTest, AServerWithoutModelsIsRefused) {
  v1::ServerConfig config;
  FillServerConfigDefaults(&config);
  EXPECT_THAT(ValidateServerConfig(config), HasStatus(kInvalid, StartsWith("models: at least one is needed")));
}

TEST(ConfigTest, MetricsMayBeOff) { EXPECT_THAT(ValidateServerConfig(Config("metrics_listen: 'off'")), IsOk()); }

TEST(ConfigTest, ReadsHostsAndPorts) {
  for (const char* host : {"127.0.0.1", "localhost", "[::1]", "0.0.0.0"}) {
    const absl::StatusOr<HostPort> parsed = ParseHostPort(absl::StrCat(host, ":8500"));
    ASSERT_THAT(parsed, IsOk());
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, 8500);
  }
}

TEST(ConfigTest, RefusesWhatIsNoHostAndPort) {
  for (const char* text : {"", ":", ":1", "a", "a:", "a:-1", "a:+1", "a: 1", "a:1x", "a:65536", "::1:80", "[::1",
                           "[]:1", "http://a:1", "a b:1", "a:99999999999999999999"}) {
    EXPECT_THAT(ParseHostPort(text), HasStatus(kInvalid, HasSubstr("must be HOST:PORT"))) << text;
  }
}

TEST(ConfigTest, FlagsOverrideTheFile) {
  const TemporaryFile file("models { bundle: 'file' aliases: 'x' } threads: 3 listen: '0.0.0.0:1' device: 'cpu'");
  ServerFlags flags;
  flags.config_path = file.path();
  flags.bundles = {"flag1", "flag2"};
  flags.threads = 5;
  flags.precision = "bf16";
  flags.metrics_listen = "off";
  flags.default_model = "teacher";
  flags.log_level = "error";
  const absl::StatusOr<v1::ServerConfig> config = MakeServerConfig(flags);
  ASSERT_THAT(config, IsOk());
  ASSERT_EQ(config->models_size(), 2);
  EXPECT_EQ(config->models(0).bundle(), "flag1");
  EXPECT_EQ(config->models(0).aliases_size(), 0);
  EXPECT_EQ(config->threads(), 5);
  EXPECT_EQ(config->precision(), "bf16");
  EXPECT_EQ(config->metrics_listen(), "off");
  EXPECT_EQ(config->default_model(), "teacher");
  EXPECT_EQ(config->log_level(), "error");
  EXPECT_EQ(config->listen(), "0.0.0.0:1");
  EXPECT_EQ(config->device(), "cpu");
}

TEST(ConfigTest, AnEmptyFlagIsNotADefault) {
  ServerFlags flags;
  flags.bundles = {""};
  EXPECT_THAT(MakeServerConfig(flags), HasStatus(kInvalid, StartsWith("models[0].bundle: ")));
}

TEST(ConfigTest, AnUnknownKeyIsRefusedWithItsPlace) {
  const TemporaryFile file("threads: 1\nmax_pixel: 5\n");
  ServerFlags flags;
  flags.config_path = file.path();
  EXPECT_THAT(MakeServerConfig(flags), HasStatus(kInvalid, HasSubstr(file.path() + ":2:")));
}

TEST(ConfigTest, AMissingFileIsNamed) {
  ServerFlags flags;
  flags.config_path = testing::TempDir() + "there_is_no_such_file.textproto";
  EXPECT_THAT(MakeServerConfig(flags), HasStatus(absl::StatusCode::kNotFound, HasSubstr("there_is_no_such_file")));
}

TEST(ConfigTest, TheExampleNamesEveryFieldAndIsValid) {
  ServerFlags flags;
  flags.config_path = CANDOR_SOURCE_DIR "/config/server.textproto";
  const absl::StatusOr<v1::ServerConfig> config = MakeServerConfig(flags);
  ASSERT_THAT(config, IsOk());
  std::ifstream file(flags.config_path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const auto* message :
       {v1::ServerConfig::descriptor(), v1::ModelConfig::descriptor(), v1::TlsConfig::descriptor()}) {
    for (int i = 0; i < message->field_count(); ++i) EXPECT_THAT(text, HasSubstr(message->field(i)->name()));
  }
  v1::ServerConfig defaults;
  *defaults.mutable_models() = config->models();
  defaults.set_default_model(config->default_model());
  FillServerConfigDefaults(&defaults);
  EXPECT_EQ(config->ShortDebugString(), defaults.ShortDebugString()) << "the example says other than the defaults";
}

}  // namespace
}  // namespace candor
