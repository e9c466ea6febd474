//! The steps that there are, by the keys that tell them apart.

/// What a step of some kind looks like.
#[derive(Debug)]
pub(super) struct Kind {
    /// What it is.
    pub step: Name,
    /// Keys that it has to have: the first one names it.
    pub required: &'static [&'static str],
    /// Keys that it may have.
    pub optional: &'static [&'static str],
}

/// A kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Ansible,
    Apt,
    CacheRootfs,
    Chroot,
    CopyDir,
    CopyFile,
    CreateDir,
    CreateFile,
    Cryptsetup,
    Debootstrap,
    Echo,
    Error,
    Fstab,
    Grub,
    Kpartx,
    Lvcreate,
    Lvscan,
    Mkfs,
    Mkimg,
    Mklabel,
    Mkpart,
    Mount,
    ResizeRootfs,
    SetPartFlag,
    Shell,
    UnpackRootfs,
    Vgcreate,
    VirtualFilesystems,
}

impl Name {
    /// Whether a step of this kind only says what the disk and its mounts are like.
    pub(super) const fn is_planned(self) -> bool {
        matches!(
            self,
            Self::Mkimg
                | Self::Mklabel
                | Self::Mkpart
                | Self::SetPartFlag
                | Self::Kpartx
                | Self::Cryptsetup
                | Self::Vgcreate
                | Self::Lvcreate
                | Self::Lvscan
                | Self::Mkfs
                | Self::Mount
                | Self::VirtualFilesystems
        )
    }
}

const fn kind(
    step: Name,
    required: &'static [&'static str],
    optional: &'static [&'static str],
) -> Kind {
    Kind {
        step,
        required,
        optional,
    }
}

/// All of vmdb2 0.41, and words of older versions.
pub(super) const KINDS: [Kind; 31] = [
    kind(
        Name::Ansible,
        &["ansible", "playbook"],
        &["tag", "group", "tags", "config_file", "extra_vars"],
    ),
    kind(
        Name::Apt,
        &["apt"],
        &["packages", "tag", "fs-tag", "clean", "recommends"],
    ),
    kind(Name::CacheRootfs, &["cache-rootfs"], &["options", "force"]),
    kind(Name::Chroot, &["chroot", "shell"], &[]),
    kind(
        Name::CopyDir,
        &["copy-dir", "src"],
        &["perm", "umask", "uid", "gid", "user", "group"],
    ),
    kind(
        Name::CopyFile,
        &["copy-file", "src"],
        &["perm", "uid", "gid"],
    ),
    kind(Name::CreateDir, &["create-dir"], &["perm", "uid", "gid"]),
    kind(
        Name::CreateFile,
        &["create-file", "contents"],
        &["perm", "uid", "gid", "trailing-newline"],
    ),
    kind(Name::Cryptsetup, &["cryptsetup", "name"], KEYS),
    // The form that vmdb2's manual has.
    kind(Name::Cryptsetup, &["cryptsetup", "tag"], KEYS),
    kind(
        Name::Debootstrap,
        &["debootstrap", "target", "mirror"],
        DEBOOTSTRAP,
    ),
    kind(
        Name::Debootstrap,
        &["qemu-debootstrap", "target", "mirror"],
        DEBOOTSTRAP,
    ),
    kind(Name::Echo, &["echo"], &["teardown"]),
    kind(Name::Error, &["error"], &["teardown"]),
    kind(Name::Fstab, &["fstab"], &[]),
    kind(
        Name::Grub,
        &["grub"],
        &[
            "tag",
            "root-fs",
            "root-part",
            "device",
            "efi",
            "efi-part",
            "prep",
            "console",
            "image-dev",
            "quiet",
            "timeout",
            "kernel-params",
        ],
    ),
    kind(Name::Kpartx, &["kpartx"], &["tags"]),
    kind(Name::Cryptsetup, &["luks", "name"], KEYS),
    kind(Name::Lvcreate, &["lvcreate", "name", "size"], &[]),
    kind(Name::Lvscan, &["lvscan"], &["tags"]),
    kind(
        Name::Mkfs,
        &["mkfs", "partition"],
        &["label", "options", "target_old"],
    ),
    kind(Name::Mkimg, &["mkimg", "size"], &["format", "compress"]),
    kind(Name::Mklabel, &["mklabel", "device"], &[]),
    kind(
        Name::Mkpart,
        &["mkpart", "device", "start", "end"],
        &["tag", "part-tag", "fs-type"],
    ),
    kind(
        Name::Mount,
        &["mount"],
        &[
            "dirname",
            "mount-on",
            "zerofree",
            "keep_resolvconf",
            "fs-tag",
        ],
    ),
    kind(Name::ResizeRootfs, &["resize-rootfs"], &[]),
    kind(
        Name::SetPartFlag,
        &["set_part_flag", "tag", "flag"],
        &["state"],
    ),
    kind(Name::Shell, &["shell", "root-fs"], &[]),
    kind(Name::UnpackRootfs, &["unpack-rootfs"], &[]),
    kind(Name::Vgcreate, &["vgcreate", "physical"], &[]),
    kind(Name::VirtualFilesystems, &["virtual-filesystems"], &[]),
];

