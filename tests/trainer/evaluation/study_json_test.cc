// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/study_json.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace candor {
namespace {

StudyRow Row(const std::string& name, int members, double miou, double munc) {
  StudyRow row;
  row.name = name;
  row.result.members = members;
  row.result.data = "camvid:data";
  row.result.split = "test";
  row.result.miou = miou;
  row.result.kinds.resize(1);
  row.result.kinds[0].kind = UncertaintyKind::kPredictiveStddev;
  row.result.kinds[0].munc_pooled = munc;
  return row;
}

TEST(StudyJsonTest, ARowAModel) {
  const auto json = nlohmann::json::parse(StudyToJson(
      "ensemble-size", {Row("first 2 members", 2, 0.706, 0.092), Row("first 10 members", 10, 0.713, 0.106)}));
  EXPECT_EQ(json["study"], "ensemble-size");
  EXPECT_EQ(json["data"], "camvid:data");
  ASSERT_EQ(json["rows"].size(), 2u);
  EXPECT_EQ(json["rows"][1]["members"], 10);
  EXPECT_EQ(json["rows"][1]["miou"], 0.713);
  EXPECT_EQ(json["rows"][0]["munc"], 0.092);
  EXPECT_EQ(json["rows"][0]["uncertainty"], "predictive_stddev");
}

TEST(StudyJsonTest, WhatIsNotANumberIsNull) {
  const auto json = nlohmann::json::parse(StudyToJson("x", {Row("a", 1, std::numeric_limits<double>::quiet_NaN(), 0)}));
  EXPECT_TRUE(json["rows"][0]["miou"].is_null());
}

TEST(StudyJsonTest, TheTableHasAColumnAFigure) {
  const std::string text = StudyToText({Row("teacher", 10, 0.713, 0.106)});
  EXPECT_THAT(text, testing::HasSubstr("mUnc"));
  EXPECT_THAT(text, testing::HasSubstr("0.7130  0.1060"));
}

}  // namespace
}  // namespace candor
