//! Access control lists with names, which get their numbers when all entries are there: the files
//! that tell them may come last.

use std::collections::BTreeMap;

use super::acl::Acl;
use super::fault::{Fault, Result};
use super::notes::{Note, Notes};
use super::xattr::Interner;
use crate::source::Accounts;
use crate::source::layer::Layer;
use crate::tree::{FileTree, Node, NodeId, NodeKind, Xattr, Xattrs};

/// The largest `etc/passwd` or `etc/group` that is read, in bytes.
const SIZE_MAX: u64 = 16 << 20;

const PASSWD: &[u8] = b"etc/passwd";
const GROUP: &[u8] = b"etc/group";

/// The lists of an archive that wait for numbers, by the nodes that have them and the attributes
/// that they become.
#[derive(Debug, Default)]
pub(super) struct NamedAcls(BTreeMap<NodeId, Vec<(&'static [u8], Acl)>>);

impl NamedAcls {
    /// Takes in what was put into the tree: nothing of what was there before waits any more.
    pub(super) fn put(&mut self, id: NodeId, acls: Vec<(&'static [u8], Acl)>) {
        match acls.is_empty() {
            true => self.0.remove(&id),
            false => self.0.insert(id, acls),
        };
    }

    /// Gives all lists their numbers. `hidden` knows what of the archive stays out of the tree.
    pub(super) fn resolve<'a>(
        self,
        layer: &mut Layer<'_>,
        hidden: impl Fn(&[u8]) -> Option<&'a Node>,
        notes: &mut Notes,
    ) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let known = Known::of(layer, hidden)?;
        let mut interner = Interner::default();
        for (id, acls) in self.0 {
            if layer.tree.links(id) == 0 {
                continue;
            }
            let mut xattrs: Vec<Xattr> = layer.tree.node(id).xattrs.iter().cloned().collect();
            let path = match layer.tree.path(id) {
                path if path.is_empty() => b"/".to_vec(),
                path => path,
            };
            for (name, acl) in acls {
                let value = known.bytes(&acl, &path, &layer.rules.accounts, notes)?;
                xattrs.push(Xattr {
                    name: name.into(),
                    value: value.into(),
                });
            }
            let xattrs = interner.intern(Xattrs::new(xattrs));
            layer.tree.set_xattrs(id, xattrs);
        }
        Ok(())
    }
}

/// Who is known in the archive, then below where it goes.
struct Known(Vec<Accounts>);

impl Known {
    /// What the archive's own files tell, be they in the tree or not, then those of the tree.
    fn of<'a>(layer: &Layer<'_>, hidden: impl Fn(&[u8]) -> Option<&'a Node>) -> Result<Self> {
        let tree = &*layer.tree;
        let of_nodes = |passwd: Option<&Node>, group: Option<&Node>| -> Result<Accounts> {
            Ok(Accounts::parse(&text(passwd)?, &text(group)?))
        };
        let at_target = |path: &[u8]| node(tree, &layer.target(path));
        let own = |path: &[u8]| hidden(path).or_else(|| at_target(path));
        let at_root = |path: &[u8]| node(tree, path);
        Ok(Self(vec![
            of_nodes(own(PASSWD), own(GROUP))?,
            of_nodes(at_target(PASSWD), at_target(GROUP))?,
            of_nodes(at_root(PASSWD), at_root(GROUP))?,
        ]))
    }

    /// The form of Linux of the list that what is at `path` has.
    fn bytes(&self, acl: &Acl, path: &[u8], host: &Accounts, notes: &mut Notes) -> Result<Vec<u8>> {
        let mut lost = Vec::new();
        let bytes = acl.bytes(|name, is_group| {
            let number = |accounts: &Accounts| match is_group {
                true => accounts.group(name),
                false => accounts.user(name),
            };
            let what = if is_group { "group" } else { "user" };
            let shown = name.escape_ascii();
            if let Some(number) = self.0.iter().find_map(number) {
                return Some(number);
            }
            match number(host) {
                Some(number) => {
                    notes.tell(Note::HostName, &format!("{what} {shown} is {number}"));
                    Some(number)
                }
                None => {
                    lost.push(format!("{what} {shown}"));
                    None
                }
            }
        })?;
        for who in lost {
            notes.lose(
                Note::NoNumber,
                &format!(
                    "the {who} in the ACL of '{}', whose number neither etc/passwd and etc/group \
                     nor this machine tells",
                    path.escape_ascii()
                ),
            )?;
        }
        Ok(bytes)
    }
}

fn node<'a>(tree: &'a FileTree, path: &[u8]) -> Option<&'a Node> {
    tree.find(path).map(|id| tree.node(id))
}

/// The text of a file; none where it is none or too large to be one of accounts.
fn text(node: Option<&Node>) -> Result<Vec<u8>> {
    let Some(NodeKind::File(content)) = node.map(|node| &node.kind) else {
        return Ok(Vec::new());
    };
    if content.len() > SIZE_MAX {
        return Ok(Vec::new());
    }
    let mut text = vec![0; content.len() as usize];
    let read = content
        .open()
        .and_then(|mut reader| reader.read_exact(&mut text));
    read.map_err(Fault::from)?;
    Ok(text)
}
