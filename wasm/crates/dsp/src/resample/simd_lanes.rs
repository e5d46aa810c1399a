//! Four lanes of f32 or f64, the vector type of the transforms. On wasm32 one or two SIMD registers, elsewhere plain arrays (native tests).
//! Only additions, subtractions and multiplications: the same bits on every host, no fused arithmetic (AU-08).
#![allow(unsafe_code)]

use core::ops::{Add, Mul, Neg, Sub};

/// A register full of numbers that take part in the same operation.
pub trait Vector: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self> + 'static {
    /// What one lane holds in memory.
    type Element: Copy + Default + Into<f64> + abi::Pod;
    /// Lanes.
    const WIDTH: usize;
    fn zero() -> Self;
    fn constant(value: f64) -> Self;
    /// # Safety
    /// `at` points to one element.
    unsafe fn splat(at: *const Self::Element) -> Self;
    /// # Safety
    /// `at` points to as many elements as there are lanes.
    unsafe fn load(at: *const Self::Element) -> Self;
    /// # Safety
    /// `at` points to room for as many elements as there are lanes.
    unsafe fn store(self, at: *mut Self::Element);
    /// # Safety
    /// `at` points to as many samples as there are lanes.
    unsafe fn load_samples(at: *const f32) -> Self;
    /// # Safety
    /// `at` points to room for as many samples as there are lanes.
    unsafe fn store_samples(self, at: *mut f32);
}

/// Four lanes: the unit in which data is laid out. A transform handles them part by part, so that its values fit the registers.
pub trait Quad: Vector {
    type Part: Vector<Element = Self::Element>;
    /// Four lanes whose parts stand `half` elements apart.
    /// # Safety
    /// `at` and the following parts point to as many elements as a part has lanes.
    unsafe fn load_parts(at: *const Self::Element, half: usize) -> Self;
    /// # Safety
    /// As `load_parts`.
    unsafe fn store_parts(self, at: *mut Self::Element, half: usize);
    fn element(value: f64) -> Self::Element;
    /// Last lane first.
    fn reversed(self) -> Self;
    /// Lane i of the result k is lane k of the argument i.
    fn transposed(rows: [Self; 4]) -> [Self; 4];
    /// Lane i = sum of the lanes of row i, as (0+2)+(1+3).
    fn sums(rows: [Self; 4]) -> Self;
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use super::{Quad, Vector};
    use core::arch::wasm32::*;
    use core::ops::{Add, Mul, Neg, Sub};

    macro_rules! operators {
        ($name:ident, $add:ident, $sub:ident, $mul:ident, $neg:ident) => {
            #[derive(Clone, Copy)]
            pub struct $name(v128);
            impl Add for $name {
                type Output = Self;
                #[inline(always)]
                fn add(self, o: Self) -> Self {
                    $name($add(self.0, o.0))
                }
            }
            impl Sub for $name {
                type Output = Self;
                #[inline(always)]
                fn sub(self, o: Self) -> Self {
                    $name($sub(self.0, o.0))
                }
            }
            impl Mul for $name {
                type Output = Self;
                #[inline(always)]
                fn mul(self, o: Self) -> Self {
                    $name($mul(self.0, o.0))
                }
            }
            impl Neg for $name {
                type Output = Self;
                #[inline(always)]
                fn neg(self) -> Self {
                    $name($neg(self.0))
                }
            }
        };
    }
    operators!(F32x4, f32x4_add, f32x4_sub, f32x4_mul, f32x4_neg);
    operators!(F64x2, f64x2_add, f64x2_sub, f64x2_mul, f64x2_neg);
    #[derive(Clone, Copy)]
    pub struct F64x4(F64x2, F64x2);
    impl Add for F64x4 {
        type Output = Self;
        #[inline(always)]
        fn add(self, o: Self) -> Self {
            F64x4(self.0 + o.0, self.1 + o.1)
        }
    }
    impl Sub for F64x4 {
        type Output = Self;
        #[inline(always)]
        fn sub(self, o: Self) -> Self {
            F64x4(self.0 - o.0, self.1 - o.1)
        }
    }
    impl Mul for F64x4 {
        type Output = Self;
        #[inline(always)]
        fn mul(self, o: Self) -> Self {
            F64x4(self.0 * o.0, self.1 * o.1)
        }
    }
    impl Neg for F64x4 {
        type Output = Self;
        #[inline(always)]
        fn neg(self) -> Self {
            F64x4(-self.0, -self.1)
        }
    }

