//! Records of a program as typed accessors. Every address was bounds-checked by `segment_check` before the first call.

use abi::generated::{buffer, buffer_flag, port, program, reader, step, NONE};
use abi::memory::{fill_zero, load, store};

use crate::pass::Pass;

#[derive(Clone, Copy)]
pub struct Program(pub u32);
#[derive(Clone, Copy)]
pub struct Step(pub u32);
#[derive(Clone, Copy)]
pub struct Buffer(pub u32);
#[derive(Clone, Copy)]
pub struct Port(pub u32);

macro_rules! words {
    ($record:ident) => {
        impl $record {
            #[inline(always)]
            pub fn get(self, field: u32) -> u32 {
                load(self.0 + field)
            }
            #[inline(always)]
            pub fn set(self, field: u32, value: u32) {
                store(self.0 + field, value);
            }
        }
    };
}
words!(Program);
words!(Step);
words!(Buffer);
words!(Port);

impl Program {
    #[inline(always)]
    pub fn step(self, index: u32) -> Step {
        Step(self.get(program::STEPS) + index * step::BYTES)
    }
    #[inline(always)]
    pub fn buffer(self, index: u32) -> Buffer {
        Buffer(self.get(program::BUFFERS) + index * buffer::BYTES)
    }
    #[inline(always)]
    pub fn mark(self, flag: u32) {
        self.set(program::FLAGS, self.get(program::FLAGS) | flag);
    }
    /// Records where and why a pass stopped, and gives the status back.
    pub fn fail(self, step: u32, status: i32) -> i32 {
        self.set(program::FAILED_STEP, step);
        self.set(program::STATUS_WORD, status as u32);
        status
    }
}

impl Step {
    /// Buffer bound to port `index` (inputs, then outputs), or none.
    #[inline(always)]
    pub fn bound(self, pass: &Pass, index: u32) -> Option<Buffer> {
        let number: u32 = load(self.get(step::BINDINGS) + index * 4);
        (number != NONE).then(|| Buffer(pass.buffers + number * buffer::BYTES))
    }
    /// Address of the frames that this step has taken from the buffer of input `index`.
    #[inline(always)]
    pub fn offset_address(self, from: Buffer, index: u32) -> u32 {
        from.get(buffer::OFFSETS) + (load::<u32>(self.get(step::READERS) + index * 4) & reader::NUMBER_MASK) * 4
    }
    /// Address and stride of what input `index` sees of a buffer from `frame` on: all channels, or a view of some.
    #[inline(always)]
    pub fn seen(self, from: Buffer, index: u32, frame: u32) -> (u32, u32) {
        let word: u32 = load(self.get(step::READERS) + index * 4);
        let (at, stride) = (from.at(frame), from.get(buffer::STRIDE));
        if word <= reader::NUMBER_MASK {
            return (at, stride);
        }
        let first = word >> reader::CHANNEL_SHIFT & reader::CHANNEL_MASK;
        (at.wrapping_add(first * stride), if word >> reader::DOWNWARDS_SHIFT == 0 { stride } else { stride.wrapping_neg() })
    }
}

impl Buffer {
    #[inline(always)]
    pub fn room(self) -> u32 {
        self.get(buffer::CAPACITY) - self.get(buffer::FILLED)
    }
    #[inline(always)]
    pub fn flag(self, flag: u32) -> bool {
        self.get(buffer::FLAGS) & flag != 0
    }
    /// Address of a frame of channel 0.
    #[inline(always)]
    pub fn at(self, frame: u32) -> u32 {
        self.get(buffer::BASE) + frame * self.get(buffer::FRAME_BYTES)
    }
    /// The same buffer; silence that it was only said to hold stands there now.
    #[inline(always)]
    pub fn written(self) -> Buffer {
        if self.flag(buffer_flag::UNWRITTEN) {
            self.write_silence(0, self.get(buffer::FILLED));
            self.set(buffer::FLAGS, self.get(buffer::FLAGS) & !buffer_flag::UNWRITTEN);
        }
        self
    }
    #[inline(never)]
    pub fn write_silence(self, first: u32, frames: u32) {
        for channel in 0..self.get(buffer::CHANNELS) {
            fill_zero(self.at(first) + channel * self.get(buffer::STRIDE), frames * self.get(buffer::FRAME_BYTES));
        }
    }
}

impl Port {
    #[inline(always)]
    pub fn describe(self, frames: u32, data: u32, stride: u32, flags: u32) {
        self.set(port::FRAMES, frames);
        self.describe_data(data, stride, flags);
    }
    #[inline(always)]
    pub fn describe_data(self, data: u32, stride: u32, flags: u32) {
        store(self.0 + port::DATA, u64::from(data) | u64::from(stride) << 32);
        store(self.0 + port::FLAGS_U16, flags as u16);
    }
}
