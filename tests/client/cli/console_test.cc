// SPDX-License-Identifier: Apache-2.0
#include "client/cli/console.h"

#include <gtest/gtest.h>

#include <sstream>

namespace candor {
namespace {

struct Streams {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
};

TEST(OneLineTest, TakesControlCharactersOut) {
  EXPECT_EQ(OneLine("a\nb\x1b[31mc\t\r\n"), "a b [31mc");
  EXPECT_EQ(OneLine("Stra\xc3\x9f"
                    "e"),
            "Stra\xc3\x9f"
            "e");
}

TEST(ReportErrorTest, ColoursOnlyWhereAllowed) {
  Streams plain;
  ReportError({plain.in, plain.out, plain.err, true, false}, "no\nway");
  EXPECT_EQ(plain.err.str(), "candor: no way\n");
  Streams coloured;
  ReportError({coloured.in, coloured.out, coloured.err, true, true}, "no way");
  EXPECT_EQ(coloured.err.str(), "\x1b[31mcandor:\x1b[0m no way\n");
}

TEST(ProgressTest, ShowsOnATerminalOnly) {
  Streams streams;
  const Console pipe{streams.in, streams.out, streams.err, false, false};
  Progress(pipe, 3).Show(1, "a.png");
  EXPECT_EQ(streams.err.str(), "");
}

TEST(ProgressTest, ShowsNothingForOneStep) {
  Streams streams;
  const Console terminal{streams.in, streams.out, streams.err, true, false};
  Progress(terminal, 1).Show(0, "a.png");
  EXPECT_EQ(streams.err.str(), "");
}

TEST(ProgressTest, FillsTheBarAndWipesItself) {
  Streams streams;
  const Console terminal{streams.in, streams.out, streams.err, true, false};
  {
    Progress progress(terminal, 2);
    progress.Show(1, "b.png");
  }
  EXPECT_EQ(streams.err.str(), "\r\x1b[K[############            ] 1/2 b.png\r\x1b[K");
  EXPECT_EQ(streams.out.str(), "");
}

}  // namespace
}  // namespace candor
