// SPDX-License-Identifier: Apache-2.0
#include "core/base/process_setup.h"
#include "trainer/command_line.h"

int main(int argc, char** argv) {
  // Idle threads spin unless told otherwise, which is many times slower as soon as another process wants the cores.
  candor::RestartWithOpenMpSetting("OMP_WAIT_POLICY", "PASSIVE", argv);
  return static_cast<int>(candor::RunTrainer(argc, argv));
}
