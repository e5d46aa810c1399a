//! Numbers that follow from two rates and a quality: the ratio, how far a filter reaches, which method runs and with which blocks.
//! Twin: `src/nodes/audio/resample/geometry.ts`; both must agree in every integer.

use super::transform::Radices;
use abi::Status;

/// A row of the quality table (audio.md section 4). `cutoff` (in units of fN = half the lower rate) and `beta` were found by search: the
/// stopband stands 2.8 to 7 dB below the table, the −3 dB point within 0.001 fN of it.
#[derive(Clone, Copy)]
pub struct Grade {
    /// Width of the filter in samples of the lower rate.
    pub taps: u64,
    pub cutoff: f64,
    pub beta: f64,
}
pub const GRADES: [Grade; 4] = [
    Grade { taps: 45, cutoff: 0.9, beta: 7.0 },
    Grade { taps: 129, cutoff: 0.949, beta: 10.25 },
    Grade { taps: 205, cutoff: 0.9592, beta: 13.1 },
    Grade { taps: 425, cutoff: 0.977, beta: 15.3 },
];
pub const HIGH: usize = 2;
pub const BEST: usize = 3;

/// Most taps of a bank, 1 MiB.
const MOST_TAPS: u64 = 262_144;
/// Phases of an interpolated bank per sample of the lower rate.
const PHASES: u64 = 128;
/// Longest transform, so that a thread's scratch stays small.
const MOST_POINTS: u64 = 16_384;

abi::pod! {
    /// What all calls of one instance share.
    pub struct Geometry {
        /// out : in reduced.
        pub l: u64,
        pub m: u64,
        /// Input frames before and after an output's own frame that its window covers.
        pub behind: u64,
        pub ahead: u64,
        /// Frames from the first to the last that an output (fft: a block) reads.
        pub window: u64,
        /// Taps of a row of the bank; 0: fft.
        pub taps: u64,
        pub quality: u32,
        /// Rows of the bank; 0: fft.
        pub phases: u32,
        /// Whether rows are interpolated.
        pub interpolated: u32,
        /// Transform: the forward length is 4·points_in, the inverse one 4·points_out.
        pub points_in: u32,
        pub points_out: u32,
        /// Input frames from one block to the next, and outputs of a block.
        pub hop: u32,
        hop_out: u32,
    }
}

/// 0 auto, 1 direct, 2 fft: values of the param `method`.
pub const DIRECT: usize = 1;
pub const FFT: usize = 2;

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        gcd(b, a % b)
    }
}
fn smooth(mut n: u64) -> bool {
    for prime in [2, 3, 5, 7] {
        while n % prime == 0 {
            n /= prime;
        }
    }
    n == 1
}

impl Geometry {
    /// Rates in Hz. Errors: `BAD_PARAM` when a value is out of range, the ratio is beyond 256, or `fft` cannot serve these rates and
    /// quality.
    pub fn of(from: u64, to: u64, quality: usize, method: usize) -> Result<Geometry, Status> {
        let rates = 100..=768_000;
        if !rates.contains(&from) || !rates.contains(&to) || quality > BEST || method > FFT || from > 256 * to || to > 256 * from {
            return Err(Status::BAD_PARAM);
        }
        let common = gcd(from, to);
        let (l, m) = (to / common, from / common);
        if l == m {
            return Ok(Geometry {
                l,
                m,
                behind: 0,
                ahead: 0,
                window: 1,
                taps: 1,
                quality: quality as u32,
                phases: 1,
                interpolated: 0,
                points_in: 0,
                points_out: 0,
                hop: 0,
                hop_out: 0,
            });
        }
        // The window of an output at t covers the frames i with |i − t| < width/(2l): symmetric for whole t, one more ahead for others.
        let width = GRADES[quality].taps * l.max(m);
        let behind = width.div_ceil(2 * l) - 1;
        let ahead = (width + 2 * (l - 1)).div_ceil(2 * l) - 1;
        let base = Geometry {
            l,
            m,
            behind,
            ahead,
            window: behind + 1 + ahead,
            taps: 0,
            quality: quality as u32,
            phases: 0,
            interpolated: 0,
            points_in: 0,
            points_out: 0,
            hop: 0,
            hop_out: 0,
        };
        match method {
            DIRECT => Ok(base.direct()),
            FFT => base.fft(from).ok_or(Status::BAD_PARAM),
            _ => Ok(base.fft(from).filter(|_| 50 * m <= from).unwrap_or_else(|| base.direct())),
        }
    }

    /// Polyphase bank: rows of a multiple of four taps, padded with older frames.
    fn direct(self) -> Geometry {
        let taps = self.window.next_multiple_of(4);
        let behind = taps - 1 - self.ahead;
        if self.l * taps <= MOST_TAPS {
            return Geometry { behind, window: taps, taps, phases: self.l as u32, ..self };
        }
        // Neighbouring rows may start one frame earlier or later.
        let phases = if PHASES * taps <= MOST_TAPS { PHASES } else { (PHASES * self.l).div_ceil(self.m).max(2) };
        Geometry { behind: behind + 1, ahead: self.ahead + 1, window: taps + 2, taps, phases: phases as u32, interpolated: 1, ..self }
    }

