// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/svg_chart.h"

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/trainer/report/well_formed.h"
#include "trainer/report/svg_parts.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::Not;

LineChart ChartOf(std::vector<ChartSeries> series) {
  LineChart chart;
  chart.id = "c";
  chart.title = "title";
  chart.description = "description";
  chart.x = {"x (s)"};
  chart.y = {"y (%)"};
  chart.series = std::move(series);
  return chart;
}

TEST(RenderLineChartTest, IsWellFormedAndNamed) {
  const std::string svg = RenderLineChart(ChartOf({{"a", SeriesForm::kLine, {{0, 0}, {1, 50}, {2, 100}}},
                                                   {"b", SeriesForm::kStep, {{0, 3}, {2, 4}}},
                                                   {"c", SeriesForm::kBars, {{1, 20}}, 0.5},
                                                   {"d", SeriesForm::kReference, {{0, 0}, {2, 100}}}}));
  EXPECT_THAT(svg, IsWellFormedXml());
  EXPECT_THAT(svg, HasSubstr("role=\"img\""));
  EXPECT_THAT(svg, HasSubstr("aria-labelledby=\"c-t c-d\""));
  EXPECT_THAT(svg, HasSubstr("<title id=\"c-t\">title</title>"));
  for (const char* text : {">x (s)<", ">y (%)<", ">a<", ">b<", ">c<", ">d<"}) EXPECT_THAT(svg, HasSubstr(text));
}

TEST(RenderLineChartTest, NamesAreEscaped) {
  const std::string svg = RenderLineChart(ChartOf({{"<script>&\"'", SeriesForm::kLine, {{0, 0}, {1, 1}}}}));
  EXPECT_THAT(svg, IsWellFormedXml());
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
}

// 480 x 330 with no legend: the axis ends 46 above the lower edge and 16 before the right one; 100 is drawn 8 below the
// upper edge. A quarter up is a quarter of the way.
TEST(RenderLineChartTest, PointsLieWhereArithmeticPutsThem) {
  LineChart chart = ChartOf({{"", SeriesForm::kLine, {{0, 0}, {100, 25}, {100, 100}}}});
  chart.x = {"x", 0.0, 100.0};
  chart.y = {"y", 0.0, 100.0};
  const std::string svg = RenderLineChart(chart);
  EXPECT_THAT(svg, HasSubstr("L464.0 215.0L464.0 8.0"));  // 284 - (284 - 8) / 4 = 215
  EXPECT_THAT(svg, HasSubstr(" 284.0L464.0 215.0"));
}

TEST(RenderLineChartTest, NoFinitePointSaysSo) {
  EXPECT_THAT(RenderLineChart(ChartOf({})), HasSubstr("no data"));
  const std::string svg = RenderLineChart(ChartOf({{"a", SeriesForm::kLine, {{0, std::nan("")}}}}));
  EXPECT_THAT(svg, HasSubstr("no data"));
  EXPECT_THAT(svg, IsWellFormedXml());
}

TEST(RenderLineChartTest, NaNPartsTheLine) {
  const std::string svg =
      RenderLineChart(ChartOf({{"", SeriesForm::kLine, {{0, 1}, {1, 2}, {2, std::nan("")}, {3, 1}, {4, 2}}}}));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  const size_t path = svg.find("class=\"c0\"");
  const std::string line = svg.substr(path, svg.find("/>", path) - path);
  EXPECT_EQ(CountOf(line.substr(line.find(" d=")), "M"), 2);
}

TEST(RenderLineChartTest, ZeroOnALogarithmicAxisLiesAtItsLowerEnd) {
  LineChart chart = ChartOf({{"", SeriesForm::kStep, {{0, 100}, {1, 0}, {2, 0.01}}}});
  chart.y.is_logarithmic = true;
  const std::string svg = RenderLineChart(chart);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_THAT(svg, HasSubstr(">0.01<"));
}

TEST(RenderLineChartTest, SeriesDifferInMoreThanColour) {
  std::set<std::string> looks;
  for (int i = 0; i < 35; ++i) {
    const SeriesStyle style = StyleOf(i);
    looks.insert(absl::StrCat(style.colour, "/", style.dash));
  }
  EXPECT_EQ(looks.size(), 35u);
  EXPECT_NE(StyleOf(0).dash, StyleOf(1).dash);
  EXPECT_NE(StyleOf(0).marker, StyleOf(1).marker);
}

// The x coordinates of the texts in the legend, in their order.
std::vector<std::string> LegendColumns(const std::string& svg) {
  std::vector<std::string> columns;
  for (size_t at = svg.find("class=\"entry\""); at != std::string::npos; at = svg.find("class=\"entry\"", at + 1)) {
    const size_t x = svg.find(" x=\"", svg.find("<text", at)) + 4;
    columns.push_back(svg.substr(x, svg.find('"', x) - x));
  }
  return columns;
}

TEST(RenderLineChartTest, ManyEntriesOfTheLegendStandInColumns) {
  std::vector<ChartSeries> series;
  for (int i = 0; i < 12; ++i) series.push_back({std::string(i + 4, 'n'), SeriesForm::kLine, {{0, 0}, {1, 1}}});
  const std::vector<std::string> columns = LegendColumns(RenderLineChart(ChartOf(series)));
  ASSERT_EQ(columns.size(), 12u);
  const std::set<std::string> distinct(columns.begin(), columns.end());
  EXPECT_GT(distinct.size(), 1u);
  EXPECT_LT(distinct.size(), 6u);
}

