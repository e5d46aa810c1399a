//! Kernel `resample`: twin of `src/nodes/audio/resample.ts`. Params: rate (Hz), quality, method. Shared block: the bank, or the tables of
//! the transforms. State: where the stream stands, and behind it the kept frames of every channel. @realtime

use super::design::fill_bank;
use super::direct::Direct;
use super::geometry::Geometry;
use super::history::{capacity, Feed, Position, ENDED};
use super::overlap::{block, fill_tables, Sizes, Work};
use super::simd_lanes::{F32x4, F64x4, Quad};
use abi::generated::{dtype_id, media_id};
use abi::{Init, Io, Kernel, Need, PortFacts, Scratch, Shared, State, Status, Tail, Watch};

/// Outputs after which the cancel word is read, about: well below 10 ms of work for usual filters.
const STRIDE: usize = 8_192;

abi::pod! {
    pub struct Resample {
        geometry: Geometry,
        sizes: Sizes,
        position: Position,
        channels: u32,
        capacity: u32,
    }
}

/// Checks everything that Init says (KE-10) and gives the geometry.
fn geometry_of(init: &Init) -> Result<Geometry, Status> {
    if init.max_frames() == 0 || init.param(3) != 0.0 {
        return Err(Status::BAD_PARAM);
    }
    if init.inputs() != 1 || init.outputs() != 1 {
        return Err(Status::BAD_MEDIA);
    }
    let (input, output, from, to) = (init.input(0)?, init.output(0)?, init.rate(), init.integer(0, 100..=768_000)?);
    let is_audio = |port: &PortFacts, rate: f64| {
        port.dtype == dtype_id::F32 && port.media == media_id::AUDIO && port.width == 1 && port.frames_per_second == rate
    };
    if !is_audio(&input, from) || (output.connected && (!is_audio(&output, to as f64) || output.channels != input.channels)) {
        return Err(Status::BAD_MEDIA);
    }
    if !(100.0..=768_000.0).contains(&from) || from != f64::from(from as u32) {
        return Err(Status::UNSUPPORTED);
    }
    let told = init.param(4);
    if !told.is_nan() && told != from {
        return Err(Status::BAD_PARAM);
    }
    Geometry::of(from as u64, to as u64, init.integer(1, 0..=3)? as usize, init.integer(2, 0..=2)? as usize)
}

/// Fft at `best` works in f64: f32 transforms would leave noise at −137 dB.
fn is_wide(geometry: &Geometry) -> bool {
    geometry.quality as usize == super::geometry::BEST
}

fn sizes_of(geometry: &Geometry) -> Option<Sizes> {
    if is_wide(geometry) {
        Sizes::of::<F64x4>(geometry)
    } else {
        Sizes::of::<F32x4>(geometry)
    }
}

/// Bytes of tables and of scratch.
fn fft_need<Q: Quad>(geometry: &Geometry) -> (usize, usize) {
    let bytes = core::mem::size_of::<Q::Element>();
    sizes_of(geometry).map_or((0, 0), |sizes| (bytes * sizes.tables(), bytes * sizes.scratch::<Q>() + 4 * sizes.samples() + 48))
}

impl Kernel for Resample {
    const VERSION: u32 = 1;

    fn size(init: &Init) -> Result<Need, Status> {
        let geometry = geometry_of(init)?;
        let channels = init.input(0)?.channels;
        let (shared, scratch) = match (geometry.is_fft(), is_wide(&geometry)) {
            (false, _) => ((u64::from(geometry.phases) * geometry.taps) as usize * 4, 0),
            (true, false) => fft_need::<F32x4>(&geometry),
            (true, true) => fft_need::<F64x4>(&geometry),
        };
        Ok(Need { tail: channels * Tail::bytes_of::<f32>(capacity(&geometry, init.max_frames())), scratch, shared })
    }

