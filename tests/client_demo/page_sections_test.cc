// SPDX-License-Identifier: Apache-2.0
#include "client/demo/page_sections.h"

#include "gmock/gmock.h"
#include "tests/client_demo/small_report.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(EscapeHtmlTest, ReplacesEveryCharacterThatMeansSomething) {
  EXPECT_EQ(EscapeHtml("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(EscapeHtml("plain text"), "plain text");
}

TEST(GradientTest, GoesFromTheFirstColourToTheLast) {
  std::vector<Colour> colours(256, Colour{1, 2, 3});
  colours.front() = {0, 0, 0};
  colours.back() = {255, 255, 255};
  const std::string css = Gradient(colours);
  EXPECT_THAT(css, testing::StartsWith("linear-gradient(to right,#000000,#010203,"));
  EXPECT_THAT(css, testing::EndsWith(",#ffffff)"));
}

TEST(ClassLegendTest, ShowsNameAndColour) {
  EXPECT_THAT(ClassLegend(SmallReport()), HasSubstr("<i style=\"background:#804080\"></i>road</li>"));
}

TEST(LeadSectionTest, GivesSpeedAgreementAndAccuracy) {
  const std::string html = LeadSection(SmallReport());
  EXPECT_THAT(html, HasSubstr("<strong>5.0&times;</strong>"));
  EXPECT_THAT(html, HasSubstr("<strong>87.5 %</strong>"));
  EXPECT_THAT(html, HasSubstr("<strong>66.7 %</strong>"));
  EXPECT_THAT(html, HasSubstr("<strong>33.3 %</strong>"));
}

TEST(LeadSectionTest, IsSilentOnAccuracyWithoutGroundTruth) {
  DemoReport report = ReportWithoutPictures();
  report.pictures = {RightPicture()};
  EXPECT_THAT(LeadSection(report), Not(HasSubstr("are right")));
}

TEST(PictureSectionsTest, WithGroundTruthThereAreErrorMaps) {
  DemoReport report = ReportWithoutPictures();
  report.pictures = {LeftPicture()};
  const std::string html = PictureSections(report);
  for (const char* id : {"p0-input", "p0-truth", "p0-student-labels", "p0-student-uncertainty", "p0-student-errors",
                         "p0-teacher-labels", "p0-teacher-uncertainty", "p0-teacher-errors"}) {
    EXPECT_THAT(html, HasSubstr(std::string("<canvas id=\"") + id + "\" width=\"2\" height=\"2\" role=\"img\" aria-"));
  }
}

TEST(PictureSectionsTest, WithoutGroundTruthThereAreNone) {
  DemoReport report = ReportWithoutPictures();
  report.pictures = {RightPicture()};
  const std::string html = PictureSections(report);
  EXPECT_THAT(html, Not(HasSubstr("p0-truth")));
  EXPECT_THAT(html, Not(HasSubstr("errors")));
  EXPECT_THAT(html, HasSubstr("p0-teacher-uncertainty"));
}

TEST(ClassTableTest, GivesOverlapAndUncertaintyAndADashWhereThereIsNone) {
  DemoReport report = ReportWithoutPictures();
  report.pictures = {LeftPicture()};
  // The teacher labels the three pixels with ground truth 0 1 1 where 0 0 2 is true: sky is in the union alone.
  const std::string html = ClassTable(report);
  EXPECT_THAT(html, HasSubstr("road</th><td>50.0 %</td><td>50.0 %</td><td>0.000</td><td>0.000</td>"));
  EXPECT_THAT(html, HasSubstr("car</th><td>0.0 %</td><td>0.0 %</td><td>0.100</td><td>0.400</td>"));
  EXPECT_THAT(html, HasSubstr("sky</th><td>100.0 %</td><td>0.0 %</td><td>0.250</td><td>0.000</td>"));
  report.pictures = {RightPicture()};
  EXPECT_THAT(ClassTable(report), HasSubstr("car</th><td>&ndash;</td><td>&ndash;</td><td>&ndash;</td><td>&ndash;"));
}

TEST(CreditLineTest, IsEscapedOrAbsent) {
  DemoReport report = SmallReport();
  EXPECT_EQ(CreditLine(report), "");
  report.credit = "Brostow & others";
  EXPECT_EQ(CreditLine(report), "<p>Brostow &amp; others</p>");
}

}  // namespace
}  // namespace candor
