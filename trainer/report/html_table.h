// SPDX-License-Identifier: Apache-2.0
//
// A table of figures: caption, headings with scope, and the best of each column marked.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace candor {

enum class Better { kNeither, kHigher, kLower };

struct TableColumn {
  std::string title;      // plain text
  std::string unit = "";  // plain text, in a second line; may be empty
  Better better = Better::kNeither;
  bool is_text = false;  // set from the left, not sorted as numbers
};

struct TableCell {
  std::string html;
  double value = std::numeric_limits<double>::quiet_NaN();  // what sorting and marking go by
  std::string note = "";                                    // plain text, small below the figure
};

// The text is escaped.
TableCell TextCell(absl::string_view text);
TableCell NumberCell(double value, int digits);
TableCell SignedCell(double value, int digits);
TableCell PercentCell(double share);
TableCell CountCell(int64_t count);

struct TableRow {
  std::vector<TableCell> cells;  // one a column; the first is the row's heading
  int group = 0;                 // rows of one group stand together; the best is looked for within a group
  bool is_total = false;         // a mean or the like: set apart, never marked, not sorted
};

struct HtmlTable {
  std::string id;            // of the element; unique in the page
  std::string caption_html;  // may have markup
  std::vector<TableColumn> columns;
  std::vector<TableRow> rows;
  std::vector<std::string> group_names;  // plain text, a heading above the rows of group 0, 1, ...; none: no headings
};

// Within each group all rows that show the best figure are marked, unless all show the same.
std::string RenderTable(const HtmlTable& table);

}  // namespace candor
