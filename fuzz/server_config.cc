// SPDX-License-Identifier: Apache-2.0
//
// The server's configuration as text: syntax, defaults, rules.
#include <string>

#include "candor/v1/config.pb.h"
#include "core/base/text_proto.h"
#include "fuzz/target.h"
#include "google/protobuf/text_format.h"
#include "server/config.h"

namespace candor {
namespace {

void DemandInEffect(const v1::ServerConfig& config) {
  const auto address = ParseHostPort(config.listen());
  Demand(address.ok() && !address->host.empty() && address->port >= 0 && address->port <= 65535,
         "an address to listen");
  for (const v1::ModelConfig& model : config.models()) {
    for (const char* device : {"cpu", "cuda"}) {
      const Batching batching = BatchingOf(model, device);
      Demand(batching.max_batch_size >= 1 && batching.window >= batching.window.zero(), "a batch has a picture");
    }
  }
  Demand(config.max_pixels() >= 1 && config.max_pending_requests() >= 1, "one picture can be served");
}

void Read(const std::string& text) {
  v1::ServerConfig config;
  const absl::Status parsed = MergeTextProto(text, &config);
  if (!parsed.ok()) return DemandRefusal(parsed);
  FillServerConfigDefaults(&config);
  std::string printed;
  Demand(google::protobuf::TextFormat::PrintToString(config, &printed), "a configuration can be printed");
  v1::ServerConfig again;
  const absl::Status reparsed = MergeTextProto(printed, &again);
  Demand(reparsed.ok(), "what is printed can be read", reparsed.ToString());
  FillServerConfigDefaults(&again);
  Demand(again.SerializeAsString() == config.SerializeAsString(), "printing and defaults change nothing");
  const absl::Status valid = ValidateServerConfig(config);
  if (!valid.ok()) return DemandRefusal(valid);
  DemandInEffect(config);
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  candor::Read(std::string(candor::AsText(data, size)));
  return 0;
}
