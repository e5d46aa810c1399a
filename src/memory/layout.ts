/**
 * Layout of the shared memory (spec memory-and-workers.md section 1): the only source of these numbers. Rust and AssemblyScript copies are
 * generated from it and compared by hash when modules load.
 */

/** Absolute address windows. Below the arena stand stacks, static data of modules and a guard. */
export const WINDOW = {
  LEADER_STACK: 0x000000, ASSEMBLY: 0x010000, ASSEMBLY_SLOT: 0x10000, ASSEMBLY_SLOTS: 8, USER: 0x090000, USER_SLOTS: 7, GUARD: 0x100000,
  CORE: 0x110000, CORE_END: 0x300000, SECOND: 0x300000, ARENA: 0x400000, ARENA_JS: 0x10000,
} as const

/** Arena header, byte offsets from the arena's start A. */
export const ARENA = {
  MAGIC_LOW: 0x0000, MAGIC_HIGH: 0x0004, VERSION: 0x0008, FLAGS: 0x000c, CLOCK: 0x0010, ID: 0x0018, PAGES: 0x001c, LAYOUT_HASH: 0x0020,
  BLOCK_TABLE: 0x0024, BLOCK_CAPACITY: 0x0028, DATA_START: 0x002c, DATA_END: 0x0030, SLOT_LIMIT: 0x0034, EPOCH: 0x0038,
  SLOTS: 0x0040, GUARD: 0x4040, READY_EVENT: 0x4080, READY_SLEEPERS: 0x4084, HOST_EVENT: 0x40c0, HOST_SLEEPERS: 0x40c4,
  RUNS: 0x4100, THREADS: 0x5100, METERS: 0x6000, RECORDER_NEXT: 0xbfc0, RECORDER: 0xc000, DATA: 0x10000,
} as const
export const ARENA_MAGIC_LOW = 0x00000001
export const ARENA_MAGIC_HIGH = 0x56545833
export const LAYOUT_VERSION = 1
export const ARENA_FLAG = { READY: 1, MAINTENANCE: 2, CLOSED: 4, CORRUPT: 8, TRANSFER: 16 } as const

/** Worker slot, 64 bytes, 256 of them. */
export const SLOT = {
  PID: 0x00, STATUS: 0x04, JOB_LOW: 0x08, JOB_HIGH: 0x0c, BEAT: 0x10, BEAT_HIGH: 0x14, CANCEL: 0x18, MAIL: 0x1c, WAKE: 0x20, EPOCH: 0x24,
  PHASE: 0x28, RUN: 0x2c, TASK: 0x30, BLOCKS: 0x34, SCRATCH: 0x38, KERNEL_STATUS: 0x3c, BYTES: 64, COUNT: 256,
} as const
export const SLOT_STATUS = { IDLE: 0, BUSY: 1, DEAD: 2, BOOTING: 3, DRAINING: 4 } as const
export const SLOT_PHASE = { IDLE: 0, QUEUE: 1, KERNEL: 2, SCRIPT: 3, CODEC: 4, BOOT: 5 } as const
export const MAIL = { MESSAGES: 1, DRAIN: 2, PARK: 4, DUMP: 8 } as const

/**
 * Run record, 64 bytes, 64 of them. Among runs of one priority the record with the lowest AGE goes first, then that with the lowest ORDER
 * (lane, then when it was last made ready); a run has several records of one AGE.
 */
export const RUN = {
  EPOCH: 0x00, CANCEL: 0x08, PRIORITY_I32: 0x0c, RING_HIGH: 0x10, RING_NORMAL: 0x14, RING_LOW: 0x18, TASKS_LEFT: 0x1c,
  TASKS_RUNNING: 0x20, LIMIT: 0x24, TASKS: 0x28, TASK_COUNT: 0x2c, FAILED_TASK: 0x30, FLAGS: 0x34, ORDER: 0x38, AGE: 0x3c, BYTES: 64,
  COUNT: 64,
} as const
/** MIXED: not every worker may take every task of the run (MW-36). */
export const RUN_FLAG = { REBUILDING: 2, MIXED: 8 } as const

/** Task record, 64 bytes: one per segment of a run (MW-31). Times are µs since the run's start, written by the executing thread. */
export const TASK = {
  STATE: 0x00, PENDING: 0x04, OWNER: 0x08, DELIVERIES: 0x0c, PROGRAM: 0x14, SUCCESSORS: 0x18, SUCCESSOR_COUNT: 0x1c,
  LANE: 0x20, FACTS: 0x24, START_US: 0x28, BUSY_US: 0x2c, QUEUED_US: 0x30, STATUS_I32: 0x34, FLAGS: 0x38, PASSES: 0x3c, BYTES: 64,
} as const
/** DELAYED: lost with its worker; the engine delivers it again (MW-34). */
export const TASK_STATE = {
  PENDING: 0, READY: 1, RUNNING: 2, WAITING: 3, DONE_WRITTEN: 4, DONE: 5, FAILED: 6, CANCELLED: 7, DELAYED: 9,
} as const
/** INNER: made ready by its predecessors, never by the engine. */
export const TASK_FLAG = { INNER: 2 } as const

