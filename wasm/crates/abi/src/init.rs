use crate::generated::{asset, init, limit, port, port_flag, ABI_VERSION};
use crate::memory::{inside, load, slice, store};
use crate::{Element, Status};

/// Most ports, params or assets that a block may declare; more is a malformed block.
const MOST: u32 = 4_096;
/// Most frames of one call.
const MOST_FRAMES: u32 = 1 << 24;

/// The Init block: what `size`, `shared` and `init` read. Opening it checks every count and address, so no accessor traps (KE-10).
#[derive(Clone, Copy)]
pub struct Init {
    address: u32,
}

/// What a port is before the first call.
#[derive(Clone, Copy, Debug)]
pub struct PortFacts {
    pub connected: bool,
    pub channels: usize,
    pub dtype: u32,
    pub media: u32,
    /// Elements per frame and channel.
    pub width: usize,
    pub frames_per_second: f64,
}

impl Init {
    /// Checks the block at `address`. Errors: `BAD_STATE` other contract version, `BAD_PARAM` a count or address, `BAD_MEDIA`
    /// channels or rate, `BAD_DATA` an asset.
    pub fn open(address: u32) -> Result<Init, Status> {
        if !inside(address, 1, init::BYTES) {
            return Err(Status::BAD_PARAM);
        }
        let block = Init { address };
        if block.word(init::VERSION) != ABI_VERSION {
            return Err(Status::BAD_STATE);
        }
        let (inputs, outputs) = (block.word(init::INPUTS), block.word(init::OUTPUTS));
        let (params, assets) = (block.word(init::PARAM_COUNT), block.word(init::ASSET_COUNT));
        if inputs > MOST || outputs > MOST || params > MOST || assets > MOST || block.word(init::MAX_FRAMES) > MOST_FRAMES {
            return Err(Status::BAD_PARAM);
        }
        let tables = [(init::PORTS, inputs + outputs, port::BYTES), (init::PARAMS, params, 8), (init::ASSETS, assets, asset::BYTES)];
        if tables.iter().any(|&(field, count, bytes)| count > 0 && !inside(block.word(field), count, bytes)) {
            return Err(Status::BAD_PARAM);
        }
        for index in 0..inputs + outputs {
            let facts = block.port(index);
            if facts.connected && (facts.channels == 0 || facts.channels > limit::CHANNELS as usize || facts.width == 0) {
                return Err(Status::BAD_MEDIA);
            }
        }
        let assets_inside = (0..assets).all(|i| {
            let entry = block.word(init::ASSETS) + i * asset::BYTES;
            let bytes: u32 = load(entry + asset::BYTES_U32);
            let at: u32 = load(entry + asset::ADDRESS);
            bytes == 0 || (inside(at, bytes, 1) && at % 8 == 0)
        });
        if !block.rate().is_finite() || block.rate() < 0.0 {
            return Err(Status::BAD_MEDIA);
        }
        if assets_inside {
            Ok(block)
        } else {
            Err(Status::BAD_DATA)
        }
    }

