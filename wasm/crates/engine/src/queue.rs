//! Bounded ring for many producers and many consumers (D. Vyukov, 2010). A cell's sequence says whose turn it is, so a
//! push and a pop touch one shared index each.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use abi::generated::queue;
use abi::memory::{atomic, load, store};

use crate::tasks::get;

fn cell(ring: u32, position: u32) -> u32 {
    ring + queue::CELLS + (position & load::<u32>(ring + queue::MASK)) * queue::CELL_BYTES
}

/// Makes an empty ring of `capacity` cells, a power of two ≥ 2, at 64-aligned bytes: CELLS + capacity × CELL_BYTES of them.
#[inline(never)]
pub fn init(ring: u32, capacity: u32) {
    store(ring + queue::MASK, capacity - 1);
    for position in 0..capacity {
        atomic(cell(ring, position)).store(position, Relaxed);
    }
    atomic(ring + queue::HEAD).store(0, Relaxed);
    atomic(ring + queue::TAIL).store(0, Release);
}

/// False when full, which a ring of at least as many cells as tasks never is.
#[inline(never)]
pub fn push(ring: u32, value: u32) -> bool {
    let tail = atomic(ring + queue::TAIL);
    let mut position = tail.load(Relaxed);
    loop {
        let at = cell(ring, position);
        match atomic(at).load(Acquire).wrapping_sub(position) as i32 {
            0 => match tail.compare_exchange_weak(position, position.wrapping_add(1), Relaxed, Relaxed) {
                Ok(_) => {
                    atomic(at + 4).store(value, Relaxed);
                    atomic(at).store(position.wrapping_add(1), Release);
                    return true;
                }
                Err(now) => position = now,
            },
            behind if behind < 0 => return false,
            _ => position = tail.load(Relaxed),
        }
    }
}

/// Is there a value to pop, now?
pub fn holds(ring: u32) -> bool {
    let position = get(ring + queue::HEAD);
    get(cell(ring, position)) == position.wrapping_add(1)
}

/// None when empty.
#[inline(never)]
pub fn pop(ring: u32) -> Option<u32> {
    let head = atomic(ring + queue::HEAD);
    let mut position = head.load(Relaxed);
    loop {
        let at = cell(ring, position);
        match atomic(at).load(Acquire).wrapping_sub(position.wrapping_add(1)) as i32 {
            0 => match head.compare_exchange_weak(position, position.wrapping_add(1), Relaxed, Relaxed) {
                Ok(_) => {
                    let value = atomic(at + 4).load(Relaxed);
                    atomic(at).store(position.wrapping_add(load::<u32>(ring + queue::MASK)).wrapping_add(1), Release);
                    return Some(value);
                }
                Err(now) => position = now,
            },
            behind if behind < 0 => return None,
            _ => position = head.load(Relaxed),
        }
    }
}