    impl Vector for F32x4 {
        type Element = f32;
        const WIDTH: usize = 4;
        #[inline(always)]
        fn zero() -> Self {
            F32x4(f32x4_splat(0.0))
        }
        #[inline(always)]
        fn constant(value: f64) -> Self {
            F32x4(f32x4_splat(value as f32))
        }
        #[inline(always)]
        unsafe fn splat(at: *const f32) -> Self {
            F32x4(unsafe { v128_load32_splat(at.cast()) })
        }
        #[inline(always)]
        unsafe fn load(at: *const f32) -> Self {
            F32x4(unsafe { v128_load(at.cast()) })
        }
        #[inline(always)]
        unsafe fn store(self, at: *mut f32) {
            unsafe { v128_store(at.cast(), self.0) }
        }
        #[inline(always)]
        unsafe fn load_samples(at: *const f32) -> Self {
            unsafe { Self::load(at) }
        }
        #[inline(always)]
        unsafe fn store_samples(self, at: *mut f32) {
            unsafe { self.store(at) }
        }
    }
    impl Vector for F64x2 {
        type Element = f64;
        const WIDTH: usize = 2;
        #[inline(always)]
        fn zero() -> Self {
            F64x2(f64x2_splat(0.0))
        }
        #[inline(always)]
        fn constant(value: f64) -> Self {
            F64x2(f64x2_splat(value))
        }
        #[inline(always)]
        unsafe fn splat(at: *const f64) -> Self {
            F64x2(unsafe { v128_load64_splat(at.cast()) })
        }
        #[inline(always)]
        unsafe fn load(at: *const f64) -> Self {
            F64x2(unsafe { v128_load(at.cast()) })
        }
        #[inline(always)]
        unsafe fn store(self, at: *mut f64) {
            unsafe { v128_store(at.cast(), self.0) }
        }
        #[inline(always)]
        unsafe fn load_samples(at: *const f32) -> Self {
            F64x2(f64x2_promote_low_f32x4(unsafe { v128_load64_zero(at.cast()) }))
        }
        #[inline(always)]
        unsafe fn store_samples(self, at: *mut f32) {
            unsafe { v128_store64_lane::<0>(f32x4_demote_f64x2_zero(self.0), at.cast()) }
        }
    }
    impl Vector for F64x4 {
        type Element = f64;
        const WIDTH: usize = 4;
        #[inline(always)]
        fn zero() -> Self {
            F64x4(F64x2::zero(), F64x2::zero())
        }
        #[inline(always)]
        fn constant(value: f64) -> Self {
            F64x4(F64x2::constant(value), F64x2::constant(value))
        }
        #[inline(always)]
        unsafe fn splat(at: *const f64) -> Self {
            let v = unsafe { F64x2::splat(at) };
            F64x4(v, v)
        }
        #[inline(always)]
        unsafe fn load(at: *const f64) -> Self {
            unsafe { F64x4(F64x2::load(at), F64x2::load(at.add(2))) }
        }
        #[inline(always)]
        unsafe fn store(self, at: *mut f64) {
            unsafe {
                self.0.store(at);
                self.1.store(at.add(2))
            }
        }
        #[inline(always)]
        unsafe fn load_samples(at: *const f32) -> Self {
            unsafe { F64x4(F64x2::load_samples(at), F64x2::load_samples(at.add(2))) }
        }
        #[inline(always)]
        unsafe fn store_samples(self, at: *mut f32) {
            unsafe {
                self.0.store_samples(at);
                self.1.store_samples(at.add(2))
            }
        }
    }

    impl Quad for F32x4 {
        type Part = F32x4;
        #[inline(always)]
        unsafe fn load_parts(at: *const f32, _: usize) -> Self {
            unsafe { Self::load(at) }
        }
        #[inline(always)]
        unsafe fn store_parts(self, at: *mut f32, _: usize) {
            unsafe { self.store(at) }
        }
        #[inline(always)]
        fn element(value: f64) -> f32 {
            value as f32
        }
        #[inline(always)]
        fn reversed(self) -> Self {
            F32x4(i32x4_shuffle::<3, 2, 1, 0>(self.0, self.0))
        }
        #[inline(always)]
        fn transposed([a, b, c, d]: [Self; 4]) -> [Self; 4] {
            let (ab, cd) = (i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0), i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0));
            let (ef, gh) = (i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0), i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0));
            [
                F32x4(i64x2_shuffle::<0, 2>(ab, cd)),
                F32x4(i64x2_shuffle::<1, 3>(ab, cd)),
                F32x4(i64x2_shuffle::<0, 2>(ef, gh)),
                F32x4(i64x2_shuffle::<1, 3>(ef, gh)),
            ]
        }
        #[inline(always)]
        fn sums([a, b, c, d]: [Self; 4]) -> Self {
            let ab = f32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0), i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0));
            let cd = f32x4_add(i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0), i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0));
            F32x4(f32x4_add(i64x2_shuffle::<0, 2>(ab, cd), i64x2_shuffle::<1, 3>(ab, cd)))
        }
    }

    /// (low lanes, high lanes) of two registers.
    #[inline(always)]
    fn zip(a: F64x2, b: F64x2) -> (F64x2, F64x2) {
        (F64x2(i64x2_shuffle::<0, 2>(a.0, b.0)), F64x2(i64x2_shuffle::<1, 3>(a.0, b.0)))
    }
    impl From<F32x4> for F64x4 {
        #[inline(always)]
        fn from(v: F32x4) -> Self {
            F64x4(F64x2(f64x2_promote_low_f32x4(v.0)), F64x2(f64x2_promote_low_f32x4(i64x2_shuffle::<1, 1>(v.0, v.0))))
        }
    }
    impl Quad for F64x4 {
        type Part = F64x2;
        #[inline(always)]
        unsafe fn load_parts(at: *const f64, half: usize) -> Self {
            unsafe { F64x4(F64x2::load(at), F64x2::load(at.add(half))) }
        }
        #[inline(always)]
        unsafe fn store_parts(self, at: *mut f64, half: usize) {
            unsafe {
                self.0.store(at);
                self.1.store(at.add(half))
            }
        }
        #[inline(always)]
        fn element(value: f64) -> f64 {
            value
        }
        #[inline(always)]
        fn reversed(self) -> Self {
            let turned = |v: F64x2| F64x2(i64x2_shuffle::<1, 0>(v.0, v.0));
            F64x4(turned(self.1), turned(self.0))
        }
        #[inline(always)]
        fn transposed([a, b, c, d]: [Self; 4]) -> [Self; 4] {
            let ((ab0, ab1), (ab2, ab3)) = (zip(a.0, b.0), zip(a.1, b.1));
            let ((cd0, cd1), (cd2, cd3)) = (zip(c.0, d.0), zip(c.1, d.1));
            [F64x4(ab0, cd0), F64x4(ab1, cd1), F64x4(ab2, cd2), F64x4(ab3, cd3)]
        }
        #[inline(always)]
        fn sums([a, b, c, d]: [Self; 4]) -> Self {
            let ((ab0, ab1), (cd0, cd1)) = (zip(a.0 + a.1, b.0 + b.1), zip(c.0 + c.1, d.0 + d.1));
            F64x4(ab0 + ab1, cd0 + cd1)
        }
    }
}
#[cfg(target_arch = "wasm32")]
pub use wasm::{F32x4, F64x4};

