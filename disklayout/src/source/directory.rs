//! Directories of the host as sources of a tree.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::Errno;

use super::layer::Layer;
use super::overlay::Kept;
use super::scan::{Found, Listing, Scanner, join};
use super::whiteouts::{Marker, Whiteouts};
use super::{Rules, host};
use crate::error::{Error, Result};
use crate::tree::{self, FileTree, Node, NodeId, NodeKind, Xattrs};

/// So many directories are read before what they hold goes into the tree, which bounds the memory
/// for what is under way.
const BATCH: usize = 64;

/// Puts everything in the directory at `path` over what is in `tree`: contents with their holes,
/// hard links, symbolic links, devices, pipes, sockets, and of each the permissions, the owner, the
/// time to the nanosecond and all extended attributes that this user may list. The top's own
/// attributes become those of the directory that it goes to. Contents are read later: the
/// directory has to stay as it is until the image is written.
///
/// Other filesystems that are mounted in the directory are read too. `path` itself may be a
/// symbolic link; others aren't followed. The tree doesn't depend on the order in which the
/// filesystem keeps its entries.
///
/// # Errors
/// `InvalidSpec` at `place` when `path` isn't a directory or something stands in the way of the
/// target; `Io` when a directory, a file or an attribute can't be read, which includes files that
/// this user may not open.
pub fn add_directory(tree: &mut FileTree, place: &str, path: &Path, rules: &Rules) -> Result<()> {
    let scanner = Scanner {
        place,
        top: path,
        rules,
    };
    let top = top_node(&scanner, path)?;
    let mut layer = Layer { tree, rules, place };
    let whiteouts = rules.whiteouts.then(|| Whiteouts::new(layer.tree.slots()));
    let mut walk = Walk {
        top: path,
        whiteouts,
        kept: Kept::default(),
        found: vec![(layer.put(b"", top)?, path.to_owned())],
        shared: BTreeMap::new(),
        layer,
    };
    while !walk.found.is_empty() {
        let level = std::mem::take(&mut walk.found);
        // One batch is read while what was found in the last goes into the tree.
        let mut last = Vec::new();
        for batch in level.chunks(BATCH) {
            let list = |(id, path): &(NodeId, PathBuf)| (*id, path.clone(), scanner.list(path));
            let (added, listed) = rayon::join(
                || walk.add_all(std::mem::take(&mut last)),
                || batch.par_iter().map(list).collect(),
            );
            added?;
            last = listed;
        }
        walk.add_all(last)?;
    }
    walk.finish();
    Ok(())
}

fn top_node(scanner: &Scanner<'_>, path: &Path) -> Result<Node> {
    let stat = tree::open(path, OFlags::PATH).and_then(fstat);
    let stat = stat.map_err(|error| match error {
        Errno::NOENT => {
            let message = format!("there is no directory '{}'", path.display());
            Error::invalid(scanner.place, message)
        }
        _ => scanner.failed("find the directory", path, error),
    })?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        let message = format!("'{}' isn't a directory", path.display());
        return Err(Error::invalid(scanner.place, message));
    }
    Ok(Node::new(NodeKind::Directory, host::attributes(&stat)))
}

/// A walk through a directory, one level of it after the other.
#[derive(Debug)]
struct Walk<'a> {
    layer: Layer<'a>,
    /// Where it started.
    top: &'a Path,
    /// Where the rules have them.
    whiteouts: Option<Whiteouts>,
    /// Signs of overlayfs that are taken for nothing else than what they are.
    kept: Kept,
    /// Directories to read: where they are in the tree and on the host.
    found: Vec<(NodeId, PathBuf)>,
    /// What may have further names, by device and inode.
    shared: BTreeMap<(u64, u64), NodeId>,
}

