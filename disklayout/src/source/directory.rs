//! Directories of the host as sources of a tree.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustix::fs::FileType;
use rustix::io::Errno;

use super::layer::{Layer, Placed};
use super::overlay::Kept;
use super::scan::{Found, Listing, Scanner, join};
use super::whiteouts::{Marker, Whiteouts};
use super::{Rules, host};
use crate::error::{Error, Result};
use crate::tree::{FileTree, HostRoot, Node, NodeId, NodeKind, Xattrs};

/// So many directories are read before what they hold goes into the tree, which bounds the memory
/// for what is under way.
const BATCH: usize = 64;

/// Puts everything in the directory at `path` over what is in `tree`: contents with their holes,
/// hard links, symbolic links, devices, pipes, sockets, and of each the permissions, the owner, the
/// time to the nanosecond and all extended attributes that this user may list. The top's own
/// attributes become those of the directory that it goes to. Contents are read later: the
/// directory has to stay as it is until the image is written.
///
/// Other filesystems that are mounted in the directory are read too, unless the rules leave them
/// out. `path` itself may be a symbolic link; others aren't followed. The tree doesn't depend on the order in which the
/// filesystem keeps its entries.
///
/// # Errors
/// `InvalidSpec` at `place` when `path` isn't a directory or something stands in the way of the
/// target; `Io` when a directory, a file or an attribute can't be read, which includes files that
/// this user may not open.
pub fn add_directory(tree: &mut FileTree, place: &str, path: &Path, rules: &Rules) -> Result<()> {
    let (root, top) = open_top(place, path)?;
    let scanner = Scanner {
        place,
        root: &Arc::new(root),
        rules,
    };
    let mut layer = Layer::new(tree, rules, place);
    let mut walk = Walk {
        top: path,
        whiteouts: rules.whiteouts.then(|| Whiteouts::new(layer.tree.slots())),
        kept: Kept::default(),
        found: vec![Directory {
            id: layer.put(b"", top)?,
            path: path.to_owned(),
            keeps_xattrs: false,
        }],
        shared: BTreeMap::new(),
        follows: false,
        layer,
    };
    while !walk.found.is_empty() {
        let level = std::mem::take(&mut walk.found);
        let mut level = level.into_iter();
        // One batch is read while what was found in the last goes into the tree.
        let mut last = Vec::new();
        loop {
            let batch: Vec<_> = level.by_ref().take(BATCH).collect();
            let list = |directory: Directory| {
                let listing = scanner.list(&directory.path);
                (directory, listing)
            };
            let (added, listed) = rayon::join(
                || walk.add_all(std::mem::take(&mut last)),
                || batch.into_par_iter().map(list).collect(),
            );
            added?;
            last = listed;
            if last.is_empty() {
                break;
            }
        }
    }
    walk.finish();
    Ok(())
}

fn open_top(place: &str, path: &Path) -> Result<(HostRoot, Node)> {
    let shown = path.display();
    let (root, stat) = HostRoot::open(path).map_err(|error| match error {
        Errno::NOENT => Error::invalid(place, format!("there is no directory '{shown}'")),
        _ => Error::io(
            place,
            format!("can't find the directory '{shown}'"),
            std::io::Error::from(error),
        ),
    })?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Err(Error::invalid(
            place,
            format!("'{shown}' isn't a directory"),
        ));
    }
    let node = Node::new(NodeKind::Directory, host::attributes(&stat));
    Ok((root, node))
}

/// A directory to read.
#[derive(Debug)]
struct Directory {
    /// Where it is in the tree.
    id: NodeId,
    /// Where it is on the host.
    path: PathBuf,
    /// Whether that in the tree is another one, behind a link.
    keeps_xattrs: bool,
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
    /// Directories to read.
    found: Vec<Directory>,
    /// What may have further names, by device and inode.
    shared: BTreeMap<(u64, u64), NodeId>,
    /// Whether a link was followed, so that two paths may lead to the same place.
    follows: bool,
}

