//! Downloads against a local server that behaves well or badly.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use createhdds::engine::download::Downloads;
use createhdds::engine::{Conditions, Event, Planner, Reporter};
use createhdds::image::{
    Data, FileContent, FileFormat, Filling, Image, Layout, Object, ObjectKind, Recipe, Seed, Source,
};
use disklayout::fs::Registry;
use disklayout::layout::DiskSize;
use disklayout::layout::spec::{Disk, DiskTable, Filesystem, Partition};
use disklayout::tree::{Content, FileTree};
use disklayout::{Bytes, SectorSize, Timestamp};

use crate::server::{Server, ok, respond};

/// 300 KiB that don't repeat, so that a wrong offset shows.
fn data() -> Vec<u8> {
    (0..76_800_u32).flat_map(u32::to_le_bytes).collect()
}

/// `python3 -c 'import struct,sys; [sys.stdout.buffer.write(struct.pack("<I",i)) for i in
/// range(76800)]' | sha256sum`
const DATA_SHA256: &str = "1ade726d7b24f8a53dfc1d47cc34e0b05c3a496999545ff06ae6f85d132b5600";

fn downloads(cache: &Path) -> Downloads {
    Downloads {
        directory: Some(cache.to_owned()),
        pause: Duration::ZERO,
        ..Downloads::default()
    }
}

fn fetch(downloads: &Downloads, url: &str, sha256: Option<&str>) -> Result<Vec<u8>, String> {
    match downloads.fetch(url, sha256, &mut |_, _| {}) {
        Ok(content) => {
            let bytes = fs::read(content.host_path().unwrap()).unwrap();
            assert_eq!(bytes.len() as u64, content.len());
            Ok(bytes)
        }
        Err(error) => Err(format!("{error:#}")),
    }
}

