# toy_registry: the registry with the worked example of CONTRIBUTING.md, whose lines are taken from its text.
file(READ ${PROJECT_SOURCE_DIR}/cpp/tasks/tasks.cpp registry)
file(STRINGS ${PROJECT_SOURCE_DIR}/CONTRIBUTING.md toy_include REGEX "^ *#include .*line.hpp")
file(STRINGS ${PROJECT_SOURCE_DIR}/CONTRIBUTING.md toy_task REGEX "^ *{.*kKind<LineWorld>")
set(first_include "#include \"worlds/particles/navigation.hpp\"")
set(end_of_table "  };\n}\n\nstd::deque<Task>& table")
string(REPLACE "${first_include}" "${first_include}\n${toy_include}" registry "${registry}")
string(REPLACE "${end_of_table}" "${toy_task}\n${end_of_table}" registry "${registry}")
set(toy_registry ${CMAKE_CURRENT_BINARY_DIR}/registry_with_toy.cpp)
file(GENERATE OUTPUT ${toy_registry} CONTENT "${registry}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/cpp/tasks/tasks.cpp ${PROJECT_SOURCE_DIR}/CONTRIBUTING.md)
