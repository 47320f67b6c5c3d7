// Where a module of worlds that was built elsewhere meets the core (paymaster/worlds.hpp).
#include "paymaster/interface.hpp"

#include <string>

#include "bindings.hpp"

namespace paymaster::bindings {
namespace {

[[noreturn]] void refuse_module(const std::string& module, const std::string& expected, const std::string& came) {
  throw py::import_error(module + ": expected a module built for this paymaster, " + expected + ", got one built for " +
                         came +
                         "; build it again with the paymaster that is installed: pip install --force-reinstall "
                         "--no-deps --no-build-isolation . in its folder");
}

}  // namespace

void bind_interface(py::module_& m) {
  m.def(
      "core_functions",
      [](const std::string& module, const std::string& interface, const std::string& its_layout) {
        if (interface != PAYMASTER_INTERFACE) refuse_module(module, PAYMASTER_INTERFACE, interface);
        if (its_layout != layout()) refuse_module(module, layout(), its_layout);
        return py::capsule(&CoreFunctions::table(), kCoreFunctions);
      },
      py::arg("module"), py::arg("interface"), py::arg("layout"),
      "What the core does for a module of worlds. ImportError where the two do not fit together.");
}

}  // namespace paymaster::bindings