    fn shared(mut block: Scratch<'_>, init: &Init) -> Result<(), Status> {
        let geometry = geometry_of(init)?;
        if !geometry.is_fft() {
            fill_bank(&geometry, block.take(u64::from(geometry.phases) as usize * geometry.taps as usize)?);
            return Ok(());
        }
        if is_wide(&geometry) {
            fill::<F64x4>(&geometry, block)
        } else {
            fill::<F32x4>(&geometry, block)
        }
    }

    fn init(state: &mut State<'_, Self>, init: &Init) -> Result<(), Status> {
        let geometry = geometry_of(init)?;
        let channels = init.input(0)?.channels as u32;
        let capacity = capacity(&geometry, init.max_frames()) as u32;
        let (own, _) = state.parts();
        *own = Resample { geometry, sizes: sizes_of(&geometry).unwrap_or(own.sizes), channels, capacity, ..*own };
        Ok(())
    }

    fn process(state: &mut State<'_, Self>, io: &mut Io<'_>) -> Result<usize, Status> {
        let (frames, silent) = (io.frames(), io.input(0).silent());
        let geometry = state.geometry;
        let mut now = state.position.begun(&geometry, io.position());
        if now.phase == ENDED {
            return Err(Status::BAD_STATE);
        }
        let ready = geometry.ready(now.input + frames as u64).max(now.output);
        let produced = (ready - now.output) as usize;
        let output = io.output(0);
        if output.connected() && output.room() < produced {
            return Err(Status::NO_ROOM);
        }
        if !silent {
            now.sound = (now.input + frames as u64) as i64;
        }
        let next = now.advanced(&geometry, frames, ready);
        step(state, io, &Step { now, next, frames, done: 0, ended: false })?;
        state.position = next;
        if produced > 0 && now.is_silent(&geometry) {
            io.output(0).set_silent();
        }
        io.produced(0, produced)
    }

    fn flush(state: &mut State<'_, Self>, io: &mut Io<'_>) -> Result<usize, Status> {
        let geometry = state.geometry;
        let mut now = state.position.begun(&geometry, io.position());
        if now.phase != ENDED {
            now = Position { phase: ENDED, frames: now.input, ..now };
        }
        let left = geometry.total(now.frames).saturating_sub(now.output) as usize;
        let output = io.output(0);
        let produced = left.min(if output.connected() { output.room() } else { STRIDE });
        let end = now.output + produced as u64;
        let mut done = 0;
        while now.output < end {
            // Zeros for as long as the kept frames have room.
            let frames = state.capacity as usize - now.held as usize;
            let next = now.advanced(&geometry, frames, geometry.ready(now.input + frames as u64).clamp(now.output, end));
            step(state, io, &Step { now, next, frames, done, ended: true })?;
            done += (next.output - now.output) as usize;
            now = next;
        }
        state.position = now;
        io.produced(0, produced)
    }

    fn reset(state: &mut State<'_, Self>) {
        let (own, mut tail) = state.parts();
        own.position = Position::default();
        tail.rest::<f32>().fill(0.0);
    }
}

fn fill<Q: Quad>(geometry: &Geometry, mut block: Scratch<'_>) -> Result<(), Status> {
    let sizes = sizes_of(geometry).ok_or(Status::BAD_PARAM)?;
    fill_tables::<Q>(geometry, &sizes, block.take(sizes.tables())?);
    Ok(())
}

/// From one position to the next: `frames` frames of input (zeros when the stream has ended), outputs written from `done` on.
struct Step {
    now: Position,
    next: Position,
    frames: usize,
    done: usize,
    ended: bool,
}

