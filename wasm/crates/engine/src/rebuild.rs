//! Rebuilding a run after a worker was ended at any instruction (MW-34): task records are the truth, counts and rings are made again from
//! them. Engine thread, after the run's REBUILDING flag was set and no live slot is in phase QUEUE (`tasks::quiet`); model:
//! test/models/task-protocol.ts, steps "states" and "rings".

use abi::generated::{queue as layout, run, slot, slot_status, task, task_flag, task_state};
use abi::memory::load;

use crate::queue;
use crate::tasks::{bump_host, enqueue, get, rings, run_of, set, slot_of, wake};

/// Gives how many tasks had been left without a worker: they are DELAYED now.
pub fn rebuild_run(base: u32, number: u32) -> u32 {
    let record = run_of(base, number);
    let (tasks, count) = (get(record + run::TASKS), get(record + run::TASK_COUNT));
    let at = |index: u32| tasks + index * task::BYTES;
    let (mut orphans, mut running, mut left) = (0, 0, count);
    for index in 0..count {
        let found = at(index);
        set(found + task::PENDING, 0);
        match get(found + task::STATE) {
            task_state::RUNNING if owned(base, number, index, get(found + task::OWNER)) => running += 1,
            task_state::RUNNING => {
                set(found + task::STATE, task_state::DELAYED);
                orphans += 1;
            }
            task_state::DONE_WRITTEN => {
                set(found + task::STATE, task_state::DONE);
                left -= 1;
            }
            task_state::DONE | task_state::FAILED | task_state::CANCELLED => left -= 1,
            _ => {}
        }
    }
    for index in (0..count).filter(|&index| get(at(index) + task::STATE) != task_state::DONE) {
        let list = get(at(index) + task::SUCCESSORS);
        for edge in 0..get(at(index) + task::SUCCESSOR_COUNT) {
            let pending = at(load::<u32>(list + edge * 4)) + task::PENDING;
            set(pending, get(pending) + 1);
        }
    }
    set(record + run::TASKS_RUNNING, running);
    set(record + run::TASKS_LEFT, left);
    refill(record, tasks, count);
    // Whoever waits for a finished task, or fell asleep over a push that was lost, looks again.
    bump_host(base);
    wake(base, u32::MAX, true);
    orphans
}

/// Does a live slot say of itself that it executes this task? The task's own word may be of an earlier delivery.
fn owned(base: u32, number: u32, index: u32, owner: u32) -> bool {
    if owner >= slot::COUNT {
        return false;
    }
    let by = slot_of(base, owner);
    get(by + slot::PID) != 0
        && get(by + slot::STATUS) != slot_status::DEAD
        && get(by + slot::RUN) == number + 1
        && get(by + slot::TASK) == index + 1
}

/// Empty rings, then every READY task into its lane, in order.
fn refill(record: u32, tasks: u32, count: u32) {
    for ring in rings(record) {
        queue::init(ring, load::<u32>(ring + layout::MASK) + 1);
    }
    for found in (0..count).map(|index| tasks + index * task::BYTES) {
        if get(found + task::FLAGS) & task_flag::INNER != 0
            && get(found + task::STATE) == task_state::PENDING
            && get(found + task::PENDING) == 0
        {
            set(found + task::STATE, task_state::READY);
        }
        if get(found + task::STATE) == task_state::READY {
            enqueue(record, found);
        }
    }
}