fn files(cache: &Path) -> Vec<String> {
    let entries = fs::read_dir(cache).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_file_is_downloaded_once_and_the_progress_told() {
    let server = Server::start(|_, stream| ok(stream, &data()));
    let cache = tempfile::tempdir().unwrap();
    let downloads = downloads(&cache.path().join("made/when/needed"));
    let mut told = Vec::new();
    let mut progress = |received, total| told.push((received, total));
    downloads.fetch(&server.url(), None, &mut progress).unwrap();
    let total = data().len() as u64;
    assert_eq!(told.last(), Some(&(total, Some(total))));
    assert!(told.is_sorted());
    for sha256 in [None, Some(DATA_SHA256)] {
        assert_eq!(fetch(&downloads, &server.url(), sha256).unwrap(), data());
    }
    let [request] = &server.requests()[..] else {
        panic!("{:?}", server.requests());
    };
    assert_eq!(request[""], "GET /dir/updates.img?version=1 HTTP/1.1");
    assert!(
        request["user-agent"].starts_with("createhdds/"),
        "{request:?}"
    );
    let [name] = &files(downloads.directory.as_ref().unwrap())[..] else {
        panic!("something is left beside the file");
    };
    assert!(name.ends_with("-updates.img"), "{name}");
}

#[test]
fn a_proxy_connects_to_the_server() {
    let proxy = Server::start(|request, stream| {
        assert!(request[""].starts_with("CONNECT "));
        stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        assert!(lines.map(Result::unwrap).any(|line| line.is_empty()));
        ok(stream, b"through the proxy");
    });
    let cache = tempfile::tempdir().unwrap();
    let mut downloads = downloads(cache.path());
    downloads.proxy = Some(ureq::Proxy::new(&proxy.address).unwrap());
    let url = "http://server.invalid:8080/file";
    assert_eq!(fetch(&downloads, url, None).unwrap(), b"through the proxy");
    assert_eq!(
        proxy.requests()[0][""],
        "CONNECT server.invalid:8080 HTTP/1.1"
    );
}

#[test]
fn redirects_are_followed() {
    let server = Server::start(|request, stream| {
        if request[""].starts_with("GET /dir/") {
            respond(
                stream,
                "302 Found\nLocation: /elsewhere\nContent-Length: 0",
                b"",
            );
        } else {
            ok(stream, b"moved");
        }
    });
    let cache = tempfile::tempdir().unwrap();
    let bytes = fetch(&downloads(cache.path()), &server.url(), None).unwrap();
    assert_eq!(bytes, b"moved");
    assert_eq!(server.requests()[1][""], "GET /elsewhere HTTP/1.1");
}

#[test]
fn refusals_are_told_and_only_passing_ones_tried_again() {
    for (status, attempts) in [("404 Not Found", 1), ("403 Forbidden", 1), ("503 Busy", 3)] {
        let server = Server::start(move |_, stream| {
            respond(stream, &format!("{status}\nContent-Length: 4"), b"page");
        });
        let cache = tempfile::tempdir().unwrap();
        let message = fetch(&downloads(cache.path()), &server.url(), None).unwrap_err();
        let code = &status[..3];
        assert!(
            message.contains(code) && message.contains(&server.url()),
            "{message}"
        );
        assert_eq!(server.requests().len(), attempts, "{status}");
        assert_eq!(files(cache.path()), [""; 0]);
    }
}

#[test]
fn a_file_over_the_limit_is_refused_announced_or_not() {
    let length = format!("Content-Length: {}", data().len());
    for header in [length, "X-Unknown: length".to_owned()] {
        let server = Server::start(move |_, stream| {
            respond(stream, &format!("200 OK\n{header}"), &data());
        });
        let cache = tempfile::tempdir().unwrap();
        let limit = data().len() as u64;
        let mut downloads = downloads(cache.path());
        downloads.limit = limit - 1;
        let message = fetch(&downloads, &server.url(), None).unwrap_err();
        assert!(message.contains("larger than the limit"), "{message}");
        assert!(message.contains("CREATEHDDS_DOWNLOAD_LIMIT"), "{message}");
        assert_eq!(server.requests().len(), 1);
        assert_eq!(files(cache.path()), [""; 0]);
        downloads.limit = limit;
        assert_eq!(fetch(&downloads, &server.url(), None).unwrap(), data());
    }
}

#[test]
fn a_wrong_sum_is_told_and_nothing_kept() {
    let server = Server::start(|_, stream| ok(stream, &data()));
    let cache = tempfile::tempdir().unwrap();
    let wrong = "0".repeat(64);
    let downloads = downloads(cache.path());
    let message = fetch(&downloads, &server.url(), Some(&wrong)).unwrap_err();
    for part in [&server.url(), DATA_SHA256, &wrong] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(files(cache.path()), [""; 0]);
}

#[test]
fn a_new_sum_replaces_the_cached_file() {
    let version = Arc::new(Mutex::new(b"old".to_vec()));
    let served = Arc::clone(&version);
    let server = Server::start(move |_, stream| ok(stream, &served.lock().unwrap()));
    let cache = tempfile::tempdir().unwrap();
    let downloads = downloads(cache.path());
    assert_eq!(fetch(&downloads, &server.url(), None).unwrap(), b"old");
    *version.lock().unwrap() = data();
    assert_eq!(fetch(&downloads, &server.url(), None).unwrap(), b"old");
    assert_eq!(
        fetch(&downloads, &server.url(), Some(DATA_SHA256)).unwrap(),
        data()
    );
    assert_eq!(server.requests().len(), 2);
}

/// A server that hangs up in the middle of the first answer and can go on from there.
fn interrupted(cut: usize, etag: Option<&'static str>) -> Server {
    Server::start(move |request, stream| {
        let data = data();
        let tag = etag.map_or(String::new(), |tag| format!("\nETag: {tag}"));
        let len = data.len();
        match request.get("range") {
            Some(range) if request.get("if-range").map(String::as_str) == etag => {
                let first: usize = range
                    .strip_prefix("bytes=")
                    .and_then(|range| range.strip_suffix('-'))
                    .unwrap()
                    .parse()
                    .unwrap();
                let rest = &data[first..];
                let head = format!(
                    "206 Partial Content\nContent-Range: bytes {first}-{}/{len}\nContent-Length: {}{tag}",
                    len - 1,
                    rest.len()
                );
                respond(stream, &head, rest);
            }
            _ => respond(
                stream,
                &format!("200 OK\nContent-Length: {len}{tag}"),
                &data[..cut],
            ),
        }
    })
}

#[test]
fn a_download_that_was_cut_off_goes_on_in_the_same_run() {
    let server = interrupted(100_000, Some("\"one\""));
    let cache = tempfile::tempdir().unwrap();
    let bytes = fetch(&downloads(cache.path()), &server.url(), Some(DATA_SHA256)).unwrap();
    assert_eq!(bytes, data());
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(!requests[0].contains_key("range"));
    assert_eq!(requests[1]["if-range"], "\"one\"");
}

#[test]
fn a_download_that_was_cut_off_goes_on_in_the_next_run() {
    let server = interrupted(100_000, Some("\"one\""));
    let cache = tempfile::tempdir().unwrap();
    let mut downloads = downloads(cache.path());
    downloads.attempts = 1;
    let message = fetch(&downloads, &server.url(), None).unwrap_err();
    assert!(message.contains("100000"), "{message}");
    assert_eq!(fetch(&downloads, &server.url(), None).unwrap(), data());
    assert_eq!(server.requests()[1]["range"], "bytes=100000-");
    assert_eq!(files(cache.path()).len(), 1);
}

#[test]
fn without_a_validator_a_download_starts_over() {
    let server = interrupted(100_000, None);
    let cache = tempfile::tempdir().unwrap();
    let message = fetch(&downloads(cache.path()), &server.url(), None).unwrap_err();
    assert!(message.contains("100000"), "{message}");
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(
        requests
            .iter()
            .all(|request| !request.contains_key("range"))
    );
}

/// A server whose first answer ends early, and whose second one has this head and body.
fn interrupted_then(head: &'static str, body: Vec<u8>) -> Server {
    let count = Mutex::new(0);
    Server::start(move |request, stream| {
        *count.lock().unwrap() += 1;
        if *count.lock().unwrap() == 1 {
            let head = "200 OK\nContent-Length: 300\nETag: \"one\"";
            respond(stream, head, &[b'a'; 100]);
        } else if request.contains_key("range") {
            respond(stream, head, &body);
        } else {
            ok(stream, &[b'b'; 300]);
        }
    })
}

#[test]
fn a_rest_that_does_not_belong_to_the_beginning_is_never_joined_to_it() {
    const TAG: &str = "ETag: \"one\"";
    let part = |from: usize| vec![b'a'; 300 - from];
    let multipart = b"--x\r\nContent-Range: bytes 100-299/300\r\n\r\nabc\r\n--x--\r\n".to_vec();
    for (head, body) in [
        ("Content-Range: bytes 100-299/300\nETag: \"two\"", part(100)),
        (
            "Content-Range: bytes 100-299/300\nETag: W/\"one\"",
            part(100),
        ),
        ("Content-Range: bytes 100-299/300", part(100)),
        ("Content-Range: bytes 100-299/*\nETag: \"two\"", part(100)),
        ("Content-Range: bytes 101-299/300\nETag: \"one\"", part(101)),
        ("Content-Range: bytes 0-299/300\nETag: \"one\"", part(0)),
        (
            "Content-Range: bytes 100-309/310\nETag: \"one\"",
            vec![b'a'; 210],
        ),
        (
            "Content-Range: bytes 100-299/300\nETag: \"one\"\nContent-Encoding: gzip",
            part(100),
        ),
        (
            "Content-Type: multipart/byteranges; boundary=x\nETag: \"one\"",
            multipart,
        ),
        (TAG, part(100)),
    ] {
        let all = format!(
            "206 Partial Content\nContent-Length: {}\n{head}",
            body.len()
        );
        let server = interrupted_then(all.leak(), body);
        let cache = tempfile::tempdir().unwrap();
        let bytes = fetch(&downloads(cache.path()), &server.url(), None).unwrap();
        assert!(bytes == [b'b'; 300], "{head}");
        assert_eq!(files(cache.path()).len(), 1, "{head}");
    }
}

#[test]
fn more_than_was_announced_is_thrown_away() {
    // The second answer comes in chunks and has a byte more than its range.
    let body = [
        b"c9\r\n".to_vec(),
        vec![b'a'; 201],
        b"\r\n0\r\n\r\n".to_vec(),
    ]
    .concat();
    let head = "206 Partial Content\nETag: \"one\"\nContent-Range: bytes 100-299/300\n\
                Transfer-Encoding: chunked";
    let server = interrupted_then(head, body);
    let cache = tempfile::tempdir().unwrap();
    let bytes = fetch(&downloads(cache.path()), &server.url(), None).unwrap();
    assert!(bytes == [b'b'; 300]);
    assert_eq!(server.requests().len(), 3);
}

/// The second answer has the same tag and no length of its own.
#[test]
fn an_announced_length_is_remembered() {
    let server = interrupted_then("200 OK\nETag: \"one\"", vec![b'a'; 200]);
    let cache = tempfile::tempdir().unwrap();
    let mut downloads = downloads(cache.path());
    downloads.attempts = 2;
    let message = fetch(&downloads, &server.url(), None).unwrap_err();
    assert!(message.contains("200 of 300"), "{message}");
    assert!(
        files(cache.path())
            .iter()
            .all(|name| name.contains(".part"))
    );
}

#[test]
fn chunks_that_end_early_are_no_file() {
    let server = Server::start(|_, stream| {
        respond(
            stream,
            "200 OK\nTransfer-Encoding: chunked",
            b"5\r\nfirst\r\n",
        );
    });
    let cache = tempfile::tempdir().unwrap();
    fetch(&downloads(cache.path()), &server.url(), None).unwrap_err();
    assert!(
        files(cache.path())
            .iter()
            .all(|name| name.contains(".part"))
    );
}

#[test]
fn encoded_bytes_are_taken_for_the_file_only_if_its_sum_says_so() {
    for encoding in ["gzip", "x-gzip", "br", "identity, zstd"] {
        let head = format!("200 OK\nContent-Encoding: {encoding}");
        let server = Server::start(move |_, stream| respond(stream, &head, &data()));
        let cache = tempfile::tempdir().unwrap();
        let downloads = downloads(cache.path());
        let message = fetch(&downloads, &server.url(), None).unwrap_err();
        for part in [encoding, "'sha256'", &server.url()] {
            assert!(message.contains(part), "{message}");
        }
        fetch(&downloads, &server.url(), Some(&"0".repeat(64))).unwrap_err();
        assert_eq!(files(cache.path()), [""; 0]);
        let sum = Some(DATA_SHA256);
        assert_eq!(fetch(&downloads, &server.url(), sum).unwrap(), data());
        assert_eq!(server.requests()[0]["accept-encoding"], "identity");
    }
}

#[test]
fn a_part_that_nobody_asked_for_is_refused() {
    for head in [
        "206 Partial Content\nContent-Range: bytes 0-3/9\nContent-Length: 4",
        "200 OK\nContent-Type: multipart/byteranges; boundary=x\nContent-Length: 4",
        "203 Non-Authoritative Information\nContent-Length: 4",
    ] {
        let server = Server::start(move |_, stream| respond(stream, head, b"data"));
        let cache = tempfile::tempdir().unwrap();
        let message = fetch(&downloads(cache.path()), &server.url(), None).unwrap_err();
        assert!(message.contains("the server"), "{message}");
        assert_eq!(files(cache.path()), [""; 0]);
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn redirects_in_a_circle_end() {
    let server = Server::start(|_, stream| {
        let head = "302 Found\nLocation: /dir/again\nContent-Length: 0";
        respond(stream, head, b"");
    });
    let cache = tempfile::tempdir().unwrap();
    let message = fetch(&downloads(cache.path()), &server.url(), None).unwrap_err();
    assert!(message.contains("redirects"), "{message}");
    assert!(server.requests().len() < 20);
}

/// With a window of no length every byte is judged by itself, whatever the machine's speed.
#[test]
fn what_arrives_too_slowly_is_given_up_and_gone_on_with() {
    let server = interrupted(100_000, Some("\"one\""));
    let cache = tempfile::tempdir().unwrap();
    let fast = downloads(cache.path());
    let slow = Downloads {
        window: Duration::ZERO,
        least: u64::MAX,
        attempts: 2,
        ..fast.clone()
    };
    let message = fetch(&slow, &server.url(), None).unwrap_err();
    assert!(
        message.contains("CREATEHDDS_DOWNLOAD_MIN_SPEED"),
        "{message}"
    );
    assert!(server.requests()[1].contains_key("range"));
    assert_eq!(fetch(&fast, &server.url(), None).unwrap(), data());
}

/// The second answer is of another version, or of a server that knows no ranges.
#[test]
fn a_file_that_changed_in_between_starts_over() {
    let count = Mutex::new(0);
    let server = Server::start(move |_, stream| {
        *count.lock().unwrap() += 1;
        if *count.lock().unwrap() == 1 {
            respond(stream, "200 OK\nContent-Length: 9\nETag: \"one\"", b"first");
        } else {
            respond(
                stream,
                "200 OK\nContent-Length: 6\nETag: \"two\"",
                b"second",
            );
        }
    });
    let cache = tempfile::tempdir().unwrap();
    let bytes = fetch(&downloads(cache.path()), &server.url(), None).unwrap();
    assert_eq!(bytes, b"second");
    assert_eq!(server.requests()[1]["range"], "bytes=5-");
}

#[test]
fn a_refused_range_starts_over() {
    let server = Server::start(|request, stream| {
        if request.contains_key("range") {
            respond(stream, "416 Range Not Satisfiable\nContent-Length: 0", b"");
        } else {
            ok(stream, b"whole");
        }
    });
    let cache = tempfile::tempdir().unwrap();
    let downloads = downloads(cache.path());
    fetch(&downloads, &server.url(), None).unwrap();
    // As if the run had been killed: part and validator, but no file.
    let name = files(cache.path()).remove(0);
    let path = cache.path().join(&name);
    fs::rename(&path, cache.path().join(format!("{name}.part"))).unwrap();
    fs::write(
        cache.path().join(format!("{name}.part.validator")),
        "etag: \"one\"\n",
    )
    .unwrap();
    assert_eq!(fetch(&downloads, &server.url(), None).unwrap(), b"whole");
    assert_eq!(server.requests().len(), 3);
    assert_eq!(files(cache.path()), [name]);
}

#[test]
fn a_silent_server_is_given_up() {
    // Before the head, or in the middle of the body.
    for body in [false, true] {
        let server = Server::start(move |_, stream| {
            if body {
                respond(stream, "200 OK\nContent-Length: 9", b"first");
            }
            // Until the other side hangs up.
            let _ = stream.read(&mut [0]);
        });
        let cache = tempfile::tempdir().unwrap();
        let mut downloads = downloads(cache.path());
        downloads.attempts = 1;
        downloads.read_timeout = Duration::from_millis(500);
        let message = fetch(&downloads, &server.url(), None).unwrap_err();
        assert!(message.contains("timeout"), "{message}");
    }
}

#[test]
fn nobody_at_the_address_is_an_error_that_names_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    drop(listener);
    let cache = tempfile::tempdir().unwrap();
    let message = fetch(&downloads(cache.path()), &url, None).unwrap_err();
    assert!(
        message.contains(&url) && message.contains("refused"),
        "{message}"
    );
}

#[test]
fn offline_only_the_cache_is_used() {
    let server = Server::start(|_, stream| ok(stream, b"data"));
    let cache = tempfile::tempdir().unwrap();
    let online = downloads(cache.path());
    let offline = Downloads {
        offline: true,
        ..online.clone()
    };
    let message = fetch(&offline, &server.url(), None).unwrap_err();
    assert!(message.contains("isn't downloaded yet"), "{message}");
    assert!(server.requests().is_empty());
    fetch(&online, &server.url(), None).unwrap();
    assert_eq!(fetch(&offline, &server.url(), None).unwrap(), b"data");
}

/// Threads lock files of their own, exactly as processes do.
#[test]
fn two_at_once_download_once() {
    let server = Server::start(|_, stream| {
        std::thread::sleep(Duration::from_millis(100));
        ok(stream, &data());
    });
    let cache = tempfile::tempdir().unwrap();
    let downloads = downloads(cache.path());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let sha256 = Some(DATA_SHA256);
                assert_eq!(fetch(&downloads, &server.url(), sha256).unwrap(), data());
            });
        }
    });
    assert_eq!(server.requests().len(), 1);
    assert_eq!(files(cache.path()).len(), 1);
}

