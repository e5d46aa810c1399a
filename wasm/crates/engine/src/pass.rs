//! A pass over a segment: every step in order at most once, then leftovers move to the front of
//! internal buffers. JavaScript loops over passes.

use core::sync::atomic::Ordering::{Relaxed, SeqCst};

use abi::generated::{
    arena, buffer, buffer_flag, buffer_kind, io, io_flag, pass, program, program_flag, slot, status, step, step_phase, thread, thread_id,
    window, NONE, SCRATCH_SPAN_BYTES,
};
use abi::memory::{atomic, copy, load, store};

use crate::program::{Buffer, Program};
use crate::step as stream;

/// What every step of a pass needs, read once.
pub struct Pass {
    pub owner: Program,
    pub steps: u32,
    pub buffers: u32,
    pub head: u32,
    /// Flags of every call's Io.
    pub flags: u32,
}

impl Pass {
    fn of(owner: Program) -> Pass {
        let realtime = owner.get(program::FLAGS) & program_flag::REALTIME != 0;
        Pass {
            owner,
            steps: owner.get(program::STEPS),
            buffers: owner.get(program::BUFFERS),
            head: owner.get(program::HEAD_FRAMES),
            flags: if realtime { io_flag::REALTIME } else { 0 },
        }
    }
}

/// One whole pass; see `PASS` of the contract.
pub fn run(owner: Program, thread: u32) -> i32 {
    if let Some(result) = begin(owner, thread) {
        return result;
    }
    let pass = Pass::of(owner);
    let mut marks = 0;
    for index in 0..owner.get(program::STEP_COUNT) {
        let result = stream::run(&pass, index);
        if result < 0 {
            owner.mark(marks);
            return owner.fail(index, result);
        }
        marks |= result as u32;
    }
    owner.mark(marks);
    finish(owner)
}

/// Step `index` of a pass: 0 begins it, the last one ends it. `MORE` for those between; anything else from
/// step 0 means that the pass did not begin.
pub fn run_step(owner: Program, thread: u32, index: u32) -> i32 {
    if index == 0 {
        if let Some(result) = begin(owner, thread) {
            return result;
        }
    }
    if index < owner.get(program::STEP_COUNT) {
        let result = stream::run(&Pass::of(owner), index);
        if result < 0 {
            return owner.fail(index, result);
        }
        owner.mark(result as u32);
    }
    if index + 1 >= owner.get(program::STEP_COUNT) {
        finish(owner)
    } else {
        pass::MORE
    }
}

/// Checks that there is work, that nobody cancelled, and tells the steps whose scratch and cancel words are theirs.
fn begin(owner: Program, thread: u32) -> Option<i32> {
    if owner.get(program::STATE_WORD) != 0 {
        return Some(pass::DONE);
    }
    adopt(owner, thread);
    if atomic(owner.get(program::CANCEL)).load(SeqCst) != 0 {
        return Some(owner.fail(NONE, status::CANCELLED));
    }
    if (0..owner.get(program::BUFFER_COUNT)).any(|index| crowded(owner.buffer(index))) {
        return Some(pass::OUTPUT_FULL);
    }
    atomic(owner.get(program::BEAT)).fetch_add(1, Relaxed);
    owner.set(program::PASSES, owner.get(program::PASSES).wrapping_add(1));
    owner.set(program::FLAGS, owner.get(program::FLAGS) & program_flag::REALTIME);
    None
}

/// An output outside the segment that could not take what a whole pass may add.
#[inline(always)]
fn crowded(of: Buffer) -> bool {
    let most = of.get(buffer::PASS_FRAMES);
    most > 0 && of.room() < most && of.get(buffer::FILLED) > 0 && !of.flag(buffer_flag::ENDED)
}

