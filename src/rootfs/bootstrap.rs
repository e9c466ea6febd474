//! A base system of Debian: made by mmdebstrap, or by debootstrap where that isn't installed or can't
//! do what is asked for.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use foreign::run::Runner;

use super::Assembly;
use super::host::{Bootstrapper, bootstrapper};
use crate::rooted::locate_followed;
use crate::sandbox::{self, Kind};
use crate::system::{Access, Bootstrap};

/// Where apt looks for keys that it trusts.
const KEYRINGS: &str = "/etc/apt/trusted.gpg.d";

/// Where update-ca-certificates looks for those of this system alone.
const CERTIFICATES: &str = "/usr/local/share/ca-certificates";

/// A file of root's that everybody may read.
const FILE: Access = Access {
    permissions: 0o644,
    uid: 0,
    gid: 0,
};

/// What mmdebstrap leaves in the tree of its own: options that hold for its own run alone.
const OWN_CONFIGURATION: [&str; 2] = [
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
];

/// Stands in for mknod where no user may make devices: debootstrap tries whether it can, and a system
/// needs none of them.
const MKNOD: &str = "#!/bin/sh\n\
    # The last argument but the type and the numbers is the name.\n\
    while [ $# -gt 1 ]; do\n\
    \tcase $1 in\n\
    \t-m) shift 2 ;;\n\
    \t-*) shift ;;\n\
    \t*) break ;;\n\
    \tesac\n\
    done\n\
    : > \"$1\"\n";

impl Assembly<'_> {
    /// Makes the base system.
    pub(super) fn bootstrap(&self, bootstrap: &Bootstrap) -> Result<()> {
        if bootstrap.require_empty {
            check_empty(self.tree())?;
        }
        let place = bootstrap.suite.as_str().into();
        match bootstrapper(&place, bootstrap, &Runner::from_env())? {
            (Bootstrapper::Mmdebstrap, program) => self.mmdebstrap(&program, bootstrap)?,
            (Bootstrapper::Debootstrap, program) => self.debootstrap(&program, bootstrap)?,
        }
        if let Some(keyring) = bootstrap
            .keyring
            .as_ref()
            .filter(|_| bootstrap.install_keyring)
        {
            let is_text = keyring.extension().is_some_and(|it| it == "asc");
            self.install(keyring, KEYRINGS, if is_text { "asc" } else { "gpg" })?;
        }
        for certificate in &bootstrap.ca_certificates {
            self.install(certificate, CERTIFICATES, "crt")?;
        }
        match bootstrap.ca_certificates.is_empty() {
            true => Ok(()),
            false => self.run_in_tree::<&str>("update-ca-certificates", &[]),
        }
    }

    /// Copies a file of the host into a directory of the tree, under its name with this extension.
    fn install(&self, file: &Path, directory: &str, extension: &str) -> Result<()> {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let path = format!("{directory}/{stem}.{extension}");
        super::files::copy_file(self.tree(), file, &path, FILE)
    }

    fn mmdebstrap(&self, program: &Path, bootstrap: &Bootstrap) -> Result<()> {
        let mut command = Command::new(program);
        command.args(mmdebstrap_options(bootstrap));
        command
            .arg(&bootstrap.suite)
            .arg(self.tree())
            .arg(&bootstrap.mirror);
        self.run_on_host(with_environment(command))?;
        for path in OWN_CONFIGURATION {
            super::files::remove(self.tree(), path)?;
        }
        self.lists_are_read()
    }

    fn debootstrap(&self, program: &Path, bootstrap: &Bootstrap) -> Result<()> {
        let mut command = Command::new(program);
        command.args(debootstrap_options(bootstrap));
        command
            .arg(&bootstrap.suite)
            .arg(self.tree())
            .arg(&bootstrap.mirror);
        let mut command = with_environment(command);
        // It downloads by wget, and has options for that in its latest versions only.
        if let Some(certificates) = bootstrap.ca_certificates.first() {
            let configuration = self.inside.scratch.join("wgetrc");
            let line = format!("ca_certificate = {}\n", certificates.display());
            fs::write(&configuration, line)?;
            command.env("WGETRC", configuration);
        }
        if self.inside.kind == Kind::User {
            let shims = self.inside.scratch.join("shims");
            fs::create_dir_all(&shims)?;
            let mknod = shims.join("mknod");
            fs::write(&mknod, MKNOD)?;
            fs::set_permissions(&mknod, PermissionsExt::from_mode(0o755))?;
            let path = format!("{}:{}", shims.display(), sandbox::PATH);
            command.env("PATH", path);
        }
        self.run_on_host(command)?;
        remove_stand_ins(self.tree())?;
        self.read_lists()
    }
}