#[derive(Debug, Default)]
struct Log(Mutex<Vec<String>>);

impl Reporter for Log {
    fn report(&self, event: &Event<'_>) {
        if let Event::DownloadEnded { url, success } = event {
            self.0.lock().unwrap().push(format!("{url} {success}"));
        }
    }
}

/// An image with one file.
fn image(source: Source, sha256: Option<&str>) -> Image {
    let data = Data {
        place: "guestfs[0].uploads[0]".into(),
        source,
        sha256: sha256.map(Into::into),
    };
    let file = Object {
        place: "guestfs[0].uploads[0]".into(),
        kind: ObjectKind::File {
            path: "/file".into(),
            content: FileContent::Data(data),
        },
    };
    let held = Filesystem::new("ext2", FileTree::new(Timestamp::default()));
    let layout = Layout {
        disk: Disk {
            place: "guestfs[0]".into(),
            size: DiskSize::Fixed(Bytes::new(16 << 20)),
            multiple: Bytes::new(1),
            sector_size: SectorSize::B512,
            table: DiskTable::None,
            partitions: vec![Partition::new("guestfs[0].parts[0]", held)],
            blobs: Vec::new(),
            groups: Vec::new(),
            others: Vec::new(),
            kept_table: Vec::new(),
        },
        contents: vec![Filling::Files(vec![file])],
        blobs: Vec::new(),
        other_formats: Vec::new(),
        keys: Vec::new(),
        seed: Seed::Text("disk_test.img".into()),
    };
    Image {
        file_name: "disk_test.img".into(),
        group: "test".into(),
        recipe: Recipe::Layout(Arc::new(layout), FileFormat::raw("guestfs[0]")),
    }
}

