//! The external programs.

use std::path::PathBuf;

use disklayout::fs::{Registry, Tool};

use super::check::Check;
use super::images::Images;
use crate::image::Image;
use crate::osinfo::OSINFO_QUERY;
use crate::virtinstall;

/// Every program that any image might need; `find` tells where it is.
pub(super) fn checks(
    images: &Images<'_>,
    registry: &Registry,
    find: &dyn Fn(Tool) -> Option<PathBuf>,
) -> Vec<Check> {
    let mut checks = Vec::new();
    for format in registry.formats() {
        let users = images.with_filesystem(format.names());
        let tools = format.tools().iter();
        checks.extend(tools.map(|tool| check(*tool, &users, find(*tool))));
    }
    let installs: Vec<_> = images.installs().map(|(image, _)| image).collect();
    let tools = virtinstall::TOOLS.iter();
    checks.extend(tools.map(|tool| check(*tool, &installs, find(*tool))));
    checks.push(osinfo(&installs, find(OSINFO_QUERY)));
    checks
}

/// One program that `users` need.
fn check(tool: Tool, users: &[&Image], path: Option<PathBuf>) -> Check {
    let name = tool.program;
    let check = match (path, users) {
        (Some(path), []) => Check::unneeded(name, path.display().to_string()),
        (None, []) => Check::unneeded(name, "not installed"),
        (Some(path), _) => Check::ok(name, path.display().to_string()),
        (None, _) => Check::missing(name, "not installed"),
    };
    check.of(users).with(tool.packages)
}

/// Without it, virt-install guesses.
fn osinfo(users: &[&Image], path: Option<PathBuf>) -> Check {
    if path.is_some() || users.is_empty() {
        return check(OSINFO_QUERY, users, path);
    }
    let text = "not installed (virt-install guesses the operating system then)";
    let remark = Check::remark(OSINFO_QUERY.program, text);
    remark.of(users).with(OSINFO_QUERY.packages)
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn every_format_that_is_not_native_has_its_programs() {
        let native = Registry::native().names();
        for format in foreign::registry().formats() {
            let is_native = native.contains(&format.names()[0]);
            assert_eq!(format.tools().is_empty(), is_native, "{format:?}");
        }
    }

    #[test]
    fn without_images_nothing_is_missing() {
        let images = Images::new(&[], "x86_64");
        for path in [None, Some(PathBuf::from("/bin/x"))] {
            let checks = checks(&images, &foreign::registry(), &|_| path.clone());
            assert_eq!(checks.len(), 8 + 4);
            assert!(checks.iter().all(|check| check.state == State::Unneeded));
        }
    }
}
