//! Loads and stores at addresses of the engine's memory. Addresses come from descriptors that the plan has
//! bounds-checked (KE-13); null is never mapped here.

use core::sync::atomic::{AtomicI32, AtomicU32};

/// Copies the value at `address` out; no alignment is needed.
#[inline(always)]
pub fn load<T: crate::Pod>(address: u32) -> T {
    // SAFETY: any bits are a valid T; the address lies in the one memory, else the access traps.
    unsafe { (address as usize as *const T).read_unaligned() }
}

/// Writes `value` at `address`; no alignment is needed.
#[inline(always)]
pub fn store<T: crate::Pod>(address: u32, value: T) {
    // SAFETY: as in `load`; the word belongs to the caller by the contract.
    unsafe { (address as usize as *mut T).write_unaligned(value) }
}

/// The atomic word at a 4-aligned address.
#[inline(always)]
pub fn atomic<'a>(address: u32) -> &'a AtomicU32 {
    debug_assert!(address & 3 == 0);
    // SAFETY: words of the arena are never moved while a thread runs.
    unsafe { &*(address as usize as *const AtomicU32) }
}

/// The atomic signed word at a 4-aligned address.
#[inline(always)]
pub fn atomic_i32<'a>(address: u32) -> &'a AtomicI32 {
    debug_assert!(address & 3 == 0);
    // SAFETY: as in `atomic`.
    unsafe { &*(address as usize as *const AtomicI32) }
}

/// `bytes` bytes from `from` to `to`, which may overlap.
#[inline(always)]
pub fn copy(to: u32, from: u32, bytes: u32) {
    // SAFETY: both spans were bounds-checked with the program.
    unsafe { core::ptr::copy(from as usize as *const u8, to as usize as *mut u8, bytes as usize) }
}

/// Sets `bytes` bytes to zero.
#[inline(always)]
pub fn fill_zero(to: u32, bytes: u32) {
    // SAFETY: as in `copy`.
    unsafe { core::ptr::write_bytes(to as usize as *mut u8, 0, bytes as usize) }
}

/// Longest copy that [`copy_short`] does itself: up to here the call of `memory.copy` costs more than it saves. Read as if it could change:
/// a loop known to be this short is unrolled, 2.6 KB of code.
#[cfg(target_arch = "wasm32")]
static SHORT: u32 = 508;

/// `bytes` bytes, a multiple of 4, between spans that do not overlap: 64 at a time in registers while they are few, else `memory.copy`.
#[inline(always)]
pub fn copy_short(to: u32, from: u32, bytes: u32) {
    #[cfg(target_arch = "wasm32")]
    // SAFETY: a static of this module.
    if bytes <= unsafe { core::ptr::read_volatile(&raw const SHORT) } && bytes & 3 == 0 {
        use core::arch::wasm32::{v128, v128_load, v128_store};
        let (mut at, long) = (0, bytes & !63);
        // SAFETY: as in `copy`; vector loads need no alignment.
        unsafe {
            let (x, y) = (from as usize as *const u8, to as usize as *mut u8);
            while at < long {
                let (x, y) = (x.add(at as usize).cast::<v128>(), y.add(at as usize).cast::<v128>());
                let (a, b, c, d) = (v128_load(x), v128_load(x.add(1)), v128_load(x.add(2)), v128_load(x.add(3)));
                v128_store(y, a);
                v128_store(y.add(1), b);
                v128_store(y.add(2), c);
                v128_store(y.add(3), d);
                at += 64;
            }
            while at < bytes {
                y.add(at as usize).cast::<u32>().write_unaligned(x.add(at as usize).cast::<u32>().read_unaligned());
                at += 4;
            }
        }
        return;
    }
    copy(to, from, bytes);
}

/// Bytes of the memory: the first address that traps (saturated: 4 GiB is reported as `u32::MAX`).
#[inline]
pub fn end() -> u32 {
    #[cfg(target_arch = "wasm32")]
    return u32::try_from(core::arch::wasm32::memory_size(0) as u64 * 65_536).unwrap_or(u32::MAX);
    #[cfg(not(target_arch = "wasm32"))]
    u32::MAX
}

/// True when `count` records of `bytes` bytes at a non-null `address` lie inside the memory.
#[inline]
pub fn inside(address: u32, count: u32, bytes: u32) -> bool {
    address != 0 && u64::from(address) + u64::from(count) * u64::from(bytes) <= u64::from(end())
}

/// `count` values at an address, aligned to T, that nobody writes while the slice lives.
///
/// # Safety
/// The span lies inside the memory, is aligned, and is not written for `'a`.
#[inline(always)]
pub(crate) unsafe fn slice<'a, T: crate::Pod>(address: u32, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    unsafe { core::slice::from_raw_parts(address as usize as *const T, count) }
}

/// As [`slice`], for the one writer.
///
/// # Safety
/// As [`slice`], and nothing else refers to the span for `'a`.
#[inline(always)]
pub(crate) unsafe fn slice_mut<'a, T: crate::Pod>(address: u32, count: usize) -> &'a mut [T] {
    if count == 0 {
        return &mut [];
    }
    unsafe { core::slice::from_raw_parts_mut(address as usize as *mut T, count) }
}
