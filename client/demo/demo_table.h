// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "client/demo/demo_report.h"

namespace candor {

// "91.3", for a share of 0.913; "-" for none.
std::string PercentCell(std::optional<double> share);

// Prints an aligned table: two rows a picture and two of all pictures, then what the columns mean and the speed ratio.
void PrintDemoTable(const DemoReport& report, std::ostream& out);

}  // namespace candor
