//! Finding and finishing work (MW-31 to MW-35). Task records are the truth, rings hold addresses of READY tasks, each at most once.
//!
//! Two protocols, both "publish, then look": a thread sets its slot's phase to QUEUE and then reads a run's `rebuilding` flag before it
//! touches a ring, while who rebuilds or frees a run sets the flag and then waits until no live slot is in that phase; a thread publishes
//! its job and then reads the run's cancel word, while who cancels writes that word and then scans the slots. Both are explored state by
//! state in test/models/task-protocol.ts, whose steps bear the names in quotes here.

use core::sync::atomic::Ordering::{Relaxed, SeqCst};

use abi::generated::{
    arena, arena_flag, queue as layout, run, run_flag, slot, slot_phase, slot_status, take, task, task_state, ARENA_MAGIC_HIGH,
    ARENA_MAGIC_LOW, NONE,
};
use abi::memory::{atomic, atomic_i32, load};

use crate::{host, queue};

/// Looks at the ready event before sleeping, about 50 µs in all.
const SPINS: u32 = 8_192;
/// Longest sleep, ms (MW-33).
const LONGEST_WAIT_MS: u32 = 1_000;
/// Longest sleep of a thread that waits out a rebuild, ms.
const REBUILD_WAIT_MS: u32 = 1;

pub fn get(address: u32) -> u32 {
    atomic(address).load(SeqCst)
}
pub fn set(address: u32, value: u32) {
    atomic(address).store(value, SeqCst);
}
pub fn slot_of(base: u32, number: u32) -> u32 {
    base + arena::SLOTS + number * slot::BYTES
}
pub fn run_of(base: u32, number: u32) -> u32 {
    base + arena::RUNS + number * run::BYTES
}

/// The next task for this slot that needs no more than its `facts` (MW-36): its address, or a code of `TAKE`. Waits at most `wait_ms` (0:
/// only looks); waiting is for workers only (MW-66).
pub fn take_task(base: u32, number: u32, facts: u32, wait_ms: u32) -> u32 {
    let own = slot_of(base, number);
    let ready = base + arena::READY_EVENT;
    let mut waited = wait_ms == 0;
    loop {
        let event = get(ready);
        if load::<u32>(base + arena::MAGIC_LOW) != ARENA_MAGIC_LOW || load::<u32>(base + arena::MAGIC_HIGH) != ARENA_MAGIC_HIGH {
            return take::CORRUPT as u32;
        }
        if get(base + arena::FLAGS) & arena_flag::CLOSED != 0 {
            return take::CLOSED as u32;
        }
        if get(own + slot::MAIL) != 0 {
            return take::MAIL as u32;
        }
        atomic(own + slot::BEAT).fetch_add(1, Relaxed);
        if let Some(found) = look(base, own, facts) {
            return found;
        }
        if get(ready) != event {
            continue;
        }
        if waited {
            return take::TIMEOUT as u32;
        }
        if (0..SPINS).any(|_| get(ready) != event) {
            continue;
        }
        atomic(base + arena::READY_SLEEPERS).fetch_add(1, SeqCst);
        host::wait(ready, event, wait_ms.min(LONGEST_WAIT_MS));
        atomic(base + arena::READY_SLEEPERS).fetch_sub(1, SeqCst);
        waited = true;
    }
}

/// One look over all runs, best first: highest priority, then oldest, then what the engine made ready first. "announce", then "look".
fn look(base: u32, own: u32, facts: u32) -> Option<u32> {
    set(own + slot::PHASE, slot_phase::QUEUE);
    let mut tried = 0u64;
    while let Some(number) = best_run(base, tried) {
        tried |= 1 << number;
        let record = run_of(base, number);
        while let Some(found) = admit(base, record, facts) {
            if claim(base, own, number, record, found) {
                return Some(found);
            }
        }
    }
    set(own + slot::PHASE, slot_phase::IDLE);
    None
}

#[inline(never)]
fn best_run(base: u32, tried: u64) -> Option<u32> {
    let mut best: Option<(u32, i32, u64)> = None;
    for number in 0..run::COUNT {
        let record = run_of(base, number);
        let epoch = get(record + run::EPOCH);
        if tried & (1 << number) != 0 || epoch == 0 || get(record + run::FLAGS) & run_flag::REBUILDING != 0 {
            continue;
        }
        let priority = atomic_i32(record + run::PRIORITY_I32).load(Relaxed);
        // AGE above ORDER. Of two records that are both due, whichever is taken first: nothing else depends on it.
        let rank = load::<u64>(record + run::ORDER);
        let better = best.is_none_or(|(_, top, first)| priority > top || (priority == top && rank < first));
        if better {
            best = Some((number, priority, rank));
        }
    }
    best.map(|(number, ..)| number)
}