fn with_environment(mut command: Command) -> Command {
    command
        .env("LC_ALL", "C")
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Removes what stands in for devices: files without content in /dev. A program that reads one would
/// find nothing in it, and go on.
fn remove_stand_ins(tree: &Path) -> Result<()> {
    for entry in fs::read_dir(locate_followed(tree, "/dev".as_ref())?)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file() && metadata.len() == 0 {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Refuses a tree that has something in it.
fn check_empty(tree: &Path) -> Result<()> {
    for entry in fs::read_dir(tree)? {
        let name = entry?.file_name();
        if name != "lost+found" {
            bail!(
                "the tree isn't empty, it has '{}': have this step first, or say \
                 'require_empty_target: false'",
                name.display()
            );
        }
    }
    Ok(())
}

fn mmdebstrap_options(bootstrap: &Bootstrap) -> Vec<OsString> {
    let variant = match bootstrap.variant.as_str() {
        "-" => "important",
        other => other,
    };
    let mut options: Vec<OsString> = vec![
        "--mode=root".into(),
        "--skip=check/empty".into(),
        // What is installed next needs them.
        "--skip=cleanup/apt/lists".into(),
        "--aptopt=APT::Sandbox::User \"root\"".into(),
        "--dpkgopt=force-unsafe-io".into(),
        format!("--variant={variant}").into(),
        format!("--components={}", bootstrap.components.join(",")).into(),
    ];
    if let Some(arch) = &bootstrap.arch {
        options.push(format!("--architectures={arch}").into());
        // It would want another program to see whether those programs run here. They do.
        options.push("--skip=check/qemu".into());
    }
    if !bootstrap.include.is_empty() {
        options.push(format!("--include={}", bootstrap.include.join(",")).into());
    }
    if let Some(keyring) = &bootstrap.keyring {
        options.push(with_path("--keyring=", keyring));
    }
    if let Some(certificates) = bootstrap.ca_certificates.first() {
        let shown = certificates.display();
        options.push(format!("--aptopt=Acquire::https::CAInfo \"{shown}\"").into());
    }
    options
}

fn debootstrap_options(bootstrap: &Bootstrap) -> Vec<OsString> {
    let mut options: Vec<OsString> =
        vec![format!("--components={}", bootstrap.components.join(",")).into()];
    if bootstrap.variant != "-" {
        options.push(format!("--variant={}", bootstrap.variant).into());
    }
    if let Some(arch) = &bootstrap.arch {
        options.push(format!("--arch={arch}").into());
    }
    for (name, packages) in [
        ("include", &bootstrap.include),
        ("exclude", &bootstrap.exclude),
    ] {
        if !packages.is_empty() {
            options.push(format!("--{name}={}", packages.join(",")).into());
        }
    }
    if let Some(keyring) = &bootstrap.keyring {
        options.push(with_path("--keyring=", keyring));
    }
    options
}

fn with_path(option: &str, path: &Path) -> OsString {
    let mut option = OsString::from(option);
    option.push(path);
    option
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bootstrap() -> Bootstrap {
        Bootstrap {
            components: vec!["main".into(), "contrib".into()],
            ..Bootstrap::new("bookworm", "http://host/debian")
        }
    }

    #[test]
    fn what_is_asked_for_becomes_options() {
        let more = Bootstrap {
            arch: Some("arm64".into()),
            variant: "minbase".into(),
            include: vec!["a".into(), "b".into()],
            exclude: vec!["c".into()],
            keyring: Some("/k.gpg".into()),
            ..bootstrap()
        };
        let text = |options: Vec<OsString>| options.join(" ".as_ref()).into_string().unwrap();
        let usual = text(mmdebstrap_options(&bootstrap()));
        assert!(
            usual.ends_with("--variant=important --components=main,contrib"),
            "{usual}"
        );
        let all = text(mmdebstrap_options(&more));
        let end = "--architectures=arm64 --skip=check/qemu --include=a,b --keyring=/k.gpg";
        assert!(all.ends_with(end), "{all}");
        assert_eq!(
            text(debootstrap_options(&bootstrap())),
            "--components=main,contrib"
        );
        assert_eq!(
            text(debootstrap_options(&more)),
            "--components=main,contrib --variant=minbase --arch=arm64 --include=a,b --exclude=c \
             --keyring=/k.gpg"
        );
    }

    #[test]
    fn only_an_empty_tree_is_empty() {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir(tree.path().join("lost+found")).unwrap();
        check_empty(tree.path()).unwrap();
        fs::create_dir(tree.path().join("boot")).unwrap();
        let error = check_empty(tree.path()).unwrap_err().to_string();
        assert!(error.contains("'boot'"), "{error}");
    }

    /// debootstrap calls it in these ways.
    #[test]
    fn the_stand_in_for_mknod_makes_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("mknod");
        fs::write(&script, MKNOD).unwrap();
        for arguments in ["-m 666 a c 1 3", "--mode=666 b c 1 3", "c b 8 0", "d p"] {
            let mut command = Command::new("sh");
            command.arg(&script).args(arguments.split(' '));
            let status = command.current_dir(directory.path()).status().unwrap();
            assert!(status.success(), "{arguments}");
        }
        for name in ["a", "b", "c", "d"] {
            assert!(directory.path().join(name).is_file(), "{name}");
        }
    }
}
