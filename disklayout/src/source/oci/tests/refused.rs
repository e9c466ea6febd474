//! Images that are damaged, hostile, or of another kind.

use super::*;
use crate::error::ErrorKind;

/// A layout of an image whose documents `change` has changed before they were put together.
fn changed(change: impl Fn(&mut Value, &mut Value)) -> Image {
    let layer = Archive::default().file("f", "x").end();
    let mut image = Image::default();
    let id = format!("sha256:{}", sum(&layer));
    let mut config = json!({"rootfs": {"type": "layers", "diff_ids": [id]}});
    let layer = image.blob(LAYER, &layer);
    let mut manifest = json!({"schemaVersion": 2, "layers": [layer]});
    change(&mut manifest, &mut config);
    let config = image.document(CONFIG, &config);
    if manifest.get("config").is_none() {
        manifest["config"] = config;
    }
    let manifest = image.document(MANIFEST, &manifest);
    image.layout(&[manifest])
}

#[test]
fn what_a_manifest_says_is_checked() {
    type Change = fn(&mut Value, &mut Value);
    let cases: [(Change, ErrorKind, &str); 12] = [
        (
            |m, _| m["schemaVersion"] = json!(1),
            ErrorKind::Unsupported,
            "schemaVersion 1",
        ),
        (
            |m, _| m["fsLayers"] = json!([]),
            ErrorKind::Unsupported,
            "schemaVersion 1",
        ),
        (
            |m, _| m["manifests"] = json!([]),
            ErrorKind::InvalidSpec,
            "an index and a manifest",
        ),
        (
            |m, c| {
                m["layers"] = json!([]);
                c["rootfs"]["diff_ids"] = json!([]);
            },
            ErrorKind::InvalidSpec,
            "no layers",
        ),
        (
            |_, c| c["rootfs"]["diff_ids"] = json!([]),
            ErrorKind::Corrupt,
            "1 layers, its configuration 0",
        ),
        (|_, c| c["os"] = json!("x"), ErrorKind::InvalidSpec, ""),
        (
            |m, _| m["layers"][0]["size"] = json!(5),
            ErrorKind::Corrupt,
            "not the 5 of its descriptor",
        ),
        (
            |m, _| m["layers"][0]["mediaType"] = json!("application/x"),
            ErrorKind::Unsupported,
            "'application/x', which isn't known",
        ),
        (
            |m, _| m["layers"][0]["mediaType"] = json!(format!("{LAYER}+gzip+encrypted")),
            ErrorKind::Unsupported,
            "is encrypted",
        ),
        (
            |m, _| {
                m["layers"][0]["digest"] = json!(format!("sha256:{}", "1".repeat(64)));
                m["layers"][0]["mediaType"] =
                    json!("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
            },
            ErrorKind::InvalidSpec,
            "left out of copies",
        ),
        (
            |m, _| m["layers"][0]["digest"] = json!("sha256:../../etc/passwd"),
            ErrorKind::InvalidSpec,
            "hexadecimal digits",
        ),
        (
            |_, c| c["rootfs"]["diff_ids"][0] = json!(format!("sha256:{}", "1".repeat(64))),
            ErrorKind::Corrupt,
            "is damaged: its digest is",
        ),
    ];
    for (change, kind, expected) in cases {
        let result = tree_of(&changed(change));
        if expected.is_empty() {
            assert!(result.is_ok());
            continue;
        }
        let error = error_of(result);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(expected), "{expected}: {error}");
    }
    // A layer that may not be passed on is taken where it is there.
    let foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    tree_of(&changed(|m, _| {
        m["layers"][0]["mediaType"] = json!(foreign)
    }))
    .unwrap();
    let artifact = changed(|m, _| {
        m["config"] = json!({"mediaType": "application/vnd.cncf.helm.config.v1+json", "size": 2,
                             "digest": format!("sha256:{}", sum(b"{}"))});
    });
    let error = error_of(tree_of(&artifact));
    assert!(
        error.message().contains("no image of a container"),
        "{error}"
    );
    let windows = error_of(tree_of(&changed(|_, config| {
        config["os"] = json!("windows");
        config["architecture"] = json!("amd64");
    })));
    assert!(
        windows.message().contains("it is for windows/amd64"),
        "{windows}"
    );
}

