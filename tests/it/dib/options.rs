use super::Place;

/// What is said of what diskimage-builder 3.43 refuses too, with a status of 1 by its names.
#[test]
fn what_makes_no_sense_is_refused_by_every_name() {
    let place = Place::new();
    for (line, part) in [
        ("", "no element is given"),
        ("-a amd64 --checksum", "no element is given"),
        ("--nosuch vm", "unexpected argument '--nosuch'"),
        ("--image-size 4 --size 4G vm", "cannot be used with"),
    ] {
        for (program, status) in [
            ("disk-image-create", 1),
            ("ramdisk-image-create", 1),
            ("createhdds dib", 64),
            ("createhdds disk-image-create", 64),
            ("createhdds ramdisk-image-create", 64),
        ] {
            let run = place.run(&format!("{program} {line}"), &[]);
            run.expect(status).prints("").says([part]);
        }
    }
    for (program, status) in [("virt-dib", 1), ("createhdds virt-dib", 64)] {
        let run = place.run(&format!("{program} --formats vmdk vm"), &[]);
        run.expect(status)
            .says(["'vmdk' is no format: there are docker, qcow2"]);
        place.run(program, &[]).expect(status);
    }
}

#[test]
fn help_and_version_are_answers() {
    let place = Place::new();
    for program in [
        "disk-image-create",
        "ramdisk-image-create",
        "diskimage-builder",
        "virt-dib",
        "createhdds dib",
    ] {
        for option in ["-h", "--help"] {
            let run = place.run(&format!("{program} {option}"), &[]).expect(0);
            assert!(run.stdout.contains("Usage: createhdds "), "{}", run.stdout);
        }
        let run = place.run(&format!("{program} --version"), &[]).expect(0);
        assert!(run.stdout.contains(env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn virt_dib_tells_what_it_can_make() {
    let place = Place::new();
    let formats = ["docker", "qcow2", "raw", "squashfs", "tar", "tgz", "vhd"];
    let formats = formats.map(|format| format!("output:{format}\n")).concat();
    for program in ["virt-dib", "createhdds virt-dib"] {
        let run = place.run(&format!("{program} --machine-readable"), &[]);
        run.expect(0).prints(&format!("virt-dib\n{formats}"));
    }
    let run = place.run("virt-dib --short-options", &[]).expect(0);
    assert!(run.stdout.lines().any(|line| line == "-B"));
    let run = place.run("virt-dib --long-options", &[]).expect(0);
    assert!(run.stdout.lines().any(|line| line == "--extra-packages"));
}
