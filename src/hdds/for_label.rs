//! One description for several tables: what only some of a group's labels have a place for is left
//! out of the images with the others. What none of them has a place for stays, to be refused.

use disklayout::layout::guestfs::{End, MbrType, PartitionSpec, Start};
use disklayout::layout::{Flag, Label};

use super::model::LayoutGroup;
use crate::image::LayoutRecipe;

/// The label of an image and the others of its group.
struct Labels<'a> {
    own: Option<Label>,
    all: &'a [String],
}

impl Labels<'_> {
    /// Whether only others are of this kind.
    fn elsewhere(&self, label: Label) -> bool {
        let mut all = self.all.iter().filter_map(|name| Label::parse(name));
        self.own != Some(label) && all.any(|other| other == label)
    }
}

/// Leaves out what the table of this image has no place for and that of another one has.
pub(super) fn adapt(recipe: &mut LayoutRecipe, group: &LayoutGroup) {
    let labels = Labels {
        own: Label::parse(&recipe.label),
        all: &group.labels,
    };
    if labels.elsewhere(Label::Mbr) {
        recipe.disk_id = None;
    }
    if labels.elsewhere(Label::Gpt) {
        recipe.disk_guid = None;
        recipe.hybrid_mbr.clear();
    }
    for (number, part) in (1..).zip(&mut recipe.partitions) {
        let is_hybrid = recipe.hybrid_mbr.contains(&number);
        adapt_part(part, &labels, is_hybrid);
    }
}

fn adapt_part(part: &mut PartitionSpec, labels: &Labels<'_>, is_hybrid: bool) {
    let (mbr, gpt) = (labels.elsewhere(Label::Mbr), labels.elsewhere(Label::Gpt));
    if gpt {
        part.name = None;
        part.uuid = None;
        part.flags.retain(|flag| *flag == Flag::Boot);
    }
    if mbr && !is_hybrid {
        part.flags.retain(|flag| *flag != Flag::Boot);
        if matches!(part.mbr_type, Some(MbrType::Byte(_))) {
            part.mbr_type = None;
        }
    }
    if labels.own == Some(Label::None) && (mbr || gpt) {
        part.prlogex = "p".to_owned();
        part.start = Start::Next;
        part.end = End::Auto;
        part.align = None;
        part.gpt_type = None;
        part.mbr_type = None;
    }
}
