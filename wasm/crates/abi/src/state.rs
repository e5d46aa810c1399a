use core::marker::PhantomData;
use core::mem::size_of;
use core::ops::{Deref, DerefMut, Range};

use crate::generated::{state, tag};
use crate::memory::{load, slice_mut, store};
use crate::{Pod, Status};

/// Bytes between the contract's header and the kernel's struct: the tail's length (u32), the shared block's (u32), rest 0.
const PREFIX: u32 = 16;
const OWN: u32 = state::BYTES + PREFIX;

/// State of an instance: the kernel's struct, and behind it a tail of plain values whose length `size` chose (histories, queues).
pub struct State<'a, K> {
    address: u32,
    life: PhantomData<&'a mut K>,
}

/// Bytes of a whole state: header, struct, tail.
pub(crate) fn bytes<K>(tail: u32) -> u32 {
    own_end::<K>() + tail
}
fn own_end<K>() -> u32 {
    (OWN + size_of::<K>() as u32 + 15) & !15
}

impl<K: Pod> State<'_, K> {
    /// A fresh state in zeroed bytes.
    pub(crate) fn create(address: u32, version: u32, tail: u32, shared: u32) -> Result<Self, Status> {
        if address == 0 || address % 16 != 0 {
            return Err(Status::BAD_STATE);
        }
        store(address + state::TAG, tag::RUST);
        store(address + state::VERSION, version);
        store(address + state::BYTES, tail);
        store(address + state::BYTES + 4, shared);
        Ok(State { address, life: PhantomData })
    }
    /// The state of an instance that was initialised by this version. Error: `BAD_STATE`.
    #[inline]
    pub(crate) fn open(address: u32, version: u32) -> Result<Self, Status> {
        let fits = address != 0
            && address % 16 == 0
            && load::<u32>(address + state::TAG) == tag::RUST
            && load::<u32>(address + state::VERSION) == version;
        if fits {
            Ok(State { address, life: PhantomData })
        } else {
            Err(Status::BAD_STATE)
        }
    }
    #[inline]
    pub(crate) fn count_call(&mut self) {
        store(self.address + state::CALLS, load::<u32>(self.address + state::CALLS).wrapping_add(1));
    }
    #[inline]
    pub(crate) fn shared_bytes(&self) -> u32 {
        load(self.address + state::BYTES + 4)
    }
    /// Adds to the count of samples that were NaN or infinite.
    pub fn count_nonfinite(&mut self, samples: u32) {
        store(self.address + state::NONFINITE, load::<u32>(self.address + state::NONFINITE).wrapping_add(samples));
    }
    /// Adds to the count of samples that were clipped.
    pub fn count_clipped(&mut self, samples: u32) {
        store(self.address + state::CLIPPED, load::<u32>(self.address + state::CLIPPED).wrapping_add(samples));
    }
    /// The struct and the tail, both to write.
    #[inline]
    pub fn parts(&mut self) -> (&mut K, Tail<'_>) {
        let start = self.address + own_end::<K>();
        let tail = Tail { address: start, end: start + load::<u32>(self.address + state::BYTES), life: PhantomData };
        // SAFETY: struct and tail do not overlap; the state belongs to this call (KE-01).
        (unsafe { &mut *((self.address + OWN) as usize as *mut K) }, tail)
    }
    /// Part of a tail that holds only f32.
    #[inline]
    pub fn tail_f32(&mut self, range: Range<usize>) -> &mut [f32] {
        let (_, mut tail) = self.parts();
        &mut tail.rest::<f32>()[range]
    }
}

impl<K: Pod> Deref for State<'_, K> {
    type Target = K;
    #[inline]
    fn deref(&self) -> &K {
        // SAFETY: as in `parts`.
        unsafe { &*((self.address + OWN) as usize as *const K) }
    }
}
impl<K: Pod> DerefMut for State<'_, K> {
    #[inline]
    fn deref_mut(&mut self) -> &mut K {
        self.parts().0
    }
}

/// What stands behind the struct, handed out piece by piece in the same order at every call.
pub struct Tail<'a> {
    address: u32,
    end: u32,
    life: PhantomData<&'a mut ()>,
}

impl<'a> Tail<'a> {
    /// Bytes that `count` values take here: a multiple of 16. Sum these up in `size`.
    pub const fn bytes_of<T: Pod>(count: usize) -> usize {
        (count * size_of::<T>() + 15) & !15
    }
    /// The next `count` values, on a 16-byte boundary. Panics (a trap) past the tail.
    #[inline]
    pub fn take<T: Pod>(&mut self, count: usize) -> &'a mut [T] {
        let bytes = Self::bytes_of::<T>(count);
        assert!(bytes <= (self.end - self.address) as usize);
        let start = self.address;
        self.address += bytes as u32;
        // SAFETY: inside the tail, aligned, and never handed out twice.
        unsafe { slice_mut(start, count) }
    }
    /// All that is left, as values of one type.
    #[inline]
    pub fn rest<T: Pod>(&mut self) -> &'a mut [T] {
        self.take((self.end - self.address) as usize / size_of::<T>())
    }
}
