//! Controls of a step while its program runs: changes at their frames (KE-15) and streams that edges give. Calls are cut at changes, so a
//! call has at most one ramp per control, and its begin moves with the calls: a ramp is a pure function of absolute time.

use core::sync::atomic::Ordering::Acquire;

use abi::generated::{buffer, buffer_flag, buffer_kind, change, control, io, program_flag, step, timeline};
use abi::memory::{atomic, load, store};

use crate::pass::Pass;
use crate::program::{Buffer, Step};

/// Longest ramp, so that its begin stays a signed word.
const LONGEST: u32 = 0x7fff_ffff;

/// Lets the changes that are due take effect; the frames that may pass before the next one, at most `frames`.
pub fn apply_due(step: Step, frames: u32) -> u32 {
    let line = step.get(step::TIMELINE);
    if line == 0 {
        return frames;
    }
    let position: u64 = load(step.0 + step::POSITION_U64);
    loop {
        let next: u32 = load(line + timeline::NEXT);
        if next == atomic(line + timeline::COUNT).load(Acquire) {
            return frames;
        }
        let of = line + timeline::BYTES + next % load::<u32>(line + timeline::CAPACITY) * change::BYTES;
        let at: u64 = load(of + change::AT_U64);
        if at > position {
            return u32::try_from(at - position).unwrap_or(u32::MAX).min(frames);
        }
        if at < position {
            store(line + timeline::LATE, load::<u32>(line + timeline::LATE) + 1);
        }
        let index: u32 = load(of + change::CONTROL);
        if index < load(line + timeline::CONTROLS) {
            start(record(step, index), load(of + change::VALUE_F32), load(of + change::RAMP));
        }
        store(line + timeline::NEXT, next.wrapping_add(1));
    }
}

/// From the next call's first frame on: from what the control is then to `to`.
fn start(record: u32, to: f32, ramp: u32) {
    let from = if ramp == 0 { to } else { value(record) };
    store(record + control::FROM_F32, from);
    store(record + control::TO_F32, to);
    store(record + control::BEGIN_I32, 0i32);
    store(record + control::LENGTH, ramp.min(LONGEST));
}

/// Value of a control at the next call's first frame.
fn value(record: u32) -> f32 {
    let (from, to): (f32, f32) = (load(record + control::FROM_F32), load(record + control::TO_F32));
    let (length, t) = (load::<u32>(record + control::LENGTH), -i64::from(load::<i32>(record + control::BEGIN_I32)));
    if length == 0 || t >= i64::from(length) {
        to
    } else if t <= 0 {
        from
    } else {
        (f64::from(from) + (f64::from(to) - f64::from(from)) * (t as f64 / f64::from(length))) as f32
    }
}

/// `frames` have passed: ramps go on, those that have ended are constants.
pub fn advance(step: Step, frames: u32) {
    let line = step.get(step::TIMELINE);
    if line == 0 {
        return;
    }
    for index in 0..load(line + timeline::CONTROLS) {
        let record = record(step, index);
        let length: u32 = load(record + control::LENGTH);
        if length == 0 {
            continue;
        }
        let begin = i64::from(load::<i32>(record + control::BEGIN_I32)) - i64::from(frames);
        if begin + i64::from(length) > 0 {
            store(record + control::BEGIN_I32, begin as i32);
        } else {
            store(record + control::FROM_F32, load::<f32>(record + control::TO_F32));
            store(record + control::BEGIN_I32, 0i32);
            store(record + control::LENGTH, 0u32);
        }
    }
}

fn record(step: Step, index: u32) -> u32 {
    load::<u32>(step.get(step::IO) + io::CONTROLS) + index * control::BYTES
}

/// How many frames the streams of driven controls allow, at most `frames`. An ended stream allows any number: its last value holds.
pub struct Driven {
    pub frames: u32,
    /// A stream from outside the segment is empty and has not ended.
    pub short: bool,
    pub marks: u32,
}

pub fn inspect(pass: &Pass, step: Step, frames: u32) -> Driven {
    let mut driven = Driven { frames, short: false, marks: 0 };
    for (from, at, _) in streams(pass, step) {
        let external = from.get(buffer::KIND) == buffer_kind::EXTERNAL_INPUT;
        if external {
            crate::step::follow(from);
        }
        let taken: u32 = load(at);
        let available = from.get(buffer::FILLED).saturating_sub(taken);
        if !external && taken > 0 {
            driven.marks |= program_flag::REST;
        }
        if available > 0 || !from.flag(buffer_flag::ENDED) {
            driven.frames = driven.frames.min(available);
            driven.short |= external && available == 0;
        }
    }
    driven
}

/// Points the records at their streams for a call of `frames` frames.
pub fn describe(pass: &Pass, step: Step, frames: u32) {
    for (from, at, record) in streams(pass, step) {
        let taken: u32 = load(at);
        let stream = if frames > 0 && from.get(buffer::FILLED) > taken { from.written().at(taken) } else { 0 };
        store(record + control::STREAM, stream);
        if stream != 0 {
            store(record + control::DRIVEN, 1u32);
        }
    }
}

/// `frames` have been taken of every stream; each control keeps its last value.
pub fn take(pass: &Pass, step: Step, frames: u32) -> i32 {
    let mut marks = 0;
    for (from, at, record) in streams(pass, step) {
        let stream: u32 = load(record + control::STREAM);
        if stream == 0 || frames == 0 {
            continue;
        }
        let last: f32 = load(stream + (frames - 1) * 4);
        store(record + control::FROM_F32, last);
        store(record + control::TO_F32, last);
        marks |= crate::step::consume(from, at, frames);
    }
    marks
}

/// Nothing more is taken of the streams: they hold nobody up.
pub fn drain(pass: &Pass, step: Step) -> i32 {
    streams(pass, step).fold(0, |marks, (from, at, _)| marks | crate::step::skip_rest(from, at))
}

/// Buffer, address of the frames taken of it, and control record of every driven control.
fn streams<'a>(pass: &'a Pass, step: Step) -> impl Iterator<Item = (Buffer, u32, u32)> + 'a {
    let (inputs, outputs, count) = (step.get(step::INPUTS), step.get(step::OUTPUTS), step.get(step::DRIVEN));
    let numbers = step.get(step::READERS) + (inputs + count) * 4;
    (0..count).filter_map(move |k| {
        let from = step.bound(pass, inputs + outputs + k)?;
        Some((from, step.offset_address(from, inputs + k), record(step, load(numbers + k * 4))))
    })
}
