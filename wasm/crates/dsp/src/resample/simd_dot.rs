//! Dot product of a row of taps and a window of samples: eight accumulators of four lanes, always added in the same order, so that an output's bits do not
//! depend on where its window stands.
#![allow(unsafe_code)]

use super::simd_lanes::{F32x4, Vector};

/// Σ taps·samples. The lengths are equal and a multiple of four.
#[inline(always)]
pub fn dot(taps: &[f32], samples: &[f32]) -> f32 {
    assert!(taps.len() == samples.len() && taps.len() % 4 == 0);
    let (h, x, count) = (taps.as_ptr(), samples.as_ptr(), taps.len());
    let mut sums = [F32x4::zero(); 8];
    let whole = count - count % 32;
    let mut at = 0;
    // SAFETY: at + 4 ≤ count in every load.
    unsafe {
        while at < whole {
            for k in 0..8 {
                sums[k] = sums[k] + F32x4::load(h.add(at + 4 * k)) * F32x4::load(x.add(at + 4 * k));
            }
            at += 32;
        }
        while at < count {
            sums[0] = sums[0] + F32x4::load(h.add(at)) * F32x4::load(x.add(at));
            at += 4;
        }
        let sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
        let mut lanes = [0.0f32; 4];
        sum.store(lanes.as_mut_ptr());
        (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
    }
}
