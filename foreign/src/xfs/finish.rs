//! Turns what mkfs.xfs made of a prototype into what it stands for.

use disklayout::disk::Disk;
use disklayout::fs::copy::Piece;
use disklayout::fs::file_type::file_types;
use disklayout::tree::{Content, FileTree, Node, NodeId, NodeKind};
use disklayout::{Error, Identity, Result, Timestamp};
use zerocopy::IntoBytes;

use super::directory::{self, Entry};
use super::format::{
    Dinode, FMT_BTREE, FMT_DEV, FMT_EXTENTS, FMT_LOCAL, INCOMPAT_PARENT, VERSION_ATTRBIT,
};
use super::geometry::Geometry;
use super::prototype::{Named, Prototype};
use super::segments::{self, Segment};
use super::volume::{Extent, Inode, Volume, encode, pack};
use super::{attributes, check, names};

/// Makes the filesystem on `disk` that of the tree: names get their own spelling, all names of a
/// node lead to one inode, and nodes get their owner, permissions, times and attributes, files
/// their length and holes. What comes back is where the data of the files has to go.
///
/// Where there are hard links, the indexes of inodes have to be repaired after this: they still
/// count those that stood in for further names.
///
/// # Errors
/// `Corrupt` when the filesystem isn't the prototype's, `Unsupported` when it has features with
/// which this can't be done, `DoesNotFit` when extents or attributes need a larger inode, `Io`.
pub(super) fn finish<'a>(
    disk: &dyn Disk,
    tree: &'a FileTree,
    prototype: &Prototype,
    geometry: Geometry,
    identity: &Identity,
) -> Result<Vec<Piece<'a>>> {
    let mut volume = Volume::open(disk)?;
    let numbers = link(&volume, tree, prototype)?;
    if tree.nodes().any(|(_, node)| !node.xattrs.is_empty()) {
        volume.set_version(VERSION_ATTRBIT)?;
    }
    let sb = volume.sb;
    for number in [sb.sb_rbmino.get(), sb.sb_rsumino.get()] {
        stamp_internal(&volume, number, identity.time())?;
    }
    let mut pieces = Vec::new();
    for (id, node) in tree.nodes() {
        let mut inode = volume.inode(numbers[id.index()])?;
        stamp(&mut inode, node, tree.links(id), identity.time());
        match &node.kind {
            NodeKind::File(content) => {
                pieces.extend(place(&volume, &mut inode, content, geometry)?);
            }
            NodeKind::Symlink(target) if !names::is_word(target) => retarget(&mut inode, target)?,
            NodeKind::CharacterDevice(it) | NodeKind::BlockDevice(it) => {
                // mkfs.xfs may store fewer bits.
                let numbers = (it.major << 18 | it.minor).to_be_bytes();
                inode.data_fork()[..4].copy_from_slice(&numbers);
            }
            _ => {}
        }
        add_attributes(&mut inode, node)?;
        volume.write_inode(&mut inode)?;
    }
    Ok(pieces)
}

/// Makes sure that all names of the tree are in the filesystem on `disk`: repairing removes what it
/// doesn't understand.
///
/// # Errors
/// `Corrupt` when a name is missing, `Io`.
pub(super) fn check_names(disk: &dyn Disk, tree: &FileTree) -> Result<()> {
    let volume = Volume::open(disk)?;
    let mut pending = vec![(FileTree::ROOT, volume.sb.sb_rootino.get())];
    while let Some((directory, number)) = pending.pop() {
        let mut inode = volume.inode(number)?;
        let mut count = 0;
        directory::visit(&volume, &mut inode, &mut |entry| {
            let node = tree.entry(directory, entry.name);
            count += usize::from(node.is_some());
            if let Some(node) = node.filter(|node| tree.node(*node).kind.is_directory()) {
                pending.push((node, entry.inode));
            }
            Ok(())
        })?;
        if count != tree.entries(directory).count() {
            return Err(inode.corrupt("lost names when it was repaired"));
        }
    }
    Ok(())
}

/// Leads names to their inodes; the inode of each node by the node's index.
fn link(volume: &Volume<'_>, tree: &FileTree, prototype: &Prototype) -> Result<Vec<u64>> {
    if volume.sb.sb_features_incompat.get() & INCOMPAT_PARENT != 0 && check::has_links(tree) {
        let message = "records parents of inodes, so that hard links can't be made in it";
        return Err(Error::unsupported("the XFS filesystem", message));
    }
    let mut numbers = vec![0; tree.slots()];
    numbers[FileTree::ROOT.index()] = volume.sb.sb_rootino.get();
    let unused = find(volume, tree, prototype, &mut numbers)?;
    for (directory, node) in tree.nodes() {
        if node.kind.is_directory() {
            let mut inode = volume.inode(numbers[directory.index()])?;
            spell(
                volume,
                tree,
                &prototype.directories[&directory],
                &numbers,
                &mut inode,
            )?;
        }
    }
    for number in unused {
        free(volume, number)?;
    }
    Ok(numbers)
}

