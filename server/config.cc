// SPDX-License-Identifier: Apache-2.0
//
// Reading, completing and checking the server's configuration.
#include "server/config.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/base/text_proto.h"
#include "core/model/precision.h"
#include "server/model_registry.h"

namespace candor {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

void ApplyFlags(const ServerFlags& flags, v1::ServerConfig* config) {
  if (!flags.bundles.empty()) {
    config->clear_models();
    for (const std::string& bundle : flags.bundles) config->add_models()->set_bundle(bundle);
  }
  if (flags.default_model.has_value()) config->set_default_model(*flags.default_model);
  if (flags.device.has_value()) config->set_device(*flags.device);
  if (flags.precision.has_value()) config->set_precision(*flags.precision);
  if (flags.listen.has_value()) config->set_listen(*flags.listen);
  if (flags.metrics_listen.has_value()) config->set_metrics_listen(*flags.metrics_listen);
  if (flags.threads.has_value()) config->set_threads(*flags.threads);
  if (flags.log_level.has_value()) config->set_log_level(*flags.log_level);
  if (flags.allow_partial_ensemble) config->set_allow_partial_ensemble(true);
}

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": must be in [", low, ", ", high, "], got ", value));
}

absl::Status CheckAddress(absl::string_view field, const std::string& address) {
  absl::Status status = ParseHostPort(address).status();
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", status.message()));
}

absl::Status CheckModels(const v1::ServerConfig& config) {
  if (config.models().empty()) {
    return absl::InvalidArgumentError("models: at least one is needed, in the configuration or as --bundle DIR");
  }
  for (int i = 0; i < config.models_size(); ++i) {
    const std::string path = absl::StrCat("models[", i, "]");
    if (config.models(i).bundle().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ".bundle: must name a directory, got \"\""));
    }
    for (int j = 0; j < config.models(i).aliases_size(); ++j) {
      if (config.models(i).aliases(j).empty()) {
        return absl::InvalidArgumentError(absl::StrCat(path, ".aliases[", j, "]: must not be empty"));
      }
    }
    RETURN_IF_ERROR(CheckRange(absl::StrCat(path, ".version"), config.models(i).version(), 0, INT32_MAX));
    const v1::BatchingConfig& batching = config.models(i).batching();
    if (batching.has_max_batch_size()) {
      RETURN_IF_ERROR(CheckRange(absl::StrCat(path, ".batching.max_batch_size"), batching.max_batch_size(), 1, 256));
    }
    RETURN_IF_ERROR(CheckRange(absl::StrCat(path, ".batching.window_us"), batching.window_us(), 0, 1000000));
  }
  return absl::OkStatus();
}