/// The content of the only file that is planned, or why there is none.
fn planned(planner: &Planner<'_>, image: &Image) -> Result<Content, String> {
    let plan = planner.decide(std::slice::from_ref(image));
    let plan = plan.map_err(|error| format!("{error:#}"))?;
    let filesystem = plan.disk.as_ref().unwrap().filesystems().next().unwrap();
    let files = filesystem.tree().files();
    assert_eq!(files.len(), 1);
    Ok(files[0].1.clone())
}

#[test]
fn images_share_a_download_and_its_failure() {
    let server = Server::start(|request, stream| {
        if request[""].contains("missing") {
            respond(stream, "404 Not Found\nContent-Length: 0", b"");
        } else {
            ok(stream, &data());
        }
    });
    let cache = tempfile::tempdir().unwrap();
    let good = Source::Url(server.url());
    let missing = Source::Url(format!("{}/missing", server.address));
    let torn = Source::Url(format!("{}/torn", server.address));
    let file = Source::File("file".into());
    let images = [
        image(good.clone(), None),
        image(good, Some(&DATA_SHA256.to_uppercase())),
        image(missing.clone(), None),
        image(missing, None),
        image(torn.clone(), Some(DATA_SHA256)),
        image(torn, Some(&"0".repeat(64))),
        image(file.clone(), None),
        image(file, Some(DATA_SHA256)),
    ];
    let log = Log::default();
    let find = |name: &str| Ok(Content::inline(name.as_bytes()));
    let conditions = Conditions {
        time: Timestamp::default(),
        latest: None,
        downloads: downloads(cache.path()),
    };
    let registry = Registry::native();
    let planner = Planner::gathering(&images, &find, &registry, &conditions, &log);
    let results: Vec<_> = images
        .iter()
        .map(|image| planned(&planner, image))
        .collect();
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0].as_ref().unwrap().len(), data().len() as u64);
    assert!(
        results[2].as_ref().unwrap_err().contains("404"),
        "{results:?}"
    );
    assert_eq!(results[2], results[3]);
    assert!(
        results[4]
            .as_ref()
            .unwrap_err()
            .contains("different SHA-256"),
        "{results:?}"
    );
    assert_eq!(results[6], Ok(Content::inline(b"file")));
    let message = results[7].as_ref().unwrap_err();
    assert!(
        message.starts_with("guestfs[0].uploads[0].source: "),
        "{message}"
    );
    assert!(message.contains(DATA_SHA256), "{message}");
    let mut ended = log.0.into_inner().unwrap();
    ended.sort();
    let expected = [
        format!("{} true", server.url()),
        format!("{}/missing false", server.address),
    ];
    assert_eq!(ended, expected);
    assert_eq!(server.requests().len(), 2);
}
