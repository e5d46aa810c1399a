//! Real transforms of n = Π radices points in four lanes: a plan of passes, its twiddles, and the walk through two buffers.

use super::simd_fft::{first_pass, forward_pass, inverse_pass, last_pass, stride};
use super::simd_lanes::{Quad, Vector};
use crate::approx::{cos_pi, sin_pi};

/// Most passes of one transform.
pub const PASSES: usize = 12;

abi::pod! {
    /// Radices of the passes, first pass of the forward transform first; 0 ends the list.
    pub struct Radices { list: [u32; PASSES] }
}

impl Radices {
    /// Radices of `n`; none when n has another prime factor than 2, 3, 5, 7 or is below 16.
    pub fn of(n: usize) -> Option<Radices> {
        let (mut list, mut count, mut rest) = ([0; PASSES], 0, n);
        for radix in [7, 5, 3, 4, 2] {
            while rest % radix == 0 {
                if count == PASSES {
                    return None;
                }
                list[count] = radix as u32;
                count += 1;
                rest /= radix;
            }
        }
        (rest == 1 && n >= 16 && count >= 2).then_some(Radices { list })
    }
    fn passes(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.list.iter().map(|&r| r as usize).filter(|&r| r > 0)
    }
    fn length(&self) -> usize {
        self.passes().product()
    }
    /// Elements that the twiddles take.
    pub fn twiddles(&self) -> usize {
        self.stages().map(|(m, radix)| twiddle_count(m, radix)).sum()
    }
    /// Elements of a buffer of one part, with three bins to spare.
    pub fn part<V: Vector>(&self) -> usize {
        let n = self.length();
        self.stages().map(|(m, radix)| n / (m * radix) * stride::<V>(m * radix)).max().unwrap_or(0).max(stride::<V>(n + 6))
    }
    /// (length before the pass, radix) of every pass.
    fn stages(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.passes().scan(1, |m, radix| {
            let before = *m;
            *m *= radix;
            Some((before, radix))
        })
    }
}

fn twiddle_count(m: usize, radix: usize) -> usize {
    2 * (radix - 1) * (m / 2)
}

/// e^{−2πi·numerator/denominator}
#[inline(never)]
pub fn root(numerator: usize, denominator: usize) -> (f64, f64) {
    let x = 2.0 * ((numerator % denominator) as f64) / denominator as f64;
    (cos_pi(x), -sin_pi(x))
}

/// Writes the twiddles of all passes, as the passes read them.
pub fn fill_twiddles<V: Quad>(radices: &Radices, twiddles: &mut [V::Element]) {
    let mut at = 0;
    for (m, radix) in radices.stages() {
        for q in 1..=m / 2 {
            for p in 1..radix {
                let (re, im) = root(p * q, m * radix);
                twiddles[at] = V::element(re);
                twiddles[at + 1] = V::element(im);
                at += 2;
            }
        }
    }
}

macro_rules! by_radix {
    ($radix:expr, $pass:ident, $($argument:expr),*) => {
        match $radix {
            2 => $pass::<Q::Part, 2>($($argument),*),
            3 => $pass::<Q::Part, 3>($($argument),*),
            4 => $pass::<Q::Part, 4>($($argument),*),
            5 => $pass::<Q::Part, 5>($($argument),*),
            _ => $pass::<Q::Part, 7>($($argument),*),
        }
    };
}

/// The two buffers of a transform; each holds the parts of the four lanes one after the other, `part` elements apart.
pub struct Buffers<'a, E> {
    pub a: &'a mut [E],
    pub b: &'a mut [E],
    pub part: usize,
}

/// Forward transform of 4·n samples. The result, bins 0…n/2 of every part, ends in buffer `a`.
pub fn transform<Q: Quad>(radices: &Radices, twiddles: &[Q::Element], samples: &[f32], buffers: &mut Buffers<'_, Q::Element>) {
    let n = radices.length();
    let odd = radices.passes().count() % 2 == 1;
    for (index, (a, b)) in buffers.a.chunks_exact_mut(buffers.part).zip(buffers.b.chunks_exact_mut(buffers.part)).enumerate() {
        let (mut from, mut to) = if odd { (b, a) } else { (a, b) };
        let mut at = 0;
        for (m, radix) in radices.stages() {
            if m == 1 {
                by_radix!(radix, first_pass, samples, index * Q::Part::WIDTH, to, n);
            } else {
                let count = twiddle_count(m, radix);
                by_radix!(radix, forward_pass, from, to, &twiddles[at..at + count], m, n);
                at += count;
            }
            (from, to) = (to, from);
        }
    }
}

