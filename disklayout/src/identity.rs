//! Everything that other programs take from a random generator or a clock.
//!
//! An [`Identity`] is a seed and a time. Each object asks for its own values by the path of
//! names that leads to it, so that adding an object never changes the values of another.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A point in time: seconds since 1970-01-01 00:00:00 UTC and nanoseconds within the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since the epoch; negative before it.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

impl Timestamp {
    /// A whole second.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self {
            seconds,
            nanoseconds: 0,
        }
    }
}

/// The seed of one object and the time that it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    seed: [u8; 32],
    time: Timestamp,
}

impl Identity {
    /// The identity of the object called `name`, made at `time`.
    pub fn new(name: &str, time: Timestamp) -> Self {
        Self {
            seed: Sha256::digest(name.as_bytes()).into(),
            time,
        }
    }

    /// The identity of the part called `name` of this object.
    pub fn child(&self, name: &str) -> Self {
        Self {
            seed: self.derive(name),
            time: self.time,
        }
    }

    /// The time of creation, for every field that holds one.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// A UUID for `purpose`, of version 8 (RFC 9562, section 5.8: made by a scheme of the maker).
    pub fn uuid(&self, purpose: &str) -> Uuid {
        uuid::Builder::from_custom_bytes(self.derive_prefix(purpose)).into_uuid()
    }

    /// A number for `purpose` that is never zero, which many formats take for "not set".
    pub fn number(&self, purpose: &str) -> u64 {
        u64::from_le_bytes(self.derive_prefix(purpose)).max(1)
    }

    /// A 32-bit number for `purpose` that is never zero.
    pub fn number32(&self, purpose: &str) -> u32 {
        u32::from_le_bytes(self.derive_prefix(purpose)).max(1)
    }

    /// The seed is of fixed length, so that (seed, name) can't run into one another.
    fn derive(&self, name: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.seed)
            .chain_update(name.as_bytes())
            .finalize()
            .into()
    }

    /// The first `N` bytes of a derived value, `N` being 32 at most.
    fn derive_prefix<const N: usize>(&self, name: &str) -> [u8; N] {
        let value = self.derive(name);
        std::array::from_fn(|i| value[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_path_gives_the_same_values_and_another_path_others() {
        let disk = Identity::new("disk_full_gpt.img", Timestamp::from_seconds(7));
        let again = Identity::new("disk_full_gpt.img", Timestamp::from_seconds(8));
        assert_eq!(
            disk.child("partition 1").uuid("id"),
            again.child("partition 1").uuid("id")
        );
        assert_ne!(
            disk.child("partition 1").uuid("id"),
            disk.child("partition 2").uuid("id")
        );
        assert_ne!(disk.uuid("id"), disk.uuid("hash seed"));
        assert_ne!(disk.number("a"), disk.number("b"));
        assert_eq!(disk.child("x").time(), Timestamp::from_seconds(7));
    }

    #[test]
    fn uuids_carry_the_variant_and_version_of_rfc_9562() {
        let uuid = Identity::new("x", Timestamp::default()).uuid("id");
        assert_eq!(uuid.get_version_num(), 8);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
    }
}
