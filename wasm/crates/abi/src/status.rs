use crate::generated::status;

/// Why a kernel function gave no result: the negative half of its return value. Kernels' own codes are −16…−255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub i32);

impl Status {
    pub const CANCELLED: Status = Status(status::CANCELLED);
    pub const END: Status = Status(status::END);
    pub const NO_ROOM: Status = Status(status::NO_ROOM);
    pub const BAD_PARAM: Status = Status(status::BAD_PARAM);
    pub const BAD_MEDIA: Status = Status(status::BAD_MEDIA);
    pub const BAD_STATE: Status = Status(status::BAD_STATE);
    pub const UNSUPPORTED: Status = Status(status::UNSUPPORTED);
    pub const BAD_DATA: Status = Status(status::BAD_DATA);
}
