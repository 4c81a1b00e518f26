// SPDX-License-Identifier: Apache-2.0
//
// Text in aligned columns, for terminals.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace candor {

// A table of text with aligned columns: a column whose cells all begin with a digit, or are "-", is aligned to the
// right.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}

  // One cell a column of the header.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void Print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace candor
