//! One step of a pass: the stream rule (KE-14) and the call. Results: a negative status that ends the segment, else flags
//! of `PROGRAM_FLAG` that the pass has earned.

use abi::generated::{
    buffer, buffer_flag, buffer_kind, io, io_flag, port, port_flag, program, program_flag, reader, status, step, step_mark, step_phase,
    NONE,
};
use abi::memory::{load, store};

use crate::controls;
use crate::host;
use crate::pass::Pass;
use crate::program::{Buffer, Port, Step};

/// What the inputs of a step hold.
#[derive(Clone, Copy)]
struct Held {
    streams: u32,
    /// Some input may still get frames.
    live: bool,
    /// An input from outside the segment is empty and has not ended.
    short: bool,
    frames: u32,
    /// Once all have ended: the largest remainder.
    rest: u32,
    marks: u32,
}

/// INPUTS and OUTPUTS of a simple step, read as one word.
const ONE_EACH: u64 = 1 | 1 << 32;
const _: () = assert!(step::OUTPUTS == step::INPUTS + 4);
const _: () = assert!(step::TIMELINE == step::MARKS + 4);
const _: () = assert!(buffer_kind::INTERNAL == 0);
const MOVED: i32 = program_flag::MOVED as i32;
/// What a kernel says of an output when calls with silence may be left out.
const SETTLED: u32 = port_flag::SILENT | port_flag::SETTLED;

/// Runs step `index` at most once.
#[inline(always)]
pub fn run(pass: &Pass, index: u32) -> i32 {
    let step = Step(pass.steps + index * step::BYTES);
    pass.owner.set(program::FAILED_STEP, index);
    if step.get(step::PHASE) == step_phase::RUNNING && load::<u64>(step.0 + step::INPUTS) == ONE_EACH {
        if let Some(result) = run_pair(pass, step) {
            return result;
        }
    }
    run_any(pass, step)
}

