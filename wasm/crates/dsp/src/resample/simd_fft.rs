//! Passes of the real transforms: four transforms of n real points at once, one per lane. Decimation in time forward, decimation in
//! frequency back. Between passes the buffer holds n/m transforms of m points, each as bins 0…m/2, a bin being the real parts of all lanes,
//! then the imaginary parts.
#![allow(unsafe_code)]

use super::butterfly::{forward, inverse, real_forward, real_inverse, Complex};
use super::simd_lanes::{Quad, Vector};

/// Elements of one transform of m points.
#[inline(always)]
pub const fn stride<V: Vector>(m: usize) -> usize {
    2 * V::WIDTH * (m / 2 + 1)
}

#[inline(always)]
unsafe fn get<V: Vector>(at: *const V::Element, bin: usize) -> Complex<V> {
    unsafe { Complex::new(V::load(at.add(2 * V::WIDTH * bin)), V::load(at.add((2 * bin + 1) * V::WIDTH))) }
}
#[inline(always)]
unsafe fn put<V: Vector>(at: *mut V::Element, bin: usize, z: Complex<V>) {
    unsafe {
        z.re.store(at.add(2 * V::WIDTH * bin));
        z.im.store(at.add((2 * bin + 1) * V::WIDTH));
    }
}
#[inline(always)]
unsafe fn twiddle<V: Vector>(at: *const V::Element, index: usize) -> Complex<V> {
    unsafe { Complex::new(V::splat(at.add(2 * index)), V::splat(at.add(2 * index + 1))) }
}

/// A bin of all four lanes, whose parts stand `half` elements apart.
#[inline(always)]
unsafe fn get_parts<Q: Quad>(at: *const Q::Element, half: usize, bin: usize) -> Complex<Q> {
    let at = unsafe { at.add(2 * Q::Part::WIDTH * bin) };
    unsafe { Complex::new(Q::load_parts(at, half), Q::load_parts(at.add(Q::Part::WIDTH), half)) }
}
#[inline(always)]
unsafe fn put_parts<Q: Quad>(at: *mut Q::Element, half: usize, bin: usize, z: Complex<Q>) {
    unsafe {
        let at = at.add(2 * Q::Part::WIDTH * bin);
        z.re.store_parts(at, half);
        z.im.store_parts(at.add(Q::Part::WIDTH), half);
    }
}

/// First pass: n/R transforms of R samples. Lane l of point t is sample 4t + l.
#[inline(never)]
pub fn first_pass<V: Vector, const R: usize>(samples: &[f32], lane: usize, to: &mut [V::Element], n: usize) {
    let step = n / R;
    assert!(samples.len() >= 4 * n && lane + V::WIDTH <= 4 && to.len() >= step * stride::<V>(R));
    for i in 0..step {
        // SAFETY: the highest index is step·R = n points of four samples; outputs are step strides. Both checked above.
        unsafe {
            let (from, to) = (samples.as_ptr(), to.as_mut_ptr());
            let x = core::array::from_fn(|p| V::load_samples(from.add(4 * (i + step * p) + lane)));
            let y = real_forward::<V, R>(&x);
            let out = to.add(i * stride::<V>(R));
            for j in 0..=R / 2 {
                put(out, j, y[j]);
            }
        }
    }
}

/// One pass: R transforms of m points become one of R·m points, n/(R·m) times.
#[inline(never)]
pub fn forward_pass<V: Vector, const R: usize>(from: &[V::Element], to: &mut [V::Element], twiddles: &[V::Element], m: usize, n: usize) {
    let step = n / (R * m);
    assert!(from.len() >= step * R * stride::<V>(m) && to.len() >= step * stride::<V>(R * m) && twiddles.len() >= 2 * (R - 1) * (m / 2));
    for i in 0..step {
        // SAFETY: bins 0…m/2 of step·R inputs, bins 0…R·m/2 of step outputs, (R − 1)·⌊m/2⌋ twiddles: lengths checked above.
        unsafe {
            let (from, to, twiddles) = (from.as_ptr(), to.as_mut_ptr(), twiddles.as_ptr());
            let input: [*const V::Element; R] = core::array::from_fn(|p| from.add((i + step * p) * stride::<V>(m)));
            let out = to.add(i * stride::<V>(R * m));
            let x = core::array::from_fn(|p| V::load(input[p]));
            let y = real_forward::<V, R>(&x);
            for j in 0..=R / 2 {
                put(out, m * j, y[j]);
            }
            // At q = m/2 both forms name the same bins: the mirrored values, written last, stay.
            for q in 1..=m / 2 {
                let w = twiddles.add(2 * (R - 1) * (q - 1));
                let z =
                    core::array::from_fn(
                        |p| if p == 0 { get::<V>(input[p], q) } else { get::<V>(input[p], q).times(twiddle::<V>(w, p - 1)) },
                    );
                let y = forward::<V, R>(&z);
                for j in 0..R {
                    if 2 * j < R {
                        put(out, q + m * j, y[j])
                    } else {
                        put(out, m * (R - j) - q, y[j].conjugate())
                    }
                }
            }
        }
    }
}

