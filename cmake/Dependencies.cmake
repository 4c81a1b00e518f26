# SPDX-License-Identifier: Apache-2.0
# Every outside library, by one name each. LibTorch's own package file insists on a CUDA toolkit, so its libraries are
# imported here by hand.

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto SSL)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
# OpenCV's package file is in libopencv-dev, which pulls in 200 packages; the two modules we use are found directly.
find_path(OPENCV_INCLUDE_DIR opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
find_library(OPENCV_CORE_LIBRARY opencv_core REQUIRED)
find_library(OPENCV_IMGPROC_LIBRARY opencv_imgproc REQUIRED)
add_library(candor_opencv INTERFACE)
add_library(candor::opencv ALIAS candor_opencv)
target_include_directories(candor_opencv SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
target_link_libraries(candor_opencv INTERFACE ${OPENCV_IMGPROC_LIBRARY} ${OPENCV_CORE_LIBRARY})

find_package(prometheus-cpp REQUIRED COMPONENTS core pull)
if(CANDOR_WITH_GRPC)
  find_package(gRPC REQUIRED)
endif()

if(CANDOR_WITH_TORCH)
  set(torch_root ${CANDOR_DEPS_DIR}/torch)
  if(NOT EXISTS ${torch_root}/lib/libtorch_cpu.so)
    message(FATAL_ERROR "LibTorch not found at ${torch_root}: run tools/setup.sh")
  endif()
  foreach(lib c10.so torch_cpu.so gomp.so.1 c10_cuda.so torch_cuda.so)
    string(REGEX REPLACE "\\.so.*" "" name ${lib})
    add_library(candor_${name} SHARED IMPORTED)
    set_target_properties(candor_${name} PROPERTIES IMPORTED_LOCATION ${torch_root}/lib/lib${lib})
  endforeach()
  add_library(candor_cudart SHARED IMPORTED)
  set_target_properties(candor_cudart PROPERTIES
    IMPORTED_LOCATION ${CANDOR_DEPS_DIR}/nvidia/cu13/lib/libcudart.so.13)
  add_library(candor_torch INTERFACE)
  add_library(candor::torch ALIAS candor_torch)
  # -idirafter: the wheel carries its own protobuf, fmt and oneDNN headers, which must not shadow Debian's.
  target_compile_options(candor_torch INTERFACE
    "SHELL:-idirafter ${torch_root}/include" "SHELL:-idirafter ${torch_root}/include/torch/csrc/api/include")
  # at::parallel_for is a plain loop in code that is compiled without OpenMP; of its libraries, LibTorch's own.
  target_compile_options(candor_torch INTERFACE -fopenmp)
  target_link_libraries(candor_torch INTERFACE candor_torch_cpu candor_c10 candor_gomp Threads::Threads)
  # The wheel's own run path finds the CUDA runtime beside it; the linker has to be told.
  target_link_options(candor_torch INTERFACE
    "LINKER:-rpath-link,${CANDOR_DEPS_DIR}/nvidia/cu13/lib" "LINKER:-rpath-link,${torch_root}/lib")
endif()