impl Walk<'_> {
    fn add_all(&mut self, listed: Vec<(NodeId, PathBuf, Result<Listing>)>) -> Result<()> {
        for (directory, path, listing) in listed {
            self.add(directory, &path, listing?)?;
        }
        Ok(())
    }

    /// Puts what a directory holds into the tree.
    fn add(&mut self, directory: NodeId, path: &Path, listing: Listing) -> Result<()> {
        let mut xattrs = listing.xattrs;
        self.is_whiteout(path, &NodeKind::Directory, &mut xattrs)?;
        self.layer.tree.set_xattrs(directory, xattrs);
        for Found {
            name,
            mut node,
            shared,
        } in listing.entries
        {
            let inner = join(path, &name);
            if self.is_marker(&inner) || self.is_whiteout(&inner, &node.kind, &mut node.xattrs)? {
                continue;
            }
            let known = shared.and_then(|shared| self.shared.get(&shared));
            if let Some(known) = known {
                let known = *known;
                self.layer.link_in(directory, &name, known)?;
                if let Some(whiteouts) = &mut self.whiteouts {
                    whiteouts.link_in(directory, &name, known);
                }
                continue;
            }
            let is_directory = node.kind.is_directory();
            let id = self.layer.put_in(directory, &name, node)?;
            if let Some(whiteouts) = &mut self.whiteouts {
                whiteouts.put(id);
            }
            if is_directory {
                self.found.push((id, inner));
            }
            if let Some(shared) = shared {
                self.shared.insert(shared, id);
            }
        }
        Ok(())
    }

    /// Takes in a file that only says what is removed. Tells whether it is one.
    fn is_marker(&mut self, path: &Path) -> bool {
        let Some(whiteouts) = &mut self.whiteouts else {
            return false;
        };
        let inner = inner(self.top, path);
        let marker = Marker::of(inner);
        let is_marker = marker.is_some() || Whiteouts::is_metadata(inner);
        marker.into_iter().for_each(|it| whiteouts.remember(it));
        is_marker
    }

    /// Takes in what overlayfs means by a node. Tells whether it is a whiteout.
    fn is_whiteout(&mut self, path: &Path, kind: &NodeKind, xattrs: &mut Xattrs) -> Result<bool> {
        let inner = || inner(self.top, path);
        let Some(whiteouts) = &mut self.whiteouts else {
            self.kept.note(|| inner().to_vec(), kind, xattrs);
            return Ok(false);
        };
        whiteouts.take(inner(), kind, xattrs).map_err(|why| {
            let message = format!("'{}': {why}", path.display());
            Error::unsupported(self.layer.place, message)
        })
    }

    /// Does what can only be done when all entries are there.
    fn finish(mut self) {
        if let Some(whiteouts) = self.whiteouts.take() {
            whiteouts.apply(&mut self.layer);
        }
        self.kept.tell(&mut self.layer);
    }
}

