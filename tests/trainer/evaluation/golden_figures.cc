// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/evaluation/golden_figures.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/model/strict_json.h"
#include "gtest/gtest.h"

namespace candor {

nlohmann::json GoldenFigures() {
  const auto text = ReadFile(absl::StrCat(CANDOR_SOURCE_DIR, "/tests/golden/metrics.json"), 1 << 20);
  if (!text.ok()) {
    ADD_FAILURE() << text.status();
    return {};
  }
  auto figures = ParseStrictJson(*text, /*max_depth=*/8);
  if (!figures.ok()) {
    ADD_FAILURE() << figures.status();
    return {};
  }
  return *std::move(figures);
}

void ExpectNear(double actual, const nlohmann::json& golden, double tolerance, const std::string& what) {
  if (golden.is_null()) {
    EXPECT_TRUE(std::isnan(actual)) << what << " is " << actual;
  } else {
    EXPECT_NEAR(actual, golden.get<double>(), tolerance) << what;
  }
}

void ExpectNear(const std::vector<double>& actual, const nlohmann::json& golden, double tolerance,
                const std::string& what) {
  ASSERT_EQ(actual.size(), golden.size()) << what;
  for (size_t i = 0; i < actual.size(); ++i) {
    ExpectNear(actual[i], golden[i], tolerance, absl::StrCat(what, "[", i, "]"));
  }
}

}  // namespace candor
