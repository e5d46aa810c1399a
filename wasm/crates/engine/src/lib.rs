//! The engine inside WebAssembly: the interpreter of segments (KE-12) and the table that threads take tasks from (MW-31 to MW-35). No state
//! of its own: everything is in the arena. Twin of the interpreter: src/kernels/interpreter.ts, same rules in the same order, bit for bit.
#![deny(unsafe_code)]
#![cfg_attr(target_arch = "wasm32", feature(stdarch_wasm_atomic_wait))]

mod check;
mod controls;
mod exports;
mod graph_cycles;
mod graph_hash;
mod graph_order;
mod host;
mod pass;
mod program;
mod queue;
mod rebuild;
mod ring;
mod sha256;
mod simd_sha256;
mod step;
mod tasks;
