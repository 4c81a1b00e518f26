// SPDX-License-Identifier: Apache-2.0
//
// The kernels' launchers, inside libcandor_cuda.so. Each starts its kernel on `stream` and returns at once: null, or
// the CUDA error's text, valid for ever. Thread-safe.
#pragma once

#include "core/engine/cuda/plugin.h"

namespace candor {

const char* LaunchReduce(const CudaReduceJob& job, CUstream_st* stream);
const char* LaunchPreprocess(const CudaPreprocessJob& job, CUstream_st* stream);

}  // namespace candor
