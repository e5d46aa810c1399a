use core::marker::PhantomData;
use core::sync::atomic::Ordering::Relaxed;

use crate::generated::{asset, control, io, io_flag, port};
use crate::init::asset_slice;
use crate::memory::{atomic, load, slice, slice_mut};
use crate::{Control, Element, Input, Inputs, Output, Outputs, Pod, Status};

/// The Io block of one call.
pub struct Io<'a> {
    address: u32,
    shared_bytes: u32,
    life: PhantomData<&'a mut ()>,
}

/// Everything of a call that may be borrowed side by side.
pub struct Parts<'a> {
    pub inputs: Inputs<'a>,
    pub outputs: Outputs<'a>,
    pub shared: Shared<'a>,
    pub scratch: Scratch<'a>,
    pub watch: Watch<'a>,
}

/// The cancel word and the beat of a call, for loops that hold its slices.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    cancel: u32,
    beat: u32,
    life: PhantomData<&'a ()>,
}

impl Watch<'_> {
    /// As [`Io::cancelled`].
    #[inline]
    pub fn cancelled(&self) -> bool {
        self.cancel != 0 && atomic(self.cancel).load(Relaxed) != 0
    }
    /// As [`Io::beat`].
    #[inline]
    pub fn beat(&self) {
        if self.beat != 0 {
            atomic(self.beat).fetch_add(1, Relaxed);
        }
    }
}

impl Io<'_> {
    pub(crate) fn new(address: u32, shared_bytes: u32) -> Self {
        Io { address, shared_bytes, life: PhantomData }
    }
    /// Input frames of this call; for a kernel without stream input the frames wanted.
    #[inline]
    pub fn frames(&self) -> usize {
        self.word(io::FRAMES) as usize
    }
    /// Absolute index of the first frame, at the rate of input 0 (source: output 0).
    pub fn position(&self) -> u64 {
        load(self.address + io::POSITION_U64)
    }
    /// A hint: no output bit may depend on it.
    pub fn last(&self) -> bool {
        self.flag(io_flag::LAST)
    }
    /// The position jumped; the state was reset.
    pub fn discontinuity(&self) -> bool {
        self.flag(io_flag::DISCONTINUITY)
    }
    pub fn realtime(&self) -> bool {
        self.flag(io_flag::REALTIME)
    }
    #[inline]
    pub fn input(&self, index: usize) -> Input<'_> {
        Inputs::new(self.word(io::PORTS), self.word(io::INPUTS) as usize).get(index)
    }
    #[inline]
    pub fn output(&mut self, index: usize) -> Output<'_> {
        assert!(index < self.word(io::OUTPUTS) as usize);
        let first = self.word(io::PORTS) + self.word(io::INPUTS) * port::BYTES;
        Output::at(first + index as u32 * port::BYTES)
    }
    /// Inputs, outputs, shared block and scratch at once.
    #[inline]
    pub fn parts(&mut self) -> Parts<'_> {
        let (ports, inputs) = (self.word(io::PORTS), self.word(io::INPUTS));
        Parts {
            inputs: Inputs::new(ports, inputs as usize),
            outputs: Outputs::new(ports + inputs * port::BYTES, self.word(io::OUTPUTS) as usize),
            shared: Shared::new(self.word(io::SHARED), if self.word(io::SHARED) == 0 { 0 } else { self.shared_bytes }),
            scratch: Scratch::new(self.word(io::SCRATCH), self.word(io::SCRATCH_BYTES)),
            watch: self.watch(),
        }
    }
    /// Control `index` for the frames of this call.
    pub fn control(&self, index: usize) -> Control<'_> {
        Control::read(self.word(io::CONTROLS) + index as u32 * control::BYTES, self.frames())
    }
    /// Asset `index`, whose existence and type `size` has checked.
    pub fn asset<T: Element>(&self, index: usize) -> Result<&[T], Status> {
        asset_slice(self.word(io::ASSETS) + index as u32 * asset::BYTES)
    }
    /// True when the call should end soon with `CANCELLED`. Ask in any loop longer than 10 ms.
    #[inline]
    pub fn cancelled(&self) -> bool {
        self.watch().cancelled()
    }
    /// Shows that the kernel is alive. Call in any loop longer than 10 ms.
    #[inline]
    pub fn beat(&self) {
        self.watch().beat();
    }
    fn watch<'w>(&self) -> Watch<'w> {
        Watch { cancel: self.word(io::CANCEL), beat: self.word(io::BEAT), life: PhantomData }
    }
    /// Says how many frames output `index` got, and gives the kernel's result for output 0.
    #[inline]
    pub fn produced(&mut self, index: usize, frames: usize) -> Result<usize, Status> {
        self.output(index).set_done(frames);
        Ok(frames)
    }
    fn flag(&self, flag: u32) -> bool {
        self.word(io::FLAGS) & flag != 0
    }
    fn word(&self, field: u32) -> u32 {
        load(self.address + field)
    }
}

/// The read-only block that all instances of one kernel and setting use (tables, filter banks).
#[derive(Clone, Copy)]
pub struct Shared<'a> {
    address: u32,
    bytes: u32,
    life: PhantomData<&'a ()>,
}

impl<'a> Shared<'a> {
    pub(crate) fn new(address: u32, bytes: u32) -> Shared<'a> {
        Shared { address, bytes, life: PhantomData }
    }
    pub fn bytes(&self) -> usize {
        self.bytes as usize
    }
    /// `count` values from byte `offset` on, a multiple of the element. Panics (a trap) outside the block.
    #[inline]
    pub fn slice<T: Pod>(&self, offset: usize, count: usize) -> &'a [T] {
        assert!(offset % core::mem::align_of::<T>() == 0 && offset + count * core::mem::size_of::<T>() <= self.bytes as usize);
        // SAFETY: inside the block, aligned (blocks start on 64 bytes), written only by `shared` before any instance exists.
        unsafe { slice(self.address + offset as u32, count) }
    }
}

/// The thread's scratch: valid during the call only, contents undefined.
pub struct Scratch<'a> {
    address: u32,
    end: u32,
    life: PhantomData<&'a mut ()>,
}

impl<'a> Scratch<'a> {
    pub(crate) fn new(address: u32, bytes: u32) -> Scratch<'a> {
        Scratch { address, end: address + bytes, life: PhantomData }
    }
    /// The next `count` values, on a 16-byte boundary. Error: `NO_ROOM` is never returned to the driver by a kernel that
    /// declared its need; here it says that it lied.
    #[inline]
    pub fn take<T: Pod>(&mut self, count: usize) -> Result<&'a mut [T], Status> {
        let start = (self.address + 15) & !15;
        let bytes = count * core::mem::size_of::<T>();
        if bytes > self.end.saturating_sub(start) as usize {
            return Err(Status::BAD_STATE);
        }
        self.address = start + bytes as u32;
        // SAFETY: inside the span, aligned, and never handed out twice.
        Ok(unsafe { slice_mut(start, count) })
    }
}
