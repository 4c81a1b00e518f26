# SPDX-License-Identifier: Apache-2.0
# find_package(candor) gives candor::client.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(Protobuf)
find_dependency(absl)
find_dependency(OpenSSL)
find_dependency(nlohmann_json)
find_dependency(spdlog)
find_dependency(PNG)
find_dependency(JPEG)
find_dependency(gRPC)
include(${CMAKE_CURRENT_LIST_DIR}/candor-targets.cmake)