/// The way back: one half spectrum of R·m points becomes R of m points, n/(R·m) times.
#[inline(never)]
pub fn inverse_pass<V: Vector, const R: usize>(from: &[V::Element], to: &mut [V::Element], twiddles: &[V::Element], m: usize, n: usize) {
    let step = n / (R * m);
    assert!(to.len() >= step * R * stride::<V>(m) && from.len() >= step * stride::<V>(R * m) && twiddles.len() >= 2 * (R - 1) * (m / 2));
    for i in 0..step {
        // SAFETY: as in `forward_pass`, with input and output exchanged.
        unsafe {
            let (from, to, twiddles) = (from.as_ptr(), to.as_mut_ptr(), twiddles.as_ptr());
            let input = from.add(i * stride::<V>(R * m));
            let out: [*mut V::Element; R] = core::array::from_fn(|p| to.add((i + step * p) * stride::<V>(m)));
            let y = core::array::from_fn(|j| get::<V>(input, m * j.min(R / 2)));
            let x = real_inverse::<V, R>(&y);
            for p in 0..R {
                put(out[p], 0, Complex::new(x[p], V::zero()));
            }
            for q in 1..=m / 2 {
                let w = twiddles.add(2 * (R - 1) * (q - 1));
                let y =
                    core::array::from_fn(
                        |j| if 2 * j < R { get::<V>(input, q + m * j) } else { get::<V>(input, m * (R - j) - q).conjugate() },
                    );
                let z = inverse::<V, R>(&y);
                put(out[0], q, z[0]);
                for p in 1..R {
                    put(out[p], q, z[p].times_conjugate(twiddle::<V>(w, p - 1)));
                }
            }
        }
    }
}

/// Last pass: n/R half spectra of R points become samples; lane l of point t is sample 4t + l. Writes 4·n samples.
#[inline(never)]
pub fn last_pass<V: Vector, const R: usize>(from: &[V::Element], samples: &mut [f32], lane: usize, n: usize) {
    let step = n / R;
    assert!(samples.len() >= 4 * n && lane + V::WIDTH <= 4 && from.len() >= step * stride::<V>(R));
    for i in 0..step {
        // SAFETY: as in `first_pass`.
        unsafe {
            let (from, to) = (from.as_ptr(), samples.as_mut_ptr());
            let input = from.add(i * stride::<V>(R));
            let y = core::array::from_fn(|j| get::<V>(input, j.min(R / 2)));
            let x = real_inverse::<V, R>(&y);
            for p in 0..R {
                x[p].store_samples(to.add(4 * (i + step * p) + lane));
            }
        }
    }
}

/// A run of bins of a long spectrum that come from one half of the short spectra, upwards or mirrored.
#[derive(Clone, Copy)]
pub struct Run {
    /// First bin of the long spectrum, how many.
    pub bin: usize,
    pub count: usize,
    /// Bin of the short spectra for the first of them.
    pub source: usize,
    /// Mirrored: source runs downwards and is conjugated.
    pub mirrored: bool,
}

