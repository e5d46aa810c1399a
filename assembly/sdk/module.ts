import { ABI_VERSION, LAYOUT_HASH } from './generated'

/** Contract version that this module was built against; compared when the module loads. */
export function millrace_abi(): u32 { return ABI_VERSION }

/** Hash of the shared layout table that this module was built against; compared when the module loads (MW-01). */
export function millrace_layout(): u32 { return LAYOUT_HASH }