TEST(RenderLineChartTest, CurvesAndTheirEntriesHaveOneNumber) {
  const std::string svg = RenderLineChart(ChartOf({{"a", SeriesForm::kLine, {{0, 0}, {1, 1}}},
                                                   {"r", SeriesForm::kReference, {{0, 0}, {1, 1}}},
                                                   {"b", SeriesForm::kLine, {{0, 1}, {1, 0}}}}));
  for (const char* group : {"<g class=\"curve\" data-series=\"1\">", "<g class=\"entry\" data-series=\"1\">"}) {
    EXPECT_THAT(svg, HasSubstr(group));
  }
}

TEST(RenderLineChartTest, LongLegendLeavesRoomForTheChart) {
  std::vector<ChartSeries> series;
  for (int i = 0; i < 30; ++i) {
    series.push_back({absl::StrCat("a run with a rather long name, number ", i), SeriesForm::kLine, {{0, 0}, {1, 1}}});
  }
  EXPECT_THAT(RenderLineChart(ChartOf(series)), IsWellFormedXml());
}

BarChart BarsOf(std::vector<std::string> categories, std::vector<BarSeries> series) {
  BarChart chart;
  chart.id = "b";
  chart.title = "title";
  chart.value = {"IoU (%)", 0.0, 100.0};
  chart.categories = std::move(categories);
  chart.series = std::move(series);
  return chart;
}

TEST(RenderBarChartTest, EachBarHasItsValue) {
  const std::string svg =
      RenderBarChart(BarsOf({"road", "sky"}, {{"teacher", {97.8, 94.3}}, {"student", {98.0, std::nan("")}}}));
  EXPECT_THAT(svg, IsWellFormedXml());
  for (const char* text : {">97.8<", ">94.3<", ">98.0<", ">\u2013<", ">road<", ">sky<", ">teacher<", ">student<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
}

TEST(RenderBarChartTest, LongNamesAreCutAndEscaped) {
  const std::string svg = RenderBarChart(BarsOf({std::string(200, 'w'), "a<b"}, {{"m", {1, 2}}}));
  EXPECT_THAT(svg, IsWellFormedXml());
  EXPECT_THAT(svg, HasSubstr("w\u2026"));
  EXPECT_THAT(svg, HasSubstr("a&lt;b"));
}

TEST(RenderBarChartTest, NothingIsWellFormed) {
  EXPECT_THAT(RenderBarChart(BarsOf({}, {})), IsWellFormedXml());
  EXPECT_THAT(RenderBarChart(BarsOf({"a"}, {})), IsWellFormedXml());
}

MatrixChart MatrixOf(size_t count) {
  MatrixChart chart;
  chart.id = "m";
  chart.row_label = "true";
  chart.column_label = "predicted";
  for (size_t i = 0; i < count; ++i) {
    chart.names.push_back(absl::StrCat("class ", i));
    chart.shares.emplace_back(count, 0.0)[i] = 1;
  }
  return chart;
}

TEST(RenderMatrixChartTest, SharesAreWholePercents) {
  MatrixChart chart = MatrixOf(2);
  chart.shares = {{0.834, 0.166}, {0.004, 0.996}};
  const std::string svg = RenderMatrixChart(chart);
  EXPECT_THAT(svg, IsWellFormedXml());
  for (const char* text : {">83<", ">17<"}) EXPECT_THAT(svg, HasSubstr(text));
  EXPECT_EQ(CountOf(svg, ">class 0<"), 2);
}

// The square root of the share runs from white over the palette's blue, at a quarter, to the dark end.
TEST(RenderMatrixChartTest, ColourFollowsTheSquareRoot) {
  MatrixChart chart = MatrixOf(2);
  chart.shares = {{0.25, 0.75}, {0, 1}};
  const std::string svg = RenderMatrixChart(chart);
  EXPECT_THAT(svg, HasSubstr("fill=\"#0072b2\""));
  EXPECT_THAT(svg, HasSubstr("fill=\"#001c38\""));
}

TEST(RenderMatrixChartTest, ClassThatIsNeverTrueHasAnEmptyRow) {
  MatrixChart chart = MatrixOf(2);
  chart.shares = {{std::nan(""), std::nan("")}, {0, 1}};
  EXPECT_THAT(RenderMatrixChart(chart), Not(HasSubstr("nan")));
}

TEST(RenderMatrixChartTest, AnyNumberOfClassesIsWellFormed) {
  for (const size_t count : {0, 1, 30, 150}) EXPECT_THAT(RenderMatrixChart(MatrixOf(count)), IsWellFormedXml());
}

TEST(FitTextTest, CutsBetweenCharacters) {
  EXPECT_EQ(FitText("abc", 10, 100), "abc");
  const std::string cut = FitText("道路道路道路道路", 10, 30);
  EXPECT_EQ(cut.size() % 3, 0u);  // three bytes a character, three the ellipsis
  EXPECT_THAT(cut, testing::EndsWith("\u2026"));
}

}  // namespace
}  // namespace candor
