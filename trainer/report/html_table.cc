// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/html_table.h"

#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "trainer/report/html.h"

namespace candor {
namespace {

// By group, what the best cell of the column shows; rows that all show the same have no best.
std::map<int, std::string> BestTexts(const HtmlTable& table, size_t column) {
  struct Best {
    int rows = 0;
    bool is_tied = true;  // all rows so far show the same
    double value = 0;
    std::string text;
  };
  std::map<int, Best> groups;
  const Better better = table.columns[column].better;
  for (const TableRow& row : table.rows) {
    const TableCell& cell = row.cells[column];
    if (better == Better::kNeither || row.is_total || !std::isfinite(cell.value)) continue;
    Best& best = groups[row.group];
    const bool is_better = better == Better::kHigher ? cell.value > best.value : cell.value < best.value;
    if (best.rows > 0 && cell.html != best.text) best.is_tied = false;
    if (best.rows++ == 0 || is_better) {
      best.value = cell.value;
      best.text = cell.html;
    }
  }
  std::map<int, std::string> texts;
  for (const auto& [group, best] : groups) {
    if (!best.is_tied) texts[group] = best.text;
  }
  return texts;
}

std::string Heading(const TableColumn& column) {
  std::string html =
      absl::StrCat("<th scope=\"col\"", column.is_text ? " class=\"text\"" : "", ">", EscapeHtml(column.title));
  if (column.better == Better::kHigher) {
    absl::StrAppend(&html, "&#160;<abbr title=\"higher is better\">\xE2\x86\x91</abbr>");
  } else if (column.better == Better::kLower) {
    absl::StrAppend(&html, "&#160;<abbr title=\"lower is better\">\xE2\x86\x93</abbr>");
  }
  if (!column.unit.empty()) absl::StrAppend(&html, "<small>", EscapeHtml(column.unit), "</small>");
  return absl::StrCat(html, "</th>");
}

std::string Cell(const TableColumn& column, const TableCell& cell, bool is_best) {
  std::string html = "<td";
  if (column.is_text) {
    absl::StrAppend(&html, " class=\"text\"");
  } else if (is_best) {
    absl::StrAppend(&html, " class=\"best\"");
  }
  if (std::isfinite(cell.value)) absl::StrAppendFormat(&html, " data-sort=\"%.9g\"", cell.value);
  return absl::StrCat(html, ">", is_best ? "<b>" : "", cell.html, is_best ? "</b>" : "",
                      cell.note.empty() ? "" : absl::StrCat("<small>", EscapeHtml(cell.note), "</small>"), "</td>");
}

std::string Row(const HtmlTable& table, const TableRow& row, const std::vector<std::map<int, std::string>>& best) {
  std::string html =
      absl::StrCat("<tr", row.is_total ? " class=\"total\"" : "", "><th scope=\"row\">", row.cells[0].html, "</th>");
  for (size_t c = 1; c < table.columns.size(); ++c) {
    const auto found = best[c].find(row.group);
    const bool is_best = !row.is_total && found != best[c].end() && found->second == row.cells[c].html;
    absl::StrAppend(&html, Cell(table.columns[c], row.cells[c], is_best));
  }
  return absl::StrCat(html, "</tr>\n");
}

}  // namespace

TableCell TextCell(absl::string_view text) { return {EscapeHtml(text)}; }
TableCell NumberCell(double value, int digits) { return {Decimal(value, digits), value}; }
TableCell SignedCell(double value, int digits) { return {SignedDecimal(value, digits), value}; }
TableCell PercentCell(double share) { return {Percent(share), share}; }
TableCell CountCell(int64_t count) { return {Count(count), static_cast<double>(count)}; }

std::string RenderTable(const HtmlTable& table) {
  const std::string id = EscapeHtml(table.id);
  // A table wider than the window scrolls by itself, from the keyboard too.
  std::string html =
      absl::StrCat("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"", id,
                   "-caption\">\n<table id=\"", id, "\"", table.rows.size() <= 40 ? " class=\"whole\"" : "",
                   ">\n<caption id=\"", id, "-caption\"><span>", table.caption_html, "</span></caption>\n<thead><tr>");
  std::vector<std::map<int, std::string>> best;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    absl::StrAppend(&html, Heading(table.columns[c]));
    best.push_back(BestTexts(table, c));
  }
  absl::StrAppend(&html, "</tr></thead>\n<tbody>\n");
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const int group = table.rows[r].group;
    const bool is_new_group = r == 0 || group != table.rows[r - 1].group;
    if (is_new_group && r > 0) absl::StrAppend(&html, "</tbody>\n<tbody>\n");
    if (is_new_group && !table.group_names.empty()) {
      absl::StrAppend(&html, "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"", table.columns.size(), "\">",
                      EscapeHtml(table.group_names[static_cast<size_t>(group)]), "</th></tr>\n");
    }
    absl::StrAppend(&html, Row(table, table.rows[r], best));
  }
  return absl::StrCat(html, "</tbody>\n</table>\n</div>\n");
}

}  // namespace candor
