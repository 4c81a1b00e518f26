// SPDX-License-Identifier: Apache-2.0
//
// JSON from files: a bundle's model.json, a class list, results of an evaluation.
#include <string>

#include "core/model/class_json.h"
#include "core/model/model_spec.h"
#include "core/model/strict_json.h"
#include "fuzz/target.h"
#include "trainer/evaluation/result_json.h"

namespace candor {
namespace {

void ReadModelSpec(absl::string_view text) {
  const auto spec = ModelSpecFromJson(text);
  if (!spec.ok()) return DemandRefusal(spec.status());
  const absl::Status valid = ValidateModelSpec(*spec);
  Demand(valid.ok(), "what is read is valid", valid.ToString());
  const std::string written = ModelSpecToJson(*spec);
  const auto again = ModelSpecFromJson(written);
  Demand(again.ok(), "what is written can be read", again.status().ToString());
  Demand(ModelSpecToJson(*again) == written, "nothing changes by reading");
}

void ReadClasses(absl::string_view text) {
  const auto document = ParseStrictJson(text, /*max_depth=*/3);
  if (!document.ok()) return DemandRefusal(document.status());
  const auto classes = ClassesFromJson(*document, "");
  if (!classes.ok()) return DemandRefusal(classes.status());
  Demand(classes->size() >= kMinClasses && classes->size() <= kMaxClasses, "classes fit a byte map");
  const auto again = ClassesFromJson(nlohmann::json(ClassesToJson(*classes)), "");
  Demand(again.ok() && again->size() == classes->size(), "what is written can be read", again.status().ToString());
}

void ReadResult(absl::string_view text) {
  const auto result = ResultFromJson(text);
  if (!result.ok()) return DemandRefusal(result.status());
  const std::string written = ResultToJson(*result);
  const auto again = ResultFromJson(written);
  Demand(again.ok(), "what is written can be read", again.status().ToString());
  Demand(ResultToJson(*again) == written, "nothing changes by reading");
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = candor::AsText(data, size);
  candor::ReadModelSpec(text);
  candor::ReadClasses(text);
  candor::ReadResult(text);
  return 0;
}