/// The common step, one input and one output with frames to take: every word is read once. None when it is not that
/// simple; the same as [`run_any`] otherwise.
#[inline(always)]
fn run_pair(pass: &Pass, step: Step) -> Option<i32> {
    let bindings = step.get(step::BINDINGS);
    let (first, second): (u32, u32) = (load(bindings), load(bindings + 4));
    if first == NONE || second == NONE {
        return None;
    }
    let (from, to) = (Buffer(pass.buffers + first * buffer::BYTES), Buffer(pass.buffers + second * buffer::BYTES));
    let (kind, filled, marks) = (from.get(buffer::KIND), from.get(buffer::FILLED), from.get(buffer::FLAGS));
    let number: u32 = load(step.get(step::READERS));
    let extra: u64 = load(step.0 + step::MARKS);
    if number > reader::NUMBER_MASK || extra > u64::from(step_mark::QUIET) {
        return None;
    }
    let at = from.get(buffer::OFFSETS) + number * 4;
    let taken: u32 = load(at);
    let available = filled.saturating_sub(taken);
    let mut frames = available.min(step.get(step::MAX_FRAMES));
    if kind == buffer_kind::EXTERNAL_INPUT {
        if from.get(buffer::LINK) != 0 {
            return None;
        }
        frames = frames.min(pass.head);
    }
    if frames == 0 {
        return None;
    }
    let call = step.get(step::IO);
    let input = Port(load(call + io::PORTS));
    let output = Port(input.0 + port::BYTES);
    let (written, flags) = (to.get(buffer::FILLED), to.get(buffer::FLAGS));
    let room = to.get(buffer::CAPACITY) - written;
    let silence = marks & buffer_flag::SILENT != 0;
    if extra != 0 {
        if silence && room >= frames {
            let inside = kind | to.get(buffer::KIND) == buffer_kind::INTERNAL;
            // All of one silent buffer to another inside: four words move. Nothing is read twice.
            if inside && taken == 0 && frames == filled && written == 0 && from.get(buffer::READER_COUNT) == 1 {
                from.set(buffer::FILLED, 0);
                advance(from.0 + buffer::ORIGIN_U64, frames);
                to.set(buffer::FILLED, frames);
                to.set(buffer::FLAGS, flags | buffer_flag::SILENT | buffer_flag::UNWRITTEN);
                advance(step.0 + step::POSITION_U64, frames);
                return Some(MOVED);
            }
            return Some(leave_out(step, from, at, to, frames));
        }
        if !silence {
            step.set(step::MARKS, 0);
        }
    }
    if (marks | flags) & buffer_flag::UNWRITTEN != 0 {
        from.written();
        to.written();
    }
    let flags = flags & !buffer_flag::UNWRITTEN;
    let all = marks & buffer_flag::ENDED != 0 && available <= frames;
    let silent = if silence { port_flag::SILENT } else { 0 };
    let position = load::<u64>(step.0 + step::POSITION_U64);
    let call_flags = pass.flags | if all { io_flag::LAST } else { 0 };
    pair_of_words(call + io::FRAMES, frames, call_flags);
    store(call + io::POSITION_U64, position);
    input.describe(
        frames,
        from.at(taken),
        from.get(buffer::STRIDE),
        port_flag::CONNECTED | silent | if all { port_flag::ENDED } else { 0 },
    );
    pair_of_words(output.0 + port::FRAMES, room, 0);
    output.describe_data(to.at(written), to.get(buffer::STRIDE), port_flag::CONNECTED);
    let result = host::call(step.get(step::PROCESS), step.get(step::STATE), call);
    if result < 0 {
        return Some(refused(pass, step, frames, available, result));
    }
    let produced = result as u32;
    let mut earned = MOVED;
    if kind == buffer_kind::INTERNAL {
        if taken + frames == filled && from.get(buffer::READER_COUNT) == 1 {
            empty(from, at, filled);
        } else {
            store(at, taken + frames);
            earned |= program_flag::REST as i32;
        }
    } else {
        store(at, taken + frames);
    }
    if produced > room {
        return Some(status::BAD_STATE);
    }
    if produced > 0 {
        let said = u32::from(load::<u16>(output.0 + port::FLAGS_U16));
        let stays = said & port_flag::SILENT != 0 && (written == 0 || flags & buffer_flag::SILENT != 0);
        to.set(buffer::FLAGS, flags & !buffer_flag::SILENT | if stays { buffer_flag::SILENT } else { 0 });
        to.set(buffer::FILLED, written + produced);
    }
    if silence {
        step.set(step::MARKS, if said_settled(output) { step_mark::QUIET } else { 0 });
    }
    store(step.0 + step::POSITION_U64, position + u64::from(frames));
    Some(earned)
}

/// Adds to a u64.
#[inline(always)]
fn advance(address: u32, frames: u32) {
    store(address, load::<u64>(address) + u64::from(frames));
}

/// The output is silent and will stay so while the input is.
#[inline(always)]
fn said_settled(output: Port) -> bool {
    u32::from(load::<u16>(output.0 + port::FLAGS_U16)) & SETTLED == SETTLED
}

/// A simple step whose call would turn silence into silence (KE-07): no call.
#[inline(never)]
fn leave_out(step: Step, from: Buffer, at: u32, to: Buffer, frames: u32) -> i32 {
    let marks = consume(from, at, frames);
    add_silence(to, frames);
    advance(step.0 + step::POSITION_U64, frames);
    MOVED | marks
}

/// `frames` of silence at the end of a buffer. Inside the segment they stand nowhere until a kernel wants to read them.
fn add_silence(to: Buffer, frames: u32) {
    let (filled, flags) = (to.get(buffer::FILLED), to.get(buffer::FLAGS));
    let inside = to.get(buffer::KIND) == buffer_kind::INTERNAL;
    to.set(buffer::FILLED, filled + frames);
    if inside && (filled == 0 || flags & buffer_flag::UNWRITTEN != 0) {
        to.set(buffer::FLAGS, flags | buffer_flag::SILENT | buffer_flag::UNWRITTEN);
        return;
    }
    to.write_silence(filled, frames);
    if filled == 0 {
        to.set(buffer::FLAGS, flags | buffer_flag::SILENT);
    }
}

