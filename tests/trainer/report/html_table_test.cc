// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/html_table.h"

#include <cmath>

#include "gmock/gmock.h"
#include "tests/trainer/report/well_formed.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::Not;

HtmlTable TableOf(Better better, const std::vector<std::pair<int, double>>& groups_and_values) {
  HtmlTable table;
  table.id = "t";
  table.caption_html = "caption";
  table.columns = {{"name", "", Better::kNeither, true}, {"figure", "%", better}};
  for (const auto& [group, value] : groups_and_values) {
    TableRow row;
    row.cells = {TextCell("row"), NumberCell(value, 2)};
    row.group = group;
    table.rows.push_back(row);
  }
  return table;
}

TEST(RenderTableTest, IsWellFormedWithScopes) {
  const std::string html = RenderTable(TableOf(Better::kHigher, {{0, 1}, {0, 2}, {1, 3}}));
  EXPECT_THAT(html, IsWellFormedXml());
  EXPECT_EQ(CountOf(html, "<th scope=\"col\""), 2);
  EXPECT_EQ(CountOf(html, "<th scope=\"row\""), 3);
  EXPECT_EQ(CountOf(html, "<tbody>"), 2);
}

TEST(RenderTableTest, HighestOrLowestOfAGroupIsMarked) {
  EXPECT_THAT(RenderTable(TableOf(Better::kHigher, {{0, 1}, {0, 2}})), HasSubstr("<b>2.00</b>"));
  const std::string html = RenderTable(TableOf(Better::kLower, {{0, 1}, {0, 2}, {1, 8}, {1, 7}}));
  EXPECT_THAT(html, HasSubstr("<b>1.00</b>"));
  EXPECT_THAT(html, HasSubstr("<b>7.00</b>"));
  EXPECT_EQ(CountOf(html, "class=\"best\""), 2);
}

TEST(RenderTableTest, FiguresThatLookEqualShareTheMark) {
  EXPECT_EQ(CountOf(RenderTable(TableOf(Better::kHigher, {{0, 2.001}, {0, 2.002}, {0, 1}})), "class=\"best\""), 2);
}

TEST(RenderTableTest, WhatHasNoRivalIsNotMarked) {
  EXPECT_THAT(RenderTable(TableOf(Better::kHigher, {{0, 1}, {1, 2}})), Not(HasSubstr("class=\"best\"")));
  EXPECT_THAT(RenderTable(TableOf(Better::kHigher, {{0, 1}, {0, std::nan("")}})), Not(HasSubstr("class=\"best\"")));
  EXPECT_THAT(RenderTable(TableOf(Better::kHigher, {{0, 1}, {0, 1}})), Not(HasSubstr("class=\"best\"")));
  EXPECT_THAT(RenderTable(TableOf(Better::kNeither, {{0, 1}, {0, 2}})), Not(HasSubstr("class=\"best\"")));
}

TEST(RenderTableTest, TotalsAreNotMarked) {
  HtmlTable table = TableOf(Better::kHigher, {{0, 1}, {0, 2}, {0, 9}});
  table.rows[2].is_total = true;
  const std::string html = RenderTable(table);
  EXPECT_THAT(html, HasSubstr("<b>2.00</b>"));
  EXPECT_THAT(html, Not(HasSubstr("<b>9.00</b>")));
}

TEST(RenderTableTest, GroupNamesAreHeadings) {
  HtmlTable table = TableOf(Better::kHigher, {{0, 1}, {1, 2}});
  table.group_names = {"first", "<second>"};
  const std::string html = RenderTable(table);
  EXPECT_THAT(html, HasSubstr("<th scope=\"rowgroup\" colspan=\"2\">first</th>"));
  EXPECT_THAT(html, HasSubstr("&lt;second&gt;"));
  EXPECT_THAT(html, IsWellFormedXml());
}

TEST(RenderTableTest, EmptyTableIsWellFormed) {
  EXPECT_THAT(RenderTable(TableOf(Better::kLower, {})), IsWellFormedXml());
}

}  // namespace
}  // namespace candor
