/* Kernels in C against the contract of Millrace (kernels page, sections 1 and 2): names for what stands at the addresses. No library is needed. */
#pragma once
#include "contract.h"

typedef unsigned int u32;
typedef unsigned char u8;
typedef unsigned short u16;

#define MR_EXPORT(name) __attribute__((export_name(#name))) int name
#define MR_AT(type, address, offset) (*(type *)((u32)(address) + (offset)))
#define MR_TAG 0x474e4c43u /* ASCII CLNG, little endian: which compiler made the code that ran */

/* Every module exports these two once. */
#define MR_MODULE MR_EXPORT(millrace_abi)(void) { return (int)MR_ABI_VERSION; } MR_EXPORT(millrace_layout)(void) { return (int)MR_LAYOUT_HASH; }

static inline int mr_in_memory(u32 address, unsigned long long bytes) { return address > 0 && address + bytes <= (unsigned long long)__builtin_wasm_memory_size(0) << 16; }
static inline double mr_param(u32 init, u32 i) { return MR_AT(double, MR_AT(u32, init, MR_INIT_PARAMS), i * 8); }
static inline int mr_within(u32 init, u32 i, double low, double high) { const double value = mr_param(init, i); return value >= low && value <= high; }
static inline u32 mr_init_port(u32 init, u32 i) { return MR_AT(u32, init, MR_INIT_PORTS) + i * MR_PORT_BYTES; }
static inline int mr_connected(u32 port) { return (MR_AT(u16, port, MR_PORT_FLAGS_U16) & MR_PORT_FLAG_CONNECTED) != 0; }
static inline u32 mr_channels(u32 port) { return MR_AT(u32, port, MR_PORT_CHANNELS); }

/* Planar f32 audio of 1 to 64 channels at a rate that is processed: MR_STATUS_OK or a status. */
static inline int mr_check_planar(u32 port) {
  const u32 channels = mr_channels(port);
  const double rate = MR_AT(double, port, MR_PORT_FPS_F64);
  if (!mr_connected(port) || MR_AT(u8, port, MR_PORT_MEDIA_U8) != MR_MEDIA_ID_AUDIO) return MR_STATUS_BAD_MEDIA;
  if (channels == 0 || channels > 64 || MR_AT(u32, port, MR_PORT_WIDTH) != 1 || !(rate >= 1 && rate <= 768000)) return MR_STATUS_BAD_MEDIA;
  if (rate < 100) return MR_STATUS_UNSUPPORTED;
  return MR_AT(u8, port, MR_PORT_DTYPE_U8) == MR_DTYPE_ID_F32 ? MR_STATUS_OK : MR_STATUS_BAD_MEDIA;
}

/* One planar audio input and, when connected, one output like it, with `params` params: MR_STATUS_OK or a status. Never traps, whatever the block holds. */
static inline int mr_check_same(u32 init, u32 params) {
  if (!mr_in_memory(init, MR_INIT_BYTES) || MR_AT(u32, init, MR_INIT_VERSION) != MR_ABI_VERSION) return MR_STATUS_UNSUPPORTED;
  const u32 most = MR_AT(u32, init, MR_INIT_MAX_FRAMES);
  if (most == 0 || most > 1u << 28) return MR_STATUS_BAD_PARAM;
  if (MR_AT(u32, init, MR_INIT_INPUTS) != 1 || MR_AT(u32, init, MR_INIT_OUTPUTS) != 1) return MR_STATUS_BAD_MEDIA;
  if (!mr_in_memory(MR_AT(u32, init, MR_INIT_PORTS), 2 * MR_PORT_BYTES)) return MR_STATUS_BAD_MEDIA;
  if (MR_AT(u32, init, MR_INIT_PARAM_COUNT) != params) return MR_STATUS_BAD_PARAM;
  if (params > 0 && !mr_in_memory(MR_AT(u32, init, MR_INIT_PARAMS), (unsigned long long)params << 3)) return MR_STATUS_BAD_PARAM;
  const u32 from = mr_init_port(init, 0), to = mr_init_port(init, 1);
  int status = mr_check_planar(from);
  if (status != MR_STATUS_OK || !mr_connected(to)) return status;
  status = mr_check_planar(to);
  if (status != MR_STATUS_OK) return status;
  return mr_channels(from) == mr_channels(to) && MR_AT(double, from, MR_PORT_FPS_F64) == MR_AT(double, to, MR_PORT_FPS_F64) ? MR_STATUS_OK : MR_STATUS_BAD_MEDIA;
}

/* What K_size returns: bytes of state behind the header. */
static inline int mr_sized(u32 init, u32 bytes) {
  MR_AT(u32, init, MR_INIT_SCRATCH_BYTES) = 0;
  MR_AT(u32, init, MR_INIT_SHARED_BYTES) = 0;
  return (int)(MR_STATE_BYTES + bytes);
}

/* Writes the header in K_init; gives the kernel's own bytes. */
static inline u32 mr_open(u32 state, u32 version) {
  MR_AT(u32, state, MR_STATE_TAG) = MR_TAG;
  MR_AT(u32, state, MR_STATE_VERSION) = version;
  return state + MR_STATE_BYTES;
}
static inline int mr_foreign(u32 state, u32 version) { return MR_AT(u32, state, MR_STATE_TAG) != MR_TAG || MR_AT(u32, state, MR_STATE_VERSION) != version; }
/* Counts the call; gives the kernel's own bytes. */
static inline u32 mr_begin(u32 state) { MR_AT(u32, state, MR_STATE_CALLS) += 1; return state + MR_STATE_BYTES; }

static inline u32 mr_frames(u32 io) { return MR_AT(u32, io, MR_IO_FRAMES); }
static inline u32 mr_input(u32 io, u32 i) { return MR_AT(u32, io, MR_IO_PORTS) + i * MR_PORT_BYTES; }
static inline u32 mr_output(u32 io, u32 i) { return mr_input(io, MR_AT(u32, io, MR_IO_INPUTS) + i); }
/* Samples of a channel: aligned to their element only. */
static inline float *mr_samples(u32 port, u32 channel) { return (float *)(MR_AT(u32, port, MR_PORT_DATA) + channel * MR_AT(u32, port, MR_PORT_STRIDE)); }
static inline int mr_has_room(u32 port, u32 frames) { return !mr_connected(port) || MR_AT(u32, port, MR_PORT_FRAMES) >= frames; }
/* Notes the frames of an output; returns them, as K_process does for output 0. */
static inline int mr_produced(u32 port, u32 frames) { MR_AT(u32, port, MR_PORT_DONE) = frames; return (int)frames; }
