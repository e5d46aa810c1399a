//! What only a WebAssembly host can do: call through the table, wait and notify on a word.
#![allow(unsafe_code)]

/// Calls table entry `index`, a `K_process` or `K_flush`. A null entry or one of another type traps.
#[inline(always)]
#[cfg(target_arch = "wasm32")]
pub fn call(index: u32, state: u32, io: u32) -> i32 {
    // SAFETY: function pointers are table indices on this target; the call itself checks the signature.
    let function: extern "C" fn(u32, u32) -> i32 = unsafe { core::mem::transmute(index as usize) };
    function(state, io)
}

/// Sleeps while the word is `value`, at most `milliseconds`. Only workers may: it traps on a browser's
/// main thread and on unshared memory (MW-66).
#[cfg(target_arch = "wasm32")]
pub fn wait(address: u32, value: u32, milliseconds: u32) {
    // SAFETY: a 4-aligned word of the arena.
    unsafe { core::arch::wasm32::memory_atomic_wait32(address as usize as *mut i32, value as i32, i64::from(milliseconds) * 1_000_000) };
}

/// Wakes up to `count` threads that wait on the word.
#[cfg(target_arch = "wasm32")]
pub fn notify(address: u32, count: u32) {
    // SAFETY: as in `wait`.
    unsafe { core::arch::wasm32::memory_atomic_notify(address as usize as *mut i32, count) };
}

#[cfg(not(target_arch = "wasm32"))]
pub fn call(_index: u32, _state: u32, _io: u32) -> i32 {
    abi::Status::UNSUPPORTED.0
}
#[cfg(not(target_arch = "wasm32"))]
pub fn wait(_address: u32, _value: u32, _milliseconds: u32) {}
#[cfg(not(target_arch = "wasm32"))]
pub fn notify(_address: u32, _count: u32) {}