fn step(state: &mut State<'_, Resample>, io: &mut Io<'_>, step: &Step) -> Result<(), Status> {
    let (own, mut tail) = state.parts();
    let own = &*own;
    let geometry = &own.geometry;
    let mut parts = io.parts();
    let mut method = Method::of(geometry, &own.sizes, parts.shared, &mut parts.scratch)?;
    for channel in 0..own.channels as usize {
        let kept = tail.take::<f32>(own.capacity as usize);
        let new = if step.ended { None } else { Some(parts.inputs.get(0).channel::<f32>(channel)) };
        let mut output = parts.outputs.get(0);
        let out: &mut [f32] = if output.connected() {
            &mut output.channel_mut(channel)[step.done..][..(step.next.output - step.now.output) as usize]
        } else {
            &mut []
        };
        Feed { kept, new, count: step.frames }.run(geometry, &step.now, &step.next, out, |first, out, samples, start| {
            let quiet = geometry.first_from(first, first + out.len() as u64, step.now.sound) - first;
            let (loud, quiet) = out.split_at_mut(quiet as usize);
            quiet.fill(0.0);
            method.run(geometry, first, loud, samples, start, parts.watch)
        })?;
    }
    Ok(())
}

/// How the outputs of this call are computed, with its tables and working memory.
enum Method<'a> {
    Direct(&'a [f32]),
    Narrow(&'a Sizes, &'a [f32], Work<'a, f32>),
    Wide(&'a Sizes, &'a [f64], Work<'a, f64>),
}

impl<'a> Method<'a> {
    fn of(geometry: &Geometry, sizes: &'a Sizes, shared: Shared<'a>, work: &mut Scratch<'a>) -> Result<Method<'a>, Status> {
        if !geometry.is_fft() {
            return Ok(Method::Direct(shared.slice(0, u64::from(geometry.phases) as usize * geometry.taps as usize)));
        }
        let (scratch, samples) =
            if is_wide(geometry) { (sizes.scratch::<F64x4>(), sizes.samples()) } else { (sizes.scratch::<F32x4>(), sizes.samples()) };
        Ok(if is_wide(geometry) {
            Method::Wide(sizes, shared.slice(0, sizes.tables()), Work::new(work.take(scratch)?, work.take(samples)?))
        } else {
            Method::Narrow(sizes, shared.slice(0, sizes.tables()), Work::new(work.take(scratch)?, work.take(samples)?))
        })
    }

    /// Writes the outputs from `k` on; `samples` starts at input frame `start` and covers every window.
    fn run(
        &mut self,
        geometry: &Geometry,
        mut k: u64,
        mut out: &mut [f32],
        samples: &[f32],
        start: i64,
        watch: Watch<'_>,
    ) -> Result<(), Status> {
        while !out.is_empty() {
            let count = match self {
                Method::Direct(_) if geometry.interpolated == 0 => STRIDE.next_multiple_of(4 * geometry.l as usize),
                Method::Direct(_) => STRIDE,
                _ => (geometry.hop_out() - k % geometry.hop_out()) as usize,
            };
            let (now, later) = out.split_at_mut(count.min(out.len()));
            let window = &samples[(geometry.start(k) - start) as usize..];
            match self {
                Method::Direct(bank) => Direct { geometry, bank }.run(k, now, window),
                Method::Narrow(sizes, tables, work) => {
                    place(geometry, k, now, block::<F32x4>(sizes, tables, &window[..geometry.window as usize], work))
                }
                Method::Wide(sizes, tables, work) => {
                    place(geometry, k, now, block::<F64x4>(sizes, tables, &window[..geometry.window as usize], work))
                }
            }
            k += now.len() as u64;
            out = later;
            if watch.cancelled() {
                return Err(Status::CANCELLED);
            }
            watch.beat();
        }
        Ok(())
    }
}

/// Copies the outputs from `k` on out of their hop. Adding zero makes −0 to 0: silence has one form.
fn place(geometry: &Geometry, k: u64, out: &mut [f32], hop: &[f32]) {
    let from = (k % geometry.hop_out()) as usize;
    for (to, &value) in out.iter_mut().zip(&hop[from..]) {
        *to = value + 0.0;
    }
}

abi::kernel!(resample, Resample);