/// A path counted from the top of the source.
fn inner<'p>(top: &Path, path: &'p Path) -> &'p [u8] {
    let inner = path.strip_prefix(top).unwrap_or(path);
    inner.as_os_str().as_bytes()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::error::ErrorKind;
    use crate::identity::Timestamp;
    use crate::source::Exclude;
    use crate::tree::{Attributes, Content};

    const TIME: Timestamp = Timestamp::from_seconds(1);

    fn read(path: &Path, rules: &Rules) -> Result<FileTree> {
        let mut tree = FileTree::new(TIME);
        add_directory(&mut tree, "d", path, rules).map(|()| tree)
    }

    /// Every node with its path, in the order of the tree.
    fn listed(tree: &FileTree) -> Vec<(String, Node)> {
        let nodes = tree.nodes().map(|(id, node)| (tree.path(id), node.clone()));
        nodes
            .map(|(path, node)| (path.escape_ascii().to_string(), node))
            .collect()
    }

    fn paths(tree: &FileTree) -> Vec<String> {
        listed(tree).into_iter().map(|(path, _)| path).collect()
    }

    fn make(directory: &Path, files: &[&str]) {
        for file in files {
            let path = directory.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
    }

    #[test]
    fn the_tree_is_sorted_and_the_same_on_any_number_of_threads() {
        let source = tempfile::tempdir().unwrap();
        let numbers = 0..700_u32;
        let names: Vec<_> = numbers
            .map(|n| format!("d{}/{:x}", n % 7, n.wrapping_mul(2_654_435_761)))
            .collect();
        make(
            source.path(),
            &names.iter().map(|n| &**n).collect::<Vec<_>>(),
        );
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            pool.install(|| listed(&read(source.path(), &Rules::default()).unwrap()))
        };
        let one = on(1);
        assert_eq!(one.len(), 1 + 7 + 700);
        assert_eq!(one, on(4));
        let mut files: Vec<_> = one[8..].iter().map(|(path, _)| path).collect();
        files.sort_unstable();
        assert!(
            files
                .iter()
                .eq(&one[8..].iter().map(|(p, _)| p).collect::<Vec<_>>())
        );
    }

    #[test]
    fn hard_links_stay_together_and_other_names_apart() {
        let source = tempfile::tempdir().unwrap();
        make(source.path(), &["a/one", "b/other"]);
        symlink("nowhere", source.path().join("link")).unwrap();
        for (from, to) in [("a/one", "b/two"), ("a/one", "three"), ("link", "link2")] {
            fs::hard_link(source.path().join(from), source.path().join(to)).unwrap();
        }
        let tree = read(source.path(), &Rules::default()).unwrap();
        let links = ["/a/one", "/b/two", "/three", "/link", "/link2", "/b/other"]
            .map(|path| (tree.find(path.as_bytes()).unwrap(), path))
            .map(|(id, _)| (id, tree.links(id)));
        assert_eq!(links.map(|(_, count)| count), [3, 3, 3, 2, 2, 1]);
        assert!(links[..3].iter().all(|(id, _)| *id == links[0].0));
        assert_eq!(links[3].0, links[4].0);
    }

    #[test]
    fn names_may_be_any_bytes_and_long() {
        let source = tempfile::tempdir().unwrap();
        let long = "x".repeat(255);
        for name in [&b"\xff\xfe"[..], b"a\nb", b" ", long.as_bytes(), b"\\"] {
            fs::create_dir(join(source.path(), name)).unwrap();
        }
        let tree = read(source.path(), &Rules::default()).unwrap();
        let expected = [
            "",
            "/ ",
            "/\\\\",
            "/a\\nb",
            &format!("/{long}"),
            "/\\xff\\xfe",
        ];
        assert_eq!(paths(&tree), expected);
    }

    #[test]
    fn what_is_excluded_isnt_even_looked_at() {
        let source = tempfile::tempdir().unwrap();
        make(
            source.path(),
            &["a.o", "b/a.o/x", "b/c", "tmp/x", "b/tmp/x"],
        );
        let patterns = ["*.o", "/tmp"];
        let rules = Rules {
            excluded: patterns
                .map(|text| Exclude::parse("x", text.as_bytes()).unwrap())
                .into(),
            ..Rules::default()
        };
        for top in [source.path().to_owned(), source.path().join("./b/..//")] {
            let found = paths(&read(&top, &rules).unwrap());
            assert_eq!(found, ["", "/b", "/b/c", "/b/tmp", "/b/tmp/x"]);
        }
    }

    #[test]
    fn one_directory_goes_over_another() {
        let [lower, upper] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        make(lower.path(), &["both/low", "both/same", "file", "dir/x"]);
        make(upper.path(), &["both/up", "both/same", "file/x", "dir"]);
        fs::set_permissions(upper.path(), PermissionsExt::from_mode(0o2750)).unwrap();
        symlink("usr/lib", lower.path().join("lib")).unwrap();
        let rules = Rules {
            target: b"/top".to_vec(),
            latest: Some(TIME),
            ..Rules::default()
        };
        let mut tree = FileTree::new(TIME);
        for layer in [lower.path(), upper.path()] {
            add_directory(&mut tree, "d", layer, &rules).unwrap();
        }
        let mut found = paths(&tree);
        found.sort_unstable();
        let mut expected = [
            "",
            "/top",
            "/top/both",
            "/top/both/low",
            "/top/both/same",
            "/top/both/up",
            "/top/dir",
            "/top/file",
            "/top/file/x",
            "/top/lib",
        ];
        expected.sort_unstable();
        assert_eq!(found, expected);
        let node = |path: &str| tree.node(tree.find(path.as_bytes()).unwrap());
        let same = match &node("/top/both/same").kind {
            NodeKind::File(content) => content.host_path().unwrap().to_owned(),
            other => panic!("{other:?}"),
        };
        assert!(same.starts_with(upper.path()));
        let top = node("/top").attributes;
        assert_eq!((top.permissions, top.mtime), (0o2750, TIME));

        let below_link = Rules {
            target: b"/top/lib/x".to_vec(),
            ..Rules::default()
        };
        let error = add_directory(&mut tree, "d", upper.path(), &below_link).unwrap_err();
        let expected = "'/top/lib' is a symbolic link to 'usr/lib', so it can't hold others";
        assert!(error.message().contains(expected), "{error}");
    }

    #[test]
    fn whiteouts_of_a_directory_remove_what_was_there() {
        use rustix::fs::{XattrFlags, setxattr};
        let upper = tempfile::tempdir().unwrap();
        make(
            upper.path(),
            &[
                "d/.wh.a",
                "e/new",
                "x/.wh..wh..opq",
                "x/y",
                "z/w",
                ".wh..wh.plnk/1",
            ],
        );
        let opaque = |path: &str, value: &[u8]| {
            let name = "user.overlay.opaque";
            setxattr(upper.path().join(path), name, value, XattrFlags::empty()).unwrap();
        };
        opaque("e", b"y");
        opaque("z", b"x");
        fs::write(upper.path().join("z/w"), "").unwrap();
        let whiteout = upper.path().join("z/w");
        setxattr(&whiteout, "user.overlay.whiteout", b"", XattrFlags::empty()).unwrap();
        // Its names are one file.
        fs::hard_link(&whiteout, upper.path().join("d/b")).unwrap();
        let mut tree = FileTree::new(TIME);
        for path in ["/d/a", "/d/b", "/d/c", "/e/old", "/x/old", "/z/w", "/z/v"] {
            let content = Content::inline(b"");
            tree.put_file("t", path.as_bytes(), content, Attributes::file(TIME))
                .unwrap();
        }
        let rules = Rules {
            whiteouts: true,
            ..Rules::default()
        };
        let mut kept = tree.clone();
        add_directory(&mut tree, "d", upper.path(), &rules).unwrap();
        let mut found = paths(&tree);
        found.sort_unstable();
        let expected = ["", "/d", "/d/c", "/e", "/e/new", "/x", "/x/y", "/z", "/z/v"];
        assert_eq!(found, expected);
        assert!(tree.nodes().all(|(_, node)| node.xattrs.is_empty()));
        assert!(tree.take_notices().is_empty());

        add_directory(&mut kept, "d", upper.path(), &Rules::default()).unwrap();
        assert!(kept.find(b"/d/.wh.a").is_some() && kept.find(b"/e/old").is_some());
        assert!(
            kept.take_notices()
                .concat()
                .contains("attributes of overlayfs")
        );

        setxattr(
            upper.path().join("e"),
            "user.overlay.redirect",
            b"/r",
            XattrFlags::empty(),
        )
        .unwrap();
        let error = add_directory(&mut tree, "d", upper.path(), &rules).unwrap_err();
        assert!(error.message().contains("user.overlay.redirect"), "{error}");
    }

    #[test]
    fn the_top_may_be_a_link_but_has_to_be_a_directory() {
        let source = tempfile::tempdir().unwrap();
        make(source.path(), &["real/file"]);
        let path = |name| source.path().join(name);
        symlink("real", path("link")).unwrap();
        symlink("nowhere", path("dangling")).unwrap();
        let tree = read(&path("link"), &Rules::default()).unwrap();
        assert_eq!(paths(&tree), ["", "/file"]);
        for (name, reason) in [
            ("real/file", "isn't a directory"),
            ("none", "there is no directory"),
            ("dangling", "there is no directory"),
        ] {
            let error = read(&path(name), &Rules::default()).unwrap_err();
            assert_eq!((error.kind(), error.place()), (ErrorKind::InvalidSpec, "d"));
            assert!(error.message().contains(reason), "{error}");
            assert!(error.message().contains(name), "{error}");
        }
    }

    /// The threads of the pool stop being root; without root none of them may read it anyway.
    #[test]
    fn what_this_user_may_not_read_is_an_error_that_names_it() {
        let drop_root = |_| {
            let nobody = rustix::process::Uid::from_raw(65534);
            let _ = rustix::thread::set_thread_res_uid(nobody, nobody, nobody);
        };
        let pool = rayon::ThreadPoolBuilder::new().start_handler(drop_root);
        let pool = pool.num_threads(2).build().unwrap();
        for (name, is_directory) in [("secret", false), ("closed", true)] {
            let source = tempfile::tempdir().unwrap();
            fs::set_permissions(source.path(), PermissionsExt::from_mode(0o755)).unwrap();
            make(source.path(), &["open", "secret", "closed/x"]);
            let path = source.path().join(name);
            let mode = fs::metadata(&path).unwrap().permissions();
            fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
            let result = pool.install(|| read(source.path(), &Rules::default()));
            fs::set_permissions(&path, mode).unwrap();
            let error = result.unwrap_err();
            let what = if is_directory { "directory" } else { "file" };
            let expected = format!(
                "can't open the {what} '{}'; make it readable for this user or exclude it",
                path.display()
            );
            assert_eq!((error.kind(), error.message()), (ErrorKind::Io, &*expected));
        }
    }

    #[test]
    fn names_of_lower_layers_dont_follow_what_replaces_one_of_them() {
        let source = tempfile::tempdir().unwrap();
        make(source.path(), &["one"]);
        let mut tree = FileTree::new(TIME);
        let lower = tree
            .put_file(
                "t",
                b"/one",
                Content::inline(b"low"),
                Attributes::file(TIME),
            )
            .unwrap();
        tree.link("t", b"/two", lower).unwrap();
        add_directory(&mut tree, "d", source.path(), &Rules::default()).unwrap();
        assert_eq!(tree.find(b"/two"), Some(lower));
        assert_eq!(tree.links(lower), 1);
        assert_ne!(tree.find(b"/one"), Some(lower));
    }
}