    /// Overlap-save: hop = most frames up to 20 ms (`best`: 30 ms) that are whole on both sides. None where it does not apply: other prime
    /// factors than 2 3 5 7, a transform above 16 384 points, or a quality whose stopband is so high that cutting it off would show (AU-30:
    /// fft = direct to 1e-6).
    fn fft(self, rate: u64) -> Option<Geometry> {
        let quality = self.quality as usize;
        if quality < HIGH || !smooth(self.l) || !smooth(self.m) {
            return None;
        }
        let longest = if quality == BEST { 3 * rate / 100 } else { rate / 50 };
        let hop = self.m * (longest / self.m).max(1);
        let need = self.behind + hop + self.ahead;
        let mut k = need.div_ceil(4 * self.m).max(16u64.div_ceil(self.l.min(self.m)));
        while !smooth(k) {
            k += 1;
        }
        if 4 * k * self.l.max(self.m) > MOST_POINTS {
            return None;
        }
        let (points_in, points_out) = (k * self.m, k * self.l);
        let both = Radices::of(points_in as usize).is_some() && Radices::of(points_out as usize).is_some();
        both.then_some(Geometry {
            window: need,
            points_in: points_in as u32,
            points_out: points_out as u32,
            hop: hop as u32,
            hop_out: (hop / self.m * self.l) as u32,
            ..self
        })
    }

    pub fn is_fft(&self) -> bool {
        self.phases == 0
    }
    /// Outputs of one hop.
    pub fn hop_out(&self) -> u64 {
        u64::from(self.hop_out)
    }
    /// Frames before an output's own that its row covers.
    pub fn row_behind(&self) -> u64 {
        self.behind - u64::from(self.interpolated)
    }
    /// First output that the first `frames` input frames do not yet allow.
    pub fn ready(&self, frames: u64) -> u64 {
        let settled = frames.saturating_sub(self.ahead);
        if self.is_fft() {
            settled / u64::from(self.hop) * self.hop_out()
        } else {
            (settled * self.l).div_ceil(self.m)
        }
    }
    /// First input frame of the window of output `k`; negative before the stream.
    pub fn start(&self, k: u64) -> i64 {
        let at = if self.is_fft() { k / self.hop_out() * u64::from(self.hop) } else { k * self.m / self.l };
        at as i64 - self.behind as i64
    }
    /// First output from `low` on whose window starts at `frame` or later, at most `high`.
    pub fn first_from(&self, mut low: u64, mut high: u64, frame: i64) -> u64 {
        while low < high {
            let middle = low + (high - low) / 2;
            if self.start(middle) < frame {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    }
    /// Outputs that stand for the first `frames` input frames (AU-26).
    pub fn total(&self, frames: u64) -> u64 {
        (frames * self.l + self.m / 2) / self.m
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_reach_as_tabled() {
        let looks = [23, 65, 103, 213];
        for (quality, look) in looks.into_iter().enumerate() {
            for (from, to) in [(44_100, 16_000), (48_000, 16_000), (16_000, 48_000), (44_100, 48_000), (8_000, 44_100)] {
                let g = Geometry::of(from, to, quality, DIRECT).unwrap();
                let ratio = (from as f64 / to as f64).max(1.0);
                assert!(g.ahead as f64 <= (look as f64 * ratio).ceil(), "{from} {to} {quality}: {}", g.ahead);
                assert_eq!(g.window, g.behind + 1 + g.ahead);
                assert!(u64::from(g.phases) * g.taps <= MOST_TAPS);
            }
        }
    }
    #[test]
    fn method_follows_rates_and_quality() {
        let fft = |from, to, quality| Geometry::of(from, to, quality, 0).unwrap().is_fft();
        assert!(fft(44_100, 16_000, HIGH) && fft(48_000, 16_000, HIGH) && fft(16_000, 48_000, BEST));
        assert!(
            !fft(44_100, 16_000, 0)
                && !fft(44_100, 16_000, 1)
                && !fft(44_100, 16_001, HIGH)
                && !fft(11_025, 16_000, HIGH)
                && !fft(48_000, 11_000, HIGH)
        );
        let g = Geometry::of(44_100, 16_000, HIGH, FFT).unwrap();
        assert_eq!((g.hop, g.hop_out(), g.points_in, g.points_out, g.window), (882, 320, 441, 160, 282 + 882 + 283));
    }
    #[test]
    fn banks_stay_below_one_mebibyte() {
        for (from, to) in
            [(44_100, 16_001), (767_999, 3_001), (3_001, 767_999), (100, 25_600), (25_600, 100), (48_000, 47_999), (9_973, 1_009)]
        {
            for quality in 0..4 {
                let g = Geometry::of(from, to, quality, DIRECT).unwrap();
                assert!(u64::from(g.phases) * g.taps <= MOST_TAPS, "{from} {to} {quality}");
            }
        }
    }
    #[test]
    fn bad_values_are_refused() {
        for (from, to, quality, method) in [
            (99, 100, 0, 0),
            (100, 768_001, 0, 0),
            (100, 25_601, 0, 0),
            (25_601, 100, 0, 0),
            (8_000, 16_000, 4, 0),
            (8_000, 16_000, 0, 3),
            (8_000, 16_000, 0, FFT),
            (8_000, 8_011, HIGH, FFT),
        ] {
            assert_eq!(Geometry::of(from, to, quality, method).err(), Some(Status::BAD_PARAM));
        }
    }
}