/// "peek", "admit", "pop": a task of this run within its limit that needs no more than `facts`, which then counts as running.
fn admit(base: u32, record: u32, facts: u32) -> Option<u32> {
    let (limit, running) = (get(record + run::LIMIT), atomic(record + run::TASKS_RUNNING));
    loop {
        let ring = rings(record).find(|&ring| load::<u32>(ring + layout::FACTS) & !facts == 0 && queue::holds(ring))?;
        // Never above the limit, not even for a moment: that would turn others away.
        running.fetch_update(SeqCst, SeqCst, |now| (limit == 0 || now < limit).then_some(now + 1)).ok()?;
        let found = queue::pop(ring);
        if found.is_some() {
            return found;
        }
        running.fetch_sub(1, SeqCst);
        // Another thread was faster. Who was turned away by this count meanwhile may be asleep.
        wake(base, u32::MAX, limit != 0);
    }
}

/// A run's rings, lane by lane, best first; in a lane one for each set of facts that its tasks need.
pub fn rings(record: u32) -> impl Iterator<Item = u32> {
    let (mut lane, mut ring) = (record + run::RING_HIGH, 0);
    core::iter::from_fn(move || {
        if ring != 0 {
            ring = load(ring + layout::NEXT);
        }
        while ring == 0 && lane <= record + run::RING_LOW {
            ring = load(lane);
            lane += 4;
        }
        (ring != 0).then_some(ring)
    })
}

/// "claim", "own", "publish", "cancel.read", "work": makes the task this slot's own. False when someone else ended it meanwhile, or
/// the run was cancelled: then it is CANCELLED.
fn claim(base: u32, own: u32, number: u32, record: u32, found: u32) -> bool {
    if atomic(found + task::STATE).compare_exchange(task_state::READY, task_state::RUNNING, SeqCst, SeqCst).is_err() {
        atomic(record + run::TASKS_RUNNING).fetch_sub(1, SeqCst);
        return false;
    }
    set(own + slot::CANCEL, 0);
    set(found + task::OWNER, (own - slot_of(base, 0)) / slot::BYTES);
    set(own + slot::TASK, (found - get(record + run::TASKS)) / task::BYTES + 1);
    set(own + slot::RUN, number + 1);
    if get(record + run::CANCEL) != 0 {
        leave(own);
        atomic(record + run::TASKS_RUNNING).fetch_sub(1, SeqCst);
        settle(base, record, found, task_state::CANCELLED);
        return false;
    }
    atomic(found + task::DELIVERIES).fetch_add(1, Relaxed);
    set(own + slot::STATUS, slot_status::BUSY);
    set(own + slot::PHASE, slot_phase::KERNEL);
    true
}

/// The slot has no job.
fn leave(own: u32) {
    set(own + slot::RUN, 0);
    set(own + slot::TASK, 0);
}

/// Ends or suspends a task that runs. `number` is the slot, or NONE on the engine's thread. 0, or −1 when no run has this task.
/// States: DONE, FAILED, CANCELLED end it; WAITING suspends it until `task_push`; READY puts it back into its ring.
pub fn finish_task(base: u32, number: u32, found: u32, state: u32, status: i32) -> i32 {
    let Some(record) = run_with(base, number, found) else { return -1 };
    let own = if number == NONE { 0 } else { slot_of(base, number) };
    atomic_i32(found + task::STATUS_I32).store(status, Relaxed);
    let (limited, mixed) = (get(record + run::LIMIT) != 0, is_mixed(record));
    if own != 0 {
        enter(own, record);
        // Before the task is settled: after its last task the record may serve another run.
        atomic(record + run::TASKS_RUNNING).fetch_sub(1, SeqCst);
    }
    let pushed = match state {
        task_state::DONE => release(base, record, found),
        task_state::READY => {
            set(found + task::STATE, task_state::READY);
            u32::from(enqueue(record, found))
        }
        task_state::WAITING => {
            set(found + task::STATE, task_state::WAITING);
            bump_host(base);
            0
        }
        ended => {
            if ended == task_state::FAILED {
                let index = (found - get(record + run::TASKS)) / task::BYTES;
                let _ = atomic(record + run::FAILED_TASK).compare_exchange(0, index + 1, SeqCst, SeqCst);
            }
            settle(base, record, found, ended);
            0
        }
    };
    if own != 0 {
        leave(own);
        set(own + slot::STATUS, slot_status::IDLE);
        set(own + slot::PHASE, slot_phase::IDLE);
    }
    // This thread takes one of them itself, unless it may not.
    let count = if mixed { u32::MAX } else { pushed.saturating_sub(u32::from(own != 0 && !limited)) };
    wake(base, count, pushed > 0 || limited);
    0
}

/// Threads differ in what they may take of this run: all are woken, for nobody knows who sleeps.
fn is_mixed(record: u32) -> bool {
    get(record + run::FLAGS) & run_flag::MIXED != 0
}

/// "enter": waits out a rebuild, then announces that this slot touches rings.
fn enter(own: u32, record: u32) {
    loop {
        set(own + slot::PHASE, slot_phase::QUEUE);
        if get(record + run::FLAGS) & run_flag::REBUILDING == 0 {
            return;
        }
        set(own + slot::PHASE, slot_phase::KERNEL);
        for flags in core::iter::repeat_with(|| get(record + run::FLAGS)).take_while(|flags| flags & run_flag::REBUILDING != 0) {
            host::wait(record + run::FLAGS, flags, REBUILD_WAIT_MS);
        }
    }
}

