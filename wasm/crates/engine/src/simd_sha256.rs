//! SHA-256 of several messages at once: four in the lanes of a register, each lane taking the next message when its own has ended. Messages
//! are padded and stand in whole blocks of 64 bytes; digests are written as bytes, most significant first.
#![allow(unsafe_code)]

use abi::memory::{load, store};

use crate::sha256::{compress, One};

/// Bytes of a block.
pub const BLOCK: u32 = 64;
/// Bytes of a digest.
pub const DIGEST: u32 = 32;

/// Messages `next`…`last`: message n stands at `offsets[n]`…`offsets[n + 1]` of `base`, starts with state `starts[n]` of
/// `states`, its digest goes to `digests + 32·n`.
pub struct Messages {
    pub base: u32,
    pub offsets: u32,
    pub digests: u32,
    pub starts: u32,
    pub states: u32,
    pub next: u32,
    pub last: u32,
}

/// A message on its way: its number, its next block and its end.
#[derive(Clone, Copy)]
struct Lane {
    message: u32,
    at: u32,
    end: u32,
}

impl Messages {
    fn take(&mut self) -> Option<Lane> {
        if self.next == self.last {
            return None;
        }
        let message = self.next;
        self.next += 1;
        let record = self.offsets + 4 * message;
        Some(Lane { message, at: self.base + load::<u32>(record), end: self.base + load::<u32>(record + 4) })
    }
    fn start(&self, lane: Lane) -> [u32; 8] {
        load(self.states + DIGEST * load::<u32>(self.starts + 4 * lane.message))
    }
    fn finish(&self, lane: Lane, state: &[u32; 8]) {
        store(self.digests + DIGEST * lane.message, state.map(u32::swap_bytes));
    }
    /// The rest of one message, alone.
    fn single(&self, mut lane: Lane, state: [u32; 8]) {
        let mut state = state.map(One);
        while lane.at < lane.end {
            let mut words = load::<[u32; 16]>(lane.at).map(|word| One(word.swap_bytes()));
            compress(&mut state, &mut words);
            lane.at += BLOCK;
        }
        self.finish(lane, &state.map(|word| word.0));
    }
    /// Hashes all of them.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn run(mut self) {
        while let Some(lane) = self.take() {
            self.single(lane, self.start(lane));
        }
    }
    /// Hashes all of them; two or more go side by side.
    #[cfg(target_arch = "wasm32")]
    pub fn run(mut self) {
        let mut lanes: [Option<Lane>; 4] = [None; 4];
        let mut states = [[0; 4]; 8];
        loop {
            let (mut busy, mut any) = (0, 0);
            for (index, slot) in lanes.iter_mut().enumerate() {
                if slot.is_none() {
                    *slot = self.take();
                    if let Some(lane) = slot {
                        let start = self.start(*lane);
                        (0..8).for_each(|word| states[word][index] = start[word]);
                    }
                }
                if let Some(lane) = slot {
                    (busy, any) = (busy + 1, lane.at);
                }
            }
            if busy < 2 {
                break;
            }
            wasm::block(&mut states, lanes.map(|slot| slot.map_or(any, |lane| lane.at)));
            for (index, slot) in lanes.iter_mut().enumerate() {
                let Some(lane) = slot else { continue };
                lane.at += BLOCK;
                if lane.at == lane.end {
                    self.finish(*lane, &states.map(|word| word[index]));
                    *slot = None;
                }
            }
        }
        for (index, slot) in lanes.iter().enumerate() {
            if let Some(lane) = slot {
                self.single(*lane, states.map(|word| word[index]));
            }
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use crate::sha256::{compress, Word};
    use core::arch::wasm32::*;
    use core::ops::{Add, BitXor};

    /// Four words.
    #[derive(Clone, Copy)]
    struct Four(v128);

    impl Add for Four {
        type Output = Four;
        #[inline(always)]
        fn add(self, other: Four) -> Four {
            Four(u32x4_add(self.0, other.0))
        }
    }
    impl BitXor for Four {
        type Output = Four;
        #[inline(always)]
        fn bitxor(self, other: Four) -> Four {
            Four(v128_xor(self.0, other.0))
        }
    }
    impl Word for Four {
        #[inline(always)]
        fn constant(value: u32) -> Four {
            Four(u32x4_splat(value))
        }
        #[inline(always)]
        fn right<const N: u32>(self) -> Four {
            Four(u32x4_shr(self.0, N))
        }
        #[inline(always)]
        fn rotate<const N: u32>(self) -> Four {
            Four(v128_or(u32x4_shr(self.0, N), u32x4_shl(self.0, 32 - N)))
        }
        #[inline(always)]
        fn select(self, yes: Four, no: Four) -> Four {
            Four(v128_bitselect(yes.0, no.0, self.0))
        }
    }

    /// One block of each of four messages.
    #[inline(never)]
    pub fn block(states: &mut [[u32; 4]; 8], at: [u32; 4]) {
        let mut words = [Four(u32x4_splat(0)); 16];
        for quarter in 0..4 {
            // SAFETY: a block is 64 bytes, and the caller's offsets lie inside the memory.
            let rows = at.map(|start| unsafe { v128_load((start as usize as *const v128).add(quarter)) });
            let rows = rows.map(|row| u8x16_shuffle::<3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12>(row, row));
            let (low, high) = (u32x4_shuffle::<0, 4, 1, 5>(rows[0], rows[1]), u32x4_shuffle::<0, 4, 1, 5>(rows[2], rows[3]));
            words[4 * quarter] = Four(u64x2_shuffle::<0, 2>(low, high));
            words[4 * quarter + 1] = Four(u64x2_shuffle::<1, 3>(low, high));
            let (low, high) = (u32x4_shuffle::<2, 6, 3, 7>(rows[0], rows[1]), u32x4_shuffle::<2, 6, 3, 7>(rows[2], rows[3]));
            words[4 * quarter + 2] = Four(u64x2_shuffle::<0, 2>(low, high));
            words[4 * quarter + 3] = Four(u64x2_shuffle::<1, 3>(low, high));
        }
        // SAFETY: four words each, unaligned loads.
        let mut state = core::array::from_fn(|word| Four(unsafe { v128_load(states[word].as_ptr().cast()) }));
        compress(&mut state, &mut words);
        for (word, Four(value)) in states.iter_mut().zip(state) {
            // SAFETY: room for four words.
            unsafe { v128_store(word.as_mut_ptr().cast(), value) };
        }
    }
}