const DEBOOTSTRAP: &[&str] = &[
    "arch",
    "keyring",
    "install_keyring",
    "variant",
    "components",
    "include",
    "exclude",
    "require_empty_target",
    "tls_ca_certs",
];

/// Where a key comes from.
const KEYS: &[&str] = &["password", "key-file", "key-cmd"];

/// The key that any step may have: what leaves it out.
pub(super) const UNLESS: &str = "unless";

/// What a step with these keys is.
///
/// # Errors
/// What is wrong with them.
pub(super) fn find(keys: &[&str]) -> Result<&'static Kind, String> {
    let has = |key: &&str| keys.contains(key);
    if let Some(kind) = KINDS.iter().find(|kind| kind.required.iter().all(has)) {
        return Ok(kind);
    }
    // One that has the name, but not all that it has to.
    let named = KINDS.iter().find(|kind| has(&kind.required[0]));
    if let Some(kind) = named {
        let missing: Vec<_> = kind.required.iter().filter(|key| !has(key)).collect();
        let missing = missing
            .iter()
            .map(|key| format!("'{key}'"))
            .collect::<Vec<_>>();
        return Err(format!(
            "the step '{}' needs {} too",
            kind.required[0],
            missing.join(" and ")
        ));
    }
    let keys_shown = keys.join(", ");
    let near = KINDS.iter().flat_map(|kind| {
        let name = kind.required[0];
        keys.iter()
            .map(move |key| (strsim::damerau_levenshtein(key, name), name))
    });
    let nearest = near.min().filter(|(distance, _)| *distance <= 2);
    Err(match nearest {
        Some((_, name)) => format!("no step has the keys {keys_shown}: did you mean '{name}'?"),
        None if keys.is_empty() => "the step has no keys".to_owned(),
        None => format!("no step has the keys {keys_shown}"),
    })
}

impl Kind {
    /// Whether a step of this kind knows `key`.
    pub(super) fn knows(&self, key: &str) -> bool {
        key == UNLESS || self.required.contains(&key) || self.optional.contains(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_told_by_its_keys() {
        for (keys, expected) in [
            (&["mkimg", "size"][..], Ok(Name::Mkimg)),
            (&["shell", "chroot"], Ok(Name::Chroot)),
            (&["shell", "root-fs"], Ok(Name::Shell)),
            (&["apt", "fs-tag", "unless"], Ok(Name::Apt)),
            (&["cryptsetup", "tag", "key-cmd"], Ok(Name::Cryptsetup)),
            (
                &["cryptsetup", "password"],
                Err("the step 'cryptsetup' needs 'name' too"),
            ),
            (&["shell"], Err("the step 'shell' needs 'root-fs' too")),
            (
                &["mkpart", "device"],
                Err("the step 'mkpart' needs 'start' and 'end' too"),
            ),
            (
                &["mkimage", "sice"],
                Err("no step has the keys mkimage, sice: did you mean 'mkimg'?"),
            ),
            (
                &["nothing-like-it"],
                Err("no step has the keys nothing-like-it"),
            ),
            (&[], Err("the step has no keys")),
        ] {
            let found = find(keys).map(|kind| kind.step);
            assert_eq!(
                found.as_ref().map_err(String::as_str),
                expected.as_ref().map_err(|e| *e),
                "{keys:?}"
            );
        }
    }
}
