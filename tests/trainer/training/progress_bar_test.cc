// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/progress_bar.h"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// Half of a run of 8 steps of 2 pictures in half a second, then a validation.
void PlayRun(std::FILE* out) {
  const auto bar = MakeProgressBar(out);
  RunStart start;
  start.name = "member 3";
  start.steps = 8;
  start.steps_per_epoch = 4;
  start.epochs = 2;
  ASSERT_THAT(bar->OnStart(start), IsOk());
  for (int step = 1; step <= 4; ++step) {
    StepRecord record;
    record.step = step;
    record.epoch = step / 4.0;
    record.images = 2;
    record.loss = 1.25;
    record.seconds = 0.5;
    ASSERT_THAT(bar->OnStep(record), IsOk());
  }
  ValidationRecord validation;
  validation.miou = 0.625;
  ASSERT_THAT(bar->OnValidation(validation), IsOk());
  ASSERT_THAT(bar->OnEnd("done"), IsOk());
}

TEST(ProgressBarTest, SaysNothingWhereThereIsNoTerminal) {
  TemporaryFolder folder;
  {
    const File out(std::fopen(folder.File("out").c_str(), "w"), std::fclose);
    PlayRun(out.get());
  }
  EXPECT_EQ(Contents(folder.File("out")), "");
}

TEST(ProgressBarTest, SaysOnATerminalHowFarItIs) {
  int terminal = -1;
  int program = -1;
  ASSERT_EQ(openpty(&terminal, &program, nullptr, nullptr, nullptr), 0);
  {
    const File out(fdopen(program, "w"), std::fclose);
    PlayRun(out.get());
  }
  std::string text;
  char buffer[4096];
  for (ssize_t n = read(terminal, buffer, sizeof(buffer)); n > 0; n = read(terminal, buffer, sizeof(buffer))) {
    text.append(buffer, static_cast<size_t>(n));
  }
  close(terminal);
  // 8 steps of 0.5 s, 4 left.
  EXPECT_THAT(text, AllOf(HasSubstr("member 3"), HasSubstr(" 50 %"), HasSubstr("epoch 1.0/2"), HasSubstr("loss 1.2500"),
                          HasSubstr("mIoU 0.625"), HasSubstr("4.0 images/s"), HasSubstr("2s left")));
}

}  // namespace
}  // namespace candor
