//! Steps that make the tree.

use std::path::PathBuf;

use super::builder::Builder;
use super::device::Device;
use super::step::Step;
use crate::system::{Access, Action, Apt, Bootstrap, NewFile, Playbook};

/// The value of `apt` that isn't the name of a package.
const INSTALL: &str = "install";

/// What tar is told anyway.
const ONE_FILE_SYSTEM: &str = "--one-file-system";

type Skipped = Option<String>;

impl Builder<'_> {
    pub(super) fn mount(&mut self, step: &mut Step<'_, '_>) -> Option<()> {
        let index = self.tagged(step, "mount")?;
        let device = &self.devices[index];
        let tag = device.tag.clone();
        if let Some(container) = device.container() {
            let inner = &self.devices[container.opened].tag;
            let message = format!("'{tag}' is encrypted: mount '{inner}', which is what is in it");
            return step.refuse("mount", message);
        }
        let Some(made) = device.filesystem() else {
            let message = format!("'{tag}' has no filesystem: have a step 'mkfs' before");
            return step.refuse("mount", message);
        };
        let holds_files = made.word != "swap";
        if let Some(path) = &device.mounted_at {
            let message = format!("'{tag}' is mounted at '{path}' already");
            return step.refuse("mount", message);
        }
        let path = self.mount_point(step)?;
        let mut others = self.devices.iter();
        if let Some(other) = others.find(|it| it.mounted_at.as_deref() == Some(path.as_str())) {
            let message = format!("'{}' is mounted at '{path}' already", other.tag);
            return step.refuse("mount", message);
        }
        step.flag("zerofree", true)?;
        let keeps_resolv_conf = step.flag("keep_resolvconf", false)?;
        // The first form has another tag for the filesystem.
        let fs_tag = step.optional_text("fs-tag")?;
        if !holds_files {
            let message = format!("'{tag}' is swap space, which holds no files");
            return step.refuse("mount", message);
        }
        let title = format!("mount: {tag} at {path}");
        match path.as_str() {
            "/" => {
                self.keeps_resolv_conf = keeps_resolv_conf;
                self.add(title, None, Action::Planned);
            }
            path => self.add(title, None, Action::MountPoint(path.to_owned())),
        }
        let device = &mut self.devices[index];
        device.mounted_at = Some(path);
        device.second_tag = fs_tag;
        Some(())
    }

    /// Where a filesystem is mounted in the tree.
    fn mount_point(&self, step: &mut Step<'_, '_>) -> Option<String> {
        if step.optional_text("dirname")?.is_none() {
            return Some("/".to_owned());
        }
        let path = step.tree_path("dirname")?;
        if !step.has("mount-on") {
            return step.refuse(
                "dirname",
                "a directory needs 'mount-on', the tag of the filesystem with it",
            );
        }
        let on = self.tagged(step, "mount-on")?;
        match &self.devices[on].mounted_at {
            Some(above) if path == "/" => Some(above.clone()),
            Some(above) => Some(format!("{}{path}", above.trim_end_matches('/'))),
            None => {
                let message = format!("'{}' isn't mounted", self.devices[on].tag);
                step.refuse("mount-on", message)
            }
        }
    }

    pub(super) fn unpack_rootfs(
        &mut self,
        step: &mut Step<'_, '_>,
        skipped: Skipped,
    ) -> Option<()> {
        self.root(step, "unpack-rootfs")?;
        let title = "unpack-rootfs".to_owned();
        let Some(tarball) = &self.settings.rootfs_tarball else {
            let reason = Some("no --rootfs-tarball is given".to_owned());
            self.add(title, reason, Action::Planned);
            return Some(());
        };
        let tarball = self.host_path(tarball);
        let reason = match self.settings.tarball_exists {
            false => Some(format!("'{}' isn't there", tarball.display())),
            true => skipped,
        };
        self.is_unpacked |= reason.is_none();
        self.add(title, reason, Action::Unpack(tarball));
        Some(())
    }

    pub(super) fn cache_rootfs(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        self.root(step, "cache-rootfs")?;
        let options = step.optional_text("options")?.unwrap_or_default();
        for option in options
            .split_whitespace()
            .filter(|it| *it != ONE_FILE_SYSTEM)
        {
            step.warn(
                "options",
                format!("the option '{option}' of tar is left out"),
            );
        }
        let is_forced = step.flag("force", false)?;
        let title = "cache-rootfs".to_owned();
        let Some(tarball) = &self.settings.rootfs_tarball else {
            let reason = Some("no --rootfs-tarball is given".to_owned());
            self.add(title, reason, Action::Planned);
            return Some(());
        };
        let tarball = self.host_path(tarball);
        let reason = match self.settings.tarball_exists && !is_forced {
            true => skipped.or_else(|| Some(format!("'{}' is there", tarball.display()))),
            false => skipped,
        };
        self.add(title, reason, Action::Pack(tarball));
        Some(())
    }

    pub(super) fn debootstrap(
        &mut self,
        name: &str,
        step: &mut Step<'_, '_>,
        skipped: Skipped,
    ) -> Option<()> {
        self.root(step, "target")?;
        let suite = step.text(name)?;
        let keyring = step.optional_text("keyring")?;
        let certificates = step.list("tls_ca_certs", &[])?;
        if let Some(other) = certificates.iter().find(|it| !it.ends_with(".crt")) {
            return step.refuse(
                "tls_ca_certs",
                format!("the name of '{other}' doesn't end in .crt"),
            );
        }
        let is_needed = self.is_host_fixed(&skipped);
        let keyring = match keyring {
            Some(path) => Some(self.given_file(step, "keyring", path, is_needed)?),
            None => None,
        };
        let certificates = certificates.into_iter();
        let ca_certificates = certificates
            .map(|path| self.given_file(step, "tls_ca_certs", path, is_needed))
            .collect::<Option<_>>()?;
        let bootstrap = Bootstrap {
            suite: suite.clone(),
            mirror: step.text("mirror")?,
            arch: step.optional_text("arch")?,
            variant: step
                .optional_text("variant")?
                .unwrap_or_else(|| "-".to_owned()),
            components: step.list("components", &["main"])?,
            include: step.list("include", &[])?,
            exclude: step.list("exclude", &[])?,
            keyring,
            install_keyring: step.flag("install_keyring", false)?,
            ca_certificates,
            require_empty: step.flag("require_empty_target", true)?,
        };
        let is_skipped = skipped.is_some();
        self.add(
            format!("{name}: {suite}"),
            skipped,
            Action::Bootstrap(bootstrap),
        );
        if is_skipped {
            self.add("apt-get update".to_owned(), None, Action::AptUpdate);
        }
        Some(())
    }

    pub(super) fn apt(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        let key = if step.has("tag") { "tag" } else { "fs-tag" };
        self.root(step, key)?;
        let word = step.text("apt")?;
        let packages = match (word.as_str(), step.has("packages")) {
            (INSTALL, true) => step.list("packages", &[])?,
            (INSTALL, false) => return step.refuse("apt", "the key 'packages' is missing"),
            // The first form.
            (_, false) => vec![word],
            (_, true) => {
                return step.refuse(
                    "apt",
                    format!("'{word}' can't be done: the value is 'install'"),
                );
            }
        };
        if packages.is_empty() {
            return step.refuse("packages", "the list is empty");
        }
        let apt = Apt {
            recommends: step.flag("recommends", true)?,
            clean: step.flag("clean", true)?,
            packages,
        };
        self.add(
            format!("apt: {}", apt.packages.join(", ")),
            skipped,
            Action::Apt(apt),
        );
        Some(())
    }

    pub(super) fn chroot(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        self.root(step, "chroot")?;
        let script = step.string("shell")?;
        self.add(format!("chroot: {script}"), skipped, Action::Chroot(script));
        Some(())
    }

    pub(super) fn shell(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        self.root(step, "root-fs")?;
        let script = step.string("shell")?;
        self.makes_host_files |= skipped.is_none();
        self.add(format!("shell: {script}"), skipped, Action::Shell(script));
        Some(())
    }

    pub(super) fn ansible(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        self.root(step, "ansible")?;
        let playbook = step.text("playbook")?;
        let mut variables = step.json("extra_vars")?;
        let tarball = self.settings.rootfs_tarball.as_ref();
        let tarball = tarball.map(|path| self.host_path(path).display().to_string());
        variables.insert("rootfs_tarball".to_owned(), tarball.into());
        let action = Action::Ansible(Playbook {
            path: self.host_path(&playbook),
            group: step
                .optional_text("group")?
                .unwrap_or_else(|| "image".to_owned()),
            tags: step
                .optional_text("tags")?
                .unwrap_or_else(|| "all".to_owned()),
            config_file: step
                .optional_text("config_file")?
                .map(|path| self.host_path(path)),
            extra_variables: serde_json::Value::Object(variables).to_string(),
        });
        self.makes_host_files |= skipped.is_none();
        self.add(format!("ansible: {playbook}"), skipped, action);
        Some(())
    }

    pub(super) fn fstab(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        self.root(step, "fstab")?;
        let is_nameless = |it: &&Device| {
            let made = it.filesystem();
            it.mounted_at.is_some() && made.is_some_and(|made| made.uuid.is_empty())
        };
        if let Some(device) = self.devices.iter().find(is_nameless) {
            let message = format!(
                "the filesystem of '{}' has no UUID that fstab could name it by",
                device.tag
            );
            return step.refuse("fstab", message);
        }
        let crypttab = self.crypttab();
        for (title, path, contents) in [
            ("fstab", "/etc/fstab", Some(self.filesystems())),
            ("crypttab", "/etc/crypttab", crypttab),
        ] {
            if let Some(contents) = contents {
                let file = NewFile {
                    path: path.to_owned(),
                    contents,
                    access: ROOT_FILE,
                };
                self.add(title.to_owned(), skipped.clone(), Action::CreateFile(file));
            }
        }
        Some(())
    }

    /// The lines of fstab.
    fn filesystems(&self) -> String {
        let lines = self.devices.iter().filter_map(|device| {
            let (path, made) = (device.mounted_at.as_ref()?, device.filesystem()?);
            let (uuid, word) = (&made.uuid, &made.word);
            Some((path, format!("UUID={uuid} {path} {word} defaults 0 1\n")))
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        lines.into_iter().map(|(_, line)| line).collect()
    }

    pub(super) fn copy_file(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        self.check_root(step, "copy-file")?;
        let path = step.tree_path("copy-file")?;
        let action = Action::CopyFile {
            from: self.host_file(step, "src", self.is_host_fixed(&skipped))?,
            access: access(step, 0o644)?,
            path: path.clone(),
        };
        self.add(format!("copy-file: {path}"), skipped, action);
        Some(())
    }

    pub(super) fn copy_dir(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        self.check_root(step, "copy-dir")?;
        let path = step.tree_path("copy-dir")?;
        let action = Action::CopyDirectory {
            from: self.host_directory(step, "src", self.is_host_fixed(&skipped))?,
            path: path.clone(),
            access: access(step, 0o755)?,
            umask: u32::try_from(step.number("umask", 0o022, 0, 0o7777)?).unwrap_or(0),
            names: (step.optional_text("user")?, step.optional_text("group")?),
        };
        self.add(format!("copy-dir: {path}"), skipped, action);
        Some(())
    }

    pub(super) fn create_file(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        self.check_root(step, "create-file")?;
        let path = step.tree_path("create-file")?;
        let mut contents = step.string("contents")?;
        // Templates take the last line end away.
        if step.flag("trailing-newline", false)? && !contents.ends_with('\n') {
            contents.push('\n');
        }
        let file = NewFile {
            path: path.clone(),
            contents,
            access: access(step, 0o644)?,
        };
        self.add(
            format!("create-file: {path}"),
            skipped,
            Action::CreateFile(file),
        );
        Some(())
    }

    pub(super) fn create_dir(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        self.check_root(step, "create-dir")?;
        let path = step.tree_path("create-dir")?;
        let action = Action::CreateDirectory {
            path: path.clone(),
            access: access(step, 0o755)?,
        };
        self.add(format!("create-dir: {path}"), skipped, action);
        Some(())
    }

    pub(super) fn virtual_filesystems(
        &mut self,
        step: &mut Step<'_, '_>,
        skipped: Skipped,
    ) -> Option<()> {
        self.root(step, "virtual-filesystems")?;
        self.add(
            "virtual-filesystems".to_owned(),
            skipped,
            Action::VirtualFilesystems,
        );
        Some(())
    }

    pub(super) fn resize_rootfs(
        &mut self,
        step: &mut Step<'_, '_>,
        skipped: Skipped,
    ) -> Option<()> {
        let index = self.root(step, "resize-rootfs")?;
        let device = &self.devices[index];
        if device.partition().is_none() {
            let message = format!("'{}' is no partition, which is what would grow", device.tag);
            return step.refuse("resize-rootfs", message);
        }
        self.add("resize-rootfs".to_owned(), skipped, Action::GrowAtFirstBoot);
        Some(())
    }

    pub(super) fn echo(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        let text = step.string("echo")?;
        let is_skipped = skipped.is_some();
        self.add(format!("echo: {text}"), skipped, Action::Say(text));
        let farewell = step.optional_text("teardown")?;
        if let Some(text) = farewell.filter(|_| !is_skipped) {
            self.add_farewell(format!("echo: {text}"), Action::Say(text));
        }
        Some(())
    }

    pub(super) fn error(&mut self, step: &mut Step<'_, '_>, skipped: Skipped) -> Option<()> {
        let text = step.string("error")?;
        step.optional_text("teardown")?;
        self.add(format!("error: {text}"), skipped, Action::Fail(text));
        Some(())
    }

    /// Whether a step finds of the host what is there now: it isn't left out, and none before it may
    /// make files.
    pub(super) fn is_host_fixed(&self, skipped: &Skipped) -> bool {
        skipped.is_none() && !self.makes_host_files
    }

    /// A path of the host; one that isn't absolute begins at the current directory.
    fn host_path(&self, path: impl Into<PathBuf>) -> PathBuf {
        self.settings.directory.join(path.into())
    }

    /// A file of the host that has to be there, if it is needed.
    fn host_file(&self, step: &mut Step<'_, '_>, key: &str, is_needed: bool) -> Option<PathBuf> {
        let path = step.text(key)?;
        self.given_file(step, key, path, is_needed)
    }

    /// The file of the host that `key` gives, which has to be there, if it is needed.
    pub(super) fn given_file(
        &self,
        step: &mut Step<'_, '_>,
        key: &str,
        path: String,
        is_needed: bool,
    ) -> Option<PathBuf> {
        let path = self.host_path(path);
        match is_needed && !path.is_file() {
            true => step.refuse(key, format!("there is no file '{}'", path.display())),
            false => Some(path),
        }
    }

    /// A directory of the host that has to be there, if it is needed.
    fn host_directory(
        &self,
        step: &mut Step<'_, '_>,
        key: &str,
        is_needed: bool,
    ) -> Option<PathBuf> {
        let path = self.host_path(step.text(key)?);
        match is_needed && !path.is_dir() {
            true => step.refuse(key, format!("there is no directory '{}'", path.display())),
            false => Some(path),
        }
    }
}

/// What a file of root's is.
const ROOT_FILE: Access = Access {
    permissions: 0o644,
    uid: 0,
    gid: 0,
};

/// The permissions and the owner that a step says.
fn access(step: &mut Step<'_, '_>, usual: u32) -> Option<Access> {
    Some(Access {
        permissions: step.permissions("perm", usual)?,
        uid: step.owner("uid")?,
        gid: step.owner("gid")?,
    })
}