/// Finds the inode of every node, and those that stand in for further names.
fn find(
    volume: &Volume<'_>,
    tree: &FileTree,
    prototype: &Prototype,
    numbers: &mut [u64],
) -> Result<Vec<u64>> {
    let mut unused = Vec::new();
    let mut pending = vec![FileTree::ROOT];
    while let Some(directory) = pending.pop() {
        let mut inode = volume.inode(numbers[directory.index()])?;
        let known = &prototype.directories[&directory];
        let mut count = 0;
        directory::visit(volume, &mut inode, &mut |entry| {
            let named = named(known, entry, directory, tree)?;
            count += 1;
            match named.is_first {
                true => numbers[named.node.index()] = entry.inode,
                false => unused.push(entry.inode),
            }
            if tree.node(named.node).kind.is_directory() {
                pending.push(named.node);
            }
            Ok(())
        })?;
        if count != known.len() {
            return Err(inode.corrupt(format!("has {count} names of {}", known.len())));
        }
    }
    Ok(unused)
}

fn named<'a>(
    known: &'a std::collections::HashMap<Vec<u8>, Named>,
    entry: &Entry<'_>,
    directory: NodeId,
    tree: &FileTree,
) -> Result<&'a Named> {
    known.get(&*entry.name).ok_or_else(|| {
        let path = tree.path(directory);
        let (path, name) = (path.escape_ascii(), entry.name.escape_ascii());
        Error::corrupt(
            "the XFS filesystem",
            format!("has an unknown '{path}/{name}'"),
        )
    })
}

fn spell(
    volume: &Volume<'_>,
    tree: &FileTree,
    known: &std::collections::HashMap<Vec<u8>, Named>,
    numbers: &[u64],
    inode: &mut Inode,
) -> Result<()> {
    directory::visit(volume, inode, &mut |entry| {
        // What was found before is known.
        if let Some(named) = known.get(&*entry.name) {
            entry.name.copy_from_slice(&named.name);
            entry.inode = numbers[named.node.index()];
            entry.file_type = file_types(&tree.node(named.node).kind).1;
        }
        Ok(())
    })
}

/// Makes an inode one that is not in use.
fn free(volume: &Volume<'_>, number: u64) -> Result<()> {
    let mut inode = volume.inode(number)?;
    let mut core = inode.core();
    core.di_mode = 0.into();
    core.di_nlink = 0.into();
    inode.set_core(&core);
    volume.write_inode(&mut inode)
}

/// Bitmap and summary of a realtime section, which are there without one.
fn stamp_internal(volume: &Volume<'_>, number: u64, time: Timestamp) -> Result<()> {
    // Newer forms have other, or none.
    if number == 0 || number == u64::MAX {
        return Ok(());
    }
    let mut inode = volume.inode(number)?;
    let mut core = inode.core();
    let time = encode(time, core.di_flags2.get()).into();
    (core.di_mtime, core.di_ctime, core.di_crtime) = (time, time, time);
    core.di_gen = 0.into();
    inode.set_core(&core);
    volume.write_inode(&mut inode)
}

fn stamp(inode: &mut Inode, node: &Node, links: u32, made: Timestamp) {
    let mut core = inode.core();
    let flags2 = core.di_flags2.get();
    let attributes = &node.attributes;
    core.di_mode = (file_types(&node.kind).0 | attributes.permissions).into();
    (core.di_uid, core.di_gid) = (attributes.uid.into(), attributes.gid.into());
    if !node.kind.is_directory() {
        core.di_nlink = links.into();
    }
    let time = encode(attributes.mtime, flags2).into();
    (core.di_atime, core.di_mtime, core.di_ctime) = (time, time, time);
    core.di_crtime = encode(made, flags2).into();
    core.di_changecount = 1.into();
    core.di_gen = 0.into();
    inode.set_core(&core);
}

