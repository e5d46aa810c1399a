//! Polyphase resampling: one dot product per output with the row of its phase (R. E. Crochiere and L. R. Rabiner, Multirate Digital Signal Processing, 1983,
//! chapter 3), or four rows and a 4-point Lagrange interpolation between them when the exact bank would be too large.

use super::geometry::Geometry;
use super::simd_dot::dot;

/// Bank of rows and where in it an output finds its own.
pub struct Direct<'a> {
    pub geometry: &'a Geometry,
    pub bank: &'a [f32],
}

impl Direct<'_> {
    /// Writes the outputs from `k` on. `samples` starts where the window of output `k` does, and covers every window.
    pub fn run(&self, k: u64, out: &mut [f32], samples: &[f32]) {
        let (l, m) = (self.geometry.l, self.geometry.m);
        let (whole, rest) = (m / l, m % l);
        let mut phase = k * m % l;
        let mut at = 0;
        for place in out {
            *place = if self.geometry.interpolated == 0 { dot(self.row(phase as usize), self.window(samples, at)) } else { self.between(phase, samples, at) };
            phase += rest;
            at += whole as usize;
            if phase >= l {
                phase -= l;
                at += 1;
            }
        }
    }
    #[inline(always)]
    fn row(&self, phase: usize) -> &[f32] {
        let taps = self.geometry.taps as usize;
        &self.bank[phase * taps..(phase + 1) * taps]
    }
    #[inline(always)]
    fn window<'s>(&self, samples: &'s [f32], at: usize) -> &'s [f32] {
        &samples[at..at + self.geometry.taps as usize]
    }
    /// The output at phase/l between the rows around it; nodes −1, 0, 1, 2.
    fn between(&self, phase: u64, samples: &[f32], at: usize) -> f32 {
        let (l, rows) = (self.geometry.l, u64::from(self.geometry.phases));
        let first = phase * rows / l;
        let t = (phase * rows % l) as f64 / l as f64;
        let weights = [
            -t * (t - 1.0) * (t - 2.0) / 6.0, (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0,
            -(t + 1.0) * t * (t - 2.0) / 2.0, (t + 1.0) * t * (t - 1.0) / 6.0,
        ];
        let mut sum = 0.0;
        for (j, weight) in weights.into_iter().enumerate() {
            // Row −1 is the last row one frame earlier, row `rows` the first one later; the window has a frame to spare on both sides.
            let index = first + rows + j as u64 - 1;
            sum += weight * f64::from(dot(self.row((index % rows) as usize), self.window(samples, at + (index / rows) as usize)));
        }
        sum as f32
    }
}
