//! Resampling between any two whole rates (audio.md section 4): a polyphase filter bank, or overlap-save with short real transforms.

mod butterfly;
mod design;
mod direct;
mod geometry;
mod history;
mod kernel;
mod overlap;
mod simd_dot;
mod simd_fft;
mod simd_lanes;
mod transform;

pub use kernel::Resample;
