/**
 * The kernel contract in numbers (spec kernels.md, contract version 1): every offset, flag and status that compiled code and
 * TypeScript share. Rust (`wasm/crates/abi/src/generated.rs`) and AssemblyScript (`assembly/sdk/generated.ts`) are generated
 * from this file by `scripts/generate-contract.mjs`; nothing else may spell these numbers.
 */

/** Version of the contract, returned by `millrace_abi()` of every module. */
export const ABI_VERSION = 1

/** Returned by kernels; the negative half of every kernel function's result. */
export const STATUS = {
  OK: 0, CANCELLED: -1, END: -2, NO_ROOM: -3, BAD_PARAM: -4, BAD_MEDIA: -5, BAD_STATE: -6, UNSUPPORTED: -7, BAD_DATA: -8,
} as const

/** Init block: what `K_size`, `K_shared` and `K_init` read. Byte offsets. */
export const INIT = {
  VERSION: 0x00, MAX_FRAMES: 0x04, RATE_F64: 0x08, SEED_U64: 0x10, INPUTS: 0x18, OUTPUTS: 0x1c, PORTS: 0x20, PARAM_COUNT: 0x24,
  PARAMS: 0x28, ASSET_COUNT: 0x2c, ASSETS: 0x30, SHARED: 0x34, SCRATCH_BYTES: 0x38, SHARED_BYTES: 0x3c, BYTES: 64,
} as const

/** Io block: what `K_process` and `K_flush` read. Byte offsets. */
export const IO = {
  FRAMES: 0x00, FLAGS: 0x04, POSITION_U64: 0x08, INPUTS: 0x10, OUTPUTS: 0x14, PORTS: 0x18, CONTROLS: 0x1c, SHARED: 0x20, SCRATCH: 0x24,
  SCRATCH_BYTES: 0x28, CANCEL: 0x2c, BEAT: 0x30, ASSETS: 0x34, BYTES: 64,
} as const

/** Flags of {@link IO}.FLAGS. */
export const IO_FLAG = { LAST: 1, DISCONTINUITY: 2, REALTIME: 4 } as const

/** Port record, inputs first, then outputs. Byte offsets. `FLAGS_U16` stands in the upper half of the word at 0x14. */
export const PORT = {
  FRAMES: 0x00, DONE: 0x04, CHANNELS: 0x08, DATA: 0x0c, STRIDE: 0x10, DTYPE_U8: 0x14, MEDIA_U8: 0x15, FLAGS_U16: 0x16, WIDTH: 0x18,
  FPS_F64: 0x20, BYTES: 48,
} as const

/**
 * Flags of {@link PORT}.FLAGS_U16. SETTLED: written by a kernel beside SILENT on an output: n frames of silence on every input would give n
 * frames of silence on every output and change nothing in its state, so such calls may be left out (KE-07).
 */
export const PORT_FLAG = { CONNECTED: 1, SILENT: 2, CONSTANT: 4, ENDED: 8, SETTLED: 16 } as const

/**
 * Control record: one per param with rate `sample` or `block`. Byte offsets. DRIVEN*: 1 once an edge has given values: they are in the
 * param's own unit, which for some kernels (gain: decibels) is not that of constants and ramps; also after the stream has ended, when TO
 * keeps its last value.
 */
export const CONTROL = { FROM_F32: 0x00, TO_F32: 0x04, BEGIN_I32: 0x08, LENGTH: 0x0c, STREAM: 0x10, DRIVEN: 0x14, BYTES: 32 } as const

/** Asset entry: values too large for a param slot. Byte offsets. */
export const ASSET = { ADDRESS: 0x00, BYTES_U32: 0x04, DTYPE: 0x08, COUNT: 0x0c, BYTES: 16 } as const

/** Event record (dtype 11). Byte offsets. */
export const EVENT = { POSITION_U64: 0x00, KIND_U16: 0x08, CHANNEL_U16: 0x0a, ID: 0x0c, VALUES_F32: 0x10, BYTES: 32 } as const

/** Header of every kernel's state. Byte offsets; the kernel's own bytes follow at BYTES. */
export const STATE = { CALLS: 0x00, TAG: 0x04, NONFINITE: 0x08, CLIPPED: 0x0c, VERSION: 0x10, BYTES: 32 } as const

/** Values of {@link STATE}.TAG: four ASCII bytes, little endian. */
export const TAG = { RUST: 0x54535552, ASCR: 0x52435341, JSRF: 0x4652534a } as const

/** Media numbers of {@link PORT}.MEDIA_U8. */
export const MEDIA_ID = { audio: 1, video: 2, tensor: 3, tokens: 4, text: 5, events: 6, json: 7, bytes: 8 } as const

