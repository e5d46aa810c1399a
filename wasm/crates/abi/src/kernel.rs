use crate::{Init, Io, Pod, Scratch, State, Status};

/// What an instance needs beside its struct, bytes.
#[derive(Clone, Copy, Default)]
pub struct Need {
    /// Behind the struct; sums of [`Tail::bytes_of`](crate::Tail::bytes_of).
    pub tail: usize,
    /// During a call.
    pub scratch: usize,
    /// Read-only block that `shared` fills.
    pub shared: usize,
}

/// Most bytes of one need: what is larger than any arena would take is a bad param.
const MOST: usize = 1 << 30;

/// A kernel (spec kernels.md section 1). The struct itself is the state: plain data, all zero before `init`.
pub trait Kernel: Pod {
    /// Of the state's layout: a snapshot of another version is refused.
    const VERSION: u32;
    /// Checks params and ports, and says what an instance needs. Called before `shared` and `init`, and again by both.
    fn size(init: &Init) -> Result<Need, Status>;
    /// Fills the read-only block of `Need::shared` zeroed bytes.
    fn shared(block: Scratch<'_>, init: &Init) -> Result<(), Status> {
        let _ = (block, init);
        Ok(())
    }
    /// Fills the state; struct and tail are zero.
    fn init(state: &mut State<'_, Self>, init: &Init) -> Result<(), Status>;
    /// Consumes all input frames; frames produced on output 0, or `END` and the like. `NO_ROOM` before anything was changed.
    fn process(state: &mut State<'_, Self>, io: &mut Io<'_>) -> Result<usize, Status>;
    /// Emits what is left, at most the room, until it returns 0 with nothing done.
    fn flush(state: &mut State<'_, Self>, io: &mut Io<'_>) -> Result<usize, Status> {
        let _ = (state, io);
        Ok(0)
    }
    /// The state as right after `init`.
    fn reset(state: &mut State<'_, Self>);
}

/// The bodies of the exports that [`kernel!`](crate::kernel) emits.
pub mod entry {
    use super::{Kernel, Need, MOST};
    use crate::memory::inside;
    use crate::{state, Init, Io, Scratch, State, Status};

    fn word<T>(result: Result<T, Status>, value: impl FnOnce(T) -> i32) -> i32 {
        result.map_or_else(|status| status.0, value)
    }
    fn need<K: Kernel>(init: &Init) -> Result<Need, Status> {
        let need = K::size(init)?;
        if need.tail > MOST || need.scratch > MOST || need.shared > MOST {
            Err(Status::BAD_PARAM)
        } else {
            Ok(need)
        }
    }
    pub fn size<K: Kernel>(init: u32) -> i32 {
        const { assert!(core::mem::align_of::<K>() <= 16) }
        word(
            Init::open(init).and_then(|init| {
                let need = need::<K>(&init)?;
                init.set_need(need.scratch as u32, need.shared as u32);
                Ok(state::bytes::<K>(need.tail as u32))
            }),
            |bytes| bytes as i32,
        )
    }
    pub fn shared<K: Kernel>(block: u32, init: u32) -> i32 {
        word(
            Init::open(init).and_then(|init| {
                let bytes = need::<K>(&init)?.shared as u32;
                if bytes > 0 && (!inside(block, bytes, 1) || block % 16 != 0) {
                    return Err(Status::BAD_STATE);
                }
                K::shared(Scratch::new(block, bytes), &init)
            }),
            |()| 0,
        )
    }
    pub fn init<K: Kernel>(address: u32, init: u32) -> i32 {
        word(
            Init::open(init).and_then(|init| {
                let need = need::<K>(&init)?;
                if need.shared > 0 && !inside(init.shared_address(), need.shared as u32, 1) {
                    return Err(Status::BAD_STATE);
                }
                init.set_need(need.scratch as u32, need.shared as u32);
                if !inside(address, state::bytes::<K>(need.tail as u32), 1) {
                    return Err(Status::BAD_STATE);
                }
                K::init(&mut State::create(address, K::VERSION, need.tail as u32, need.shared as u32)?, &init)
            }),
            |()| 0,
        )
    }
    #[inline(always)]
    pub fn process<K: Kernel>(address: u32, io: u32) -> i32 {
        match State::<K>::open(address, K::VERSION) {
            Ok(mut state) => {
                state.count_call();
                let shared = state.shared_bytes();
                word(K::process(&mut state, &mut Io::new(io, shared)), |frames| frames as i32)
            }
            Err(status) => status.0,
        }
    }
    #[inline(always)]
    pub fn flush<K: Kernel>(address: u32, io: u32) -> i32 {
        match State::<K>::open(address, K::VERSION) {
            Ok(mut state) => {
                state.count_call();
                let shared = state.shared_bytes();
                word(K::flush(&mut state, &mut Io::new(io, shared)), |frames| frames as i32)
            }
            Err(status) => status.0,
        }
    }
    pub fn reset<K: Kernel>(address: u32) -> i32 {
        word(State::<K>::open(address, K::VERSION), |mut state| {
            K::reset(&mut state);
            0
        })
    }
}

/// Emits the exports of a kernel: `kernel!(resample, Resample)` gives `resample_size`, `_shared`,
/// `_init`, `_process`, `_flush` and `_reset`.
#[macro_export]
macro_rules! kernel {
    ($name:ident, $type:ty) => {
        #[allow(unsafe_code)]
        const _: () = {
            #[unsafe(export_name = concat!(stringify!($name), "_size"))]
            extern "C" fn size(init: u32) -> i32 {
                $crate::entry::size::<$type>(init)
            }
            #[unsafe(export_name = concat!(stringify!($name), "_shared"))]
            extern "C" fn shared(shared: u32, init: u32) -> i32 {
                $crate::entry::shared::<$type>(shared, init)
            }
            #[unsafe(export_name = concat!(stringify!($name), "_init"))]
            extern "C" fn init(state: u32, init: u32) -> i32 {
                $crate::entry::init::<$type>(state, init)
            }
            #[unsafe(export_name = concat!(stringify!($name), "_process"))]
            extern "C" fn process(state: u32, io: u32) -> i32 {
                $crate::entry::process::<$type>(state, io)
            }
            #[unsafe(export_name = concat!(stringify!($name), "_flush"))]
            extern "C" fn flush(state: u32, io: u32) -> i32 {
                $crate::entry::flush::<$type>(state, io)
            }
            #[unsafe(export_name = concat!(stringify!($name), "_reset"))]
            extern "C" fn reset(state: u32) -> i32 {
                $crate::entry::reset::<$type>(state)
            }
        };
    };
}