/// One run of the long spectrum: Y[q] = Σ over lanes of gain[q]·X[source of q]. `gains`: eight elements a bin (four real, four imaginary
/// parts), and three bins to spare, as in the spectrum and the results.
#[inline(always)]
pub fn gather<Q: Quad>(spectrum: &[Q::Element], half: usize, gains: &[Q::Element], re: &mut [Q::Element], im: &mut [Q::Element], run: Run) {
    if run.mirrored {
        gather_run::<Q, true>(spectrum, half, gains, re, im, run)
    } else {
        gather_run::<Q, false>(spectrum, half, gains, re, im, run)
    }
}
#[inline(never)]
fn gather_run<Q: Quad, const MIRRORED: bool>(
    spectrum: &[Q::Element],
    half: usize,
    gains: &[Q::Element],
    re: &mut [Q::Element],
    im: &mut [Q::Element],
    run: Run,
) {
    let (Run { bin, count, source, .. }, mirrored) = (run, MIRRORED);
    let last = if mirrored { source } else { source + count + 2 };
    assert!(
        spectrum.len() >= 4 / Q::Part::WIDTH * half
            && half >= 2 * Q::Part::WIDTH * (last + 1)
            && gains.len() >= 8 * (bin + count + 3)
            && re.len() >= bin + count + 3
            && im.len() >= bin + count + 3
    );
    let (spectrum, gains) = (spectrum.as_ptr(), gains.as_ptr());
    for done in (0..count).step_by(4) {
        // SAFETY: of the last four bins up to three may lie beyond the run: their sources and gains are readable (spare bins, and never
        // below bin 0), and what is written there is overwritten by the next run or the caller.
        unsafe {
            let z: [Complex<Q>; 4] = core::array::from_fn(|k| {
                let x = get_parts::<Q>(spectrum, half, if mirrored { source.saturating_sub(done + k) } else { source + done + k });
                let g = get::<Q>(gains, bin + done + k);
                if mirrored {
                    g.times_conjugate(x)
                } else {
                    g.times(x)
                }
            });
            Q::sums([z[0].re, z[1].re, z[2].re, z[3].re]).store(re.as_mut_ptr().add(bin + done));
            Q::sums([z[0].im, z[1].im, z[2].im, z[3].im]).store(im.as_mut_ptr().add(bin + done));
        }
    }
}

/// Splits a spectrum of 4·n points (bins from `bins` on are zero) into four of n points, one per lane: the first step of the inverse.
/// `twiddles`: per four bins and lane 1…3 four real and four imaginary parts.
#[inline(never)]
pub fn scatter<Q: Quad>(
    re: &[Q::Element],
    im: &[Q::Element],
    twiddles: &[Q::Element],
    to: &mut [Q::Element],
    half: usize,
    n: usize,
    bins: usize,
) {
    let groups = (n / 2 + 1).div_ceil(4);
    assert!(
        re.len() >= 2 * n + 4
            && im.len() >= 2 * n + 4
            && twiddles.len() >= 24 * groups
            && to.len() >= 4 / Q::Part::WIDTH * half
            && half >= 8 * Q::Part::WIDTH * groups
            && n >= 16
    );
    let (re, im, twiddles, to) = (re.as_ptr(), im.as_ptr(), twiddles.as_ptr(), to.as_mut_ptr());
    for group in 0..groups {
        let r = 4 * group;
        // SAFETY: r ≤ n/2, so upward loads end at n + n/2 + 3 ≤ 2n, mirrored ones lie between n/2 − 6 and 2n + 1; lengths checked above.
        unsafe {
            let up = |at: usize| Complex::new(Q::load(re.add(at)), Q::load(im.add(at)));
            let down = |at: usize| Complex::new(Q::load(re.add(at - 3)).reversed(), -Q::load(im.add(at - 3)).reversed());
            let a = up(r);
            let z = if n - r - 3 >= bins {
                [a; 4]
            } else if n + r >= bins && 2 * n - r - 3 >= bins {
                let d = down(n - r);
                [a.add(d), Complex::new(a.re + d.im, a.im - d.re), a.sub(d), Complex::new(a.re - d.im, a.im + d.re)]
            } else {
                inverse::<Q, 4>(&[a, up(n + r), down(2 * n - r), down(n - r)])
            };
            let w = twiddles.add(24 * group);
            let z: [Complex<Q>; 4] = core::array::from_fn(|p| if p == 0 { z[p] } else { z[p].times(get(w, p - 1)) });
            let rows_re = Q::transposed([z[0].re, z[1].re, z[2].re, z[3].re]);
            let rows_im = Q::transposed([z[0].im, z[1].im, z[2].im, z[3].im]);
            for k in 0..4 {
                put_parts(to, half, r + k, Complex::new(rows_re[k], rows_im[k]));
            }
        }
    }
}
