//! Kaiser-windowed sinc (J. F. Kaiser, 1974; A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, section 7.5), designed in
//! f64 with the operations of AU-07 only. Twin: `src/nodes/audio/resample/design.ts`, same operations in the same order: bank bits are
//! equal in all tiers.

use super::geometry::{Geometry, Grade, GRADES};
use crate::approx::{cos_pi, sin_pi, PI};

/// Terms of the window's power series; the next one is below 10⁻¹⁹ of the sum for every beta in use.
const TERMS: usize = 36;
/// Longest row whose values are kept while it is summed up; longer rows are computed twice.
const KEPT: usize = 2_048;

/// The filter as a function of time, in samples of the lower rate from its centre. Not normalised.
struct Prototype {
    grade: Grade,
    /// I₀(beta·√y) = Σ series[k]·y^k (Abramowitz and Stegun 9.6.12); all terms are positive.
    series: [f64; TERMS],
}

impl Prototype {
    fn of(quality: usize) -> Prototype {
        let grade = GRADES[quality];
        let quarter = grade.beta * grade.beta * 0.25;
        let mut series = [1.0; TERMS];
        for k in 1..TERMS {
            series[k] = series[k - 1] * quarter / (k * k) as f64;
        }
        Prototype { grade, series }
    }
    fn at(&self, time: f64) -> f64 {
        let x = time * 2.0 / self.grade.taps as f64;
        let y = 1.0 - x * x;
        if y <= 0.0 {
            return 0.0;
        }
        let square = y * y;
        let (mut even, mut odd) = (0.0, 0.0);
        for pair in self.series.chunks_exact(2).rev() {
            even = even * square + pair[0];
            odd = odd * square + pair[1];
        }
        let window = even + odd * y;
        let turns = self.grade.cutoff * time;
        if turns == 0.0 {
            window
        } else {
            sin_pi(turns) / (PI * turns) * window
        }
    }
}

/// Bank of a direct resampler: row p holds, oldest frame first, the taps for an output that stands p/phases after its frame. Each row sums
/// up to 1.
pub fn fill_bank(geometry: &Geometry, bank: &mut [f32]) {
    if geometry.window == 1 {
        bank[0] = 1.0;
        return;
    }
    let prototype = Prototype::of(geometry.quality as usize);
    let (phases, behind) = (f64::from(geometry.phases), geometry.row_behind() as f64);
    // Samples of the lower rate per input frame.
    let scale = if geometry.l < geometry.m { geometry.l as f64 / geometry.m as f64 } else { 1.0 };
    let mut kept = [0.0; KEPT];
    for (p, row) in bank.chunks_exact_mut(geometry.taps as usize).enumerate() {
        let tap = |index: usize| prototype.at(((index as f64 - behind) * phases - p as f64) / phases * scale);
        let mut sum = 0.0;
        for index in 0..row.len() {
            let value = tap(index);
            sum += value;
            if index < KEPT {
                kept[index] = value;
            }
        }
        let gain = 1.0 / sum;
        for (index, place) in row.iter_mut().enumerate() {
            *place = (if index < KEPT { kept[index] } else { tap(index) } * gain) as f32;
        }
    }
}

/// Samples of the prototype per sample of the lower rate when its response is summed up: images are then below −150 dB.
const DENSITY: usize = 6;
const MOST_POINTS: usize = 425 * DENSITY / 2 + 1;

/// Response of the prototype, 1 at 0 Hz.
pub struct Response {
    points: [f64; MOST_POINTS],
    count: usize,
}

impl Response {
    pub fn of(quality: usize) -> Response {
        let prototype = Prototype::of(quality);
        let count = prototype.grade.taps as usize * DENSITY / 2 + 1;
        let mut points = [0.0; MOST_POINTS];
        let mut sum = 0.0;
        for (n, point) in points[..count].iter_mut().enumerate() {
            *point = prototype.at(n as f64 / DENSITY as f64);
            sum += if n == 0 { *point } else { 2.0 * *point };
        }
        let gain = 1.0 / sum;
        points.iter_mut().for_each(|point| *point *= gain);
        Response { points, count }
    }
    /// At `frequency` cycles per sample of the lower rate: h₀ + 2·Σ hₙ·cos(2πn·frequency/density) by Clenshaw's recurrence.
    pub fn at(&self, frequency: f64) -> f64 {
        let cosine = cos_pi(2.0 * frequency / DENSITY as f64);
        let (mut b1, mut b2) = (0.0, 0.0);
        for &h in self.points[1..self.count].iter().rev() {
            (b1, b2) = (2.0 * h + 2.0 * cosine * b1 - b2, b1);
        }
        self.points[0] + cosine * b1 - b2
    }
}
