//! Window feed: the last frames of a stream, kept until no window needs them, and how calls of any length meet windows of a fixed one.

use super::geometry::Geometry;

abi::pod! {
    /// Where a stream stands. Positions are absolute; `held` frames of every channel are kept.
    pub struct Position {
        /// Next input frame, next output.
        pub input: u64,
        pub output: u64,
        /// Input frames of the whole stream once it has ended.
        pub frames: u64,
        /// First frame kept, which may stand before the stream, and how many.
        pub start: i64,
        /// End of the last call whose input was not flagged silent.
        pub sound: i64,
        pub held: u32,
        /// 0 not started, 1 running, 2 ended.
        pub phase: u32,
    }
}

const RUNNING: u32 = 1;
pub const ENDED: u32 = 2;

/// Frames of history that one channel keeps.
pub fn capacity(geometry: &Geometry, max_frames: usize) -> usize {
    let window = geometry.window as usize;
    window + max_frames.clamp(1, window)
}

impl Default for Position {
    fn default() -> Self {
        Position { input: 0, output: 0, frames: 0, start: 0, sound: 0, held: 0, phase: 0 }
    }
}

impl Position {
    /// This position, or the start of a stream whose first input frame is `first`. Output k stands at k·m/l on the absolute grid, so that
    /// the outputs of neighbouring streams meet without a gap.
    pub fn begun(&self, geometry: &Geometry, first: u64) -> Position {
        if self.phase != 0 {
            return *self;
        }
        let output = geometry.total(first);
        let start = geometry.start(output).min(first as i64);
        Position { input: first, output, frames: 0, start, sound: i64::MIN, held: (first as i64 - start) as u32, phase: RUNNING }
    }
    /// No later window reads anything but silence.
    pub fn is_silent(&self, geometry: &Geometry) -> bool {
        geometry.start(self.output) >= self.sound
    }
    /// The state after `frames` more input frames and all outputs below `output`; `window` is where the next window starts.
    pub fn advanced(&self, geometry: &Geometry, frames: usize, output: u64) -> Position {
        let input = self.input + frames as u64;
        let start = geometry.start(output).min(input as i64).max(self.start);
        Position { input, output, start, held: (input as i64 - start) as u32, ..*self }
    }
}

/// One channel during one call: kept frames and new ones. `new` is `None` for the zeros after the end, `count` of them.
pub struct Feed<'a> {
    pub kept: &'a mut [f32],
    pub new: Option<&'a [f32]>,
    pub count: usize,
}

impl Feed<'_> {
    /// Calls `run(first output, outputs, samples, input frame of samples[0])` for all outputs from `now.output` to `next.output` (none when
    /// `out` is empty), then keeps what later windows need. Windows that begin before this call's frames are read from the kept ones, all
    /// others where they stand.
    pub fn run<E>(
        self,
        geometry: &Geometry,
        now: &Position,
        next: &Position,
        out: &mut [f32],
        mut run: impl FnMut(u64, &mut [f32], &[f32], i64) -> Result<(), E>,
    ) -> Result<(), E> {
        let held = now.held as usize;
        let joined = self.count.min(self.kept.len() - held);
        match self.new {
            Some(new) => self.kept[held..held + joined].copy_from_slice(&new[..joined]),
            None => self.kept[held..held + joined].fill(0.0),
        }
        if !out.is_empty() {
            let split = if joined == self.count { next.output } else { geometry.first_from(now.output, next.output, now.input as i64) };
            let (head, rest) = out.split_at_mut((split - now.output) as usize);
            if !head.is_empty() {
                run(now.output, head, &self.kept[..held + joined], now.start)?;
            }
            if let (Some(new), false) = (self.new, rest.is_empty()) {
                run(split, rest, new, now.input as i64)?;
            }
        }
        let left = next.held as usize;
        match self.new {
            Some(new) if next.start >= now.input as i64 => {
                let from = (next.start - now.input as i64) as usize;
                self.kept[..left].copy_from_slice(&new[from..from + left]);
            }
            _ => {
                let from = (next.start - now.start) as usize;
                if from > 0 {
                    self.kept.copy_within(from..from + left, 0);
                }
            }
        }
        Ok(())
    }
}
