//! How much work a header may ask for.

use crate::volume::luks::{Argon2Cost, Kdf, MEMORY_MAX};

/// Memory times passes, in KiB: 64 GiB, which is minutes.
const WORK_MAX: u64 = 64 << 20;
/// As many as there can be at once, whatever has been there when the header was made.
const LANES_MAX: u32 = 64;
/// Iterations of PBKDF2: minutes as well.
pub(super) const PBKDF2_MAX: u32 = 1 << 27;

/// What is too much of a key slot's costs, or makes no sense.
pub(super) fn fault(kdf: &Kdf) -> Option<String> {
    match *kdf {
        Kdf::Pbkdf2 { iterations, .. } => pbkdf2_fault(iterations),
        Kdf::Argon2i(cost) | Kdf::Argon2id(cost) => {
            argon2_fault(cost).map(|why| format!("{kdf} {why}"))
        }
    }
}

/// What is wrong with so many iterations.
pub(super) fn pbkdf2_fault(iterations: u32) -> Option<String> {
    let is_right = (1..=PBKDF2_MAX).contains(&iterations);
    (!is_right).then(|| format!("{iterations} iterations of PBKDF2 aren't from 1 to {PBKDF2_MAX}"))
}

fn argon2_fault(cost: Argon2Cost) -> Option<String> {
    let work = u64::from(cost.memory_kib) * u64::from(cost.iterations);
    if cost.memory_kib > MEMORY_MAX {
        Some(format!("needs more memory than {MEMORY_MAX} KiB"))
    } else if !(1..=LANES_MAX).contains(&cost.lanes) {
        Some(format!("has lanes that aren't from 1 to {LANES_MAX}"))
    } else if cost.memory_kib < 8 * cost.lanes || cost.iterations == 0 {
        Some("has less memory or iterations than Argon2 knows".to_owned())
    } else {
        (work > WORK_MAX).then(|| format!("goes through more memory than {WORK_MAX} KiB"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::luks::Hash;

    #[test]
    fn what_costs_minutes_is_refused() {
        let argon2 = |memory_kib, iterations, lanes| {
            Kdf::Argon2id(Argon2Cost {
                memory_kib,
                iterations,
                lanes,
            })
        };
        let pbkdf2 = |iterations| Kdf::Pbkdf2 {
            hash: Hash::Sha1,
            iterations,
        };
        for kdf in [
            argon2(MEMORY_MAX, 16, 4),
            argon2(8, 1, 1),
            argon2(512, 1, 64),
            pbkdf2(1),
            pbkdf2(PBKDF2_MAX),
        ] {
            assert_eq!(fault(&kdf), None, "{kdf}");
        }
        for (kdf, why) in [
            (argon2(MEMORY_MAX + 1, 1, 1), "more memory than 4194304 KiB"),
            (argon2(MEMORY_MAX, 17, 1), "goes through more memory"),
            (argon2(u32::MAX, u32::MAX, u32::MAX), "more memory than"),
            (argon2(1024, 1, 0), "lanes"),
            (argon2(1024, 1, 65), "lanes"),
            (argon2(31, 1, 4), "less memory"),
            (argon2(64, 0, 4), "less memory or iterations"),
            (pbkdf2(0), "0 iterations"),
            (pbkdf2(PBKDF2_MAX + 1), "134217729 iterations"),
        ] {
            let fault = fault(&kdf).unwrap();
            assert!(fault.contains(why), "{fault}");
        }
    }
}
