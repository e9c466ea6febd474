//! How large an image is.

use disklayout::Bytes;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// What is added where there is an EFI system partition, which is large.
const EFI: u64 = 525 * MIB;

/// A size is a multiple of this.
const MULTIPLE: u64 = 64 * KIB;

/// What the size of an image follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// The size that was asked for.
    pub asked: Option<Bytes>,
    /// What is added to the files, where no size was asked for; two thirds of them when there is none.
    pub extra: Option<Bytes>,
    /// The journal of the root filesystem, as far as it has any.
    pub journal: Bytes,
    /// Whether there is an EFI system partition.
    pub has_esp: bool,
}

impl Size {
    /// The size of an image whose files take so many `used` bytes. The rule is diskimage-builder's.
    pub fn of(&self, used: Bytes) -> Bytes {
        let kib = match (self.asked, self.extra) {
            (Some(asked), _) => asked.get() / KIB,
            (None, extra) => {
                let used = used.get().div_ceil(KIB);
                let files = match extra {
                    Some(extra) => used.saturating_add(extra.get() / KIB),
                    // Six tenths of it are what is there.
                    None => (u128::from(used) * 10 / 6).try_into().unwrap_or(u64::MAX),
                };
                files.saturating_add(self.journal.get() / KIB)
            }
        };
        let bytes = kib.saturating_mul(KIB);
        let bytes = match self.has_esp {
            true => bytes.saturating_add(EFI),
            false => bytes,
        };
        Bytes::new(bytes.checked_next_multiple_of(MULTIPLE).unwrap_or(bytes))
    }

    /// Whether the size depends on the files.
    pub const fn is_automatic(&self) -> bool {
        self.asked.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_diskimage_builder() {
        let mib = |count: u64| Bytes::new(count * MIB);
        let automatic = Size {
            journal: mib(64),
            ..Size::default()
        };
        for (size, used, expected) in [
            (
                Size {
                    journal: mib(8),
                    ..Size::default()
                },
                35_364 * KIB,
                67_136 * KIB,
            ),
            (automatic.clone(), 600 * MIB, 1064 * MIB),
            (automatic.clone(), 0, 64 * MIB),
            (automatic.clone(), 1, 64 * MIB + MULTIPLE),
            (
                Size {
                    has_esp: true,
                    ..automatic.clone()
                },
                600 * MIB,
                1589 * MIB,
            ),
            (
                Size {
                    extra: Some(mib(100)),
                    ..automatic.clone()
                },
                600 * MIB,
                764 * MIB,
            ),
            (
                Size {
                    asked: Some(mib(5120)),
                    ..automatic.clone()
                },
                600 * MIB,
                5120 * MIB,
            ),
            (
                Size {
                    asked: Some(Bytes::new(u64::MAX)),
                    ..automatic
                },
                0,
                u64::MAX / KIB * KIB,
            ),
        ] {
            let found = size.of(Bytes::new(used));
            if expected < u64::MAX / 2 {
                assert_eq!(found, Bytes::new(expected), "{size:?}");
            } else {
                assert!(found.get() >= expected, "{size:?}");
            }
        }
    }
}
