use std::fs;
use std::process::Command;

use super::Place;

const IMAGES: &str = "\
- imagename: 'my image'
  elements: [vm, os]
  types: [raw, tar]
  environment: {DIB_RELEASE: bookworm, DIB_NAME: \"it's\"}
- imagename: rescue
  ramdisk: true
  elements: [deploy]
- imagename: 'my image'
  packages: [vim]
";

#[test]
fn commands_are_shown_as_a_shell_takes_them() {
    let place = Place::new();
    place.put("images.yaml", IMAGES);
    place.put("more.yaml", "- elements: [os]\n  image-size: 4\n");
    let expected = "DIB_RELEASE=bookworm DIB_NAME='it'\\''s' createhdds disk-image-create \
                    -o 'my image' -t raw,tar -p vim vm os\n\
                    createhdds ramdisk-image-create -o rescue deploy\n";
    for program in ["diskimage-builder", "createhdds diskimage-builder"] {
        let run = place.run(&format!("{program} --dry-run images.yaml"), &[]);
        run.expect(0).prints(expected);
    }
    // The last name goes on in another file.
    let run = place.run("diskimage-builder --dry images.yaml more.yaml", &[]);
    assert!(run.stdout.ends_with(
        "-o 'my image' -t raw,tar --image-size 4 -p vim vm os os\n\
                                  createhdds ramdisk-image-create -o rescue deploy\n"
    ));
    let run = place.run(
        "createhdds --json diskimage-builder --dry-run images.yaml",
        &[],
    );
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let first = &document["builds"][0];
    assert_eq!(first["imagename"], "my image");
    assert_eq!(first["environment"]["DIB_NAME"], "it's");
    assert_eq!(first["command"][0], "disk-image-create");
    assert_eq!(first["command"][2], "my image");
    assert_eq!(document["builds"][1]["command"][0], "ramdisk-image-create");
    // What is shown is what a shell runs.
    let shown = place
        .run("diskimage-builder --dry-run images.yaml", &[])
        .stdout;
    let script = format!("createhdds() {{ printf '%s|' \"$DIB_NAME\" \"$@\"; }}\n{shown}");
    let said = Command::new("bash").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.starts_with("it's|disk-image-create|-o|my image|-t|raw,tar|"),
        "{said}"
    );
}

#[test]
fn what_is_wrong_with_files_is_told_before_anything_is_run() {
    let place = Place::new();
    place.put("good.yaml", "- elements: [--version]\n");
    for (text, part) in [
        (
            "- elements: os\n",
            "bad.yaml:1:13 [0].elements: expected a list of strings",
        ),
        (
            "- element: [os]\n",
            "[0].element: unknown key 'element': did you mean 'elements'?",
        ),
        (
            "- imagename: bad\n",
            "bad.yaml:1:3 [0]: the image 'bad' has no elements",
        ),
        ("a: b\n", "expected a list of images, found an object"),
        ("- [", "bad.yaml:"),
    ] {
        place.put("bad.yaml", text);
        let run = place.run("diskimage-builder good.yaml bad.yaml", &[]);
        run.expect(1).prints("").says([part]);
        let run = place.run("createhdds diskimage-builder --dry-run bad.yaml", &[]);
        run.expect(3).prints("").says([part]);
    }
    fs::write(place.path("bytes.yaml"), [0xff]).unwrap();
    for (line, part) in [
        ("nowhere.yaml", "can't read 'nowhere.yaml'"),
        ("bytes.yaml", "'bytes.yaml' isn't UTF-8"),
        ("", "<FILE>"),
        ("--nothing good.yaml", "unexpected argument '--nothing'"),
    ] {
        let run = place.run(&format!("diskimage-builder {line}"), &[]);
        run.expect(1).says([part]);
    }
    place.run("createhdds diskimage-builder", &[]).expect(64);
}

#[test]
fn images_are_built_in_their_order_and_the_last_failure_is_the_status() {
    let place = Place::new();
    // Commands that end without building anything.
    let images = "- {imagename: first, elements: [--version]}\n\
                  - {imagename: second, elements: [nosuch]}\n\
                  - {imagename: third, elements: [--nosuch]}\n\
                  - {imagename: fourth, elements: [--version]}\n";
    place.put("images.yaml", images);
    let version = place.run("createhdds dib --version", &[]).stdout;
    for program in ["diskimage-builder", "createhdds diskimage-builder"] {
        let run = place.run(&format!("{program} images.yaml"), &[]);
        let run = run.expect(64).prints(&version.repeat(2)).says([
            "createhdds disk-image-create -o second nosuch\n",
            "the image 'second' has failed (exit status: 3)",
            "the image 'third' has failed (exit status: 64)",
        ]);
        let told = |part: &str| run.stderr.find(part).unwrap();
        assert!(told("-o first") < told("-o second"));
        assert!(told("'second' has failed") < told("-o third"));
        assert!(told("'third' has failed") < told("-o fourth"));
        let run = place.run(&format!("{program} --stop-on-failure images.yaml"), &[]);
        run.expect(3).prints(&version).never_says(["-o third"]);
    }
    place.put("images.yaml", "- elements: [--version]\n");
    let run = place.run("createhdds diskimage-builder images.yaml", &[]);
    run.expect(0).prints(&version);
    place.put("images.yaml", "[]\n");
    place.run("diskimage-builder images.yaml", &[]).expect(0);
}