/// `frames` more have been taken by the reader whose count stands at `at`.
pub fn consume(from: Buffer, at: u32, frames: u32) -> i32 {
    let (taken, filled) = (load::<u32>(at) + frames, from.get(buffer::FILLED));
    if from.get(buffer::KIND) != buffer_kind::INTERNAL {
        store(at, taken);
    } else if taken == filled && from.get(buffer::READER_COUNT) == 1 {
        empty(from, at, filled);
    } else {
        store(at, taken);
        return program_flag::REST as i32;
    }
    0
}

/// What the reader has not taken, it never will.
pub fn skip_rest(from: Buffer, at: u32) -> i32 {
    let filled = from.get(buffer::FILLED);
    if load::<u32>(at) >= filled {
        return 0;
    }
    store(at, filled);
    program_flag::REST as i32 | MOVED
}

/// Two neighbouring words in one store; the second stands at the first address + 4.
#[inline(always)]
fn pair_of_words(address: u32, first: u32, second: u32) {
    store(address, u64::from(first) | u64::from(second) << 32);
}
const _: () = assert!(io::FLAGS == io::FRAMES + 4 && port::DONE == port::FRAMES + 4 && port::STRIDE == port::DATA + 4);

/// The one reader has taken everything.
#[inline(always)]
fn empty(from: Buffer, offset: u32, filled: u32) {
    store(offset, 0u32);
    from.set(buffer::FILLED, 0);
    advance(from.0 + buffer::ORIGIN_U64, filled);
}

/// A simple step's call gave a negative status: goes on as any step does.
#[cold]
#[inline(never)]
fn refused(pass: &Pass, step: Step, frames: u32, available: u32, result: i32) -> i32 {
    let live = !step.bound(pass, 0).is_some_and(|from| from.flag(buffer_flag::ENDED));
    let held = Held { streams: 1, live, short: false, frames, rest: available, marks: 0 };
    attempt(pass, step, &held, frames, Some(result))
}

/// Any step.
#[inline(never)]
fn run_any(pass: &Pass, step: Step) -> i32 {
    let phase = step.get(step::PHASE);
    // Feedback goes on coming in while a step flushes.
    let drained = if phase == step_phase::RUNNING { 0 } else { drain(pass, step) };
    if phase == step_phase::ENDED {
        return drained;
    }
    let held = inspect(pass, step);
    let marks = drained | held.marks as i32;
    let mut frames = held.frames;
    if held.streams == 0 {
        match wanted(pass, step) {
            Ok(wanted) => frames = wanted.min(held.frames),
            Err(blame) => return marks | blame,
        }
    }
    if phase == step_phase::FLUSHING {
        return with(marks, flush(pass, step));
    }
    if frames > 0 {
        return with(marks, attempt_all(pass, step, &held, frames));
    }
    if held.live || held.rest > 0 {
        return marks | if held.short { program_flag::SHORT as i32 } else { 0 };
    }
    with(marks | MOVED, if leave(pass, step) { flush(pass, step) } else { 0 })
}

/// Calls as often as changes of controls ask for: a change starts a new call.
fn attempt_all(pass: &Pass, step: Step, held: &Held, frames: u32) -> i32 {
    if step.get(step::TIMELINE) == 0 {
        return attempt(pass, step, held, frames, None);
    }
    let (mut marks, mut left, mut rest) = (0, frames, *held);
    while left > 0 {
        let before: u64 = load(step.0 + step::POSITION_U64);
        let result = attempt(pass, step, &rest, controls::apply_due(step, left), None);
        if result < 0 {
            return result;
        }
        marks |= result;
        let moved = (load::<u64>(step.0 + step::POSITION_U64) - before) as u32;
        if moved == 0 || step.get(step::PHASE) != step_phase::RUNNING {
            break;
        }
        left -= moved.min(left);
        rest.rest = rest.rest.saturating_sub(moved);
    }
    marks
}

fn with(marks: i32, result: i32) -> i32 {
    if result < 0 {
        result
    } else {
        marks | result
    }
}

