# What the wheel carries for worlds that are built elsewhere: headers, a CMake package (paymasterConfig.cmake), and a digest
# of the headers, by which the core knows modules that were built for it (cpp/paymaster/interface.hpp).
file(GLOB paymaster_headers RELATIVE ${PROJECT_SOURCE_DIR}/cpp CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/cpp/batch/*.hpp ${PROJECT_SOURCE_DIR}/cpp/game/*.hpp
  ${PROJECT_SOURCE_DIR}/cpp/paymaster/*.hpp ${PROJECT_SOURCE_DIR}/cpp/tasks/*.hpp)
list(REMOVE_ITEM paymaster_headers game/assignment.hpp game/event_set.hpp game/field_memory.hpp)  # no world's business
list(SORT paymaster_headers)

set(paymaster_text "")
foreach(header ${paymaster_headers})
  file(SHA256 ${PROJECT_SOURCE_DIR}/cpp/${header} digest)
  string(APPEND paymaster_text "${header} ${digest}\n")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cpp/${header})
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES cpp/${header} DESTINATION paymaster/include/${folder})
endforeach()
string(SHA256 paymaster_digest "${paymaster_text}")
string(SUBSTRING ${paymaster_digest} 0 12 paymaster_digest)
set(paymaster_generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
configure_file(cpp/paymaster/version.hpp.in ${paymaster_generated}/paymaster/version.hpp @ONLY)
install(FILES ${paymaster_generated}/paymaster/version.hpp DESTINATION paymaster/include/paymaster)

include(CMakePackageConfigHelpers)
write_basic_package_version_file(${paymaster_generated}/paymasterConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/paymasterConfig.cmake ${paymaster_generated}/paymasterConfigVersion.cmake
  DESTINATION paymaster/cmake)
