# SPDX-License-Identifier: Apache-2.0
#
# cmake -D DIR=<trainer/report> -D OUT=<file.cc> -P embed_parts.cmake: writes style sheet and script as string constants.
cmake_minimum_required(VERSION 3.25)

file(READ "${DIR}/report.css" style)
file(READ "${DIR}/report.js" script)
file(WRITE "${OUT}" "// Made by embed_parts.cmake.
#include \"trainer/report/page_parts.h\"

namespace candor {

const char kReportStyle[] = R\"candor(${style})candor\";

const char kReportScript[] = R\"candor(${script})candor\";

}  // namespace candor
")
