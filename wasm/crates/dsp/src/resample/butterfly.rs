//! Short transforms of 2, 3, 4, 5 and 7 points over lanes: complex forward, real forward, and real from half a spectrum. Forward is
//! e^{-2πi/R}, unscaled. Odd lengths use the even and odd halves of the cosine form (C. Van Loan, Computational Frameworks for the FFT,
//! 1992).

use super::simd_lanes::Vector;

/// A complex number in every lane.
#[derive(Clone, Copy)]
pub struct Complex<V> {
    pub re: V,
    pub im: V,
}

impl<V: Vector> Complex<V> {
    #[inline(always)]
    pub fn new(re: V, im: V) -> Self {
        Complex { re, im }
    }
    #[inline(always)]
    pub fn add(self, o: Self) -> Self {
        Complex { re: self.re + o.re, im: self.im + o.im }
    }
    #[inline(always)]
    pub fn sub(self, o: Self) -> Self {
        Complex { re: self.re - o.re, im: self.im - o.im }
    }
    /// self × o
    #[inline(always)]
    pub fn times(self, o: Self) -> Self {
        Complex { re: self.re * o.re - self.im * o.im, im: self.re * o.im + self.im * o.re }
    }
    /// self × conjugate of o
    #[inline(always)]
    pub fn times_conjugate(self, o: Self) -> Self {
        Complex { re: self.re * o.re + self.im * o.im, im: self.im * o.re - self.re * o.im }
    }
    #[inline(always)]
    pub fn conjugate(self) -> Self {
        Complex { re: self.re, im: -self.im }
    }
    #[inline(always)]
    pub fn swapped(self) -> Self {
        Complex { re: self.im, im: self.re }
    }
}

const COS_3: [f64; 3] = [1.0, -0.5, -0.5];
const SIN_3: [f64; 3] = [0.0, 0.8660254037844386, -0.8660254037844386];
const COS_5: [f64; 5] = [1.0, 0.30901699437494745, -0.8090169943749475, -0.8090169943749475, 0.30901699437494745];
const SIN_5: [f64; 5] = [0.0, 0.9510565162951535, 0.5877852522924731, -0.5877852522924731, -0.9510565162951535];
const COS_7: [f64; 7] =
    [1.0, 0.6234898018587336, -0.2225209339563144, -0.9009688679024191, -0.9009688679024191, -0.2225209339563144, 0.6234898018587336];
const SIN_7: [f64; 7] =
    [0.0, 0.7818314824680298, 0.9749279121818236, 0.4338837391175582, -0.4338837391175582, -0.9749279121818236, -0.7818314824680298];

#[inline(always)]
fn cosine<V: Vector, const R: usize>(k: usize) -> V {
    V::constant(match R {
        3 => COS_3[k % 3],
        5 => COS_5[k % 5],
        _ => COS_7[k % 7],
    })
}
#[inline(always)]
fn sine<V: Vector, const R: usize>(k: usize) -> V {
    V::constant(match R {
        3 => SIN_3[k % 3],
        5 => SIN_5[k % 5],
        _ => SIN_7[k % 7],
    })
}

/// Σ_k cos(2πjk/R)·even[k] and Σ_k sin(2πjk/R)·odd[k], k = 1…(R−1)/2.
#[inline(always)]
fn cosine_sum<V: Vector, const R: usize>(j: usize, even: &[V; 4]) -> V {
    let mut sum = even[1] * cosine::<V, R>(j);
    for k in 2..=R / 2 {
        sum = sum + even[k] * cosine::<V, R>(j * k);
    }
    sum
}
#[inline(always)]
fn sine_sum<V: Vector, const R: usize>(j: usize, odd: &[V; 4]) -> V {
    let mut sum = odd[1] * sine::<V, R>(j);
    for k in 2..=R / 2 {
        sum = sum + odd[k] * sine::<V, R>(j * k);
    }
    sum
}

#[inline(always)]
fn four<V: Vector>(z: [Complex<V>; 4]) -> [Complex<V>; 4] {
    let (a, b, c, d) = (z[0].add(z[2]), z[0].sub(z[2]), z[1].add(z[3]), z[1].sub(z[3]));
    [a.add(c), Complex::new(b.re + d.im, b.im - d.re), a.sub(c), Complex::new(b.re - d.im, b.im + d.re)]
}

