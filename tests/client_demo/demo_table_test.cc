// SPDX-License-Identifier: Apache-2.0
#include "client/demo/demo_table.h"

#include <sstream>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "tests/client_demo/small_report.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> TableLines(const DemoReport& report) {
  std::ostringstream out;
  PrintDemoTable(report, out);
  return absl::StrSplit(out.str(), '\n');
}

std::vector<std::string> Cells(const std::string& line) { return absl::StrSplit(line, ' ', absl::SkipEmpty()); }

TEST(PercentCellTest, RoundsToOneDigit) {
  EXPECT_EQ(PercentCell(2.0 / 3), "66.7");
  EXPECT_EQ(PercentCell(1.0), "100.0");
  EXPECT_EQ(PercentCell(std::nullopt), "-");
}

TEST(PrintDemoTableTest, HasTwoRowsAPictureAndTheTotals) {
  const std::vector<std::string> lines = TableLines(SmallReport());
  EXPECT_THAT(Cells(lines[1]), ElementsAre("left", "student", "10.0", "6.0", "0.1500", "75.0", "66.7"));
  EXPECT_THAT(Cells(lines[2]), ElementsAre("teacher", "60.0", "50.0", "0.2000", "75.0", "33.3"));
  EXPECT_THAT(Cells(lines[3]), ElementsAre("right", "student", "20.0", "8.0", "0.2000", "100.0", "-"));
  EXPECT_THAT(Cells(lines[4]), ElementsAre("teacher", "90.0", "70.0", "0.2000", "100.0", "-"));
  EXPECT_THAT(Cells(lines[5]), ElementsAre("all", "student", "15.0", "7.0", "0.1750", "87.5", "66.7"));
  EXPECT_THAT(Cells(lines[6]), ElementsAre("teacher", "75.0", "60.0", "0.2000", "87.5", "33.3"));
}

TEST(PrintDemoTableTest, AlignsItsColumns) {
  const std::vector<std::string> lines = TableLines(SmallReport());
  for (int row = 2; row <= 6; ++row) {
    EXPECT_EQ(lines[row].size(), lines[1].size()) << lines[row];
    const size_t model = lines[row].find(row % 2 == 0 ? "teacher" : "student");
    EXPECT_EQ(model, lines[1].find("student")) << lines[row];
  }
}

TEST(PrintDemoTableTest, SaysWhatIsMeasuredAndTheSpeedRatio) {
  std::ostringstream out;
  PrintDemoTable(SmallReport(), out);
  EXPECT_THAT(out.str(), HasSubstr("median of 5 calls after a warm-up"));
  EXPECT_THAT(out.str(), HasSubstr("predictive_stddev, in [0, 1)"));
  EXPECT_THAT(out.str(), HasSubstr("The teacher's 10 networks take 5.0 times as long"));
}

TEST(PrintDemoTableTest, NamesReachTheTerminalWithoutControlCharacters) {
  DemoReport report = SmallReport();
  report.pictures[0].name = "a\x1b[31mb\nc";
  std::ostringstream out;
  PrintDemoTable(report, out);
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(out.str(), HasSubstr("a [31mb c"));
}

}  // namespace
}  // namespace candor