/// Four real transforms back, unscaled: bins 0…n/2 in buffer `a` become 4·n samples. Both buffers are overwritten.
pub fn transform_back<Q: Quad>(radices: &Radices, twiddles: &[Q::Element], buffers: &mut Buffers<'_, Q::Element>, samples: &mut [f32]) {
    let n = radices.length();
    for (index, (a, b)) in buffers.a.chunks_exact_mut(buffers.part).zip(buffers.b.chunks_exact_mut(buffers.part)).enumerate() {
        let (mut from, mut to) = (a, b);
        let (mut length, mut at) = (n, radices.twiddles());
        for radix in radices.passes().rev() {
            let m = length / radix;
            if m == 1 {
                by_radix!(radix, last_pass, from, samples, index * Q::Part::WIDTH, n);
            } else {
                let count = twiddle_count(m, radix);
                at -= count;
                by_radix!(radix, inverse_pass, from, to, &twiddles[at..at + count], m, n);
            }
            (from, to) = (to, from);
            length = m;
        }
    }
}

/// Value of a complex number as pair, for the tables.
pub type Pair = (f64, f64);

/// Product of two pairs.
pub fn product(a: Pair, b: Pair) -> Pair {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

#[cfg(test)]
mod tests {
    use super::super::simd_lanes::{F32x4, F64x4};
    use super::*;

    fn check<Q: Quad>(n: usize, bound: f64) {
        let radices = Radices::of(n).unwrap();
        let mut twiddles = vec![Q::Element::default(); radices.twiddles()];
        fill_twiddles::<Q>(&radices, &mut twiddles);
        let part = radices.part::<Q::Part>();
        let (mut a, mut b) =
            (vec![Q::Element::default(); 4 / Q::Part::WIDTH * part], vec![Q::Element::default(); 4 / Q::Part::WIDTH * part]);
        let mut buffers = Buffers { a: &mut a, b: &mut b, part };
        let mut seed = 12345u32;
        let x: Vec<f32> = (0..4 * n)
            .map(|_| {
                seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
                (seed >> 8) as f32 / 8388608.0 - 1.0
            })
            .collect();
        transform::<Q>(&radices, &twiddles, &x, &mut buffers);
        let scale = (n as f64).sqrt();
        for bin in (0..=n / 2).step_by(1 + n / 64) {
            for lane in 0..4 {
                let (mut re, mut im) = (0.0, 0.0);
                for t in 0..n {
                    let angle = -2.0 * std::f64::consts::PI * ((bin * t) % n) as f64 / n as f64;
                    re += f64::from(x[4 * t + lane]) * angle.cos();
                    im += f64::from(x[4 * t + lane]) * angle.sin();
                }
                let width = Q::Part::WIDTH;
                let at = lane / width * part + 2 * width * bin + lane % width;
                let got: (f64, f64) = (buffers.a[at].into(), buffers.a[at + width].into());
                assert!(
                    (got.0 - re).abs() < bound * scale && (got.1 - im).abs() < bound * scale,
                    "n {n} bin {bin} lane {lane}: {got:?} {re} {im}"
                );
            }
        }
        let mut back = vec![0f32; 4 * n];
        transform_back::<Q>(&radices, &twiddles, &mut buffers, &mut back);
        for (t, (&want, &got)) in x.iter().zip(&back).enumerate() {
            assert!((f64::from(want) - f64::from(got) / n as f64).abs() < 1e-6, "n {n} t {t}");
        }
    }

    #[test]
    fn equals_the_defining_sum() {
        for n in [
            16, 18, 20, 21, 24, 25, 27, 28, 30, 32, 35, 36, 40, 42, 45, 48, 49, 50, 56, 60, 64, 96, 105, 128, 147, 160, 210, 256, 288, 343,
            441, 480, 512, 576, 882, 1024, 1323, 2048,
        ] {
            check::<F32x4>(n, 3e-6);
            check::<F64x4>(n, 1e-12);
        }
    }
    #[test]
    fn refuses_other_primes() {
        assert!(Radices::of(11 * 16).is_none() && Radices::of(8).is_none() && Radices::of(26).is_none());
    }
}
