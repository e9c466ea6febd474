//! Which of the names of an image somebody means by a name.

/// What Docker leaves out of names.
const HIDDEN: [&str; 3] = [
    "docker.io/library/",
    "index.docker.io/library/",
    "docker.io/",
];

/// Those of `images`, which have these names, that `wanted` means: they have exactly this name, or
/// else the same one with what may be left out, or else this tag.
pub(super) fn matching<'a, T>(
    images: &'a [T],
    names: impl Fn(&T) -> &[String],
    wanted: &str,
) -> Vec<&'a T> {
    let whole = full(wanted);
    let exact = |name: &String| name == wanted;
    let same = |name: &String| full(name) == whole;
    let by_tag = |name: &String| tag(name) == Some(wanted);
    let ways: [&dyn Fn(&String) -> bool; 3] = [&exact, &same, &by_tag];
    let found = ways.iter().map(|is_meant| {
        let meant = images
            .iter()
            .filter(|image| names(image).iter().any(*is_meant));
        meant.collect::<Vec<_>>()
    });
    found
        .into_iter()
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// A name without what Docker leaves out, and with the tag that is meant without one.
fn full(name: &str) -> String {
    let short = HIDDEN.iter().find_map(|prefix| name.strip_prefix(prefix));
    let short = short.unwrap_or(name);
    match tag(short) {
        Some(_) => short.to_owned(),
        None => format!("{short}:latest"),
    }
}

/// The tag of a name: behind the last colon, which no port of a host is.
fn tag(name: &str) -> Option<&str> {
    let (_, tag) = name.rsplit_once(':')?;
    (!tag.contains('/')).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant() {
        let images = [
            ["docker.io/library/alpine:3.18", "3.18"],
            ["localhost:5000/app", "app"],
            ["example.org/alpine:3.18", "3.19"],
        ];
        let images = images.map(|names| names.map(str::to_owned).to_vec());
        for (wanted, expected) in [
            ("3.18", &[0][..]),
            ("alpine:3.18", &[0]),
            ("docker.io/alpine:3.18", &[0]),
            ("example.org/alpine:3.18", &[2]),
            ("localhost:5000/app:latest", &[1]),
            ("app:latest", &[1]),
            ("3.19", &[2]),
            ("alpine", &[]),
            ("5000/app", &[]),
        ] {
            let found = matching(&images, |names| names, wanted);
            let found = found
                .iter()
                .map(|it| images.iter().position(|image| image == *it));
            let found: Vec<_> = found.map(Option::unwrap).collect();
            assert_eq!(found, expected, "{wanted}");
        }
        let twice = [vec!["a:1".to_owned()], vec!["b:1".to_owned()]];
        assert_eq!(matching(&twice, |names| names, "1").len(), 2);
    }
}
