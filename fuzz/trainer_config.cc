// SPDX-License-Identifier: Apache-2.0
//
// The trainer's configuration as text.
#include <string>

#include "fuzz/target.h"
#include "trainer/config.h"

namespace candor {
namespace {

void Read(const std::string& text) {
  const auto options = ReadTrainConfig("", {text});
  if (!options.ok()) return DemandRefusal(options.status());
  Demand(options->epochs >= 1 && options->members >= 2 && options->width >= 1, "there is something to train");
  Demand(options->loader.threads >= 1 && options->loader.cache_bytes >= 0, "there is something to load with");
  Demand(!options->uncertainty.targets.empty(), "there is something to distil");
  const auto again = ReadTrainConfig("", {text, ""});
  Demand(again.ok() && again->identity == options->identity, "the same text is the same run");
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  candor::Read(std::string(candor::AsText(data, size)));
  return 0;
}
