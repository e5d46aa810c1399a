use core::marker::PhantomData;

use crate::generated::{port, port_flag};
use crate::memory::{load, slice, slice_mut, store};
use crate::Element;

#[derive(Clone, Copy)]
struct Record(u32);

impl Record {
    fn word(self, field: u32) -> u32 {
        load(self.0 + field)
    }
    fn flag(self, flag: u32) -> bool {
        u32::from(load::<u16>(self.0 + port::FLAGS_U16)) & flag != 0
    }
    /// Address of a channel and the elements it has in this call. Panics (a trap) on a channel or element type that the port does not have.
    fn channel<T: Element>(self, channel: usize) -> (u32, usize) {
        assert!(self.flag(port_flag::CONNECTED) && channel < self.word(port::CHANNELS) as usize);
        assert!(u32::from(load::<u8>(self.0 + port::DTYPE_U8)) == T::DTYPE);
        (
            self.word(port::DATA).wrapping_add((channel as u32).wrapping_mul(self.word(port::STRIDE))),
            self.word(port::FRAMES) as usize * self.word(port::WIDTH) as usize,
        )
    }
}

/// The inputs of a call.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    first: u32,
    count: usize,
    life: PhantomData<&'a ()>,
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(first: u32, count: usize) -> Inputs<'a> {
        Inputs { first, count, life: PhantomData }
    }
    pub fn len(&self) -> usize {
        self.count
    }
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
    pub fn get(&self, index: usize) -> Input<'a> {
        assert!(index < self.count);
        Input { record: Record(self.first + index as u32 * port::BYTES), life: PhantomData }
    }
}

/// One input of a call: all its frames are consumed.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    record: Record,
    life: PhantomData<&'a ()>,
}

impl<'a> Input<'a> {
    pub fn connected(&self) -> bool {
        self.record.flag(port_flag::CONNECTED)
    }
    pub fn frames(&self) -> usize {
        self.record.word(port::FRAMES) as usize
    }
    pub fn channels(&self) -> usize {
        self.record.word(port::CHANNELS) as usize
    }
    /// The samples are zero.
    pub fn silent(&self) -> bool {
        self.record.flag(port_flag::SILENT)
    }
    /// No frame follows: counts as silence of any length.
    pub fn ended(&self) -> bool {
        self.record.flag(port_flag::ENDED)
    }
    /// Samples of a channel, frames × width.
    #[inline]
    pub fn channel<T: Element>(&self, channel: usize) -> &'a [T] {
        let (address, count) = self.record.channel::<T>(channel);
        // SAFETY: the driver owns the span for the call and nobody writes it, in-place outputs excepted, which a kernel has to declare.
        unsafe { slice(address, count) }
    }
}

/// The outputs of a call; one at a time is borrowed.
pub struct Outputs<'a> {
    first: u32,
    count: usize,
    life: PhantomData<&'a mut ()>,
}

impl<'a> Outputs<'a> {
    pub(crate) fn new(first: u32, count: usize) -> Outputs<'a> {
        Outputs { first, count, life: PhantomData }
    }
    pub fn len(&self) -> usize {
        self.count
    }
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
    pub fn get(&mut self, index: usize) -> Output<'_> {
        assert!(index < self.count);
        Output::at(self.first + index as u32 * port::BYTES)
    }
}

/// One output of a call.
pub struct Output<'a> {
    record: Record,
    life: PhantomData<&'a mut ()>,
}

impl Output<'_> {
    pub(crate) fn at(address: u32) -> Self {
        Output { record: Record(address), life: PhantomData }
    }
    pub fn connected(&self) -> bool {
        self.record.flag(port_flag::CONNECTED)
    }
    /// Frames that fit; 0 when unconnected (where production is counted but never written, and never lacks room).
    pub fn room(&self) -> usize {
        if self.connected() {
            self.record.word(port::FRAMES) as usize
        } else {
            0
        }
    }
    pub fn channels(&self) -> usize {
        self.record.word(port::CHANNELS) as usize
    }
    /// Room of a channel, room × width elements.
    #[inline]
    pub fn channel_mut<T: Element>(&mut self, channel: usize) -> &mut [T] {
        let (address, count) = self.record.channel::<T>(channel);
        // SAFETY: outputs are the kernel's to write during the call; the borrow of `self` keeps the slice unique.
        unsafe { slice_mut(address, count) }
    }
    /// Says how many frames were produced here.
    pub fn set_done(&mut self, frames: usize) {
        store(self.record.0 + port::DONE, frames as u32);
    }
    /// Says that all frames produced in this call are zero.
    pub fn set_silent(&mut self) {
        let flags: u16 = load(self.record.0 + port::FLAGS_U16);
        store(self.record.0 + port::FLAGS_U16, flags | port_flag::SILENT as u16);
    }
}
