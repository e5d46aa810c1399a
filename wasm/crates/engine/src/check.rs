//! Bounds check of a program, once, before its first call (KE-13).

use abi::generated::{
    buffer, buffer_kind, change, check, control, io, limit, port, program, reader, state, step, step_mark, timeline, NONE, PROGRAM_MAGIC,
};
use abi::memory::load;

use crate::program::{Buffer, Program, Step};

/// Most steps or buffers of a segment.
const MOST: u32 = 65_536;

struct Window {
    low: u64,
    high: u64,
}

impl Window {
    fn holds(&self, address: u32, count: u32, bytes: u32) -> bool {
        u64::from(address) >= self.low && u64::from(address) + u64::from(count) * u64::from(bytes) <= self.high
    }
}

/// 0, or the number of the finding; `FAILED_STEP` of the header then names the step or buffer.
pub fn run(owner: Program, low: u32, high: u32) -> i32 {
    let window = Window { low: u64::from(low), high: if high == 0 { 1 << 32 } else { u64::from(high) } };
    if !window.holds(owner.0, 1, program::BYTES) || owner.get(program::MAGIC) != PROGRAM_MAGIC {
        return check::MAGIC;
    }
    let (steps, buffers) = (owner.get(program::STEP_COUNT), owner.get(program::BUFFER_COUNT));
    let tables = steps <= MOST
        && buffers <= MOST
        && window.holds(owner.get(program::STEPS), steps, step::BYTES)
        && window.holds(owner.get(program::BUFFERS), buffers, buffer::BYTES);
    if !tables {
        return check::TABLES;
    }
    for index in 0..buffers {
        if let Err(finding) = check_buffer(&window, owner.buffer(index)) {
            owner.set(program::FAILED_STEP, index);
            return finding;
        }
    }
    for index in 0..steps {
        if let Err(finding) = check_step(&window, owner, owner.step(index)) {
            owner.set(program::FAILED_STEP, index);
            return finding;
        }
    }
    check::OK
}

fn check_buffer(window: &Window, of: Buffer) -> Result<(), i32> {
    let (capacity, frame, channels) = (of.get(buffer::CAPACITY), of.get(buffer::FRAME_BYTES), of.get(buffer::CHANNELS));
    let readers = of.get(buffer::READER_COUNT);
    // The interpreter relies on it: what nobody reads is bound to no buffer, or leaves the segment.
    let unread = readers == 0 && of.get(buffer::KIND) != buffer_kind::EXTERNAL_OUTPUT;
    if channels == 0 || channels > limit::CHANNELS || frame == 0 || of.get(buffer::FILLED) > capacity || readers > MOST || unread {
        return Err(check::BUFFER_SHAPE);
    }
    if !window.holds(of.get(buffer::OFFSETS), readers, 4) && readers > 0 {
        return Err(check::BUFFER_OFFSETS);
    }
    let link = of.get(buffer::LINK);
    if link != 0 {
        return if window.holds(link, 1, buffer::BYTES) { Ok(()) } else { Err(check::BUFFER_DATA) };
    }
    let last = u64::from(of.get(buffer::BASE)) + u64::from(channels - 1) * u64::from(of.get(buffer::STRIDE));
    let span = u64::from(capacity) * u64::from(frame);
    if capacity > 0 && (u64::from(of.get(buffer::BASE)) < window.low || last + span > window.high) {
        return Err(check::BUFFER_DATA);
    }
    Ok(())
}

fn check_step(window: &Window, owner: Program, of: Step) -> Result<(), i32> {
    let (inputs, outputs) = (of.get(step::INPUTS), of.get(step::OUTPUTS));
    let driven = of.get(step::DRIVEN);
    let lists = inputs <= MOST
        && outputs <= MOST
        && driven <= MOST
        && (driven > 0) == (of.get(step::MARKS) & step_mark::DRIVEN != 0)
        && window.holds(of.get(step::BINDINGS), inputs + outputs + driven, 4)
        && window.holds(of.get(step::READERS), inputs + 2 * driven, 4)
        && of.get(step::MAX_FRAMES) > 0;
    if !lists {
        return Err(check::STEP_ADDRESS);
    }
    if !window.holds(of.get(step::STATE), 1, state::BYTES) {
        return Err(check::STATE);
    }
    if !window.holds(of.get(step::IO), 1, io::BYTES) {
        return Err(check::IO);
    }
    let call = of.get(step::IO);
    let same = load::<u32>(call + io::INPUTS) == inputs && load::<u32>(call + io::OUTPUTS) == outputs;
    if !same || !window.holds(load(call + io::PORTS), inputs + outputs, port::BYTES) {
        return Err(check::PORTS);
    }
    let entries = limit::FIRST_KERNEL_ENTRY..limit::TABLE_ENTRIES;
    if !entries.contains(&of.get(step::PROCESS)) || (of.get(step::FLUSH) != 0 && !entries.contains(&of.get(step::FLUSH))) {
        return Err(check::TABLE_INDEX);
    }
    for index in 0..inputs + outputs + driven {
        let number: u32 = load(of.get(step::BINDINGS) + index * 4);
        if number == NONE {
            continue;
        }
        if number >= owner.get(program::BUFFER_COUNT) {
            return Err(check::BINDING);
        }
        if index >= inputs && index < inputs + outputs {
            continue;
        }
        let (from, place) = (owner.buffer(number), if index < inputs { index } else { index - outputs });
        let word: u32 = load(of.get(step::READERS) + place * 4);
        let channels = if index < inputs { load(load::<u32>(call + io::PORTS) + index * port::BYTES + port::CHANNELS) } else { 1 };
        if word & reader::NUMBER_MASK >= from.get(buffer::READER_COUNT) || !view_fits(word, channels, from.get(buffer::CHANNELS)) {
            return Err(check::READER);
        }
    }
    check_controls(window, of)
}

/// The channels that a reader word names lie in the buffer.
fn view_fits(word: u32, seen: u32, channels: u32) -> bool {
    let first = word >> reader::CHANNEL_SHIFT & reader::CHANNEL_MASK;
    word <= reader::NUMBER_MASK
        || (first < channels && if word >> reader::DOWNWARDS_SHIFT == 0 { first + seen <= channels } else { seen <= first + 1 })
}

fn check_controls(window: &Window, of: Step) -> Result<(), i32> {
    let (line, driven, controls) = (of.get(step::TIMELINE), of.get(step::DRIVEN), load::<u32>(of.get(step::IO) + io::CONTROLS));
    let mut most = 0;
    if line != 0 {
        if !window.holds(line, 1, timeline::BYTES) || load::<u32>(line + timeline::CAPACITY) == 0 {
            return Err(check::CONTROL);
        }
        if !window.holds(line + timeline::BYTES, load(line + timeline::CAPACITY), change::BYTES) {
            return Err(check::CONTROL);
        }
        most = load(line + timeline::CONTROLS);
    }
    let numbers = of.get(step::READERS) + (of.get(step::INPUTS) + driven) * 4;
    for k in 0..driven {
        most = most.max(load::<u32>(numbers + k * 4).saturating_add(1));
    }
    if most > MOST || (most > 0 && !window.holds(controls, most, control::BYTES)) {
        Err(check::CONTROL)
    } else {
        Ok(())
    }
}