/// Calls `process` with as many of `frames` as the outputs have room for. `first`: the result of a call that was made already.
fn attempt(pass: &Pass, step: Step, held: &Held, mut frames: u32, mut first: Option<i32>) -> i32 {
    loop {
        let silent = held.streams > 0 && is_silent(pass, step);
        if silent && first.is_none() && load::<u64>(step.0 + step::MARKS) == u64::from(step_mark::QUIET) && least_room(pass, step) >= frames
        {
            return leave_out_any(pass, step, frames);
        }
        let result = first.take().unwrap_or_else(|| {
            let last = held.streams > 0 && !held.live && frames >= held.rest;
            describe(pass, step, frames, if last { io_flag::LAST } else { 0 });
            host::call(step.get(step::PROCESS), step.get(step::STATE), step.get(step::IO))
        });
        if result >= 0 {
            let marks = apply(pass, step, frames, result as u32, held.streams > 0);
            let others = step.get(step::MARKS) & !step_mark::QUIET;
            step.set(step::MARKS, others | if silent && settled(step) { step_mark::QUIET } else { 0 });
            return marks;
        }
        match result {
            status::NO_ROOM if frames > 1 && held.streams > 0 && least_room(pass, step) > 0 => frames >>= 1,
            // What it did not take stays where it is.
            status::NO_ROOM => return blame(pass, step) | program_flag::REST as i32,
            status::END => {
                leave(pass, step);
                return MOVED;
            }
            failure => return failure,
        }
    }
}

/// Every connected input has nothing but silence.
fn is_silent(pass: &Pass, step: Step) -> bool {
    (0..step.get(step::INPUTS)).all(|index| {
        let Some(from) = step.bound(pass, index) else { return true };
        from.flag(buffer_flag::SILENT) || load::<u32>(step.offset_address(from, index)) >= from.get(buffer::FILLED)
    })
}

/// The last call said of every connected output that it was silent and will stay so.
fn settled(step: Step) -> bool {
    let (ports, inputs) = (load::<u32>(step.get(step::IO) + io::PORTS), step.get(step::INPUTS));
    let mut any = false;
    for index in 0..step.get(step::OUTPUTS) {
        let said = u32::from(load::<u16>(ports + (inputs + index) * port::BYTES + port::FLAGS_U16));
        if said & port_flag::CONNECTED == 0 {
            continue;
        }
        if said & SETTLED != SETTLED {
            return false;
        }
        any = true;
    }
    any
}

/// As [`leave_out`], for any step without moving controls.
fn leave_out_any(pass: &Pass, step: Step, frames: u32) -> i32 {
    let (mut marks, inputs) = (MOVED, step.get(step::INPUTS));
    for index in 0..inputs {
        let Some(from) = step.bound(pass, index) else { continue };
        let at = step.offset_address(from, index);
        let available = from.get(buffer::FILLED).saturating_sub(load(at));
        marks |= consume(from, at, available.min(frames));
    }
    for index in 0..step.get(step::OUTPUTS) {
        if let Some(to) = step.bound(pass, inputs + index) {
            add_silence(to, frames);
        }
    }
    store(step.0 + step::POSITION_U64, load::<u64>(step.0 + step::POSITION_U64) + u64::from(frames));
    marks
}