/// Writes the thread's scratch, cancel and beat addresses into the program and the Io blocks, when another thread had it before.
fn adopt(owner: Program, number: u32) {
    let base = window::ARENA;
    let (cancel, beat, scratch, bytes) = if number >= thread_id::FIRST_SLOT {
        let at = base + arena::SLOTS + (number - thread_id::FIRST_SLOT) * slot::BYTES;
        (at + slot::CANCEL, at + slot::BEAT, load::<u32>(at + slot::SCRATCH), SCRATCH_SPAN_BYTES)
    } else {
        let at = base + arena::THREADS + number * thread::BYTES;
        (at + thread::CANCEL, at + thread::BEAT, load::<u32>(at + thread::SCRATCH), load::<u32>(at + thread::SCRATCH_BYTES))
    };
    let bytes = if scratch == 0 { 0 } else { bytes };
    if owner.get(program::CANCEL) == cancel && owner.get(program::SCRATCH) == scratch && owner.get(program::SCRATCH_BYTES) == bytes {
        return;
    }
    owner.set(program::CANCEL, cancel);
    owner.set(program::BEAT, beat);
    owner.set(program::SCRATCH, scratch);
    owner.set(program::SCRATCH_BYTES, bytes);
    for index in 0..owner.get(program::STEP_COUNT) {
        let call = owner.step(index).get(step::IO);
        store(call + io::CANCEL, cancel);
        store(call + io::BEAT, beat);
        store(call + io::SCRATCH, scratch);
        store(call + io::SCRATCH_BYTES, bytes);
    }
}

/// Compacts where frames were left, and says how things stand.
fn finish(owner: Program) -> i32 {
    let flags = owner.get(program::FLAGS);
    if flags & program_flag::REST != 0 {
        for index in 0..owner.get(program::BUFFER_COUNT) {
            let from = owner.buffer(index);
            if from.get(buffer::KIND) == buffer_kind::INTERNAL {
                compact(from);
                if from.flag(buffer_flag::SHARED) && from.get(buffer::FILLED) > 0 {
                    return owner.fail(reader_of(owner, index), status::NO_ROOM);
                }
            }
        }
    }
    let steps = owner.get(program::STEP_COUNT);
    let Some(open) = (0..steps).find(|&index| owner.step(index).get(step::PHASE) != step_phase::ENDED) else {
        owner.set(program::STATE_WORD, 1);
        return pass::DONE;
    };
    if flags & program_flag::MOVED != 0 {
        pass::MORE
    } else if flags & program_flag::FULL != 0 {
        pass::OUTPUT_FULL
    } else if flags & program_flag::SHORT != 0 {
        pass::NEED_INPUT
    } else {
        owner.fail(open, status::NO_ROOM)
    }
}

/// The first step that reads a buffer.
#[cold]
fn reader_of(owner: Program, buffer: u32) -> u32 {
    let reads = |of: u32| {
        let (inputs, bindings) = (owner.step(of).get(step::INPUTS), owner.step(of).get(step::BINDINGS));
        (0..inputs).any(|input| load::<u32>(bindings + input * 4) == buffer)
    };
    (0..owner.get(program::STEP_COUNT)).find(|&of| reads(of)).unwrap_or(NONE)
}

/// Drops the frames that all readers have taken and moves the rest to the front.
fn compact(from: Buffer) {
    let (filled, readers, offsets) = (from.get(buffer::FILLED), from.get(buffer::READER_COUNT), from.get(buffer::OFFSETS));
    let mut taken = filled;
    for reader in 0..readers {
        taken = taken.min(load(offsets + reader * 4));
    }
    let keep = from.get(buffer::KEEP);
    if taken == 0 || (keep > 0 && from.room() >= keep) {
        return;
    }
    let frame = from.get(buffer::FRAME_BYTES);
    if taken < filled {
        for channel in 0..from.get(buffer::CHANNELS) {
            let start = from.get(buffer::BASE) + channel * from.get(buffer::STRIDE);
            copy(start, start + taken * frame, (filled - taken) * frame);
        }
    }
    for reader in 0..readers {
        let at = offsets + reader * 4;
        store(at, load::<u32>(at) - taken);
    }
    from.set(buffer::FILLED, filled - taken);
    store(from.0 + buffer::ORIGIN_U64, load::<u64>(from.0 + buffer::ORIGIN_U64) + u64::from(taken));
}
