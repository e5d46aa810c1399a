//! One step of a pass: the stream rule (KE-14) and the call.

use abi::generated::{buffer, buffer_flag, buffer_kind, io, io_flag, port, port_flag, program, program_flag, status, step, step_phase};
use abi::memory::{load, store};

use crate::host;
use crate::program::{Port, Program, Step};

/// What the inputs of a step hold.
struct Held {
    streams: u32,
    /// Some input may still get frames.
    live: bool,
    /// An input from outside the segment is empty and has not ended.
    short: bool,
    frames: u32,
}

/// Runs step `index` at most once. 0, or the negative status that ends the segment.
pub fn run(owner: Program, index: u32) -> i32 {
    let step = owner.step(index);
    owner.set(program::FAILED_STEP, index);
    let phase = step.get(step::PHASE);
    if phase == step_phase::ENDED {
        drain(owner, step);
        return 0;
    }
    let held = inspect(owner, step);
    let mut frames = held.frames;
    if held.streams == 0 {
        match wanted(owner, step) {
            Some(wanted) => frames = wanted,
            None => return 0,
        }
    }
    let mut flushing = phase == step_phase::FLUSHING;
    if !flushing && frames == 0 {
        if held.live {
            if held.short {
                owner.mark(program_flag::SHORT);
            }
            return 0;
        }
        owner.mark(program_flag::MOVED);
        if !leave(owner, step) {
            return 0;
        }
        flushing = true;
    }
    if flushing {
        if full(owner, step) {
            return 0;
        }
        return flush(owner, step);
    }
    loop {
        let last = held.streams > 0 && !held.live && frames == held.frames;
        describe(owner, step, frames, if last { io_flag::LAST } else { 0 });
        let result = host::call(step.get(step::PROCESS), step.get(step::STATE), step.get(step::IO));
        if result >= 0 {
            return apply(owner, step, frames, result as u32, held.streams > 0);
        }
        match result {
            status::NO_ROOM if frames > 1 && held.streams > 0 && least_room(owner, step) > 0 => frames >>= 1,
            status::NO_ROOM => {
                blame(owner, step);
                return 0;
            }
            status::END => {
                owner.mark(program_flag::MOVED);
                leave(owner, step);
                return 0;
            }
            failure => return failure,
        }
    }
}

/// n = min(maxFrames, least available over inputs not ended); when all have ended, the largest remainder.
fn inspect(owner: Program, step: Step) -> Held {
    let mut held = Held { streams: 0, live: false, short: false, frames: step.get(step::MAX_FRAMES) };
    let (mut rest, mut outside) = (0, false);
    for index in 0..step.get(step::INPUTS) {
        let Some(from) = step.bound(owner, index) else { continue };
        let available = from.get(buffer::FILLED).saturating_sub(load(step.offset_address(from, index)));
        let external = from.get(buffer::KIND) == buffer_kind::EXTERNAL_INPUT;
        held.streams += 1;
        outside |= external;
        if from.flag(buffer_flag::ENDED) {
            rest = rest.max(available);
        } else {
            held.live = true;
            held.short |= external && available == 0;
            held.frames = held.frames.min(available);
        }
    }
    if held.streams > 0 && !held.live {
        held.frames = held.frames.min(rest);
    }
    if outside {
        held.frames = held.frames.min(owner.get(program::HEAD_FRAMES));
    }
    held
}

/// Frames to ask of a step without stream inputs: 0 when it is no source; none when its output is full.
fn wanted(owner: Program, step: Step) -> Option<u32> {
    if step.get(step::PHASE) == step_phase::FLUSHING || step.get(step::WANTED) == 0 {
        return Some(0);
    }
    let room = least_room(owner, step);
    if room == 0 {
        blame(owner, step);
        return None;
    }
    Some(step.get(step::WANTED).min(step.get(step::MAX_FRAMES)).min(room))
}

/// Least room over the connected outputs.
fn least_room(owner: Program, step: Step) -> u32 {
    let inputs = step.get(step::INPUTS);
    (0..step.get(step::OUTPUTS)).filter_map(|o| step.bound(owner, inputs + o)).map(|to| to.room()).min().unwrap_or(u32::MAX)
}

/// True when a connected output has no room at all; a flush would then seem to have nothing left.
fn full(owner: Program, step: Step) -> bool {
    let full = least_room(owner, step) == 0;
    if full {
        blame(owner, step);
    }
    full
}

/// Marks the pass as held up by an output outside the segment, when emptying one could help. A full internal output only skips the step (back-pressure).
fn blame(owner: Program, step: Step) {
    let inputs = step.get(step::INPUTS);
    for index in 0..step.get(step::OUTPUTS) {
        let Some(to) = step.bound(owner, inputs + index) else { continue };
        if to.get(buffer::KIND) == buffer_kind::EXTERNAL_OUTPUT && to.get(buffer::FILLED) > 0 {
            owner.mark(program_flag::FULL);
        }
    }
}

/// All inputs have ended: flush next (true), or end at once (false).
fn leave(owner: Program, step: Step) -> bool {
    if step.get(step::FLUSH) != 0 {
        step.set(step::PHASE, step_phase::FLUSHING);
        return true;
    }
    end(owner, step);
    false
}