/// n = min(maxFrames, least available over inputs not ended); when all have ended, the largest remainder.
fn inspect(pass: &Pass, step: Step) -> Held {
    let mut held = Held { streams: 0, live: false, short: false, frames: step.get(step::MAX_FRAMES), rest: 0, marks: 0 };
    let mut outside = false;
    for index in 0..step.get(step::INPUTS) {
        let Some(from) = step.bound(pass, index) else { continue };
        let kind = from.get(buffer::KIND);
        let external = kind == buffer_kind::EXTERNAL_INPUT;
        if external {
            follow(from);
        }
        let word: u32 = load(step.get(step::READERS) + index * 4);
        let (weak, taken) = (word & reader::WEAK != 0, load::<u32>(from.get(buffer::OFFSETS) + (word & reader::NUMBER_MASK) * 4));
        let available = from.get(buffer::FILLED).saturating_sub(taken);
        held.streams += 1;
        outside |= external;
        if kind == buffer_kind::INTERNAL && taken > 0 && (available == 0 || step.get(step::INPUTS) > 1) {
            // A pre-roll is dropped as it comes.
            held.marks |= program_flag::REST;
        }
        if from.flag(buffer_flag::ENDED) {
            held.rest = held.rest.max(if weak { 0 } else { available });
        } else {
            held.live |= !weak;
            held.short |= external && available == 0;
            held.frames = held.frames.min(available);
        }
    }
    if held.streams > 0 && !held.live {
        held.frames = held.frames.min(held.rest);
    }
    if outside {
        held.frames = held.frames.min(pass.head);
    }
    if step.get(step::MARKS) & step_mark::DRIVEN != 0 && (held.frames > 0 || held.streams == 0) {
        let driven = controls::inspect(pass, step, held.frames);
        held.live |= driven.frames == 0;
        held.short |= driven.short;
        held.frames = driven.frames;
        held.marks |= driven.marks;
    }
    held
}

/// Reads what another segment's output holds by now.
pub fn follow(to: Buffer) {
    let link = to.get(buffer::LINK);
    if link != 0 {
        for field in [buffer::BASE, buffer::STRIDE, buffer::FILLED, buffer::FLAGS] {
            to.set(field, Buffer(link).get(field));
        }
    }
}

/// Frames to ask of a step without stream inputs: 0 when it is no source. Error: its output is full.
fn wanted(pass: &Pass, step: Step) -> Result<u32, i32> {
    if step.get(step::PHASE) == step_phase::FLUSHING || step.get(step::WANTED) == 0 {
        return Ok(0);
    }
    match least_room(pass, step) {
        0 => Err(blame(pass, step)),
        room => Ok(step.get(step::WANTED).min(step.get(step::MAX_FRAMES)).min(room)),
    }
}

/// Least room over the connected outputs.
fn least_room(pass: &Pass, step: Step) -> u32 {
    let inputs = step.get(step::INPUTS);
    (0..step.get(step::OUTPUTS)).filter_map(|o| step.bound(pass, inputs + o)).map(Buffer::room).min().unwrap_or(u32::MAX)
}

/// Why an output has no room: one outside the segment that the driver could empty, or an internal one,
/// which only skips the step (back-pressure).
fn blame(pass: &Pass, step: Step) -> i32 {
    let inputs = step.get(step::INPUTS);
    let outside = (0..step.get(step::OUTPUTS))
        .filter_map(|o| step.bound(pass, inputs + o))
        .any(|to| to.get(buffer::KIND) == buffer_kind::EXTERNAL_OUTPUT && to.get(buffer::FILLED) > 0);
    if outside {
        program_flag::FULL as i32
    } else {
        0
    }
}

/// All inputs have ended: flush next (true), or end at once (false).
fn leave(pass: &Pass, step: Step) -> bool {
    if step.get(step::FLUSH) != 0 {
        step.set(step::PHASE, step_phase::FLUSHING);
        return true;
    }
    end(pass, step);
    false
}

/// The step has ended, and with it its outputs.
fn end(pass: &Pass, step: Step) {
    step.set(step::PHASE, step_phase::ENDED);
    let inputs = step.get(step::INPUTS);
    for index in 0..step.get(step::OUTPUTS) {
        if let Some(to) = step.bound(pass, inputs + index) {
            to.set(buffer::FLAGS, to.get(buffer::FLAGS) | buffer_flag::ENDED);
        }
    }
}

/// An ended step takes no more, and holds nobody up.
fn drain(pass: &Pass, step: Step) -> i32 {
    let mut marks = 0;
    for index in 0..step.get(step::INPUTS) {
        let Some(from) = step.bound(pass, index) else { continue };
        marks |= skip_rest(from, step.offset_address(from, index));
    }
    marks | controls::drain(pass, step)
}