#[cfg(not(target_arch = "wasm32"))]
mod plain {
    use super::{Quad, Vector};
    use core::ops::{Add, Mul, Neg, Sub};

    macro_rules! lanes {
        ($name:ident, $element:ty) => {
            #[derive(Clone, Copy)]
            pub struct $name([$element; 4]);
            impl Add for $name {
                type Output = Self;
                #[inline(always)]
                fn add(self, o: Self) -> Self {
                    $name(core::array::from_fn(|i| self.0[i] + o.0[i]))
                }
            }
            impl Sub for $name {
                type Output = Self;
                #[inline(always)]
                fn sub(self, o: Self) -> Self {
                    $name(core::array::from_fn(|i| self.0[i] - o.0[i]))
                }
            }
            impl Mul for $name {
                type Output = Self;
                #[inline(always)]
                fn mul(self, o: Self) -> Self {
                    $name(core::array::from_fn(|i| self.0[i] * o.0[i]))
                }
            }
            impl Neg for $name {
                type Output = Self;
                #[inline(always)]
                fn neg(self) -> Self {
                    $name(self.0.map(|x| -x))
                }
            }
            impl Vector for $name {
                type Element = $element;
                const WIDTH: usize = 4;
                fn zero() -> Self {
                    $name([0.0; 4])
                }
                fn constant(value: f64) -> Self {
                    $name([value as $element; 4])
                }
                unsafe fn splat(at: *const $element) -> Self {
                    $name([unsafe { *at }; 4])
                }
                unsafe fn load(at: *const $element) -> Self {
                    $name(unsafe { at.cast::<[$element; 4]>().read_unaligned() })
                }
                unsafe fn store(self, at: *mut $element) {
                    unsafe { at.cast::<[$element; 4]>().write_unaligned(self.0) }
                }
                unsafe fn load_samples(at: *const f32) -> Self {
                    $name(unsafe { at.cast::<[f32; 4]>().read_unaligned() }.map(|x| x as $element))
                }
                unsafe fn store_samples(self, at: *mut f32) {
                    unsafe { at.cast::<[f32; 4]>().write_unaligned(self.0.map(|x| x as f32)) }
                }
            }
            impl Quad for $name {
                type Part = $name;
                unsafe fn load_parts(at: *const $element, _: usize) -> Self {
                    unsafe { Self::load(at) }
                }
                unsafe fn store_parts(self, at: *mut $element, _: usize) {
                    unsafe { self.store(at) }
                }
                fn element(value: f64) -> $element {
                    value as $element
                }
                fn reversed(self) -> Self {
                    let [a, b, c, d] = self.0;
                    $name([d, c, b, a])
                }
                fn transposed(rows: [Self; 4]) -> [Self; 4] {
                    core::array::from_fn(|k| $name(core::array::from_fn(|i| rows[i].0[k])))
                }
                fn sums(rows: [Self; 4]) -> Self {
                    $name(rows.map(|$name([a, b, c, d])| (a + c) + (b + d)))
                }
            }
        };
    }
    lanes!(F32x4, f32);
    lanes!(F64x4, f64);
    impl From<F32x4> for F64x4 {
        fn from(v: F32x4) -> Self {
            F64x4(v.0.map(f64::from))
        }
    }
}
#[cfg(not(target_arch = "wasm32"))]
pub use plain::{F32x4, F64x4};
