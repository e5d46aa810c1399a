//! SHA-256 (FIPS 180-4) of padded messages. One source for one message at a time and for four side by side in the lanes of a register,
//! since a round only adds, rotates and selects words. Twin and oracle: src/graph/sha256.ts.

use core::ops::{Add, BitXor};

/// First 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2).
const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// State before the first block (section 5.3.3).
#[cfg(test)]
const START: [u32; 8] = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// A word, or four words that take part in the same operation.
pub trait Word: Copy + Add<Output = Self> + BitXor<Output = Self> {
    fn constant(value: u32) -> Self;
    fn right<const N: u32>(self) -> Self;
    fn rotate<const N: u32>(self) -> Self;
    /// Bits of `yes` where this word has ones, of `no` elsewhere.
    fn select(self, yes: Self, no: Self) -> Self;
}

/// One word; additions wrap.
#[derive(Clone, Copy)]
pub struct One(pub u32);

impl Add for One {
    type Output = One;
    #[inline(always)]
    fn add(self, other: One) -> One {
        One(self.0.wrapping_add(other.0))
    }
}
impl BitXor for One {
    type Output = One;
    #[inline(always)]
    fn bitxor(self, other: One) -> One {
        One(self.0 ^ other.0)
    }
}
impl Word for One {
    #[inline(always)]
    fn constant(value: u32) -> One {
        One(value)
    }
    #[inline(always)]
    fn right<const N: u32>(self) -> One {
        One(self.0 >> N)
    }
    #[inline(always)]
    fn rotate<const N: u32>(self) -> One {
        One(self.0.rotate_right(N))
    }
    #[inline(always)]
    fn select(self, yes: One, no: One) -> One {
        One(no.0 ^ (self.0 & (yes.0 ^ no.0)))
    }
}

/// One block: `w` holds its 16 words as numbers and is used up.
#[inline(always)]
pub fn compress<W: Word>(state: &mut [W; 8], w: &mut [W; 16]) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    macro_rules! round {
        ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident $w:expr, $k:expr) => {
            let t = $h + ($e.rotate::<6>() ^ $e.rotate::<11>() ^ $e.rotate::<25>()) + $e.select($f, $g) + W::constant($k) + $w;
            $d = $d + t;
            $h = t + ($a.rotate::<2>() ^ $a.rotate::<13>() ^ $a.rotate::<22>()) + ($a ^ $b).select($c, $b);
        };
    }
    for sixteen in 0..4 {
        if sixteen > 0 {
            for j in 0..16 {
                let (x, y) = (w[(j + 1) & 15], w[(j + 14) & 15]);
                let near = x.rotate::<7>() ^ x.rotate::<18>() ^ x.right::<3>();
                let far = y.rotate::<17>() ^ y.rotate::<19>() ^ y.right::<10>();
                w[j] = w[j] + near + w[(j + 9) & 15] + far;
            }
        }
        for eight in 0..2 {
            let (w, k) = (&w[8 * eight..][..8], &K[16 * sixteen + 8 * eight..][..8]);
            round!(a b c d e f g h w[0], k[0]);
            round!(h a b c d e f g w[1], k[1]);
            round!(g h a b c d e f w[2], k[2]);
            round!(f g h a b c d e w[3], k[3]);
            round!(e f g h a b c d w[4], k[4]);
            round!(d e f g h a b c w[5], k[5]);
            round!(c d e f g h a b w[6], k[6]);
            round!(b c d e f g h a w[7], k[7]);
        }
    }
    for (word, sum) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = *word + sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(blocks: &[[u32; 16]]) -> [u32; 8] {
        let mut state = START.map(One);
        for block in blocks {
            compress(&mut state, &mut block.map(One));
        }
        state.map(|word| word.0)
    }

    #[test]
    fn published_digests() {
        let mut block = [0; 16];
        block[0] = 0x8000_0000;
        assert_eq!(digest(&[block])[..2], [0xe3b0_c442, 0x98fc_1c14]);
        (block[0], block[15]) = (0x6162_6380, 24);
        assert_eq!(
            digest(&[block]),
            [0xba78_16bf, 0x8f01_cfea, 0x4141_40de, 0x5dae_2223, 0xb003_61a3, 0x9617_7a9c, 0xb410_ff61, 0xf200_15ad]
        );
    }
}
