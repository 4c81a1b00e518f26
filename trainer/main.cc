// SPDX-License-Identifier: Apache-2.0
#include "trainer/command_line.h"

int main(int argc, char** argv) { return static_cast<int>(candor::RunTrainer(argc, argv)); }
