# SPDX-License-Identifier: Apache-2.0
#
# cmake -DRULES=<script> -DROOT=<tree> -DEXPECTED=<text> -P expect_report.cmake: the script must fail on the tree and report
# exactly one violation, with the text; with an empty text it must pass.
execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${ROOT} -P ${RULES}
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(EXPECTED STREQUAL "")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "expected no report, got:\n${output}")
  endif()
else()
  string(FIND "${output}" "${EXPECTED}" position)
  if(result EQUAL 0 OR position EQUAL -1 OR NOT output MATCHES "1 violations in")
    message(FATAL_ERROR "expected one report, '${EXPECTED}', got (exit ${result}):\n${output}")
  endif()
endif()
