//! Hard links.

use super::*;

#[test]
fn links_lead_to_what_has_the_path_when_they_come() {
    let archive = Archive::default()
        .file("a", "1")
        .link("b", "a")
        .link("d/c", "b")
        .file("a", "2")
        .link("e", "a")
        .link("a", "a")
        .symlink("s", "nowhere")
        .link("t", "s");
    let tree = tree_of(&archive.end()).unwrap();
    for (path, data, links) in [
        ("/a", "2", 2),
        ("/b", "1", 2),
        ("/d/c", "1", 2),
        ("/e", "2", 2),
    ] {
        assert_eq!(text(&tree, path), data);
        assert_eq!(
            tree.links(tree.find(path.as_bytes()).unwrap()),
            links,
            "{path}"
        );
    }
    assert_eq!(tree.find(b"/s"), tree.find(b"/t"));
}

#[test]
fn a_link_may_take_the_place_of_the_directory_that_its_target_is_in() {
    let tree = tree_of(&Archive::default().file("d/f", "1").link("d", "d/f").end()).unwrap();
    assert_eq!(text(&tree, "/d"), "1");
    assert_eq!(paths(&tree), ["/d"]);
}