/// Complex transform of R points.
#[inline(always)]
pub fn forward<V: Vector, const R: usize>(z: &[Complex<V>; R]) -> [Complex<V>; R] {
    let mut y = *z;
    match R {
        2 => (y[0], y[1]) = (z[0].add(z[1]), z[0].sub(z[1])),
        4 => y[..4].copy_from_slice(&four([z[0], z[1], z[2], z[3]])),
        _ => {
            let zero = V::zero();
            let (mut even_re, mut even_im, mut odd_re, mut odd_im) = ([zero; 4], [zero; 4], [zero; 4], [zero; 4]);
            for k in 1..=R / 2 {
                (even_re[k], even_im[k]) = (z[k].re + z[R - k].re, z[k].im + z[R - k].im);
                (odd_re[k], odd_im[k]) = (z[k].re - z[R - k].re, z[k].im - z[R - k].im);
                y[0] = Complex::new(y[0].re + even_re[k], y[0].im + even_im[k]);
            }
            for j in 1..=R / 2 {
                let re = z[0].re + cosine_sum::<V, R>(j, &even_re);
                let im = z[0].im + cosine_sum::<V, R>(j, &even_im);
                let (s, t) = (sine_sum::<V, R>(j, &odd_im), sine_sum::<V, R>(j, &odd_re));
                y[j] = Complex::new(re + s, im - t);
                y[R - j] = Complex::new(re - s, im + t);
            }
        }
    }
    y
}

/// Complex transform with e^{+2πi/R}.
#[inline(always)]
pub fn inverse<V: Vector, const R: usize>(z: &[Complex<V>; R]) -> [Complex<V>; R] {
    let swapped = core::array::from_fn(|j| z[j].swapped());
    let y = forward::<V, R>(&swapped);
    core::array::from_fn(|j| y[j].swapped())
}

/// Transform of R real points; bins 0…R/2 are valid.
#[inline(always)]
pub fn real_forward<V: Vector, const R: usize>(x: &[V; R]) -> [Complex<V>; R] {
    let zero = V::zero();
    let mut y = [Complex::new(zero, zero); R];
    match R {
        2 => {
            y[0].re = x[0] + x[1];
            y[1].re = x[0] - x[1];
        }
        4 => {
            let (a, c) = (x[0] + x[2], x[1] + x[3]);
            y[0].re = a + c;
            y[1] = Complex::new(x[0] - x[2], x[3] - x[1]);
            y[2].re = a - c;
        }
        _ => {
            let (mut even, mut odd) = ([zero; 4], [zero; 4]);
            y[0].re = x[0];
            for k in 1..=R / 2 {
                even[k] = x[k] + x[R - k];
                odd[k] = x[R - k] - x[k];
                y[0].re = y[0].re + even[k];
            }
            for j in 1..=R / 2 {
                y[j] = Complex::new(x[0] + cosine_sum::<V, R>(j, &even), sine_sum::<V, R>(j, &odd));
            }
        }
    }
    y
}

/// R real points from bins 0…R/2 (bins 0 and R/2 real), with e^{+2πi/R}, unscaled.
#[inline(always)]
pub fn real_inverse<V: Vector, const R: usize>(y: &[Complex<V>; R]) -> [V; R] {
    let mut x = [y[0].re; R];
    match R {
        2 => (x[0], x[1]) = (y[0].re + y[1].re, y[0].re - y[1].re),
        4 => {
            let (a, b) = (y[0].re + y[2].re, y[0].re - y[2].re);
            let (c, d) = (y[1].re + y[1].re, y[1].im + y[1].im);
            (x[0], x[1], x[2], x[3]) = (a + c, b - d, a - c, b + d);
        }
        _ => {
            let zero = V::zero();
            let (mut even, mut odd) = ([zero; 4], [zero; 4]);
            for k in 1..=R / 2 {
                even[k] = y[k].re + y[k].re;
                odd[k] = y[k].im + y[k].im;
                x[0] = x[0] + even[k];
            }
            for j in 1..=R / 2 {
                let (c, s) = (y[0].re + cosine_sum::<V, R>(j, &even), sine_sum::<V, R>(j, &odd));
                x[j] = c - s;
                x[R - j] = c + s;
            }
        }
    }
    x
}
