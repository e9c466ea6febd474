//! What mkfs.xfs is told.

use std::ffi::OsString;
use std::path::Path;

use uuid::Uuid;

use super::options::{Chosen, Section};

/// The arguments for a filesystem on `volume` with what is in `prototype`.
pub(super) fn arguments(
    chosen: &Chosen,
    uuid: Uuid,
    label: Option<&str>,
    prototype: &Path,
    volume: &Path,
) -> Vec<OsString> {
    let Chosen {
        geometry,
        sector_size,
        log_size,
        ..
    } = chosen;
    let mut args: Vec<OsString> = ["-q", "-f", "-K"].map(OsString::from).to_vec();
    let mut add = |option: &str, value: String| args.extend([option.into(), value.into()]);
    let metadata = format!("uuid={uuid}{}", features(chosen, Section::Metadata));
    add("-m", metadata);
    add("-b", format!("size={}", geometry.block_size));
    let inodes = features(chosen, Section::Inodes);
    add("-i", format!("size={}{inodes}", geometry.inode_size));
    add("-s", format!("size={sector_size}"));
    if let Some(size) = log_size {
        add("-l", format!("size={size}"));
    }
    if let Some(label) = label {
        add("-L", label.to_owned());
    }
    args.extend(["-p".into(), prototype.into(), volume.into()]);
    args
}

fn features(chosen: &Chosen, section: Section) -> String {
    let features = chosen.features.iter().filter(|it| it.section == section);
    let said = features.map(|it| format!(",{}={}", it.name, u8::from(it.is_on)));
    said.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::fs::{Options, Request};
    use disklayout::{Identity, Timestamp};

    fn told(options: &[(&str, &str)], label: Option<&str>) -> String {
        let identity = Identity::new("t", Timestamp::default());
        let mut request = Request::new("p", "xfs", identity);
        let set = |all: Options, (name, value): &(&str, &str)| all.with(name, value);
        request.options = options.iter().fold(Options::default(), set);
        let chosen = Chosen::new(&request).unwrap();
        let (prototype, volume) = (Path::new("/p"), Path::new("/v"));
        let args = arguments(&chosen, Uuid::nil(), label, prototype, volume);
        let words = args.iter().map(|word| word.to_str().unwrap());
        words.collect::<Vec<_>>().join(" ")
    }

    const UUID: &str = "00000000-0000-0000-0000-000000000000";

    #[test]
    fn what_depends_on_the_version_is_always_told() {
        let expected = format!(
            "-q -f -K -m uuid={UUID},bigtime=1,crc=1,reflink=1,rmapbt=0 -b size=4096 -i size=512 \
             -s size=512 -p /p /v"
        );
        assert_eq!(told(&[], None), expected);
    }

    #[test]
    fn everything_that_can_be_chosen_is_told_of() {
        let options = [
            ("features", "^bigtime,^finobt,^inobtcount,nrext64,^sparse"),
            ("reflink", "no"),
            ("block-size", "2K"),
            ("inode-size", "1024"),
            ("log-size", "70M"),
        ];
        let expected = format!(
            "-q -f -K -m uuid={UUID},bigtime=0,crc=1,finobt=0,inobtcount=0,reflink=0,rmapbt=0 -b \
             size=2048 -i size=1024,nrext64=1,sparse=0 -s size=512 -l size=73400320 -L -l -p /p /v"
        );
        assert_eq!(told(&options, Some("-l")), expected);
    }
}
