//! Overlap-save resampling with unequal transforms (R. G. Lyons, Understanding Digital Signal Processing, section 13.10; A. V. Oppenheim
//! and R. W. Schafer, section 8.7): a window, filled up with zeros in front to 4·k·m samples, is transformed, its bins below fN are
//! weighted by the filter's response, and a transform of 4·k·l bins gives the same span of time at the other rate. The four lanes hold the
//! samples 4t, 4t + 1, 4t + 2 and 4t + 3.

use super::design::Response;
use super::geometry::Geometry;
use super::simd_fft::{gather, scatter, Run};
use super::simd_lanes::{Quad, Vector};
use super::transform::{fill_twiddles, product, root, transform, transform_back, Buffers, Radices};

abi::pod! {
    /// Sizes of everything that a transform needs, in elements unless said.
    pub struct Sizes {
        radices_in: Radices,
        radices_out: Radices,
        points_in: u32,
        points_out: u32,
        /// Bins that carry signal.
        bins: u32,
        twiddles_in: u32,
        twiddles_out: u32,
        turns: u32,
        /// A buffer of one part of the lanes, and half a long spectrum.
        part: u32,
        spectrum: u32,
    }
}

const fn whole(count: usize) -> u32 {
    count.next_multiple_of(4) as u32
}

impl Sizes {
    /// None for a geometry whose method is not fft.
    pub fn of<Q: Quad>(geometry: &Geometry) -> Option<Sizes> {
        let (points_in, points_out) = (geometry.points_in, geometry.points_out);
        let (radices_in, radices_out) = (Radices::of(points_in as usize)?, Radices::of(points_out as usize)?);
        Some(Sizes {
            points_in,
            points_out,
            bins: 2 * points_in.min(points_out),
            twiddles_in: whole(radices_in.twiddles()),
            twiddles_out: whole(radices_out.twiddles()),
            turns: 24 * (points_out / 2 + 1).div_ceil(4),
            part: whole(radices_in.part::<Q::Part>().max(radices_out.part::<Q::Part>())),
            spectrum: whole(2 * points_in.max(points_out) as usize + 8),
            radices_in,
            radices_out,
        })
    }
    /// Elements of the shared tables.
    pub fn tables(&self) -> usize {
        (self.twiddles_in + self.twiddles_out + self.turns + 8 * (self.bins + 3)) as usize
    }
    /// Elements of scratch, beside [`Sizes::samples`].
    pub fn scratch<Q: Quad>(&self) -> usize {
        2 * self.parts::<Q>() + 2 * self.spectrum as usize
    }
    /// Samples of scratch: what goes in, then what comes out.
    pub fn samples(&self) -> usize {
        4 * self.points_in.max(self.points_out) as usize
    }
    fn parts<Q: Quad>(&self) -> usize {
        4 / Q::Part::WIDTH * self.part as usize
    }
    fn split<'t, E>(&self, tables: &'t [E]) -> [&'t [E]; 4] {
        let (twiddles_in, rest) = tables.split_at(self.twiddles_in as usize);
        let (twiddles_out, rest) = rest.split_at(self.twiddles_out as usize);
        let (turns, gains) = rest.split_at(self.turns as usize);
        [twiddles_in, twiddles_out, turns, gains]
    }
}

/// Writes the tables: twiddles of both transforms, turns of the inverse's first step, and per bin the gain of each lane.
pub fn fill_tables<Q: Quad>(geometry: &Geometry, sizes: &Sizes, tables: &mut [Q::Element]) {
    let (twiddles_in, rest) = tables.split_at_mut(sizes.twiddles_in as usize);
    let (twiddles_out, rest) = rest.split_at_mut(sizes.twiddles_out as usize);
    let (turns, gains) = rest.split_at_mut(sizes.turns as usize);
    fill_twiddles::<Q>(&sizes.radices_in, twiddles_in);
    fill_twiddles::<Q>(&sizes.radices_out, twiddles_out);
    for (group, block) in turns.chunks_exact_mut(24).enumerate() {
        for (at, place) in block.iter_mut().enumerate() {
            let (lane, imaginary, bin) = (at / 8 + 1, at % 8 / 4, 4 * group + at % 4);
            let (re, im) = root(lane * bin, 4 * sizes.points_out as usize);
            *place = Q::element(if imaginary == 1 { -im } else { re });
        }
    }
    let response = Response::of(geometry.quality as usize);
    let (length, lower) = (4 * sizes.points_in as usize, 2 * sizes.bins);
    // The result is turned back to the hop's first frame, so that its outputs stand at the front of the inverse.
    let back = (geometry.window - geometry.behind) as usize;
    for (bin, block) in gains.chunks_exact_mut(8).enumerate() {
        let level = response.at(bin as f64 / f64::from(lower)) / length as f64;
        for lane in 0..4 {
            let (re, im) = product(root(lane * bin, length), root(back * bin, length));
            block[lane] = Q::element(re * level);
            block[4 + lane] = Q::element(im * level);
        }
    }
}

/// Working memory of one block.
pub struct Work<'a, E> {
    elements: &'a mut [E],
    samples: &'a mut [f32],
}

impl<'a, E> Work<'a, E> {
    /// `elements`: [`Sizes::scratch`], `samples`: [`Sizes::samples`].
    pub fn new(elements: &'a mut [E], samples: &'a mut [f32]) -> Self {
        Work { elements, samples }
    }
}

/// Resamples one window of `geometry.window` frames; its outputs stand at the front of the returned samples.
pub fn block<'w, Q: Quad>(sizes: &Sizes, tables: &[Q::Element], window: &[f32], work: &'w mut Work<'_, Q::Element>) -> &'w [f32] {
    let [twiddles_in, twiddles_out, turns, gains] = sizes.split(tables);
    let (a, rest) = work.elements.split_at_mut(sizes.parts::<Q>());
    let (b, rest) = rest.split_at_mut(sizes.parts::<Q>());
    let (re, im) = rest.split_at_mut(sizes.spectrum as usize);
    let (part, bins) = (sizes.part as usize, sizes.bins as usize);
    let mut buffers = Buffers { a, b, part };
    let input = &mut work.samples[..4 * sizes.points_in as usize];
    let (zeros, frames) = input.split_at_mut(input.len() - window.len());
    zeros.fill(0.0);
    frames.copy_from_slice(window);
    transform::<Q>(&sizes.radices_in, twiddles_in, input, &mut buffers);
    let (points, half) = (sizes.points_in as usize, sizes.points_in as usize / 2 + 1);
    let mut bin = 0;
    // Bins 0…n/2 of the long spectrum come from bins 0…n/2 of the short ones, the next ones from their mirror image, and so on.
    while bin < bins {
        let mirrored = bin % points != 0;
        let (source, count) = if mirrored { (points - half, points - half) } else { (0, half) };
        let run = Run { bin, count: count.min(bins - bin), source, mirrored };
        gather::<Q>(buffers.a, part, gains, re, im, run);
        bin += run.count;
    }
    re[bin..].fill(Q::Element::default());
    im[bin..].fill(Q::Element::default());
    scatter::<Q>(re, im, turns, buffers.a, part, sizes.points_out as usize, bins);
    transform_back::<Q>(&sizes.radices_out, twiddles_out, &mut buffers, work.samples);
    work.samples
}