/// Writes the fields of Io and ports that depend on the call.
fn describe(pass: &Pass, step: Step, frames: u32, flags: u32) {
    let call = step.get(step::IO);
    store(call + io::FRAMES, frames);
    store(call + io::FLAGS, flags | pass.flags);
    store(call + io::POSITION_U64, load::<u64>(step.0 + step::POSITION_U64));
    let (ports, inputs) = (load::<u32>(call + io::PORTS), step.get(step::INPUTS));
    for index in 0..inputs {
        let Some(from) = step.bound(pass, index) else { continue };
        let taken: u32 = load(step.offset_address(from, index));
        let available = from.written().get(buffer::FILLED).saturating_sub(taken);
        let mut flags = port_flag::CONNECTED;
        if from.flag(buffer_flag::SILENT) {
            flags |= port_flag::SILENT;
        }
        if from.flag(buffer_flag::ENDED) && available <= frames {
            flags |= port_flag::ENDED;
        }
        let (data, stride) = step.seen(from, index, taken);
        Port(ports + index * port::BYTES).describe(available.min(frames), data, stride, flags);
    }
    controls::describe(pass, step, frames);
    for index in inputs..inputs + step.get(step::OUTPUTS) {
        let record = Port(ports + index * port::BYTES);
        record.set(port::DONE, 0);
        let Some(to) = step.bound(pass, index) else { continue };
        record.describe(to.room(), to.written().at(to.get(buffer::FILLED)), to.get(buffer::STRIDE), port_flag::CONNECTED);
    }
}

/// Moves the offsets of what was taken and the ends of what was written.
fn apply(pass: &Pass, step: Step, frames: u32, result: u32, has_input: bool) -> i32 {
    let (ports, inputs) = (load::<u32>(step.get(step::IO) + io::PORTS), step.get(step::INPUTS));
    let mut marks = 0;
    for index in 0..inputs {
        let Some(from) = step.bound(pass, index) else { continue };
        marks |= consume(from, step.offset_address(from, index), Port(ports + index * port::BYTES).get(port::FRAMES));
    }
    let produced = match collect(pass, step, result) {
        Ok(produced) => produced,
        Err(status) => return status,
    };
    let moved = if has_input { frames } else { result };
    marks |= controls::take(pass, step, moved);
    controls::advance(step, moved);
    store(step.0 + step::POSITION_U64, load::<u64>(step.0 + step::POSITION_U64) + u64::from(moved));
    marks | if moved > 0 || produced { MOVED } else { program_flag::SHORT as i32 }
}

/// One flush call; 0 frames everywhere ends the step. Not while a connected output has no room at all: that would look like the end.
fn flush(pass: &Pass, step: Step) -> i32 {
    if least_room(pass, step) == 0 {
        return blame(pass, step);
    }
    describe(pass, step, 0, io_flag::LAST);
    let result = host::call(step.get(step::FLUSH), step.get(step::STATE), step.get(step::IO));
    match result {
        status::NO_ROOM => return blame(pass, step),
        failure if failure < 0 && failure != status::END => return failure,
        _ => {}
    }
    match collect(pass, step, result.max(0) as u32) {
        Ok(produced) => {
            if result <= 0 && !produced {
                end(pass, step);
            }
            MOVED
        }
        Err(status) => status,
    }
}

/// Adds what a call produced to the output buffers; true when any output got frames. Error: `BAD_STATE` when the
/// kernel claims more than the room it was given.
fn collect(pass: &Pass, step: Step, result: u32) -> Result<bool, i32> {
    let (ports, inputs) = (load::<u32>(step.get(step::IO) + io::PORTS), step.get(step::INPUTS));
    let mut any = false;
    for index in 0..step.get(step::OUTPUTS) {
        let record = Port(ports + (inputs + index) * port::BYTES);
        let produced = if index == 0 { result } else { record.get(port::DONE) };
        any |= produced > 0;
        let Some(to) = step.bound(pass, inputs + index) else { continue };
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
        let zeros = to.get(buffer::PREROLL).min(produced);
        if zeros > 0 {
            to.write_silence(filled, zeros);
            to.set(buffer::PREROLL, to.get(buffer::PREROLL) - zeros);
        }
    }
    Ok(any)
}