/// Moves the extents of a file apart where it has holes.
fn place<'a>(
    volume: &Volume<'_>,
    inode: &mut Inode,
    content: &'a Content,
    geometry: Geometry,
) -> Result<Vec<Piece<'a>>> {
    let block_size = volume.block_size();
    let segments = segments::segments(content, block_size, geometry.segments());
    let packed = segments::packed_len(content, &segments, block_size);
    let mut core = inode.core();
    if core.di_size.get() != packed {
        let size = core.di_size.get();
        return Err(inode.corrupt(format!(
            "has {size} bytes of {packed}; mkfs.xfs may be too old for files of 2 GiB"
        )));
    }
    let made = volume.extents(inode)?;
    let extents = spread(&made, &segments).ok_or_else(|| {
        let message = "mkfs.xfs found no room for a file in one piece; choose a larger filesystem, in which a quarter holds the largest file";
        Error::does_not_fit("the XFS filesystem", message)
    })?;
    if extents != made {
        let count = extents.len();
        let records: Vec<_> = extents.iter().map(pack).collect();
        let fork = inode.data_fork();
        let area = fork.get_mut(..records.as_bytes().len());
        let (FMT_EXTENTS, Some(area)) = (core.di_format, area) else {
            let message = format!("needs {count} extents; a larger inode-size may hold them");
            let place = format!("inode {} of the XFS filesystem", inode.number);
            return Err(Error::does_not_fit(place, message));
        };
        area.copy_from_slice(records.as_bytes());
        core.set_extents(count as u32);
    }
    core.di_size = content.len().into();
    inode.set_core(&core);
    let last = extents.len().saturating_sub(1);
    let pieces = extents.iter().enumerate().map(|(index, extent)| Piece {
        content,
        logical: extent.start * block_size,
        len: (extent.blocks * block_size).min(content.len() - extent.start * block_size),
        disk: volume.offset(extent.block),
        ends_file: index == last,
    });
    let empty = extents.is_empty().then(|| Piece::of_empty(content));
    Ok(pieces.chain(empty).collect())
}

/// The extents of a file without holes, laid onto segments. `None` if they aren't as many blocks.
fn spread(made: &[Extent], segments: &[Segment]) -> Option<Vec<Extent>> {
    let mut made = made.iter().copied();
    let mut rest = Extent {
        start: 0,
        block: 0,
        blocks: 0,
    };
    let mut extents = Vec::new();
    for segment in segments {
        let (mut start, end) = (segment.start, segment.start + segment.blocks);
        while start < end {
            if rest.blocks == 0 {
                rest = made.next()?;
            }
            let blocks = rest.blocks.min(end - start);
            extents.push(Extent {
                start,
                blocks,
                ..rest
            });
            start += blocks;
            rest.block += blocks;
            rest.blocks -= blocks;
        }
    }
    (rest.blocks == 0 && made.next().is_none()).then_some(extents)
}

fn retarget(inode: &mut Inode, target: &[u8]) -> Result<()> {
    let is_local = inode.core().di_format == FMT_LOCAL;
    let area = inode
        .data_fork()
        .get_mut(..target.len())
        .filter(|_| is_local);
    match area {
        Some(area) => area.copy_from_slice(target),
        None => return Err(inode.corrupt("has its target elsewhere")),
    }
    Ok(())
}

/// Puts attributes behind the data.
fn add_attributes(inode: &mut Inode, node: &Node) -> Result<()> {
    let encoded = attributes::encode(&node.xattrs);
    let bytes = encoded.map_err(|why| inode.corrupt(why))?;
    if bytes.is_empty() {
        return Ok(());
    }
    let mut core = inode.core();
    let area = inode.bytes.len() - size_of::<Dinode>();
    let used = match core.di_format {
        FMT_DEV => 8,
        FMT_LOCAL => core.di_size.get() as usize,
        FMT_EXTENTS => core.extents() as usize * 16,
        _ => area,
    };
    let offset = match core.di_format {
        FMT_DEV => 8,
        _ => area.saturating_sub(bytes.len()) / 8 * 8,
    };
    if used > offset || core.di_format == FMT_BTREE || core.di_forkoff != 0 {
        let len = bytes.len();
        let message =
            format!("has no room for {len} bytes of attributes; choose a larger inode-size");
        let place = format!("inode {} of the XFS filesystem", inode.number);
        return Err(Error::does_not_fit(place, message));
    }
    core.di_forkoff = (offset / 8) as u8;
    core.di_aformat = FMT_LOCAL;
    inode.set_core(&core);
    let start = size_of::<Dinode>() + offset;
    inode.bytes[start..start + bytes.len()].copy_from_slice(&bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_cut_at_holes() {
        let extent = |start, block, blocks| Extent {
            start,
            block,
            blocks,
        };
        let segment = |start, blocks| Segment { start, blocks };
        let made = [extent(0, 100, 3), extent(3, 200, 2)];
        let found = spread(&made, &[segment(1, 2), segment(8, 3)]).unwrap();
        assert_eq!(
            found,
            [extent(1, 100, 2), extent(8, 102, 1), extent(9, 200, 2)]
        );
        assert_eq!(spread(&made, &[segment(0, 5)]).unwrap(), made);
        assert_eq!(spread(&made, &[segment(0, 4)]), None);
        assert_eq!(spread(&made, &[segment(0, 6)]), None);
    }
}