/// "written", "release", "ready", "push": successors lose a pending input, those with none left are pushed. Gives how many.
fn release(base: u32, record: u32, found: u32) -> u32 {
    set(found + task::STATE, task_state::DONE_WRITTEN);
    let (tasks, list, count) = (get(record + run::TASKS), get(found + task::SUCCESSORS), get(found + task::SUCCESSOR_COUNT));
    let mut pushed = 0;
    for index in 0..count {
        let next = tasks + load::<u32>(list + index * 4) * task::BYTES;
        if atomic(next + task::PENDING).fetch_sub(1, SeqCst) != 1 {
            continue;
        }
        if atomic(next + task::STATE).compare_exchange(task_state::PENDING, task_state::READY, SeqCst, SeqCst).is_err() {
            continue;
        }
        pushed += u32::from(enqueue(record, next));
    }
    settle(base, record, found, task_state::DONE);
    pushed
}

/// "settle", "left": a final state: the run has one task less. The engine hears of the last one, and at once of a failure or a cancelled
/// task: their successors never become ready.
#[inline(never)]
pub fn settle(base: u32, record: u32, found: u32, state: u32) {
    set(found + task::STATE, state);
    let left = atomic(record + run::TASKS_LEFT).fetch_sub(1, SeqCst) - 1;
    if left == 0 || state == task_state::FAILED || state == task_state::CANCELLED {
        bump_host(base);
    }
}

#[inline(never)]
pub fn enqueue(record: u32, found: u32) -> bool {
    let facts = get(found + task::FACTS);
    let mut ring = load::<u32>(record + run::RING_HIGH + get(found + task::LANE).min(2) * 4);
    while ring != 0 {
        if load::<u32>(ring + layout::FACTS) == facts {
            return queue::push(ring, found);
        }
        ring = load(ring + layout::NEXT);
    }
    false
}

/// Makes a PENDING, WAITING or DELAYED task READY and puts it into its lane. Counts deliveries anew, except for a DELAYED one. 0; 1 when no
/// ring took it, because its run is rebuilt now or must be; −1 for an unknown state or lane.
pub fn push_task(base: u32, number: u32, found: u32) -> i32 {
    let record = run_of(base, number);
    let state = atomic(found + task::STATE);
    let before = get(found + task::STATE);
    let open = before == task_state::PENDING || before == task_state::WAITING || before == task_state::DELAYED;
    if before != task_state::DELAYED {
        set(found + task::DELIVERIES, 0);
    }
    if !open || state.compare_exchange(before, task_state::READY, SeqCst, SeqCst).is_err() {
        return -1;
    }
    if get(record + run::FLAGS) & run_flag::REBUILDING != 0 || !enqueue(record, found) {
        return 1;
    }
    wake(base, if is_mixed(record) { u32::MAX } else { 1 }, true);
    0
}

/// Index of the run that has this task: the slot knows it, else it is searched.
#[inline(never)]
fn run_with(base: u32, number: u32, found: u32) -> Option<u32> {
    let holds = |record: u32| {
        let first = get(record + run::TASKS);
        get(record + run::EPOCH) != 0 && found >= first && found - first < get(record + run::TASK_COUNT) * task::BYTES
    };
    if number != NONE {
        let known = get(slot_of(base, number) + slot::RUN);
        if known != 0 && known <= run::COUNT && holds(run_of(base, known - 1)) {
            return Some(run_of(base, known - 1));
        }
    }
    (0..run::COUNT).map(|index| run_of(base, index)).find(|&record| holds(record))
}

/// Changes the ready event, so that nobody falls asleep over what was pushed, and wakes up to `count` sleepers.
#[inline(never)]
pub fn wake(base: u32, count: u32, changed: bool) {
    if !changed {
        return;
    }
    atomic(base + arena::READY_EVENT).fetch_add(1, SeqCst);
    if count > 0 && get(base + arena::READY_SLEEPERS) > 0 {
        host::notify(base + arena::READY_EVENT, count);
    }
}

/// Tells the engine's thread to look.
#[inline(never)]
pub fn bump_host(base: u32) {
    atomic(base + arena::HOST_EVENT).fetch_add(1, SeqCst);
    host::notify(base + arena::HOST_EVENT, u32::MAX);
}

/// 1 when no live slot touches a ring: after a run's `rebuilding` flag was set, its rings and records may then be changed or freed.
pub fn quiet(base: u32) -> i32 {
    let touching = (0..slot::COUNT).map(|number| slot_of(base, number)).any(|own| {
        get(own + slot::PID) != 0 && get(own + slot::STATUS) != slot_status::DEAD && get(own + slot::PHASE) == slot_phase::QUEUE
    });
    i32::from(!touching)
}