impl Walk<'_> {
    fn add_all(&mut self, listed: Vec<(Directory, Result<Listing>)>) -> Result<()> {
        for (directory, listing) in listed {
            self.add(&directory, listing?)?;
        }
        Ok(())
    }

    /// Puts what a directory holds into the tree.
    fn add(&mut self, directory: &Directory, listing: Listing) -> Result<()> {
        self.check_is_there(directory)?;
        let mut xattrs = listing.xattrs;
        self.is_whiteout(&directory.path, &NodeKind::Directory, &mut xattrs)?;
        if !directory.keeps_xattrs {
            self.layer.tree.set_xattrs(directory.id, xattrs);
        }
        for mut found in listing.entries {
            let path = join(&directory.path, &found.name);
            let node = &mut found.node;
            if self.is_marker(&path) || self.is_whiteout(&path, &node.kind, &mut node.xattrs)? {
                continue;
            }
            if self.follows {
                self.tell_of_second(directory.id, &found);
            }
            self.add_entry(directory.id, path, found)?;
        }
        Ok(())
    }

    fn add_entry(&mut self, directory: NodeId, path: PathBuf, found: Found) -> Result<()> {
        let Found {
            name,
            node,
            shared,
            is_left_empty,
            ..
        } = found;
        let known = shared.and_then(|shared| self.shared.get(&shared)).copied();
        if let Some(known) = known {
            self.layer.link_in(directory, &name, known)?;
            if let Some(whiteouts) = &mut self.whiteouts {
                whiteouts.link_in(directory, &name, known);
            }
            return Ok(());
        }
        let is_read = node.kind.is_directory() && !is_left_empty;
        let Placed { id, is_behind_link } = self.layer.put_in(directory, &name, node)?;
        self.follows |= is_behind_link;
        if let Some(whiteouts) = &mut self.whiteouts {
            whiteouts.put(id);
        }
        if is_read {
            self.found.push(Directory {
                id,
                path,
                keeps_xattrs: is_behind_link,
            });
        }
        if let Some(shared) = shared {
            self.shared.insert(shared, id);
        }
        Ok(())
    }

    /// Behind a link, something of the same source may have taken a directory's place.
    fn check_is_there(&self, directory: &Directory) -> Result<()> {
        if self.layer.tree.links(directory.id) > 0 {
            return Ok(());
        }
        let message = format!(
            "what is in '{}' has no place: it goes where a symbolic link leads, and there the \
             source has something else than a directory; exclude one of the two",
            directory.path.display()
        );
        Err(Error::invalid(self.layer.place, message))
    }

    /// Tells that an entry takes the place of another one of the same source.
    fn tell_of_second(&mut self, directory: NodeId, found: &Found) {
        let Some(first) = self.layer.own_entry(directory, &found.name) else {
            return;
        };
        let tree = &mut self.layer.tree;
        if !(tree.node(first).kind.is_directory() && found.node.kind.is_directory()) {
            let path = [&tree.path(directory), &b"/"[..], &found.name].concat();
            let (path, place) = (path.escape_ascii(), self.layer.place);
            let message = format!(
                "'{path}' comes from '{place}' twice, through a symbolic link and directly: one \
                 of the two is lost"
            );
            tree.notice(message);
        }
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
        let expected = "'/top/lib' is a symbolic link to 'usr/lib', which isn't there";
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
            assert_eq!(error.kind(), ErrorKind::InvalidSpec);
            assert_eq!(error.place(), "d");
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

    #[test]
    fn directories_go_where_links_of_the_tree_lead() {
        let [lower, upper] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        make(
            lower.path(),
            &["usr/lib/libc", "usr/lib/both", "usr/lib/d/x"],
        );
        symlink("usr/lib", lower.path().join("lib")).unwrap();
        make(
            upper.path(),
            &["lib/modules/m", "lib/both", "lib/d/y", "usr/lib/z"],
        );
        fs::set_permissions(upper.path().join("lib"), PermissionsExt::from_mode(0o700)).unwrap();
        let mut tree = FileTree::new(TIME);
        for layer in [lower.path(), upper.path()] {
            add_directory(&mut tree, "d", layer, &Rules::default()).unwrap();
        }
        let mut found = paths(&tree);
        found.sort_unstable();
        let expected = [
            "",
            "/lib",
            "/usr",
            "/usr/lib",
            "/usr/lib/both",
            "/usr/lib/d",
            "/usr/lib/d/x",
            "/usr/lib/d/y",
            "/usr/lib/libc",
            "/usr/lib/modules",
            "/usr/lib/modules/m",
            "/usr/lib/z",
        ];
        assert_eq!(found, expected);
        let lib = tree.node(tree.find(b"/usr/lib").unwrap());
        assert_eq!(lib.attributes.permissions, 0o755);
        assert_eq!(tree.take_notices(), [""; 0]);
    }

    #[test]
    fn what_comes_to_one_place_by_two_paths_is_told_or_refused() {
        let link = Node::new(
            NodeKind::Symlink(b"usr/lib"[..].into()),
            Attributes::file(TIME),
        );
        let directory = Node::new(NodeKind::Directory, Attributes::directory(TIME));
        let over = |files: &[&str]| {
            let mut tree = FileTree::new(TIME);
            tree.put("t", b"/usr/lib", directory.clone()).unwrap();
            tree.put("t", b"/lib", link.clone()).unwrap();
            let source = tempfile::tempdir().unwrap();
            make(source.path(), files);
            let added = add_directory(&mut tree, "d", source.path(), &Rules::default());
            (added, tree.take_notices())
        };
        let (added, notices) = over(&["lib/x", "usr/lib/x", "lib/d/y", "usr/lib/d/z"]);
        added.unwrap();
        let told = "'/usr/lib/x' comes from 'd' twice, through a symbolic link and directly: one \
                    of the two is lost";
        assert_eq!(notices, [told]);
        let error = over(&["lib/x/y", "usr"]).0.unwrap_err();
        assert!(error.message().contains("lib' has no place"), "{error}");
    }

    #[test]
    fn other_filesystems_are_read_unless_the_rules_leave_them_out() {
        let mut found = [false, true].map(|one_file_system| {
            let rules = Rules {
                one_file_system,
                excluded: vec![Exclude::parse("x", b"/[!p]*").unwrap()],
                ..Rules::default()
            };
            let scanner = |path: &Path| {
                let (root, _) = open_top("d", path).unwrap();
                let root = &Arc::new(root);
                let (place, rules) = ("d", &rules);
                Scanner { place, root, rules }
                    .list(path)
                    .unwrap()
                    .entries
                    .into_iter()
                    .map(|entry| (entry.name.escape_ascii().to_string(), entry.is_left_empty))
                    .collect::<BTreeMap<_, _>>()
            };
            scanner(Path::new("/"))
        });
        let [all, one] = &mut found;
        assert_eq!(all.remove("proc"), Some(false));
        assert_eq!(one.remove("proc"), Some(true));
    }
}
