//! Content hashes of a graph's nodes in one call (GR-55). The messages of all nodes come padded, in order of level, with gaps where the
//! digests of parents go: the nodes of a level need only levels before it, so they are hashed side by side.

use abi::memory::{copy, inside, load};

use crate::simd_sha256::{Messages, BLOCK, DIGEST};

/// A batch: where its tables are, and how long. Every table is of u32 words.
pub struct Batch {
    /// Bytes of all messages.
    pub messages: u32,
    /// Message n stands at `offsets[n]`…`offsets[n + 1]` of the messages; both are multiples of 64.
    pub offsets: u32,
    pub count: u32,
    /// First message behind each level.
    pub levels: u32,
    pub level_count: u32,
    /// Pairs: offset of a gap in the messages, message whose digest goes there. Offsets ascend.
    pub gaps: u32,
    pub gap_count: u32,
    /// 32 bytes per message.
    pub digests: u32,
    /// State that each message starts with: its number among those that stand behind this table, 32 bytes each.
    pub starts: u32,
}

impl Batch {
    fn offset(&self, message: u32) -> u32 {
        load(self.offsets + 4 * message)
    }
    fn level(&self, level: u32) -> u32 {
        load(self.levels + 4 * level)
    }
    fn gap(&self, gap: u32) -> (u32, u32) {
        (load(self.gaps + 8 * gap), load(self.gaps + 8 * gap + 4))
    }

    /// Everything lies inside the memory, and levels cover all messages.
    fn sound(&self) -> bool {
        let tables = inside(self.offsets, self.count + 1, 4)
            && inside(self.levels, self.level_count, 4)
            && inside(self.gaps, self.gap_count, 8)
            && inside(self.digests, self.count, DIGEST)
            && inside(self.starts, self.count, 4);
        if !tables || self.level_count == 0 || self.level(self.level_count - 1) != self.count {
            return false;
        }
        let states = self.starts + 4 * self.count;
        let blocks = (0..self.count).all(|n| {
            self.offset(n) < self.offset(n + 1)
                && self.offset(n + 1) % BLOCK == 0
                && inside(states, load::<u32>(self.starts + 4 * n).saturating_add(1), DIGEST)
        });
        blocks
            && self.offset(0) == 0
            && inside(self.messages, 1, self.offset(self.count))
            && (1..self.level_count).all(|n| self.level(n - 1) <= self.level(n))
    }

    /// Fills the gaps and hashes, level by level. 0, or −1 for tables that contradict themselves.
    pub fn run(&self) -> i32 {
        if !self.sound() {
            return -1;
        }
        let (mut first, mut gap) = (0, 0);
        for level in 0..self.level_count {
            let last = self.level(level);
            let end = self.offset(last);
            while gap < self.gap_count {
                let (at, parent) = self.gap(gap);
                if at >= end {
                    break;
                }
                if parent >= first || u64::from(at) + u64::from(DIGEST) > u64::from(end) {
                    return -1;
                }
                copy(self.messages + at, self.digests + DIGEST * parent, DIGEST);
                gap += 1;
            }
            Messages {
                base: self.messages,
                offsets: self.offsets,
                digests: self.digests,
                starts: self.starts,
                states: self.starts + 4 * self.count,
                next: first,
                last,
            }
            .run();
            first = last;
        }
        if gap == self.gap_count {
            0
        } else {
            -1
        }
    }
}
