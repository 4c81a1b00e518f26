// SPDX-License-Identifier: Apache-2.0
#pragma once

// Before a function that nvcc compiles for the GPU as well, and g++ for tests.
#ifdef __CUDACC__
#define CANDOR_HOST_DEVICE __host__ __device__
#else
#define CANDOR_HOST_DEVICE
#endif