    /// Most frames that any call will have.
    pub fn max_frames(&self) -> usize {
        self.word(init::MAX_FRAMES) as usize
    }
    /// Rate of the first stream port, Hz; 0 without one.
    pub fn rate(&self) -> f64 {
        load(self.address + init::RATE_F64)
    }
    pub fn seed(&self) -> u64 {
        load(self.address + init::SEED_U64)
    }
    pub fn inputs(&self) -> usize {
        self.word(init::INPUTS) as usize
    }
    pub fn outputs(&self) -> usize {
        self.word(init::OUTPUTS) as usize
    }
    /// Input `index`. Error: `BAD_MEDIA` when it does not exist or is not connected.
    pub fn input(&self, index: usize) -> Result<PortFacts, Status> {
        let facts = if index < self.inputs() { self.port(index as u32) } else { return Err(Status::BAD_MEDIA) };
        if facts.connected {
            Ok(facts)
        } else {
            Err(Status::BAD_MEDIA)
        }
    }
    /// Output `index`, connected or not. Error: `BAD_MEDIA` when it does not exist.
    pub fn output(&self, index: usize) -> Result<PortFacts, Status> {
        if index < self.outputs() {
            Ok(self.port((self.inputs() + index) as u32))
        } else {
            Err(Status::BAD_MEDIA)
        }
    }
    /// Param slot `index`: number, enum index, boolean 0 or 1; NaN when absent.
    pub fn param(&self, index: usize) -> f64 {
        if index < self.word(init::PARAM_COUNT) as usize {
            load(self.word(init::PARAMS) + index as u32 * 8)
        } else {
            f64::NAN
        }
    }
    /// Param slot `index` as an integer in `range`. Error: `BAD_PARAM` for anything else, NaN included.
    pub fn integer(&self, index: usize, range: core::ops::RangeInclusive<i64>) -> Result<i64, Status> {
        let value = self.param(index);
        if value == (value as i64) as f64 && range.contains(&(value as i64)) {
            Ok(value as i64)
        } else {
            Err(Status::BAD_PARAM)
        }
    }
    /// Param slot `index` as a finite number in `range`. Error: `BAD_PARAM`.
    pub fn number(&self, index: usize, range: core::ops::RangeInclusive<f64>) -> Result<f64, Status> {
        let value = self.param(index);
        if range.contains(&value) {
            Ok(value)
        } else {
            Err(Status::BAD_PARAM)
        }
    }
    /// Asset `index`. Errors: `BAD_DATA` when it is missing or of another element type.
    pub fn asset<T: Element>(&self, index: usize) -> Result<&[T], Status> {
        if index >= self.word(init::ASSET_COUNT) as usize {
            return Err(Status::BAD_DATA);
        }
        asset_slice(self.word(init::ASSETS) + index as u32 * asset::BYTES)
    }
    pub(crate) fn shared_address(&self) -> u32 {
        self.word(init::SHARED)
    }
    pub(crate) fn shared_bytes(&self) -> u32 {
        self.word(init::SHARED_BYTES)
    }
    /// The shared block, as far as it was filled; empty when there is none.
    pub fn shared(&self) -> crate::Shared<'_> {
        let address = self.shared_address();
        let bytes = if inside(address, self.shared_bytes(), 1) && address % 16 == 0 { self.shared_bytes() } else { 0 };
        crate::Shared::new(address, bytes)
    }
    pub(crate) fn set_need(&self, scratch: u32, shared: u32) {
        store(self.address + init::SCRATCH_BYTES, scratch);
        store(self.address + init::SHARED_BYTES, shared);
    }
    fn port(&self, index: u32) -> PortFacts {
        let at = self.word(init::PORTS) + index * port::BYTES;
        let flags: u16 = load(at + port::FLAGS_U16);
        PortFacts {
            connected: u32::from(flags) & port_flag::CONNECTED != 0,
            channels: load::<u32>(at + port::CHANNELS) as usize,
            dtype: u32::from(load::<u8>(at + port::DTYPE_U8)),
            media: u32::from(load::<u8>(at + port::MEDIA_U8)),
            width: load::<u32>(at + port::WIDTH) as usize,
            frames_per_second: load(at + port::FPS_F64),
        }
    }
    fn word(&self, field: u32) -> u32 {
        load(self.address + field)
    }
}

/// The values of an asset entry. Error: `BAD_DATA` when the element type or size does not fit.
pub(crate) fn asset_slice<'a, T: Element>(entry: u32) -> Result<&'a [T], Status> {
    let (address, bytes): (u32, u32) = (load(entry + asset::ADDRESS), load(entry + asset::BYTES_U32));
    let (dtype, count): (u32, u32) = (load(entry + asset::DTYPE), load(entry + asset::COUNT));
    if dtype != T::DTYPE || u64::from(count) * core::mem::size_of::<T>() as u64 > u64::from(bytes) {
        return Err(Status::BAD_DATA);
    }
    // SAFETY: the span was checked by `Init::open`, is 8-aligned, and assets are read-only (KE-02).
    Ok(unsafe { slice(address, count as usize) })
}
