//! Does everything still hold when a whole machine loses its power, and on a kernel with version 2 control groups alone?
//!
//! A small virtual machine that `tests/lab/vm.sh make` has made; its folder is in `WHARF_TEST_VM`. Cutting its power takes
//! everything its kernel had not written, as for a real machine, while its disk keeps what was. Deliberately elsewhere:
//! power cuts of a simulated disk, at every single call (`simulation`).

mod cuts;
mod history;
mod limits;
mod machine;
