//! The core module: interpreter, self-scheduling and the Rust kernels over one memory. Data crosses by address; `abi_version` is the one
//! function that goes through wasm-bindgen, because the tool wants its crate linked.

mod allocator;
mod probe;

use allocator::Allocator;
use wasm_bindgen::prelude::wasm_bindgen;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new();

use dsp as _;
use engine as _;

/// Version of the kernel contract.
#[wasm_bindgen]
pub fn abi_version() -> u32 {
    abi::generated::ABI_VERSION
}

/// Version of the kernel contract, for the loader.
#[no_mangle]
extern "C" fn millrace_abi() -> i32 {
    abi::generated::ABI_VERSION as i32
}

/// Hash of the memory layout that this module was built against (MW-01).
#[no_mangle]
extern "C" fn millrace_layout() -> i32 {
    abi::generated::LAYOUT_HASH as i32
}

/// Gives a span to the allocator for good: one per worker, before it starts.
#[no_mangle]
extern "C" fn alloc_donate(address: u32, bytes: u32) {
    ALLOCATOR.donate(address as usize, bytes as usize);
}

/// A thread starts (1) or has started (0): one at a time.
#[no_mangle]
extern "C" fn alloc_watch(starts: u32) {
    ALLOCATOR.watch(starts != 0);
}

/// A thread was ended while it started: its lock is opened (MW-76), what it had allocated is freed (PK-25).
#[no_mangle]
extern "C" fn alloc_undo() {
    ALLOCATOR.undo();
}

/// Allocations since the module was loaded; unchanged over any number of `process` calls.
#[no_mangle]
extern "C" fn alloc_count() -> i32 {
    ALLOCATOR.calls() as i32
}

/// Bytes that the allocator has handed out.
#[no_mangle]
extern "C" fn alloc_used() -> i32 {
    ALLOCATOR.used() as i32
}