absl::Status CheckModelRoots(const v1::ServerConfig& config) {
  for (int i = 0; i < config.model_roots_size(); ++i) {
    if (config.model_roots(i).empty()) {
      return absl::InvalidArgumentError(absl::StrCat("model_roots[", i, "]: must name a directory, got \"\""));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSecurity(const v1::ServerConfig& config) {
  if (config.has_tls()) {
    const v1::TlsConfig& tls = config.tls();
    if (tls.certificate_file().empty()) return absl::InvalidArgumentError("tls.certificate_file: must name a file");
    if (tls.key_file().empty()) return absl::InvalidArgumentError("tls.key_file: must name a file");
    if (tls.require_client_certificate() && tls.client_ca_file().empty()) {
      return absl::InvalidArgumentError("tls.require_client_certificate: needs client_ca_file");
    }
  } else if (!config.token_file().empty()) {
    ASSIGN_OR_RETURN(const HostPort address, ParseHostPort(config.listen()));
    if (!IsLoopback(address)) {
      return absl::InvalidArgumentError(absl::StrCat("token_file: needs tls, since listen (",
                                                     absl::CHexEscape(config.listen()), ") is not a loopback address"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckConnectionLimits(const v1::ServerConfig& config) {
  constexpr int64_t kHour = 3600000;
  RETURN_IF_ERROR(CheckRange("self_probe_interval_ms", config.self_probe_interval_ms(), 0, kHour));
  RETURN_IF_ERROR(CheckRange("self_probe_failures", config.self_probe_failures(), 1, 1000));
  RETURN_IF_ERROR(CheckRange("drain_delay_ms", config.drain_delay_ms(), 0, kHour));
  RETURN_IF_ERROR(CheckRange("max_concurrent_streams", config.max_concurrent_streams(), 1, 65536));
  RETURN_IF_ERROR(CheckRange("handshake_timeout_ms", config.handshake_timeout_ms(), 1, 600000));
  RETURN_IF_ERROR(CheckRange("max_connection_age_ms", config.max_connection_age_ms(), 0, 24 * kHour));
  RETURN_IF_ERROR(CheckRange("max_connection_age_grace_ms", config.max_connection_age_grace_ms(), 0, 24 * kHour));
  RETURN_IF_ERROR(CheckRange("unread_answer_ms", config.unread_answer_ms(), 1, kHour));
  RETURN_IF_ERROR(CheckRange("keepalive_ms", config.keepalive_ms(), 1, 24 * kHour));
  return CheckRange("keepalive_timeout_ms", config.keepalive_timeout_ms(), 1, 600000);
}

absl::Status CheckShare(absl::string_view field, float value) {
  if (value >= 0 && value <= 1) return absl::OkStatus();  // not NaN
  return absl::InvalidArgumentError(absl::StrCat(field, ": must be in [0, 1], got ", value));
}

absl::Status CheckLimits(const v1::ServerConfig& config) {
  RETURN_IF_ERROR(CheckRange("threads", config.threads(), 0, 1024));
  RETURN_IF_ERROR(CheckRange("max_pixels", config.max_pixels(), 1, 268435456));
  RETURN_IF_ERROR(CheckRange("max_message_bytes", config.max_message_bytes(), 1024, 1024 * kMiB));
  if (config.message_memory_bytes() < config.max_message_bytes()) {
    return absl::InvalidArgumentError(absl::StrCat("message_memory_bytes: must be at least max_message_bytes (",
                                                   config.max_message_bytes(), "), got ",
                                                   config.message_memory_bytes()));
  }
  RETURN_IF_ERROR(CheckRange("max_pending_requests", config.max_pending_requests(), 1, 65536));
  RETURN_IF_ERROR(CheckRange("queued_picture_bytes", config.queued_picture_bytes(), 0, int64_t{1} << 40));
  RETURN_IF_ERROR(CheckShare("shadow.share", config.shadow().share()));
  RETURN_IF_ERROR(CheckShare("shadow.max_busy_share", config.shadow().max_busy_share()));
  RETURN_IF_ERROR(CheckRange("max_streams", config.max_streams(), 0, 65536));
  RETURN_IF_ERROR(CheckShare("uncertainty_threshold", config.uncertainty_threshold()));
  RETURN_IF_ERROR(CheckRange("refused_dump_max_bytes", config.refused_dump_max_bytes(), 1, int64_t{1} << 40));
  RETURN_IF_ERROR(CheckRange("refused_dump_max_files", config.refused_dump_max_files(), 1, 100000));
  return CheckRange("drain_timeout_ms", config.drain_timeout_ms(), 0, 3600000);
}

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text) {
  const auto refuse = [text] {
    return absl::InvalidArgumentError(
        absl::StrCat("must be HOST:PORT with a port in [0, 65535], got \"", absl::CHexEscape(text), "\""));
  };
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return refuse();
  HostPort result;
  result.host = std::string(text.substr(0, colon));
  const absl::string_view port = text.substr(colon + 1);
  const bool all_digits = !port.empty() && std::all_of(port.begin(), port.end(), absl::ascii_isdigit);
  if (!all_digits || !absl::SimpleAtoi(port, &result.port) || result.port > 65535) return refuse();
  const bool has_brackets = result.host.front() == '[' && result.host.back() == ']' && result.host.size() > 2;
  const absl::string_view inner =
      has_brackets ? absl::string_view(result.host).substr(1, result.host.size() - 2) : result.host;
  if (inner.find_first_of("[] \t/,") != absl::string_view::npos) return refuse();
  if (!has_brackets && inner.find(':') != absl::string_view::npos) return refuse();
  return result;
}

bool IsLoopback(const HostPort& address) {
  if (address.host == "localhost" || address.host == "[::1]") return true;
  // Digits and dots only: 127.example.com is a name.
  return absl::StartsWith(address.host, "127.") && address.host.find_first_not_of("0123456789.") == std::string::npos;
}

void FillServerConfigDefaults(v1::ServerConfig* config) {
  if (config->listen().empty()) config->set_listen("127.0.0.1:8500");
  if (config->metrics_listen().empty()) config->set_metrics_listen("127.0.0.1:8502");
  if (config->device().empty()) config->set_device("auto");
  if (config->precision().empty()) config->set_precision("auto");
  if (!config->has_max_pixels()) config->set_max_pixels(16777216);
  if (!config->has_max_message_bytes()) config->set_max_message_bytes(64 * kMiB);
  if (!config->has_message_memory_bytes()) {
    // Clamped so that a max_message_bytes far out of range does not overflow before it is refused.
    const int64_t message = std::clamp(config->max_message_bytes(), int64_t{0}, 1024 * kMiB);
    config->set_message_memory_bytes(std::max(4 * message, config->max_message_bytes()));
  }
  if (!config->has_max_pending_requests()) config->set_max_pending_requests(64);
  if (!config->has_queued_picture_bytes()) config->set_queued_picture_bytes(1024 * kMiB);
  if (config->has_shadow()) {
    v1::ShadowConfig* shadow = config->mutable_shadow();
    if (shadow->model().empty()) shadow->set_model(kTeacherAlias);
    if (!shadow->has_share()) shadow->set_share(0.01F);
    if (!shadow->has_max_busy_share()) shadow->set_max_busy_share(0.005F);
  }
  if (!config->has_max_streams()) config->set_max_streams(64);
  if (!config->has_uncertainty_threshold()) config->set_uncertainty_threshold(0.1F);
  if (!config->has_drain_timeout_ms()) config->set_drain_timeout_ms(30000);
  if (!config->has_reflection()) config->set_reflection(true);
  if (config->log_level().empty()) config->set_log_level("info");
  if (!config->has_refused_dump_max_bytes()) config->set_refused_dump_max_bytes(256 * kMiB);
  if (!config->has_refused_dump_max_files()) config->set_refused_dump_max_files(1000);
  if (!config->has_self_probe_interval_ms()) config->set_self_probe_interval_ms(5000);
  if (!config->has_self_probe_failures()) config->set_self_probe_failures(3);
  if (!config->has_drain_delay_ms()) config->set_drain_delay_ms(0);
  if (!config->has_max_concurrent_streams()) config->set_max_concurrent_streams(128);
  if (!config->has_handshake_timeout_ms()) config->set_handshake_timeout_ms(10000);
  if (!config->has_max_connection_age_ms()) config->set_max_connection_age_ms(1800000);
  if (!config->has_max_connection_age_grace_ms()) config->set_max_connection_age_grace_ms(0);
  if (!config->has_unread_answer_ms()) config->set_unread_answer_ms(10000);
  if (!config->has_keepalive_ms()) config->set_keepalive_ms(60000);
  if (!config->has_keepalive_timeout_ms()) config->set_keepalive_timeout_ms(20000);
  if (config->has_tls() && !config->tls().has_require_client_certificate()) {
    config->mutable_tls()->set_require_client_certificate(!config->tls().client_ca_file().empty());
  }
}

absl::Status ValidateServerConfig(const v1::ServerConfig& config) {
  RETURN_IF_ERROR(CheckModels(config));
  RETURN_IF_ERROR(CheckModelRoots(config));
  RETURN_IF_ERROR(CheckAddress("listen", config.listen()));
  if (config.metrics_listen() != kMetricsOff) {
    RETURN_IF_ERROR(CheckAddress("metrics_listen", config.metrics_listen()));
  }
  if (config.device() != "auto" && config.device() != "cpu" && config.device() != "cuda") {
    return absl::InvalidArgumentError(
        absl::StrCat("device: must be auto, cpu or cuda, got \"", absl::CHexEscape(config.device()), "\""));
  }
  RETURN_IF_ERROR(ParsePrecision(config.precision()).status());
  RETURN_IF_ERROR(CheckSecurity(config));
  RETURN_IF_ERROR(CheckConnectionLimits(config));
  RETURN_IF_ERROR(CheckLimits(config));
  if (!ParseLogLevel(config.log_level()).ok()) {
    return absl::InvalidArgumentError(absl::StrCat("log_level: must be debug, info, warning or error, got \"",
                                                   absl::CHexEscape(config.log_level()), "\""));
  }
  return absl::OkStatus();
}

Batching BatchingOf(const v1::ModelConfig& model, absl::string_view device) {
  constexpr int kGpuBatch = 8;
  const v1::BatchingConfig& config = model.batching();
  Batching batching;
  batching.max_batch_size = config.has_max_batch_size() ? config.max_batch_size() : device == "cuda" ? kGpuBatch : 1;
  batching.window = std::chrono::microseconds(config.window_us());
  return batching;
}

absl::StatusOr<v1::ServerConfig> MakeServerConfig(const ServerFlags& flags) {
  v1::ServerConfig config;
  if (!flags.config_path.empty()) RETURN_IF_ERROR(ReadTextProto(flags.config_path, &config));
  ApplyFlags(flags, &config);
  FillServerConfigDefaults(&config);
  RETURN_IF_ERROR(ValidateServerConfig(config));
  return config;
}

}  // namespace candor
