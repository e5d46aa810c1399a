use crate::generated::control;
use crate::memory::{load, slice};

/// A param's course during one call: a pure function of absolute time, so any chunking sees the same bits.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    from: f32,
    to: f32,
    begin: i32,
    length: u32,
    stream: Option<&'a [f32]>,
}

impl<'a> Control<'a> {
    pub(crate) fn read(address: u32, frames: usize) -> Control<'a> {
        let stream: u32 = load(address + control::STREAM);
        Control {
            from: load(address + control::FROM_F32),
            to: load(address + control::TO_F32),
            begin: load(address + control::BEGIN_I32),
            length: load(address + control::LENGTH),
            // SAFETY: a driven control has one f32 per frame of the call.
            stream: (stream != 0).then(|| unsafe { slice(stream, frames) }),
        }
    }
    /// True when every frame of the call has the value `at(0)`.
    #[inline]
    pub fn is_constant(&self, frames: usize) -> bool {
        self.stream.is_none()
            && (self.length == 0
                || frames == 0
                || i64::from(self.begin) + i64::from(self.length) <= 0
                || i64::from(self.begin) >= frames as i64 - 1)
    }
    /// Value at frame `index` of this call.
    #[inline]
    pub fn at(&self, index: usize) -> f32 {
        if let Some(stream) = self.stream {
            return stream[index];
        }
        if self.length == 0 {
            return self.to;
        }
        let t = index as i64 - i64::from(self.begin);
        if t <= 0 {
            self.from
        } else if t >= i64::from(self.length) {
            self.to
        } else {
            (f64::from(self.from) + (f64::from(self.to) - f64::from(self.from)) * (t as f64 / f64::from(self.length))) as f32
        }
    }
}
