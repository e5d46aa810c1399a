//! Proof that every thread has a stack of its own (MW-60): work on an 8 KiB frame whose result is known. Threads that
//! share a stack corrupt each other's frames.

/// Checksum over a frame of 8 KiB that is written and read `rounds` times; a pure function of its arguments.
#[no_mangle]
extern "C" fn stack_probe(seed: u32, rounds: u32) -> u32 {
    let mut frame = [0u32; 2_048];
    let mut state = seed | 1;
    for round in 0..rounds {
        for (index, word) in frame.iter_mut().enumerate() {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *word = word.rotate_left(round & 31) ^ state.wrapping_add(index as u32);
        }
        // The frame must be memory that others could reach, not registers.
        core::hint::black_box(&mut frame);
    }
    frame.iter().fold(0, |sum, word| sum.rotate_left(1) ^ word)
}