#[test]
fn every_blob_is_needed_and_verified() {
    for packing in PACKINGS {
        let layer = Archive::default().file("f", "content").end();
        let mut image = Image::default();
        let manifest = image.image(&[layer], packing, &json!({}));
        let image = image.layout(&[manifest]);
        let blobs = image.0.keys().filter(|path| path.starts_with("blobs/"));
        for path in blobs {
            let digest = path.replace("blobs/sha256/", "sha256:");
            let mut missing = image.clone();
            missing.0.remove(path);
            let error = error_of(tree_of(&missing));
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(
                error.message().contains(&digest) || error.message().contains("manifests"),
                "{error}"
            );
            let mut damaged = image.clone();
            let bytes = damaged.0.get_mut(path).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            let error = error_of(tree_of(&damaged));
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.message().contains(&digest), "{error}");
        }
    }
}

#[test]
fn a_compressed_layer_must_be_what_the_configuration_says() {
    let layers = [Archive::default().file("f", "right").end()];
    let wrong = Archive::default().file("f", "wrong").end();
    let mut image = Image::default();
    let _ = image.image(&layers, PACKINGS[1], &json!({}));
    let ids = [format!("sha256:{}", sum(&layers[0]))];
    let config = json!({"rootfs": {"type": "layers", "diff_ids": ids}});
    let config = image.document(CONFIG, &config);
    for pack in [gzip, zstd] {
        let layer = image.blob(LAYER, &pack(&wrong));
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
        let manifest = image.document(MANIFEST, &manifest);
        let error = error_of(tree_of(&image.clone().layout(&[manifest])));
        let expected = format!("its digest is sha256:{}, not {}", sum(&wrong), ids[0]);
        assert!(error.message().contains(&expected), "{error}");
    }
}

#[test]
fn indexes_are_checked() {
    let image = small();
    let index = |index: Value| image.clone().put("index.json", index.to_string());
    let deep = {
        let mut deep = image.clone();
        let top: Value = serde_json::from_slice(&image.0["index.json"]).unwrap();
        let mut inner = top["manifests"][0].clone();
        for _ in 0..6 {
            inner = deep.document(INDEX, &json!({"schemaVersion": 2, "manifests": [inner]}));
        }
        deep.layout(&[inner])
    };
    let v1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let digest = format!("sha256:{}", "0".repeat(64));
    let of_type = |media_type: &str| {
        index(json!({"schemaVersion": 2, "manifests":
            [{"mediaType": media_type, "digest": digest, "size": 1}]}))
    };
    for (image, expected) in [
        (index(json!({"schemaVersion": 2})), "has no 'manifests'"),
        (
            index(json!({"schemaVersion": 2, "manifests": []})),
            "holds no image",
        ),
        (
            index(json!({"schemaVersion": 7, "manifests": []})),
            "schemaVersion 7",
        ),
        (index(json!([])), "isn't what it should be"),
        (
            image.clone().put("index.json", "{"),
            "isn't what it should be",
        ),
        (of_type(v1), "schemaVersion 1"),
        (of_type("text/plain"), "'text/plain', which is neither"),
        (of_type(MANIFEST), "aren't in it"),
        (deep, "in more than"),
        (
            image
                .clone()
                .put("oci-layout", r#"{"imageLayoutVersion": "2.0"}"#),
            "version '2.0'",
        ),
        (
            Image::default(),
            "neither an 'index.json' nor a 'manifest.json'",
        ),
    ] {
        let error = error_of(tree_of(&image));
        assert!(error.message().contains(expected), "{expected}: {error}");
    }
}

#[test]
fn paths_of_docker_stay_within_the_image() {
    for path in ["../secret", "/etc/passwd", "a/../../b", "none.json"] {
        let list = json!([{"Config": path, "Layers": ["l.tar"]}]).to_string();
        let error = error_of(tree_of(&Image::default().put("manifest.json", list)));
        let is_told = error.message().contains("leads out") || error.message().contains("missing");
        assert!(is_told && error.message().contains(path), "{error}");
    }
    for layers in [json!(["../l.tar"]), json!(["none.tar"])] {
        let config = json!({"rootfs": {"diff_ids": [format!("sha256:{}", sum(b""))]}}).to_string();
        let list = json!([{"Config": "c.json", "Layers": layers}]).to_string();
        let image = Image::default()
            .put("manifest.json", list)
            .put("c.json", config);
        error_of(tree_of(&image));
    }
}
