// SPDX-License-Identifier: Apache-2.0
//
// Column widths, alignment and output.
#include "client/cli/table.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace candor {
namespace {

// Columns of a terminal: UTF-8 continuation bytes take none.
size_t DisplayWidth(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

bool IsNumber(const std::string& cell) {
  return cell == "-" || (!cell.empty() && absl::ascii_isdigit(static_cast<unsigned char>(cell[cell[0] == '-'])));
}

}  // namespace

void Table::Print(std::ostream& out) const {
  const size_t columns = rows_[0].size();
  std::vector<size_t> widths(columns, 0);
  std::vector<bool> right(columns, rows_.size() > 1);
  for (size_t r = 0; r < rows_.size(); ++r) {
    for (size_t c = 0; c < columns; ++c) {
      widths[c] = std::max(widths[c], DisplayWidth(rows_[r][c]));
      if (r > 0 && !IsNumber(rows_[r][c])) right[c] = false;
    }
  }
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    for (size_t c = 0; c < columns; ++c) {
      const std::string padding(widths[c] - DisplayWidth(row[c]), ' ');
      if (c > 0) line += "  ";
      line += right[c] ? padding + row[c] : row[c] + padding;
    }
    out << absl::StripTrailingAsciiWhitespace(line) << "\n";
  }
}

}  // namespace candor
