//! Elements that tests make, and builds of them: by root, and by an ordinary user with subordinate ids.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::program::{arguments, run};

use crate::systems::place::Place;
use crate::systems::user::{self, User};
use crate::world::Run;

/// Lays the smallest system in which scripts run.
const ROOT: &str = include_str!("../../data/dib/tiny-root");

/// A place with elements, of which `tiny` provides the operating system.
pub(super) struct Ground {
    place: Place,
}

impl Ground {
    /// A place of `user`'s.
    pub(super) fn new(user: User) -> Self {
        let place = Place::new(user);
        let ground = Self { place };
        for name in ["home", "temporary"] {
            fs::create_dir(ground.beside(name)).unwrap();
            user::give(user, &ground.beside(name));
        }
        ground.put("tiny/element-provides", "operating-system\n");
        ground.put("tiny/root.d/10-tiny", ROOT);
        ground
    }

    /// What is beside the directory that is worked in.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.place.directory().parent().unwrap().join(name)
    }

    /// A file of an element: executable, where its text begins with what runs it.
    pub(super) fn put(&self, name: &str, text: &str) {
        let path = self.beside("elements").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    }

    /// A script of bash for a phase of the element `probe`.
    pub(super) fn script(&self, phase: &str, text: &str) {
        let name = format!("probe/{phase}.d/50-{phase}");
        self.put(&name, &format!("#!/bin/bash\nset -eu\n{text}\n"));
    }

    /// The program with these arguments, and an environment of variables that are known.
    pub(super) fn command(&self, line: &str, variables: &[(&str, &str)]) -> Command {
        self.prepared(self.place.command(line), variables)
    }

    /// The program by another name, with these arguments.
    pub(super) fn by_link(&self, name: &str, line: &str, variables: &[(&str, &str)]) -> Run {
        let link = self.beside(name);
        if !link.is_symlink() {
            std::os::unix::fs::symlink("createhdds", &link).unwrap();
        }
        Run::of(&mut self.prepared(self.place.by_path(&link, line), variables))
    }

    /// The program with these arguments, run by another one.
    pub(super) fn through(&self, wrapper: &Path, line: &str, variables: &[(&str, &str)]) -> Run {
        Run::of(&mut self.prepared(self.place.through(wrapper, line), variables))
    }

    fn prepared(&self, mut command: Command, variables: &[(&str, &str)]) -> Command {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.beside("home"))
            .env("TMPDIR", self.beside("temporary"))
            .env("LC_ALL", "C")
            .env("SOURCE_DATE_EPOCH", "1700000000")
            // No diskimage-builder of this machine's.
            .env("DIB_PYTHON_EXEC", "/nowhere")
            .env("DIB_JOURNAL_SIZE", "4")
            // What processes of this place are known by.
            .env("PLACE", self.place.directory())
            .env("ELEMENTS_PATH", self.beside("elements"))
            .envs(variables.iter().copied());
        command
    }

    /// Runs the program with these arguments.
    pub(super) fn run(&self, line: &str, variables: &[(&str, &str)]) -> Run {
        Run::of(&mut self.command(line, variables))
    }

    /// Builds `tiny` with `probe`, and with these options.
    pub(super) fn build(&self, options: &str, variables: &[(&str, &str)]) -> Run {
        self.run(&format!("dib -n {options} tiny probe"), variables)
    }

    /// The file `name` in the directory that is worked in.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    /// The text of such a file.
    pub(super) fn text(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// What is in that directory, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        self.place.names()
    }

    /// Where it all is.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// What `inspect` tells of an image.
    pub(super) fn inspected(&self, name: &str) -> Value {
        let run = self.run(&format!("--json inspect --tree {name}"), &[]);
        let document = serde_json::from_str(&run.stdout).unwrap();
        run.expect(0);
        document
    }
}

/// What a member of an archive holds.
pub(super) fn member(archive: &Path, name: &str) -> String {
    run("tar", &arguments(&["-xOf"], &[archive, Path::new(name)])).unwrap()
}

/// The names in an archive, as they are there, sorted.
pub(super) fn members(archive: &Path) -> Vec<String> {
    let listed = run("tar", &arguments(&["-tf"], &[archive])).unwrap();
    let mut names: Vec<_> = listed.lines().map(str::to_owned).collect();
    names.sort();
    names
}