/**
 * Bounded multi-producer multi-consumer ring of u32 (Vyukov 2010): HEAD and TAIL on lines of their own; CELLS are pairs (sequence, value).
 * A lane of a run is a chain of them (NEXT, 0: the last), one for each set of FACTS that its tasks need (MW-36).
 */
export const QUEUE = { HEAD: 0x00, TAIL: 0x40, MASK: 0x80, NEXT: 0x84, FACTS: 0x88, CELLS: 0xc0, CELL_BYTES: 8 } as const

/**
 * Ring of one producer and one consumer (MW-27 to MW-30): three lines of control, then planar data. Indices run freely modulo 2³². The
 * writer's line: WRITE, its event, flags, how many sleep on that event, the read index as last seen. The reader's line mirrors it. The
 * third is read by both: CAPACITY and STRIDE in frames; the writer counts DROPPED (frames) and OVERRUNS (writes cut short).
 */
export const RING = {
  WRITE: 0x00, WRITER_EVENT: 0x04, FLAGS: 0x08, WRITER_SLEEPERS: 0x0c, SEEN_READ: 0x10,
  READ: 0x40, READER_EVENT: 0x44, UNDERRUNS: 0x48, READER_SLEEPERS: 0x4c, SEEN_WRITE: 0x50,
  CAPACITY: 0x80, CHANNELS: 0x84, STRIDE: 0x88, DTYPE: 0x8c, DROPPED: 0x90, OVERRUNS: 0x94, POSITION_U64: 0x98, DATA: 0xc0,
} as const
export const RING_FLAG = { END: 1, CLOSED: 2 } as const

/**
 * Flight recorder (MW-06): 1 024 entries of 16 bytes from RECORDER, the oldest replaced; RECORDER_NEXT counts entries ever written. TIME:
 * µs of the engine's clock, low 32 bits. VALUE: END_* what ended it (a pass's result; of a script 0 its end, 1 a packet, 2 a question to
 * the engine), BOOT and LOST the thread's ordinal. A thread without a slot adds RECORD_THREAD to KIND; RUN is its ordinal then, TASK the
 * number of its job + 1.
 */
export const RECORD = { TIME: 0x00, SLOT_U8: 0x04, KIND_U8: 0x05, RUN_U16: 0x06, TASK: 0x08, VALUE: 0x0c, BYTES: 16, COUNT: 1024 } as const
export const RECORD_KIND = {
  BOOT: 1, END_BOOT: 2, QUEUE: 3, END_QUEUE: 4, KERNEL: 5, END_KERNEL: 6, SCRIPT: 7, END_SCRIPT: 8, TRAP: 9, LOST: 10,
} as const
export const RECORD_THREAD = { WORKER: 0x40, SCRIPT: 0x80 } as const

/** Thread record, 256 bytes: threads without a slot; 0 = engine thread, 1…14 worklets. */
export const THREAD = { CANCEL: 0x00, BEAT: 0x04, SCRATCH: 0x08, SCRATCH_BYTES: 0x0c, BYTES: 256, COUNT: 15 } as const
/** Scratch span of every thread, bytes (MW-07). */
export const SCRATCH_SPAN_BYTES = 262_144

/** Block table entry, 128 bytes (MW-10). */
export const BLOCK = {
  OFFSET: 0x00, SIZE: 0x04, FLAGS: 0x08, REFCOUNT: 0x0c, GENERATION: 0x10, DTYPE_U8: 0x14, NDIM_U8: 0x15, CREATED: 0x18, LAST_USED: 0x1c,
  HASH_U64: 0x20, SHAPE: 0x28, STRIDES: 0x48, HOLDER: 0x68, RECOMPUTE_US: 0x6c, NEXT_USE: 0x70, BYTES: 128,
} as const
export const BLOCK_FLAG = { VALID: 1, DIRTY: 2, PINNED: 4, IN_USE: 8, EXTERNAL: 16 } as const

/** Every table above, by name: input of the generator and of the layout hash. */
export const LAYOUT_TABLES = {
  WINDOW, ARENA, SLOT, SLOT_STATUS, SLOT_PHASE, MAIL, RUN, RUN_FLAG, TASK, TASK_STATE, TASK_FLAG, QUEUE, RING, RING_FLAG, THREAD, BLOCK,
  BLOCK_FLAG, ARENA_FLAG,
} as const

/** FNV-1a (32 bit) of the layout table's canonical text: what `millrace_layout()` of every module must return (MW-01). */
export function layoutHash(): number { return known ??= hashLayout() }
let known: number | undefined
function hashLayout(): number {
  let hash = 0x811c9dc5
  const text = Object.entries(LAYOUT_TABLES).map(([table, fields]) =>
    `${table}{${Object.entries(fields).map(([field, value]) => `${field}=${value}`).join(',')}}`).join(';')
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return hash
}
