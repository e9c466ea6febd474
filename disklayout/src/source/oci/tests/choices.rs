//! Which of several images is taken.

use super::*;
use crate::source::archive::tests::text;

/// Adds an image with its name in it.
fn named(image: &mut Image, content: &str, runs: &Value) -> Value {
    let layer = Archive::default().file("name", content).end();
    image.image(&[layer], PACKINGS[1], runs)
}

fn with_ref(mut descriptor: Value, name: &str) -> Value {
    descriptor["annotations"] = json!({REF_NAME: name});
    descriptor
}

fn on(mut descriptor: Value, os: &str, architecture: &str, variant: &str) -> Value {
    descriptor["platform"] = json!({"os": os, "architecture": architecture, "variant": variant});
    descriptor
}

#[test]
fn of_several_images_one_is_named() {
    let mut image = Image::default();
    let one = named(&mut image, "one", &json!({}));
    let two = named(&mut image, "two", &json!({}));
    let digest = two["digest"].as_str().unwrap().to_owned();
    let manifests = [
        with_ref(one.clone(), "docker.io/library/app:1"),
        with_ref(two, "v2"),
        with_ref(one, "app:latest"),
    ];
    let image = image.layout(&manifests);
    for (wanted, expected) in [
        ("app:1", "one"),
        ("1", "one"),
        ("app", "one"),
        ("v2", "two"),
        (&*digest, "two"),
    ] {
        let tree = tree_with(&image, &choice(wanted, None)).unwrap();
        assert_eq!(text(&tree, "/name"), expected, "{wanted}");
    }
    let error = error_of(tree_of(&image));
    for part in ["several images", "--image", "app:latest", "v2", &digest] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
    let error = error_of(tree_with(&image, &choice("app:3", None)));
    assert!(
        error.message().contains("no image 'app:3', but "),
        "{error}"
    );
}

/// An index of images for platforms within the index, as builders make it.
fn platforms() -> Image {
    let mut image = Image::default();
    let amd64 = named(&mut image, "amd64", &json!({}));
    let arm64 = named(&mut image, "arm64", &json!({}));
    let arm7 = named(&mut image, "armv7", &json!({}));
    let arm6 = named(&mut image, "armv6", &json!({}));
    let mut proof = named(&mut image, "attestation", &json!({}));
    proof["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    let other = named(&mut image, "unknown", &json!({}));
    let absent = json!({"mediaType": MANIFEST, "size": 5,
                        "digest": format!("sha256:{}", "0".repeat(64))});
    let inner = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        on(amd64, "linux", "amd64", ""),
        on(arm64, "linux", "arm64", "v8"),
        on(arm7, "linux", "arm", "v7"),
        on(arm6, "linux", "arm", "v6"),
        proof,
        on(other, "unknown", "unknown", ""),
        on(absent, "linux", "s390x", ""),
    ]});
    let inner = image.document(INDEX, &inner);
    image.layout(&[inner])
}

#[test]
fn of_several_platforms_one_is_taken() {
    let image = platforms();
    for (wanted, expected) in [
        ("linux/amd64", "amd64"),
        ("aarch64", "arm64"),
        ("linux/arm64/v8", "arm64"),
        ("linux/arm", "armv7"),
        ("linux/arm/v6", "armv6"),
    ] {
        let tree = tree_with(&image, &choice("", platform(wanted))).unwrap();
        assert_eq!(text(&tree, "/name"), expected, "{wanted}");
        let machine = Choice {
            machine: platform(wanted),
            ..choice("", None)
        };
        let mut tree = tree_with(&image, &machine).unwrap();
        assert_eq!(text(&tree, "/name"), expected, "{wanted}");
        let notices = tree.take_notices();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(
            notices[0].contains("--platform chooses another"),
            "{notices:?}"
        );
    }
    for wanted in ["linux/s390x", "linux/arm64/v9", "freebsd/amd64"] {
        let error = error_of(tree_with(&image, &choice("", platform(wanted))));
        let expected = format!("no image for {wanted} (--platform), but for linux/amd64");
        assert!(error.message().contains(&expected), "{error}");
    }
    let error = error_of(tree_of(&image));
    assert!(
        error
            .message()
            .contains("several platforms; choose one with --platform"),
        "{error}"
    );
    let machine = Choice {
        machine: platform("riscv64"),
        ..choice("", None)
    };
    error_of(tree_with(&image, &machine));
}

#[test]
fn the_only_platform_is_taken_unless_another_is_asked_for() {
    let image = small();
    let elsewhere = Choice {
        machine: platform("s390x"),
        ..choice("", None)
    };
    let mut tree = tree_with(&image, &elsewhere).unwrap();
    assert!(tree.take_notices().is_empty());
    assert!(tree_with(&image, &choice("", platform("amd64"))).is_ok());
    error_of(tree_with(&image, &choice("", platform("arm64"))));
}

#[test]
fn an_inner_digest_chooses_too() {
    let image = platforms();
    let inner = image.0.iter().find_map(|(path, bytes)| {
        let document: Value = serde_json::from_slice(bytes).ok()?;
        let is_inner = path.starts_with("blobs/") && document.get("manifests").is_some();
        is_inner.then(|| {
            document["manifests"][1]["digest"]
                .as_str()
                .unwrap()
                .to_owned()
        })
    });
    let tree = tree_with(&image, &choice(&inner.unwrap(), None)).unwrap();
    assert_eq!(text(&tree, "/name"), "arm64");
}

#[test]
fn names_may_only_be_in_the_list_of_docker() {
    let image = small();
    let find = |key: &str| {
        let mut files = image
            .0
            .iter()
            .filter(|(path, _)| path.starts_with("blobs/"));
        let found = files.find(|(_, bytes)| {
            serde_json::from_slice::<Value>(bytes).is_ok_and(|it| it.get(key).is_some())
        });
        found.unwrap().0.clone()
    };
    let manifest: Value = serde_json::from_slice(&image.0[&find("layers")]).unwrap();
    let layer = manifest["layers"][0]["digest"]
        .as_str()
        .unwrap()
        .replace(':', "/");
    let list = json!([{"Config": find("rootfs"), "RepoTags": ["a:b"],
                       "Layers": [format!("blobs/{layer}")]}]);
    let image = image.clone().put("manifest.json", list.to_string());
    for wanted in ["", "a:b", "b"] {
        let tree = tree_with(&image, &choice(wanted, None)).unwrap();
        assert_eq!(text(&tree, "/etc/os-release"), "x", "{wanted}");
    }
    error_of(tree_with(&image, &choice("a:c", None)));
}