/// The step has ended, and with it its outputs.
fn end(owner: Program, step: Step) {
    step.set(step::PHASE, step_phase::ENDED);
    let inputs = step.get(step::INPUTS);
    for index in 0..step.get(step::OUTPUTS) {
        if let Some(to) = step.bound(owner, inputs + index) {
            to.set(buffer::FLAGS, to.get(buffer::FLAGS) | buffer_flag::ENDED);
        }
    }
}

/// An ended step takes no more, and holds nobody up.
fn drain(owner: Program, step: Step) {
    for index in 0..step.get(step::INPUTS) {
        let Some(from) = step.bound(owner, index) else { continue };
        let at = step.offset_address(from, index);
        let (taken, filled): (u32, u32) = (load(at), from.get(buffer::FILLED));
        if taken < filled {
            store(at, filled);
        }
    }
}

/// Writes the fields of Io and ports that depend on the call.
#[inline]
fn describe(owner: Program, step: Step, frames: u32, flags: u32) {
    let call = step.get(step::IO);
    let realtime = if owner.get(program::FLAGS) & program_flag::REALTIME != 0 { io_flag::REALTIME } else { 0 };
    store(call + io::FRAMES, frames);
    store(call + io::FLAGS, flags | realtime);
    store(call + io::POSITION_U64, load::<u64>(step.0 + step::POSITION_U64));
    let (ports, inputs) = (load::<u32>(call + io::PORTS), step.get(step::INPUTS));
    for index in 0..inputs {
        let Some(from) = step.bound(owner, index) else { continue };
        let taken: u32 = load(step.offset_address(from, index));
        let available = from.get(buffer::FILLED).saturating_sub(taken);
        let mut flags = port_flag::CONNECTED;
        if from.flag(buffer_flag::SILENT) {
            flags |= port_flag::SILENT;
        }
        if from.flag(buffer_flag::ENDED) && available <= frames {
            flags |= port_flag::ENDED;
        }
        Port(ports + index * port::BYTES).describe(available.min(frames), from.at(taken), from.get(buffer::STRIDE), flags);
    }
    for index in inputs..inputs + step.get(step::OUTPUTS) {
        let record = Port(ports + index * port::BYTES);
        record.set(port::DONE, 0);
        let Some(to) = step.bound(owner, index) else { continue };
        record.describe(to.room(), to.at(to.get(buffer::FILLED)), to.get(buffer::STRIDE), port_flag::CONNECTED);
    }
}

/// Moves the offsets of what was taken and the ends of what was written.
#[inline]
fn apply(owner: Program, step: Step, frames: u32, result: u32, has_input: bool) -> i32 {
    let (ports, inputs) = (load::<u32>(step.get(step::IO) + io::PORTS), step.get(step::INPUTS));
    for index in 0..inputs {
        let Some(from) = step.bound(owner, index) else { continue };
        let at = step.offset_address(from, index);
        store(at, load::<u32>(at) + Port(ports + index * port::BYTES).get(port::FRAMES));
    }
    let produced = match collect(owner, step, result) {
        Ok(produced) => produced,
        Err(status) => return status,
    };
    let moved = if has_input { frames } else { result };
    store(step.0 + step::POSITION_U64, load::<u64>(step.0 + step::POSITION_U64) + u64::from(moved));
    owner.mark(if moved > 0 || produced { program_flag::MOVED } else { program_flag::SHORT });
    0
}

/// One flush call; 0 frames everywhere ends the step.
fn flush(owner: Program, step: Step) -> i32 {
    describe(owner, step, 0, io_flag::LAST);
    let result = host::call(step.get(step::FLUSH), step.get(step::STATE), step.get(step::IO));
    match result {
        status::NO_ROOM => {
            blame(owner, step);
            return 0;
        }
        failure if failure < 0 && failure != status::END => return failure,
        _ => {}
    }
    match collect(owner, step, result.max(0) as u32) {
        Ok(produced) => {
            owner.mark(program_flag::MOVED);
            if result <= 0 && !produced {
                end(owner, step);
            }
            0
        }
        Err(status) => status,
    }
}

/// Adds what a call produced to the output buffers; true when any output got frames. Error: `BAD_STATE` when the kernel claims more than the room it was given.
#[inline]
fn collect(owner: Program, step: Step, result: u32) -> Result<bool, i32> {
    let (ports, inputs) = (load::<u32>(step.get(step::IO) + io::PORTS), step.get(step::INPUTS));
    let mut any = false;
    for index in 0..step.get(step::OUTPUTS) {
        let record = Port(ports + (inputs + index) * port::BYTES);
        let produced = if index == 0 { result } else { record.get(port::DONE) };
        any |= produced > 0;
        let Some(to) = step.bound(owner, inputs + index) else { continue };
        if produced == 0 {
            continue;
        }
        if produced > to.room() {
            return Err(status::BAD_STATE);
        }
        let silent = u32::from(load::<u16>(record.0 + port::FLAGS_U16)) & port_flag::SILENT != 0;
        let filled = to.get(buffer::FILLED);
        let stays = silent && (filled == 0 || to.flag(buffer_flag::SILENT));
        to.set(buffer::FLAGS, to.get(buffer::FLAGS) & !buffer_flag::SILENT | if stays { buffer_flag::SILENT } else { 0 });
        to.set(buffer::FILLED, filled + produced);
    }
    Ok(any)
}
