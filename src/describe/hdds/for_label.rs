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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::hdds::Config;
    use crate::describe::hdds::releases::NextRelease;
    use crate::image::Recipe;

    /// The recipes of a group with these labels.
    fn recipes(labels: &str) -> Vec<LayoutRecipe> {
        let text = format!(
            r#"{{"virtinstall": [], "renames": [], "guestfs": [{{"name": "x", "size": "64M",
                "labels": {labels}, "disk_id": "0x1234abcd", "hybrid_mbr": [1],
                "disk_guid": "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de", "parts": [
                {{"type": "p", "start": 2048, "size": "1M", "name": "a", "mbr_type": "0c",
                  "uuid": "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7df", "flags": ["boot", "growfs"]}},
                {{"type": "p", "mbr_type": 7, "flags": ["hidden"]}}]}}]}}"#
        );
        let config = Config::parse(&text, "t", &[]).unwrap();
        let mut next = NextRelease::new(None, || anyhow::bail!("asked"));
        let images = config.images(&mut next).unwrap().into_iter();
        let recipes = images.map(|image| match image.recipe {
            Recipe::Layout(recipe) => recipe,
            Recipe::Install(_) => panic!("a layout"),
        });
        recipes.collect()
    }

    #[test]
    fn each_table_gets_what_it_has_a_place_for() {
        let recipes = recipes(r#"["mbr", "gpt", "none"]"#);
        let [mbr, gpt, none] = &recipes[..] else {
            panic!("three")
        };
        let ids = |recipe: &LayoutRecipe| (recipe.disk_id.is_some(), recipe.disk_guid.is_some());
        assert_eq!(ids(mbr), (true, false));
        assert_eq!(ids(gpt), (false, true));
        assert_eq!(ids(none), (false, false));
        assert!(mbr.hybrid_mbr.is_empty());
        assert_eq!(gpt.hybrid_mbr, [1]);
        let parts = |recipe: &LayoutRecipe| -> Vec<_> {
            let parts = recipe.partitions.iter();
            let facts = parts.map(|part| {
                let flags: Vec<_> = part.flags.iter().map(ToString::to_string).collect();
                (
                    part.name.is_some(),
                    part.mbr_type.is_some(),
                    flags.join(" "),
                )
            });
            facts.collect()
        };
        let fact = |name, kind, flags: &str| (name, kind, flags.to_owned());
        assert_eq!(
            parts(mbr),
            [fact(false, true, "boot"), fact(false, true, "")]
        );
        // The first of them stands in the hybrid MBR.
        assert_eq!(
            parts(gpt),
            [
                fact(true, true, "boot growfs"),
                fact(false, false, "hidden")
            ]
        );
        assert_eq!(
            parts(none),
            [fact(false, false, ""), fact(false, false, "")]
        );
        assert_eq!(none.partitions[0].start, Start::Next);
        assert_eq!(none.partitions[0].end, End::Auto);
    }

    #[test]
    fn what_no_table_has_a_place_for_stays_to_be_refused() {
        for (labels, has_name, has_id) in [
            (r#"["mbr"]"#, true, true),
            (r#"["none"]"#, true, true),
            (r#"["gpt"]"#, true, true),
        ] {
            let recipe = &recipes(labels)[0];
            let part = &recipe.partitions[0];
            assert_eq!(part.name.is_some(), has_name, "{labels}");
            assert_eq!(recipe.disk_id.is_some(), has_id, "{labels}");
            assert_eq!(part.flags.len(), 2);
        }
    }
}
