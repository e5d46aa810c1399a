//! The functions that JavaScript calls. Addresses and results are i32 words.
#![allow(unsafe_code)]

use crate::program::Program;
use crate::{check, graph_cycles, graph_hash, graph_order, pass, queue, rebuild, ring, tasks};

/// One pass over a segment (see `PASS` and `THREAD_ID` of the contract), or a negative status whose step is in the header.
#[no_mangle]
extern "C" fn segment_run(program: u32, thread: u32) -> i32 {
    pass::run(Program(program), thread)
}
/// Step `index` of a pass, for a caller that times steps: 0 begins the pass, the last one ends it and gives the pass's result.
#[no_mangle]
extern "C" fn segment_step(program: u32, thread: u32, index: u32) -> i32 {
    pass::run_step(Program(program), thread, index)
}
/// 0 when every address of the program lies in `low`…`high` (high 0: 4 GiB), else a finding (`CHECK`).
#[no_mangle]
extern "C" fn segment_check(program: u32, low: u32, high: u32) -> i32 {
    check::run(Program(program), low, high)
}
/// Makes an empty ring; `capacity` is a power of two ≥ 2.
#[no_mangle]
extern "C" fn queue_init(ring: u32, capacity: u32) {
    queue::init(ring, capacity);
}
/// 1, or 0 when the ring is full.
#[no_mangle]
extern "C" fn queue_push(ring: u32, value: u32) -> i32 {
    i32::from(queue::push(ring, value))
}
/// The oldest value (never 0), or 0 when the ring is empty.
#[no_mangle]
extern "C" fn queue_pop(ring: u32) -> u32 {
    queue::pop(ring).unwrap_or(0)
}
/// See `tasks::take_task`.
#[no_mangle]
extern "C" fn task_take(arena: u32, slot: u32, facts: u32, wait_ms: u32) -> u32 {
    tasks::take_task(arena, slot, facts, wait_ms)
}
/// See `tasks::finish_task`.
#[no_mangle]
extern "C" fn task_finish(arena: u32, slot: u32, task: u32, state: u32, status: i32) -> i32 {
    tasks::finish_task(arena, slot, task, state, status)
}
/// See `tasks::push_task`. `run` is the index of the run record.
#[no_mangle]
extern "C" fn task_push(arena: u32, run: u32, task: u32) -> i32 {
    tasks::push_task(arena, run, task)
}
/// See `tasks::quiet`.
#[no_mangle]
extern "C" fn queue_quiet(arena: u32) -> i32 {
    tasks::quiet(arena)
}
/// Appends frames of 4 bytes a sample to a ring: channel c stands at `source` + c × `stride`. How many there was room for.
#[no_mangle]
extern "C" fn ring_push(ring: u32, source: u32, stride: u32, frames: u32) -> u32 {
    ring::push(ring, source, stride, frames, 4)
}
/// Takes frames of 4 bytes a sample from a ring to `target` + c × `stride`. How many there were.
#[no_mangle]
extern "C" fn ring_pop(ring: u32, target: u32, stride: u32, frames: u32) -> u32 {
    ring::pop(ring, target, stride, frames, 4)
}
/// Order and levels of a graph (see `graph_order::Graph`): nodes in order, or −1. The levels' table is zeroed first.
#[no_mangle]
extern "C" fn graph_order(count: u32, edges: u32, from: u32, to: u32, order: u32, levels: u32, work: u32) -> i32 {
    graph_order::Graph { count, edges, from, to, order, levels, work }.sort()
}
/// Digests of a batch of messages (see `graph_hash::Batch`): 0, or −1.
#[no_mangle]
extern "C" fn graph_hash(
    messages: u32,
    offsets: u32,
    count: u32,
    levels: u32,
    level_count: u32,
    gaps: u32,
    gap_count: u32,
    digests: u32,
    starts: u32,
) -> i32 {
    graph_hash::Batch { messages, offsets, count, levels, level_count, gaps, gap_count, digests, starts }.run()
}
/// See `rebuild::rebuild_run`.
#[no_mangle]
extern "C" fn run_rebuild(arena: u32, run: u32) -> u32 {
    rebuild::rebuild_run(arena, run)
}
/// Cycles of a graph (see `graph_cycles::run`): words written to `cycles`, or −1.
#[no_mangle]
extern "C" fn graph_cycles(count: u32, edges: u32, from: u32, to: u32, cycles: u32, work: u32) -> i32 {
    graph_cycles::run(&graph_order::Graph { count, edges, from, to, order: cycles, levels: cycles, work })
}
