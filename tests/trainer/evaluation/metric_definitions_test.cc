// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/metric_definitions.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace candor {
namespace {

TEST(MetricDefinitionsTest, EachIsOneSentenceUnderOneName) {
  std::set<std::string> names;
  for (const MetricDefinition& metric : MetricDefinitions()) {
    EXPECT_TRUE(names.insert(std::string(metric.name)).second) << metric.name;
    ASSERT_FALSE(metric.definition.empty()) << metric.name;
    EXPECT_EQ(metric.definition.back(), '.') << metric.name;
  }
}

TEST(MetricDefinitionsTest, AnUnknownNameHasNone) {
  EXPECT_TRUE(MetricDefinitionOf("no_such_figure").empty());
  EXPECT_FALSE(MetricDefinitionOf("ece").empty());
}

}  // namespace
}  // namespace candor
