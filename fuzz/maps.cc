// SPDX-License-Identifier: Apache-2.0
//
// Label maps as run lengths, and NumPy files. The first byte says which; of run lengths the next three are how many
// values there should be.
#include <cstring>
#include <vector>

#include "core/base/npy.h"
#include "core/image/encode.h"
#include "core/image/run_lengths.h"
#include "fuzz/target.h"

namespace candor {
namespace {

void ReadRuns(const uint8_t* data, size_t size) {
  if (size < 3) return;
  const int64_t count = data[0] | data[1] << 8 | data[2] << 16;
  const absl::string_view bytes = AsText(data + 3, size - 3);
  const auto values = DecodeRuns(bytes, count);
  if (values.ok()) {
    Demand(static_cast<int64_t>(values->size()) == count, "as many values as asked for");
    Demand(EncodeRuns(*values) == bytes, "one form for each map");
  } else {
    DemandRefusal(values.status());
  }
  const std::vector<uint8_t> labels(data + 3, data + size);
  const std::string runs = EncodeRuns(labels);
  Demand(runs.size() <= 2 * labels.size(), "at most two bytes a value");
  const auto again = DecodeRuns(runs, static_cast<int64_t>(labels.size()));
  Demand(again.ok() && *again == labels, "runs keep every value", again.status().ToString());
}

void ReadNpy(absl::string_view bytes) {
  const auto array = DecodeNpyArray(bytes);
  if (!array.ok()) return DemandRefusal(array.status());
  int64_t count = 1;
  for (const int64_t side : array->shape) count *= side;
  Demand(static_cast<int64_t>(array->values.size()) == count, "an array has the values of its shape");
  const auto again = DecodeNpyArray(EncodeNpyArray(array->shape, array->values.data()));
  const size_t value_bytes = array->values.size() * sizeof(float);  // compared as bytes: NaN is not itself
  Demand(again.ok() && again->shape == array->shape &&
             (value_bytes == 0 || std::memcmp(again->values.data(), array->values.data(), value_bytes) == 0),
         "NPY keeps shape and values", again.status().ToString());
  const auto map = DecodeNpy(bytes);
  if (!map.ok()) return DemandRefusal(map.status());
  Demand(int64_t{map->width} * map->height == count, "a map has the values of its size");
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  if (data[0] % 2 == 0) {
    candor::ReadRuns(data + 1, size - 1);
  } else {
    candor::ReadNpy(candor::AsText(data + 1, size - 1));
  }
  return 0;
}
