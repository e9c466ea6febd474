//! Puts the entries of an archive into a tree: names, hard links, and what stays out of it.

use std::collections::HashMap;

use super::acl::Acl;
use super::fault::{Fault, Result};
use super::members::{Body, Member};
use super::named::NamedAcls;
use super::notes::{Note, Notes};
use super::path;
use crate::source::layer::Layer;
use crate::source::overlay::Kept;
use crate::source::whiteouts::{Marker, Whiteouts};
use crate::tree::{Node, NodeId};

/// An archive on its way into a tree.
pub(super) struct Entries<'a> {
    layer: Layer<'a>,
    /// Where the rules have them.
    whiteouts: Option<Whiteouts>,
    /// Signs of overlayfs that are taken for nothing else than what they are.
    kept: Kept,
    /// What stays out of the tree but may be the target of a hard link, by its path.
    hidden: LeftOut,
    named: NamedAcls,
    notes: Notes,
}

/// What stayed out of the tree, by its path. Hard links of further layers may lead there.
#[derive(Default)]
pub(in crate::source) struct LeftOut(HashMap<Vec<u8>, Hidden>);

/// The lists of a node with names whose numbers are to be found.
type Acls = Vec<(&'static [u8], Acl)>;

/// A node that stays out of the tree under its own path.
#[derive(Clone)]
struct Hidden {
    node: Node,
    acls: Acls,
    /// The node that it became when a hard link brought it in after all.
    placed: Option<NodeId>,
}

impl<'a> Entries<'a> {
    /// After layers that have `hidden` this.
    pub(super) fn new(layer: Layer<'a>, hidden: LeftOut) -> Self {
        let whiteouts = layer
            .rules
            .whiteouts
            .then(|| Whiteouts::new(layer.tree.slots()));
        let notes = Notes::new(layer.rules.lossy);
        Self {
            layer,
            whiteouts,
            kept: Kept::default(),
            hidden,
            named: NamedAcls::default(),
            notes,
        }
    }

    /// Puts in the next entry.
    pub(super) fn add(&mut self, member: Member) -> Result<()> {
        let path = self.clean(&member.path)?;
        if let Some(whiteouts) = &mut self.whiteouts
            && let Some(marker) = Marker::of(&path)
        {
            whiteouts.remember(marker);
            return Ok(());
        }
        let is_hidden = self.is_hidden(&path);
        match member.body {
            Body::Node(node) if is_hidden => self.hide(path, node, member.acls, None),
            Body::Node(mut node) => {
                if self.is_overlaid(&path, &mut node)? {
                    return Ok(());
                }
                for remark in member.remarks {
                    match remark.is_loss {
                        true => self.notes.lose(remark.note, &remark.what)?,
                        false => self.notes.tell(remark.note, &remark.what),
                    }
                }
                self.put(&path, node, member.acls)?;
            }
            Body::Link(target) => {
                let target = self.clean(&target)?;
                if let Some(whiteouts) = &mut self.whiteouts
                    && whiteouts.take_link(&path, &target)
                {
                    return Ok(());
                }
                self.link(path, &target, is_hidden)?;
            }
        }
        Ok(())
    }

    /// Does what can only be done when all entries are there, and tells what was left out or is
    /// odd; `doubts` is what is odd about the archive as a whole. Gives what stayed out of the tree.
    pub(super) fn finish<'b>(
        mut self,
        archive: &str,
        doubts: impl Iterator<Item = &'b str>,
    ) -> Result<LeftOut> {
        if let Some(whiteouts) = self.whiteouts.take() {
            whiteouts.apply(&mut self.layer);
        }
        let hidden = |path: &[u8]| self.hidden.0.get(path).map(|hidden| &hidden.node);
        self.named
            .resolve(&mut self.layer, hidden, &mut self.notes)?;
        let doubts = doubts.map(str::to_owned);
        for what in doubts.chain(self.notes.sentences()) {
            let notice = format!("archive '{archive}': {what}");
            self.layer.tree.notice(notice);
        }
        self.kept.tell(&mut self.layer);
        Ok(self.hidden)
    }

    /// Takes in what overlayfs means by a node. Tells whether it is a whiteout.
    fn is_overlaid(&mut self, path: &[u8], node: &mut Node) -> Result<bool> {
        match &mut self.whiteouts {
            Some(whiteouts) => whiteouts
                .take(path, &node.kind, &mut node.xattrs)
                .map_err(Fault::unsupported),
            None => {
                self.kept.note(|| path.to_vec(), &node.kind, &node.xattrs);
                Ok(false)
            }
        }
    }

    /// A path of the archive from its top on.
    fn clean(&mut self, path: &[u8]) -> Result<Vec<u8>> {
        let clean = path::clean(path, self.layer.rules.strict_paths)?;
        if path.starts_with(b"/") {
            let shown = path.escape_ascii().to_string();
            self.notes.tell(Note::Absolute, &shown);
        }
        Ok(clean)
    }

    /// Puts a node into the tree.
    fn put(&mut self, path: &[u8], node: Node, acls: Acls) -> Result<NodeId> {
        self.check_owner(&node)?;
        let id = self.layer.put(path, node)?;
        if let Some(whiteouts) = &mut self.whiteouts {
            whiteouts.put(id);
        }
        self.named.put(id, acls);
        Ok(id)
    }

    /// Refuses the number that Linux takes for nobody: no file can be given to it.
    fn check_owner(&self, node: &Node) -> Result<()> {
        let attributes = self.layer.rules.attributes(node.attributes);
        for (what, number, option) in [
            ("owner", attributes.uid, "--map-users"),
            ("group", attributes.gid, "--map-groups"),
        ] {
            if number == u32::MAX {
                return Err(Fault::invalid(format!(
                    "its {what} is {number} (or -1), which stands for nobody: give it to another \
                     ({option} {number}:0) or everything to one (--owner)"
                )));
            }
        }
        Ok(())
    }

    /// Whether an entry stays out of the tree.
    fn is_hidden(&self, path: &[u8]) -> bool {
        let is_metadata = self.whiteouts.is_some() && Whiteouts::is_metadata(path);
        is_metadata || self.layer.rules.excludes(path)
    }

    fn hide(&mut self, path: Vec<u8>, node: Node, acls: Acls, placed: Option<NodeId>) {
        if !node.kind.is_directory() {
            let hidden = Hidden { node, acls, placed };
            self.hidden.0.insert(path, hidden);
        }
    }

    /// Makes `path` another name of what is at `target`, in the tree or hidden.
    fn link(&mut self, path: Vec<u8>, target: &[u8], is_hidden: bool) -> Result<()> {
        let hidden = self.hidden.0.get(target).cloned();
        let Some(hidden) = hidden else {
            let id = self.target(target)?;
            if is_hidden {
                let node = self.layer.tree.node(id).clone();
                self.hide(path, node, Vec::new(), Some(id));
                return Ok(());
            }
            return self.link_to(&path, id);
        };
        if is_hidden {
            self.hidden.0.insert(path, hidden);
            return Ok(());
        }
        match hidden.placed.filter(|id| self.is_still(*id, &hidden.node)) {
            Some(id) => self.link_to(&path, id),
            None => {
                let id = self.put(&path, hidden.node, hidden.acls)?;
                if let Some(hidden) = self.hidden.0.get_mut(target) {
                    hidden.placed = Some(id);
                }
                Ok(())
            }
        }
    }

    /// Whether a node is in the tree and hasn't been replaced.
    fn is_still(&self, id: NodeId, node: &Node) -> bool {
        self.layer.tree.links(id) > 0 && self.layer.tree.node(id).kind == node.kind
    }

    fn link_to(&mut self, path: &[u8], id: NodeId) -> Result<()> {
        self.layer.link(path, id)?;
        if let Some(whiteouts) = &mut self.whiteouts {
            whiteouts.link(&self.layer, path, id);
        }
        Ok(())
    }

    /// The node that a hard link leads to.
    fn target(&self, target: &[u8]) -> Result<NodeId> {
        let refused = |what: &str| {
            let shown = target.escape_ascii();
            Fault::invalid(format!("a hard link to '{shown}', which {what}"))
        };
        let found = self.layer.tree.find(&self.layer.target(target));
        let id = found.ok_or_else(|| refused("isn't there (yet)"))?;
        match self.layer.tree.node(id).kind.is_directory() {
            true => Err(refused("is a directory")),
            false => Ok(id),
        }
    }
}
