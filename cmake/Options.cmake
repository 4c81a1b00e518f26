# SPDX-License-Identifier: Apache-2.0
# Warnings, sanitizers and the compiler cache, as one INTERFACE target: candor::options.

add_library(candor_options INTERFACE)
add_library(candor::options ALIAS candor_options)

target_compile_options(candor_options INTERFACE
  -Wall -Wextra -Werror -Wno-unused-parameter
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
target_include_directories(candor_options INTERFACE ${CMAKE_SOURCE_DIR})

if(CANDOR_SANITIZE)
  target_compile_options(candor_options INTERFACE
    -fsanitize=${CANDOR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(candor_options INTERFACE -fsanitize=${CANDOR_SANITIZE})
endif()

# Debug information without the cost of unoptimised tensor code.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Precompiled headers need the two sloppiness settings; the base directory lets another checkout reuse the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()
