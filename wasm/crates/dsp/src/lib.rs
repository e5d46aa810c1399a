//! Kernels whose algorithms are large.
#![deny(unsafe_code)]

pub mod approx;
pub mod resample;
