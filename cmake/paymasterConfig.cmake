# find_package(paymaster): worlds in C++ outside of paymaster's tree. `python -m paymaster --cmake-dir` says where this is.
#
#   paymaster::worlds                        its headers, and how they want to be compiled
#   paymaster_add_worlds(NAME source ...)    the Python module NAME; one of the sources has PAYMASTER_WORLDS(NAME, ...)
include(CMakeFindDependencyMacro)
find_dependency(Python 3.10 COMPONENTS Interpreter Development.Module)

if(NOT TARGET paymaster::worlds)
  add_library(paymaster::worlds INTERFACE IMPORTED)
  get_filename_component(paymaster_include "${CMAKE_CURRENT_LIST_DIR}/../include" ABSOLUTE)
  target_include_directories(paymaster::worlds INTERFACE "${paymaster_include}")
  target_compile_features(paymaster::worlds INTERFACE cxx_std_20)
  if(MSVC)
    target_compile_options(paymaster::worlds INTERFACE /bigobj)
  else()
    # As the core is compiled: the same numbers wherever a multiplication could be fused, and square roots without errno.
    target_compile_options(paymaster::worlds INTERFACE -ffp-contract=off -fno-math-errno)
  endif()
endif()

function(paymaster_add_worlds name)
  python_add_library(${name} MODULE WITH_SOABI ${ARGN})
  target_link_libraries(${name} PRIVATE paymaster::worlds)
  set_target_properties(${name} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()
