// SPDX-License-Identifier: Apache-2.0
//
// Where an axis has its marks: multiples of 1, 2 or 5 times a power of ten (Heckbert 1990, "Nice numbers for graph
// labels"), or powers of ten on a logarithmic axis.
#pragma once

#include <string>
#include <vector>

namespace candor {

struct Ticks {
  std::vector<double> values;       // ascending
  std::vector<std::string> labels;  // one a value, with just the digits that the step needs
};

// The smallest step of 1, 2 or 5 times a power of ten that makes at most `count` steps over [low, high]; low < high.
double NiceStep(double low, double high, int count);

// The multiples of NiceStep within [low, high].
Ticks LinearTicks(double low, double high, int count);

// The powers of ten within [low, high], at most `count`: every second, third, ... if there are more. 0 < low < high.
Ticks LogarithmicTicks(double low, double high, int count);

struct Range {
  double low = 0;
  double high = 1;
};

// The range widened to multiples of its NiceStep; a range of one value or none (low >= high) first grows to both sides.
Range NiceRange(Range range, int count);
// The range widened to powers of ten; values of zero and less are taken as a thousandth of the largest.
Range NiceLogarithmicRange(Range range);

}  // namespace candor
