//! Polyphase resampling: one dot product per output with the row of its phase (R. E. Crochiere and L. R. Rabiner, Multirate Digital Signal
//! Processing, 1983, chapter 3), or four rows and a 4-point Lagrange interpolation between them when the exact bank would be too large.

use super::geometry::{Geometry, BEST};
use super::simd_dot::{dots, dots_wide};

/// Outputs of one phase, or rows of one output, that are computed side by side.
const SIDE: usize = 4;

/// Bank of rows and where in it an output finds its own.
pub struct Direct<'a> {
    pub geometry: &'a Geometry,
    pub bank: &'a [f32],
}

/// What an output reads: its phase in 1/l frames, and where its window starts.
#[derive(Clone, Copy)]
struct Place {
    phase: u64,
    at: usize,
}

impl Direct<'_> {
    /// Writes the outputs from `k` on. `samples` starts where the window of output `k` does, and covers every window.
    pub fn run(&self, k: u64, out: &mut [f32], samples: &[f32]) {
        if self.geometry.l == self.geometry.m {
            out.copy_from_slice(&samples[..out.len()]);
        } else if self.geometry.quality as usize == BEST {
            self.run_with(k, out, samples, dots_wide, dots_wide);
        } else {
            self.run_with(k, out, samples, dots, dots);
        }
    }
    #[inline(always)]
    fn run_with(
        &self,
        k: u64,
        out: &mut [f32],
        samples: &[f32],
        side_by_side: impl Fn(&[f32], [&[f32]; SIDE]) -> [f32; SIDE],
        alone: impl Fn(&[f32], [&[f32]; 1]) -> [f32; 1],
    ) {
        let (l, m) = (self.geometry.l as usize, self.geometry.m as usize);
        let mut place = Place { phase: k * self.geometry.m % self.geometry.l, at: 0 };
        let mut done = 0;
        // Outputs l apart have the same row, and their windows stand m frames apart.
        while self.geometry.interpolated == 0 && out.len() - done >= SIDE * l {
            for index in done..done + l {
                let sums = side_by_side(self.row(place.phase), core::array::from_fn(|n| self.window(samples, place.at + n * m)));
                for (n, sum) in sums.into_iter().enumerate() {
                    out[index + n * l] = sum;
                }
                place = self.after(place);
            }
            place.at += (SIDE - 1) * m;
            done += SIDE * l;
        }
        for value in &mut out[done..] {
            *value = if self.geometry.interpolated == 0 {
                alone(self.row(place.phase), [self.window(samples, place.at)])[0]
            } else {
                self.between(place, samples, &side_by_side, &alone)
            };
            place = self.after(place);
        }
    }
    /// The place of the next output.
    #[inline(always)]
    fn after(&self, place: Place) -> Place {
        let (l, m) = (self.geometry.l, self.geometry.m);
        let phase = place.phase + m % l;
        let at = place.at + (m / l) as usize;
        if phase >= l {
            Place { phase: phase - l, at: at + 1 }
        } else {
            Place { phase, at }
        }
    }
    #[inline(always)]
    fn row(&self, phase: u64) -> &[f32] {
        let taps = self.geometry.taps as usize;
        &self.bank[phase as usize * taps..][..taps]
    }
    #[inline(always)]
    fn window<'s>(&self, samples: &'s [f32], at: usize) -> &'s [f32] {
        &samples[at..][..self.geometry.taps as usize]
    }
    /// The output between the rows around its phase; nodes −1, 0, 1, 2.
    #[inline(always)]
    fn between(
        &self,
        place: Place,
        samples: &[f32],
        side_by_side: impl Fn(&[f32], [&[f32]; SIDE]) -> [f32; SIDE],
        alone: impl Fn(&[f32], [&[f32]; 1]) -> [f32; 1],
    ) -> f32 {
        let (l, rows) = (self.geometry.l, u64::from(self.geometry.phases));
        let first = place.phase * rows / l;
        let t = (place.phase * rows % l) as f64 / l as f64;
        let weights = [
            -t * (t - 1.0) * (t - 2.0) / 6.0,
            (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0,
            -(t + 1.0) * t * (t - 2.0) / 2.0,
            (t + 1.0) * t * (t - 1.0) / 6.0,
        ];
        let sums = if first > 0 && first + 2 < rows {
            side_by_side(self.window(samples, place.at + 1), core::array::from_fn(|j| self.row(first + j as u64 - 1)))
        } else {
            // Row −1 is the last row one frame earlier, row `rows` the first one later; the window has a frame to spare on both sides.
            core::array::from_fn(|j| {
                let index = first + rows + j as u64 - 1;
                alone(self.row(index % rows), [self.window(samples, place.at + (index / rows) as usize)])[0]
            })
        };
        weights.iter().zip(sums).fold(0.0, |sum, (weight, value)| sum + weight * f64::from(value)) as f32
    }
}
