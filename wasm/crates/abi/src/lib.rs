//! The kernel contract for Rust (spec kernels.md sections 1, 2 and 5): safe views of the descriptors, the trait [`Kernel`] and the macro
//! [`kernel!`] that emits a kernel's exports. All unsafe code of the Rust kernels is in this crate (and in files named simd*), so a kernel
//! contains no pointer arithmetic. Numbers come from `generated.rs`; nothing else spells them.

pub mod codec;
pub mod codec_table;
mod control;
pub mod generated;
mod init;
mod io;
mod kernel;
pub mod memory;
mod pod;
mod port;
mod state;
mod status;

pub use control::Control;
pub use init::{Init, PortFacts};
pub use io::{Io, Parts, Scratch, Shared, Watch};
pub use kernel::{entry, Kernel, Need};
pub use pod::{Element, Pod};
pub use port::{Input, Inputs, Output, Outputs};
pub use state::{State, Tail};
pub use status::Status;
