//! Files that come from the data directory or the network.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::server::{Server, ok, respond};
use crate::world::{Run, World, single, with_upload};

/// `printf 'the upload' | sha256sum`
const SHA256: &str = "37a273253d0ac409136306f692f1c8a754b7a3828007103e6097e585f5d70e5e";
const DATA: &[u8] = b"the upload";

/// Whether the image at `path` holds the upload somewhere.
fn holds(path: &Path) -> bool {
    let bytes = fs::read(path).unwrap();
    bytes.windows(DATA.len()).any(|window| window == DATA)
}

fn put_upload(world: &World, directory: &str) {
    let directory = world.root().join(directory);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("f"), DATA).unwrap();
}

#[test]
fn uploads_come_from_their_directories() {
    for directory in ["uploads", "kickstarts/uploads"] {
        let world = World::new(&with_upload("u", "2M", r#""source": "f""#), "", "");
        put_upload(&world, directory);
        world.run("u").expect(0);
        assert!(holds(&world.path("disk_u.img")));
    }
    let world = World::new(&with_upload("u", "2M", r#""source": "f""#), "", "");
    put_upload(&world, "elsewhere/uploads");
    world.run("u --data-dir ../elsewhere").expect(0);
    assert!(holds(&world.path("disk_u.img")));
}

#[test]
fn a_missing_upload_is_told_with_the_places_searched() {
    let world = World::new(&with_upload("u", "2M", r#""source": "f""#), "", "");
    let root = world.root().display().to_string();
    let place = format!("{root}/hdds.json:3:68 guestfs[0].uploads[0].source");
    let run = world.run("u").expect(3);
    run.says([
        &format!("ERROR:createhdds:disk_u.img: {place}: can't find the upload 'f'"),
        &format!("{root}/uploads/f"),
        &format!("{root}/kickstarts/uploads/f"),
    ]);
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn sums_are_checked() {
    let server = Server::start(|_, stream| ok(stream, DATA));
    for source in ["f", &server.url()] {
        for (sum, status) in [
            (SHA256.to_owned(), 0),
            (SHA256.to_uppercase(), 0),
            ("0".repeat(64), 3),
        ] {
            let upload = format!(r#""source": "{source}", "sha256": "{sum}""#);
            let world = World::new(&with_upload("u", "2M", &upload), "", "");
            put_upload(&world, "uploads");
            let run = world.run("all").expect(status);
            if status == 0 {
                assert!(holds(&world.path("disk_u.img")));
            } else {
                run.says(["disk_u.img: ", source, &sum, SHA256]);
                assert_eq!(world.names(), [""; 0]);
            }
        }
    }
}

/// The server answers for an image when those that don't need that file are there.
#[test]
fn no_image_waits_for_the_files_of_others() {
    let world = World::new("", "", "");
    let directory = world.directory();
    let server = Server::start(move |request, stream| {
        let path = &request[""];
        let others: &[&str] = match path.contains("/slow") {
            true => &["disk_a.img", "disk_b.img"],
            false => &["disk_a.img"],
        };
        let there = || others.iter().all(|name| directory.join(name).exists());
        // The program gives up waiting at last.
        while !there() {
            std::thread::sleep(Duration::from_millis(20));
        }
        ok(stream, DATA);
    });
    let source = |path: &str| format!(r#""source": "{}/{path}""#, server.address);
    let groups = [
        with_upload("c", "2M", &source("slow")),
        with_upload("b", "2M", &source("fast")),
        single("a"),
    ];
    world.configure(&groups.join(","), "", "");
    world.run("all -j 1").expect(0);
    assert_eq!(world.names(), ["disk_a.img", "disk_b.img", "disk_c.img"]);
    assert!(holds(&world.path("disk_b.img")) && holds(&world.path("disk_c.img")));
}

/// What can be planned is planned before the first image is written, as are those whose files are
/// in the cache.
#[test]
fn an_image_whose_download_fails_costs_no_other() {
    let server = Server::start(|_, stream| respond(stream, "404 Gone\nContent-Length: 0", b""));
    let source = format!(r#""source": "{}""#, server.url());
    let groups = [with_upload("u", "2M", &source), single("a")];
    let world = World::new(&groups.join(","), "", "");
    let run = world.run("all").expect(3);
    run.says(["ERROR:createhdds:disk_u.img: ", "404", &server.url()]);
    assert_eq!(world.names(), ["disk_a.img"]);
}

#[test]
fn an_address_is_downloaded_once_for_all_images_and_runs() {
    let server = Server::start(|_, stream| ok(stream, DATA));
    let source = format!(r#""source": "{}""#, server.url());
    let groups = with_upload("a", "2M", &source) + "," + &with_upload("b", "2M", &source);
    let world = World::new(&groups, "", "");
    let run = world.run("all").expect(0);
    assert_eq!(run.stderr.matches("Downloading ").count(), 1, "{run:?}");
    world.run("all -d").expect(0).never_says(["Downloading"]);
    assert!(holds(&world.path("disk_a.img")) && holds(&world.path("disk_b.img")));
    assert_eq!(server.requests().len(), 1);
    assert_eq!(crate::world::names(&world.cache()).len(), 1);
}

#[test]
fn a_failed_download_costs_only_its_images_and_is_told_once() {
    let server = Server::start(|_, stream| {
        crate::server::respond(stream, "404 Not Found\nContent-Length: 0", b"");
    });
    let source = format!(r#""source": "{}""#, server.url());
    let groups = [
        with_upload("a", "2M", &source),
        crate::world::single("b"),
        with_upload("c", "2M", &source),
    ];
    let world = World::new(&groups.join(","), "", "");
    let run = world.run("all").expect(3);
    assert_eq!(run.stderr.matches("ERROR:").count(), 1, "{run:?}");
    run.says(["disk_a.img, disk_c.img: ", &server.url(), "404"]);
    assert_eq!(world.names(), ["disk_b.img"]);
}

#[test]
fn without_a_place_for_downloads_the_way_out_is_told() {
    let world = World::new(
        &with_upload("u", "2M", r#""source": "http://127.0.0.1:9/f""#),
        "",
        "",
    );
    let mut command = world.command("u");
    command
        .env_remove("HOME")
        .env_remove("CREATEHDDS_CACHE_DIR");
    Run::of(&mut command)
        .expect(3)
        .says(["set CREATEHDDS_CACHE_DIR"]);
}
