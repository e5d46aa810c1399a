/// Plain data: any bits, all zero included, are a valid value, and a byte copy is a move (KE-02).
/// Declare structs with [`pod!`](crate::pod).
///
/// # Safety
/// Holds for the type and all its fields; no references, no addresses.
pub unsafe trait Pod: Copy + 'static {}

/// Element type that ports, assets and tails carry. `DTYPE` is its number in port records (0: none).
///
/// # Safety
/// As [`Pod`].
pub unsafe trait Element: Pod {
    const DTYPE: u32;
}

macro_rules! elements {
    ($($type:ty => $dtype:expr),* $(,)?) => { $(
        unsafe impl Pod for $type {}
        unsafe impl Element for $type { const DTYPE: u32 = $dtype; }
    )* };
}
elements! {
    f32 => crate::generated::dtype_id::F32, f64 => crate::generated::dtype_id::F64, i32 => crate::generated::dtype_id::I32,
    i16 => crate::generated::dtype_id::I16,
    i8 => crate::generated::dtype_id::I8, u8 => crate::generated::dtype_id::U8, i64 => crate::generated::dtype_id::I64, u16 => 0, u32 => 0,
    u64 => 0,
}
unsafe impl<T: Pod, const N: usize> Pod for [T; N] {}

/// Declares a struct of plain data: `pod! { pub struct Follow { env: f64, attack: f64 } }`. Every field must be plain data itself.
#[macro_export]
macro_rules! pod {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident : $type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        #[repr(C)]
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $type),* }
        #[allow(unsafe_code)]
        const _: () = {
            const fn plain<T: $crate::Pod>() {}
            $(plain::<$type>();)*
            // SAFETY: every field is plain data, checked above.
            unsafe impl $crate::Pod for $name {}
        };
    };
}
