// SPDX-License-Identifier: Apache-2.0
//
// Charts as SVG elements to stand in an HTML page. Each is well-formed XML, has a title and a description for who
// cannot see it, and needs nothing from outside. Series differ by colour (Okabe and Ito 2008), dashes, markers and
// hatching, so that print in black and white can be read. Colours are attributes with a class beside them (c0, c1, ...
// for lines, f0, f1, ... for areas), by which a page's style may replace them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace candor {

struct ChartPoint {
  double x = 0;
  double y = 0;
};

enum class SeriesForm {
  kLine,       // with markers; a point that is not finite parts the line
  kStep,       // y holds up to the next point's x; no markers
  kBars,       // from zero, behind the lines, `bar_width` wide around x
  kReference,  // thin and grey, to compare by; no markers
};

struct ChartSeries {
  std::string name;  // empty: not in the legend
  SeriesForm form = SeriesForm::kLine;
  std::vector<ChartPoint> points = {};
  double bar_width = 0;
};

struct ChartAxis {
  std::string label;  // what and in which unit
  // Where not given, the points decide, widened to a tick.
  std::optional<double> low = std::nullopt;
  std::optional<double> high = std::nullopt;
  bool is_logarithmic = false;  // values of zero and less are drawn at the lower end
};

struct LineChart {
  std::string id;  // letters, digits, hyphens; unique in the page
  std::string title;
  std::string description;
  ChartAxis x;
  ChartAxis y;
  std::vector<ChartSeries> series;  // without a finite point in them the chart says "no data"
  int width = 480;                  // of the view box, where text is 12 high
  int height = 330;
};

struct BarSeries {
  std::string name;
  std::vector<double> values = {};  // one a category, >= 0; not finite: a dash instead of a bar
};

// Horizontal bars, a group of them a category, each with its value behind it.
struct BarChart {
  std::string id;
  std::string title;
  std::string description;
  ChartAxis value;  // linear
  int digits = 1;   // of the values
  std::vector<std::string> categories;
  std::vector<BarSeries> series;
  int width = 480;
};

// Shares in [0, 1] as squares of a colour, light to dark by the square root of the share, so that small ones show.
struct MatrixChart {
  std::string id;
  std::string title;
  std::string description;
  std::string row_label;
  std::string column_label;
  std::vector<std::string> names;           // of rows and columns
  std::vector<std::vector<double>> shares;  // [row][column]; not finite: an empty row
  int width = 640;
};

std::string RenderLineChart(const LineChart& chart);
std::string RenderBarChart(const BarChart& chart);
std::string RenderMatrixChart(const MatrixChart& chart);

}  // namespace candor