/** Limits that the contract names. */
export const LIMIT = { CHANNELS: 64, TABLE_ENTRIES: 4096, FIRST_KERNEL_ENTRY: 1024, STACK_BYTES: 65536 } as const

/**
 * Program: header of a segment as `segment_run` reads it (KE-12). Byte offsets. Fields marked * are written by the interpreter.
 * STATE_WORD*: 0 running, 1 done. PASSES*: passes made. FAILED_STEP*: index of the step that runs or ran last: after
 * a trap the one that trapped, after a negative status the one that returned STATUS_WORD*.
 * HEAD_FRAMES: most frames that a step takes from an external input in one pass.
 */
export const PROGRAM = {
  MAGIC: 0x00, STEP_COUNT: 0x04, BUFFER_COUNT: 0x08, HEAD_FRAMES: 0x0c, STEPS: 0x10, BUFFERS: 0x14, STATE_WORD: 0x18, CANCEL: 0x1c,
  BEAT: 0x20, SCRATCH: 0x24, SCRATCH_BYTES: 0x28, PASSES: 0x2c, FAILED_STEP: 0x30, STATUS_WORD: 0x34, TOTAL_BYTES: 0x38, FLAGS: 0x3c,
  BYTES: 64,
} as const
export const PROGRAM_MAGIC = 0x474f5250
/**
 * Flags of {@link PROGRAM}.FLAGS. REALTIME is the plan's; the others belong to the interpreter: what the running pass has met so far
 * (something moved, an input outside the segment was short, an output outside was full, an internal buffer keeps frames and must be
 * compacted), kept in the program so that a pass may be made step by step.
 */
export const PROGRAM_FLAG = { REALTIME: 1, MOVED: 0x100, SHORT: 0x200, FULL: 0x400, REST: 0x800 } as const

/**
 * Step: one kernel of a segment. Byte offsets; * written by the interpreter.
 * PROCESS, FLUSH: table indices (FLUSH 0: none). BINDINGS: address of u32 per port, inputs then outputs: buffer index, or NONE.
 * READERS: address of u32 per input: the reader number of this step in that buffer. MAX_FRAMES: Init's maxFrames.
 * PHASE*: see STEP_PHASE. POSITION_U64*: absolute index of the next input frame (source: of the next output frame).
 * WANTED: for a step without stream inputs, frames asked for per pass. NODE: index of the node in the plan (for reports).
 * SAMPLE_NS: nanoseconds that sampled passes spent in this step, added by the JavaScript that times `segment_step`; wraps never (clamped).
 * MARKS*: see STEP_MARK. TIMELINE: address of changes of its controls (0: none), see TIMELINE. DRIVEN: number of controls that edges drive;
 * their buffers follow the outputs in BINDINGS, their readers follow the inputs in READERS, and u32 control numbers follow the readers.
 * A reader word holds the reader's number (low 23 bits), WEAK (bit 23), and a view of channels: the first one (bits 24…30), downwards from
 * there when bit 31 is set. A weak input (feedback, GR-12) bounds a call's frames while it has not ended, but never keeps the step open:
 * when the others have ended, what is left of them decides.
 */
export const STEP = {
  PROCESS: 0x00, FLUSH: 0x04, STATE: 0x08, IO: 0x0c, INPUTS: 0x10, OUTPUTS: 0x14, BINDINGS: 0x18, READERS: 0x1c, MAX_FRAMES: 0x20,
  PHASE: 0x24, POSITION_U64: 0x28, WANTED: 0x30, NODE: 0x34, SCRATCH_BYTES: 0x38, SAMPLE_NS: 0x3c, MARKS: 0x40, TIMELINE: 0x44,
  DRIVEN: 0x48, BYTES: 80,
} as const
export const STEP_PHASE = { RUNNING: 0, FLUSHING: 1, ENDED: 2 } as const
/**
 * QUIET: the last call had silence on all inputs and said SILENT and SETTLED on all outputs: the next silent one is left out. DRIVEN: edges
 * drive some of its controls. PREROLL: some output begins with frames that are zeroed (see BUFFER).
 */
export const STEP_MARK = { QUIET: 1, DRIVEN: 2, PREROLL: 4 } as const
/** Parts of a reader word. */
export const READER = { NUMBER_MASK: 0x7fffff, WEAK: 0x800000, CHANNEL_SHIFT: 24, CHANNEL_MASK: 127, DOWNWARDS_SHIFT: 31 } as const

/**
 * Timeline: changes of a step's controls in order of their frames (KE-15). COUNT: changes written so far (by the driver, after the change
 * itself); NEXT*: changes applied. A ring of CAPACITY records, the first at BYTES. A call ends before the frame of the next change; late
 * changes apply at once and LATE* counts them. CONTROLS: control records of the step.
 */
