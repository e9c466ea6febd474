//! The lines of crypttab: what is opened when the system starts.

use std::collections::BTreeSet;

use super::builder::Builder;
use super::device::{Device, Held, Origin};

/// What has to be there before anything else is: it is opened by the initramfs.
const EARLY: [&str; 2] = ["/", "/usr"];

impl Builder<'_> {
    /// The lines, if there are any. vmdb2 leaves out what has a filesystem that is mounted, which then
    /// isn't found when the system starts.
    ///
    /// Debian's initramfs is made in a tree that is on no device, so that it can't be seen there what the
    /// root filesystem is in: the option `initramfs` says so.
    pub(super) fn crypttab(&self) -> Option<String> {
        let mut early = BTreeSet::new();
        for (index, device) in self.devices.iter().enumerate() {
            if EARLY.map(Some).contains(&device.mounted_at.as_deref()) {
                self.add_below(index, &mut early);
            }
        }
        let lines = self.devices.iter().filter_map(|device| {
            let Origin::Opened(outer) = device.origin else {
                return None;
            };
            let (name, uuid) = (&device.tag, self.devices[outer].container()?.uuid);
            let option = if early.contains(&outer) {
                ",initramfs"
            } else {
                ""
            };
            Some(format!("{name} UUID={uuid} none luks,discard{option}\n"))
        });
        let lines: String = lines.collect();
        (!lines.is_empty()).then_some(lines)
    }

    /// Adds the devices that are opened before the one at `index` is there.
    fn add_below(&self, index: usize, opened: &mut BTreeSet<usize>) {
        match &self.devices[index].origin {
            Origin::Partition(_) => {}
            Origin::Opened(outer) => {
                opened.insert(*outer);
                self.add_below(*outer, opened);
            }
            Origin::Logical(logical) => {
                let group = &self.groups[logical.group].name;
                let is_member =
                    |it: &Device| matches!(&it.holds, Held::Member(of) if of.group == *group);
                for (index, _) in self.devices.iter().enumerate().filter(|it| is_member(it.1)) {
                    self.add_below(index, opened);
                }
            }
        }
    }
}
