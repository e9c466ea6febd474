//! The kickstart files of the shipped set, as the installers of their releases understand them: says
//! ksvalidator of pykickstart, which refuses what is deprecated too. It doesn't look into scripts,
//! which the shell parses here, and doesn't know which packages there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::bail;
use createhdds::describe::hdds::Config;
use createhdds::describe::hdds::locate::{ConfigSource, DataDir};
use createhdds::describe::hdds::names::kickstart_file_names;
use createhdds::describe::hdds::releases::NextRelease;
use createhdds::image::{Image, InstallRecipe, Recipe, Source};

use crate::{cache, checkers};

/// Texts of kickstart files by their names.
type Files = BTreeMap<String, String>;

fn images() -> Vec<Image> {
    let text = ConfigSource::Shipped.read().unwrap();
    let config = Config::parse(&text, "hdds.json", &[]).unwrap();
    let mut next = NextRelease::new(None, || bail!("the shipped set asks for no release"));
    config.images(&mut next).unwrap()
}

/// The kickstart file that installs an image of `group`.
fn installing(group: &str, recipe: &InstallRecipe) -> (String, String) {
    let names = kickstart_file_names(group, &recipe.release, &recipe.arch);
    let found = names.into_iter().find_map(|name| {
        let content = DataDir::Shipped.kickstart(&name).unwrap()?;
        Some((name, text(content.inline_bytes())))
    });
    found.unwrap_or_else(|| panic!("{}: there is no kickstart file", recipe.place))
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8(bytes.unwrap().to_vec()).unwrap()
}

/// The kickstart files that install an image, by major release: 8 for 8-BETA.
fn of_installations() -> BTreeMap<String, Files> {
    let mut releases = BTreeMap::<_, Files>::new();
    for image in images() {
        if let Recipe::Install(recipe) = &image.recipe {
            let major = recipe.release.split('-').next().unwrap().to_owned();
            let (name, text) = installing(&image.group, recipe);
            releases.entry(major).or_default().insert(name, text);
        }
    }
    releases
}

/// The kickstart files that a layout image carries, by the release in the name of its group.
fn of_layouts() -> BTreeMap<String, Files> {
    let mut releases = BTreeMap::<_, Files>::new();
    for image in images() {
        let Some(layout) = image.layout() else {
            continue;
        };
        for data in layout.data() {
            if let Source::File(name) = &data.source
                && is_kickstart(name)
            {
                let release = image.group.strip_prefix("ks-").unwrap().to_owned();
                let content = DataDir::Shipped.upload(name).unwrap();
                let text = text(content.inline_bytes());
                let files = releases.entry(release).or_default();
                files.insert(name.clone(), text);
            }
        }
    }
    releases
}

fn is_kickstart(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "ks")
}

/// The kickstart files in a directory of the project.
fn in_directory(directory: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let entries = fs::read_dir(path).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| is_kickstart(name)).collect()
}

/// `ksvalidator`: no unknown, removed or deprecated command, option or value.
fn validate(release: &str, files: &Files) -> checkers::Verdict<()> {
    // It accepts a file that isn't there: these are.
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let installed = cache::path("bin/ksvalidator");
    let program = match installed.to_str() {
        Some(path) if installed.exists() => path,
        _ => "ksvalidator",
    };
    let output = checkers::command(program)
        .current_dir(directory.path())
        .arg(format!("--version=RHEL{release}"))
        .args(files.keys())
        .output()
        .unwrap_or_else(|error| panic!("{program} can't be run, see scripts/setup: {error}"));
    if output.status.success() {
        return Ok(());
    }
    let complaint = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&complaint).into_owned())
}

/// The scripts of a kickstart file: what is between `%pre` or `%post` and `%end`.
fn scripts(text: &str) -> Vec<String> {
    let starts = |line: &str| ["%pre", "%post"].iter().any(|name| line.starts_with(name));
    let mut lines = text.lines();
    let mut scripts = Vec::new();
    while lines.any(starts) {
        let script = lines.by_ref().take_while(|line| *line != "%end");
        scripts.push(script.map(|line| format!("{line}\n")).collect());
    }
    scripts
}

/// Whether the shell can parse a script. It runs nothing.
fn parses(script: &str) -> bool {
    let output = checkers::command("bash")
        .args(["-n", "-c", script])
        .output();
    let output = output.unwrap();
    // A here-document without an end is a warning.
    output.status.success() && output.stderr.is_empty()
}

#[test]
fn installers_understand_what_installs_the_images() {
    let releases = of_installations();
    assert!(releases.keys().eq(["8", "9"]));
    let used = releases.values().flat_map(Files::keys).cloned().collect();
    assert_eq!(in_directory("kickstarts"), used);
    for (release, files) in &releases {
        validate(release, files).unwrap();
    }
}

#[test]
fn installers_understand_what_images_carry() {
    let releases = of_layouts();
    assert!(releases.keys().eq(["8", "9"]));
    let used = releases.values().flat_map(Files::keys).cloned().collect();
    assert_eq!(in_directory("kickstarts/uploads"), used);
    for (release, files) in &releases {
        validate(release, files).unwrap();
    }
}

#[test]
fn the_shell_understands_their_scripts() {
    let mut checked = BTreeSet::new();
    let all = [of_installations(), of_layouts()];
    for (name, text) in all.iter().flat_map(BTreeMap::values).flatten() {
        for script in scripts(text) {
            assert!(parses(&script), "{name}: {script}");
            checked.insert(name.as_str());
        }
    }
    assert!(checked.into_iter().eq(["freeipa.ks", "support.ks"]));
    let wrong = "text\n%pre --erroronfail\nif true\n%end\n%post\ncat << A\n%end\n%post\n:\n%end\n";
    let verdicts: Vec<_> = scripts(wrong).iter().map(|text| parses(text)).collect();
    assert_eq!(verdicts, [false, false, true]);
}

/// Nothing waits for an answer, the machine goes off at the end, and one can log in.
#[test]
fn installations_are_complete() {
    let needed = ["text", "poweroff", "zerombr", "clearpart", "autopart"];
    let needed = [&needed[..], &["lang", "keyboard", "timezone", "rootpw"]].concat();
    for (name, text) in of_installations().values().flatten() {
        let commands: BTreeSet<_> = text.lines().filter_map(|l| l.split(' ').next()).collect();
        for command in &needed {
            assert!(commands.contains(command), "{name} has no {command}");
        }
        for source in ["url", "nfs", "harddrive", "cdrom", "repo"] {
            assert!(!commands.contains(source), "{name} has a source: {source}");
        }
    }
}

#[test]
fn what_is_wrong_for_the_release_is_refused() {
    let mut good = of_installations().remove("8").unwrap();
    good.retain(|name, _| name == "minimal.ks");
    assert_eq!(good.len(), 1);
    for (release, line, complaint) in [
        ("8", "nonsense", Some("nonsense")),
        ("8", "timesource --ntp-server=a", Some("timesource")),
        ("9", "timesource --ntp-server=a", None),
        ("8", "timezone --isUtc Etc/UTC", None),
        ("9", "timezone --isUtc Etc/UTC", Some("--isUtc")),
        ("9", "autopart --type=ntfs", Some("ntfs")),
    ] {
        // One wrong file among right ones is enough.
        let mut files = good.clone();
        files.insert("changed.ks".to_owned(), format!("{line}\n"));
        match (validate(release, &files), complaint) {
            (Ok(()), None) => {}
            (Err(said), Some(text)) => assert!(said.contains(text), "{said}"),
            (verdict, _) => panic!("RHEL{release} {line}: {verdict:?}"),
        }
    }
}
