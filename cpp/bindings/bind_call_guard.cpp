// One thread at a time, for objects whose state is Python's: `with guard("step"):` around a whole method.
#include <memory>
#include <string>

#include "batch/call_guard.hpp"
#include "bindings.hpp"

namespace paymaster::bindings {
namespace {

/// What `guard(name)` returns: a context manager to be used once, or again and again.
class PyCall {
 public:
  PyCall(std::shared_ptr<CallGuard> guard, const std::string& name) : guard_(std::move(guard)), name_(name) {}
  void enter() { guard_->enter(name_); }
  void leave() {
    if (guard_->entered()) guard_->leave();
  }

 private:
  std::shared_ptr<CallGuard> guard_;
  CallName name_;
};

// Python's own calling convention: a step of one game takes microseconds, and pybind11's way in and out half of one.
PyObject* enter(PyObject* self, PyObject*) {
  try {
    py::cast<PyCall&>(py::handle(self)).enter();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    return nullptr;
  }
  Py_RETURN_NONE;
}

PyObject* leave(PyObject* self, PyObject*) {
  py::cast<PyCall&>(py::handle(self)).leave();
  Py_RETURN_NONE;
}

PyMethodDef kEnter{"__enter__", enter, METH_NOARGS, nullptr};
PyMethodDef kLeave{"__exit__", leave, METH_VARARGS, nullptr};

void add_method(py::class_<PyCall>& type, PyMethodDef& method) {
  PyObject* made = PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &method);
  if (made == nullptr) throw py::error_already_set();
  type.attr(method.ml_name) = py::reinterpret_steal<py::object>(made);
}

}  // namespace

void bind_call_guard(py::module_& m) {
  py::class_<CallGuard, std::shared_ptr<CallGuard>>(m, "CallGuard")
      .def(py::init<>())
      .def(
          "__call__", [](std::shared_ptr<CallGuard> self, const std::string& name) { return PyCall(self, name); },
          py::arg("name"));
  py::class_<PyCall> call(m, "Call");
  call.def(py::init<std::shared_ptr<CallGuard>, const std::string&>(), py::arg("guard"), py::arg("name"));
  add_method(call, kEnter);
  add_method(call, kLeave);
}

}  // namespace paymaster::bindings
