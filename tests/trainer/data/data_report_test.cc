// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/data_report.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace candor {
namespace {

DataReport Small() {
  DataReport report;
  report.location = "folder:/data";
  report.classes = {{"background", {0, 0, 0}}, {"nucleus", {255, 0, 0}}};
  report.splits.resize(2);
  report.splits[0].split = "train";
  report.splits[0].pictures = 3;
  report.splits[0].pixels = 800;
  report.splits[0].class_pixels = {600, 100};
  report.splits[0].void_pixels = 100;
  report.splits[0].sizes = {{{10, 20}, 2}, {{20, 20}, 1}};
  report.splits[1].split = "val";
  report.splits[1].pictures = 1;
  report.splits[1].pixels = 200;
  report.splits[1].class_pixels = {200, 0};
  report.splits[1].sizes = {{{10, 20}, 1}};
  report.equal_pictures = {{"train", "train", 1, "a", "b"}, {"train", "val", 2, "a", "c"}};
  report.errors = {"/data/x.png: empty file"};
  report.error_count = 1;
  return report;
}

TEST(DataReportTextTest, TablesAreAlignedAndWarningsFollow) {
  EXPECT_EQ(DataReportText(Small()),
            "folder:/data\n"
            "\n"
            "split  pictures  pixels                    sizes\n"
            "train         3     800  10x20 to 20x20, 2 sizes\n"
            "val           1     200                    10x20\n"
            "\n"
            "class       train %   val %\n"
            "background    75.00  100.00\n"
            "nucleus       12.50    0.00\n"
            "void          12.50    0.00\n"
            "\n"
            "warnings: 3\n"
            "  val: no pixel of class nucleus\n"
            "  in train: 1 equal picture, first a and b\n"
            "  train and val: 2 equal pictures, first a and c\n"
            "\n"
            "errors: 1\n"
            "  /data/x.png: empty file\n");
}

TEST(DataReportJsonTest, EveryFigureIsThere) {
  const auto json = nlohmann::json::parse(DataReportJson(Small()));
  EXPECT_EQ(json.at("location"), "folder:/data");
  const auto& train = json.at("splits").at("train");
  EXPECT_EQ(train.at("pictures"), 3);
  EXPECT_EQ(train.at("pixels"), 800);
  EXPECT_EQ(train.at("sizes").at("10x20"), 2);
  EXPECT_EQ(train.at("class_pixels").at("nucleus"), 100);
  EXPECT_EQ(train.at("class_share").at("background"), 0.75);
  EXPECT_EQ(train.at("void_pixels"), 100);
  EXPECT_EQ(train.at("void_share"), 0.125);
  EXPECT_EQ(json.at("splits").at("val").at("missing_classes"), nlohmann::json({"nucleus"}));
  EXPECT_EQ(json.at("equal_pictures").at(1).at("splits"), nlohmann::json({"train", "val"}));
  EXPECT_EQ(json.at("equal_pictures").at(1).at("count"), 2);
  EXPECT_EQ(json.at("error_count"), 1);
  EXPECT_EQ(json.at("errors"), nlohmann::json({"/data/x.png: empty file"}));
}

TEST(DataReportJsonTest, NamesThatAreNotUtf8DoNotBreakIt) {
  DataReport report = Small();
  report.equal_pictures[0].name = "\xff\xfe";
  EXPECT_TRUE(nlohmann::json::accept(DataReportJson(report)));
}

}  // namespace
}  // namespace candor
