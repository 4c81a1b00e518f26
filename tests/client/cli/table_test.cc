// SPDX-License-Identifier: Apache-2.0
#include "client/cli/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace candor {
namespace {

std::string Print(const Table& table) {
  std::ostringstream out;
  table.Print(out);
  return out.str();
}

TEST(TableTest, AlignsTextLeftAndNumbersRight) {
  Table table({"NAME", "N", "LAST"});
  table.AddRow({"a", "5", "x"});
  table.AddRow({"longer", "-", "yy"});
  table.AddRow({"b", "-12.5", ""});
  EXPECT_EQ(Print(table),
            "NAME        N  LAST\n"
            "a           5  x\n"
            "longer      -  yy\n"
            "b       -12.5\n");
}

TEST(TableTest, CountsLettersNotBytes) {
  Table table({"NAME", "X"});
  table.AddRow({"\xc3\xa4\xc3\xb6\xc3\xbc", "a"});
  EXPECT_EQ(Print(table),
            "NAME  X\n"
            "\xc3\xa4\xc3\xb6\xc3\xbc   a\n");
}

TEST(TableTest, PrintsAHeaderAlone) { EXPECT_EQ(Print(Table({"A", "B"})), "A  B\n"); }

}  // namespace
}  // namespace candor
