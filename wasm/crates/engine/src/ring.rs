//! Ring of one producer and one consumer (MW-27, MW-28): samples in the arena go in and out in one call. Twin:
//! src/memory/ring/audio-ring.ts, same words in the same order. Steps W1 to W6 are those of test/models/ring.test.ts.

use core::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};

use abi::generated::ring;
use abi::memory::{atomic, copy_short, load};

use crate::host;

/// What one end of a ring uses of its control block.
struct End {
    own: u32,
    peer: u32,
    seen: u32,
    event: u32,
    sleepers: u32,
}
const WRITER: End =
    End { own: ring::WRITE, peer: ring::READ, seen: ring::SEEN_READ, event: ring::WRITER_EVENT, sleepers: ring::WRITER_SLEEPERS };
const READER: End =
    End { own: ring::READ, peer: ring::WRITE, seen: ring::SEEN_WRITE, event: ring::READER_EVENT, sleepers: ring::READER_SLEEPERS };

/// Appends up to `frames` frames of `element` bytes, channel c at `source` + c × `stride`. Gives how many there was room for.
#[inline(always)]
pub fn push(base: u32, source: u32, stride: u32, frames: u32, element: u32) -> u32 {
    let capacity = load::<u32>(base + ring::CAPACITY);
    transfer(
        base,
        &WRITER,
        frames,
        capacity,
        |to, at, count, channel| copy_short(to, source + channel * stride + at * element, count * element),
        element,
    )
}

/// Takes up to `frames` frames, channel c to `target` + c × `stride`. Gives how many there were.
#[inline(always)]
pub fn pop(base: u32, target: u32, stride: u32, frames: u32, element: u32) -> u32 {
    transfer(
        base,
        &READER,
        frames,
        0,
        |from, at, count, channel| copy_short(target + channel * stride + at * element, from, count * element),
        element,
    )
}

/// `bias`: capacity for the writer (room), 0 for the reader (frames). `part` copies `count` frames from frame `at` of the
/// caller's side, beside an address in the ring.
#[inline(always)]
fn transfer(base: u32, end: &End, frames: u32, bias: u32, part: impl Fn(u32, u32, u32, u32), element: u32) -> u32 {
    let (own, capacity) = (load::<u32>(base + end.own), load::<u32>(base + ring::CAPACITY));
    // W1: the peer's index as last seen, and only when that is too little, as it is.
    let mut free = atomic(base + end.seen).load(Relaxed).wrapping_add(bias).wrapping_sub(own);
    if free < frames {
        let peer = atomic(base + end.peer).load(Acquire);
        atomic(base + end.seen).store(peer, Relaxed);
        free = peer.wrapping_add(bias).wrapping_sub(own);
    }
    let count = frames.min(free);
    if count == 0 {
        return 0;
    }
    // W2: at most two parts.
    let (start, channels) = (own & (capacity - 1), load::<u32>(base + ring::CHANNELS));
    let first = count.min(capacity - start);
    for channel in 0..channels {
        let data = base + ring::DATA + channel * capacity * element;
        part(data + start * element, 0, first, channel);
        if first < count {
            part(data, first, count - first, channel);
        }
    }
    advance(base, end, own.wrapping_add(count));
    count
}

/// Stores an end's index, then wakes who sleeps on its event.
#[inline(always)]
fn advance(base: u32, end: &End, index: u32) {
    // W3.
    atomic(base + end.own).store(index, SeqCst);
    // W4 to W6: who sleeps counted itself in before it looked at the index, so an event that nobody waits for needs no bump.
    if atomic(base + end.sleepers).load(SeqCst) != 0 {
        atomic(base + end.event).fetch_add(1, SeqCst);
        host::notify(base + end.event, u32::MAX);
    }
}