export const TIMELINE = { COUNT: 0x00, NEXT: 0x04, CAPACITY: 0x08, CONTROLS: 0x0c, LATE: 0x10, BYTES: 32 } as const
/**
 * Change: from AT_U64 (frame of input 0; a source: of output 0) control CONTROL goes from what it is to
 * VALUE, linearly over RAMP frames (0: at once).
 */
export const CHANGE = { AT_U64: 0x00, CONTROL: 0x08, VALUE_F32: 0x0c, RAMP: 0x10, BYTES: 24 } as const
/** Binding of an unconnected port. */
export const NONE = 0xffffffff

/**
 * Buffer: what one output port wrote and its readers have yet to take. Byte offsets; * written by the interpreter (external: also by the
 * driver). BASE: address of channel 0, frame 0. CAPACITY, FILLED*: frames. FRAME_BYTES: bytes of one frame of one channel (width ×
 * element). STRIDE: bytes between channels. KIND: see BUFFER_KIND. FLAGS*: see BUFFER_FLAG. OFFSETS*: address of u32 per reader: frames
 * already taken (starts at the writer's latency). ORIGIN_U64*: absolute index of the frame at BASE.
 * PASS_FRAMES: an external output: most frames that a pass may add. A pass does not begin (OUTPUT_FULL) while one has less room and holds
 * anything, because a step that is held up in the middle of a pass leaves frames in internal buffers, whose memory earlier steps of the
 * next pass may use (0: no such rule). LINK: an external input that another segment writes: address of that segment's external output
 * record; BASE, STRIDE, FILLED and FLAGS are read from it whenever a step is about to read (0: none). Internal buffers have at least one
 * reader. NO_ROOM from a step whose full output is internal skips the step for this pass (back-pressure); a pass in which nothing moved
 * although no external input is short and no external output full returns NO_ROOM. A buffer with delayed readers (GR-12) begins filled with
 * zeros: its other readers start behind them. PREROLL*: frames, the next ones written, that a delayed reader must find as zeros, because
 * they come before the writer's content (its latency). KEEP: an internal buffer whose frames move to the front only when it has less room
 * than this.
 */
export const BUFFER = {
  BASE: 0x00, CAPACITY: 0x04, FILLED: 0x08, FRAME_BYTES: 0x0c, STRIDE: 0x10, CHANNELS: 0x14, KIND: 0x18, FLAGS: 0x1c, READER_COUNT: 0x20,
  OFFSETS: 0x24, ORIGIN_U64: 0x28, LINK: 0x30, PASS_FRAMES: 0x34, PREROLL: 0x38, KEEP: 0x3c, BYTES: 64,
} as const
export const BUFFER_KIND = { INTERNAL: 0, EXTERNAL_INPUT: 1, EXTERNAL_OUTPUT: 2 } as const
/**
 * Flags of {@link BUFFER}.FLAGS. SHARED is the plan's: other buffers use the same memory, so frames left at the end of a pass are `NO_ROOM`
 * of the step that left them. UNWRITTEN*: an internal buffer whose frames are silence that stands nowhere yet: written before a kernel
 * reads it, or never.
 */
export const BUFFER_FLAG = { ENDED: 1, SILENT: 2, SHARED: 4, UNWRITTEN: 8 } as const

/** Results of `segment_run` and `segment_step` that are not a negative status. */
export const PASS = { DONE: 0, NEED_INPUT: 1, MORE: 2, OUTPUT_FULL: 3 } as const

/** Findings of `segment_check`: what of a program is wrong (its header word FAILED_STEP names the step or buffer). 0: nothing. */
export const CHECK = {
  OK: 0, MAGIC: -1, TABLES: -2, STEP_ADDRESS: -3, STATE: -4, IO: -5, PORTS: -6, BINDING: -7, READER: -8, TABLE_INDEX: -9, BUFFER_DATA: -10,
  BUFFER_OFFSETS: -11, BUFFER_SHAPE: -12, CONTROL: -13,
} as const

/**
 * Thread numbers, the second argument of `segment_run` and `segment_step`: t < FIRST_SLOT names thread record t of the arena (0 engine
 * thread, 1…14 worklets), t ≥ FIRST_SLOT names worker slot t − FIRST_SLOT. The arena is found at its fixed address.
 */
export const THREAD_ID = { ENGINE: 0, FIRST_SLOT: 16 } as const

/**
 * Results of `task_take` that are not a task's address: nothing to do within the wait, the slot's mail flags are set, the
 * engine closes, the arena's magic is wrong.
 */
export const TAKE = { TIMEOUT: 0, MAIL: 1, CLOSED: 2, CORRUPT: 3 } as const
