//! What can be chosen for an image.

use super::{Config, Image, Name, Port, words};
use crate::compress::{Codec, Compression};
use crate::error::{Error, Result};
use crate::fs::options::number;
use crate::fs::{Choice, Options};
use crate::identity::Timestamp;
use crate::place::Place;
use crate::source::oci::Platform;

const NAME: &str = "name";
const PLATFORM: &str = "platform";
const AUTHOR: &str = "author";
const ENTRYPOINT: &str = "entrypoint";
const CMD: &str = "cmd";
const ENV: &str = "env";
const LABELS: &str = "labels";
const USER: &str = "user";
const WORKDIR: &str = "workdir";
const EXPOSE: &str = "expose";
const VOLUMES: &str = "volumes";
const STOP_SIGNAL: &str = "stop_signal";
const COMPRESSION: &str = "compression_type";
const LEVEL: &str = "compression_level";

/// What an image runs on where nothing is said. It doesn't depend on the machine that makes it.
const USUAL_PLATFORM: &str = "linux/amd64";

pub(super) const CHOICES: &[Choice] = &[
    Choice::new(
        NAME,
        "NAME[:TAG]",
        "The image's name, as registry.example.org/group/app:1.2; none if nothing is said",
    ),
    Choice::new(
        PLATFORM,
        "[OS/]ARCH[/VARIANT]",
        "What it runs on, as arm64 or linux/arm/v6; linux/amd64 if nothing is said",
    ),
    Choice::new(AUTHOR, "TEXT", "Who has made it"),
    Choice::new(
        ENTRYPOINT,
        "WORD|JSON",
        "The program that is always run: an array of JSON with its arguments, or one word",
    ),
    Choice::new(
        CMD,
        "WORD|JSON",
        "What is run, or further arguments, where nobody says otherwise: an array of JSON, or one word",
    ),
    Choice::new(
        ENV,
        "A=1,B=2|JSON",
        "Variables of the environment, as an object of JSON where values have commas in them",
    ),
    Choice::new(
        LABELS,
        "A=1,B=2|JSON",
        "Labels, as an object of JSON where values have commas in them",
    ),
    Choice::new(
        USER,
        "USER[:GROUP]",
        "Who runs it, by names in the tree or numbers; root if nothing is said",
    ),
    Choice::new(WORKDIR, "PATH", "The directory that it is run in"),
    Choice::new(
        EXPOSE,
        "PORT[/PROTOCOL],...",
        "Ports that it listens at, as 80,53/udp",
    ),
    Choice::new(
        VOLUMES,
        "PATH,...",
        "Directories whose data are kept outside",
    ),
    Choice::new(STOP_SIGNAL, "SIGNAL", "What ends it, as SIGINT"),
    Choice::new(
        COMPRESSION,
        "gzip|zstd|none",
        "How its layer is compressed; gzip if nothing is said",
    ),
    Choice::new(LEVEL, "N", "How hard: 1 to 9 for gzip, 1 to 22 for zstd"),
];

/// The image that was chosen, made at `created`.
pub(super) fn image(place: &Place, options: &Options, created: Timestamp) -> Result<Image> {
    let platform = options.get(PLATFORM).unwrap_or(USUAL_PLATFORM);
    let platform = Platform::parse(place.choice(PLATFORM), platform)?;
    let name = options.get(NAME);
    let name = name.map(|name| Name::parse(&place.choice(NAME), name));
    Ok(Image {
        name: name.transpose()?,
        author: options.get(AUTHOR).map(str::to_owned),
        config: config(place, options)?,
        compression: compression(place, options)?,
        ..Image::new(platform, created)
    })
}

fn config(place: &Place, options: &Options) -> Result<Config> {
    let text = |name| options.get(name).map(str::to_owned);
    let arguments = |name| options.parse(place, name, words::arguments);
    let list = |name| options.parse(place, name, words::list);
    let pairs = |name| options.parse(place, name, words::pairs);
    let ports = list(EXPOSE)?.unwrap_or_default().into_iter();
    let ports = ports.map(|port| Port::parse(&place.choice(EXPOSE), &port));
    Ok(Config {
        user: text(USER),
        exposed_ports: ports.collect::<Result<_>>()?,
        env: pairs(ENV)?.unwrap_or_default().into_iter().collect(),
        entrypoint: arguments(ENTRYPOINT)?.unwrap_or_default(),
        cmd: arguments(CMD)?.unwrap_or_default(),
        volumes: list(VOLUMES)?.unwrap_or_default().into_iter().collect(),
        working_dir: text(WORKDIR),
        labels: pairs(LABELS)?.unwrap_or_default(),
        stop_signal: text(STOP_SIGNAL),
    })
}

fn compression(place: &Place, options: &Options) -> Result<Option<Compression>> {
    let codec = options.parse(place, COMPRESSION, codec)?;
    let codec = codec.unwrap_or(Some(Codec::Gzip));
    let level = options.parse(place, LEVEL, number)?;
    match (codec.map(Compression::new), level) {
        (Some(usual), Some(level)) => usual.at_level(&place.choice(LEVEL), level).map(Some),
        (None, Some(_)) => {
            let message = "there is no level of no compression: leave one of the two out";
            Err(Error::invalid(place.choice(LEVEL), message))
        }
        (usual, None) => Ok(usual),
    }
}

fn codec(text: &str) -> std::result::Result<Option<Codec>, String> {
    match text {
        "gzip" => Ok(Some(Codec::Gzip)),
        "zstd" => Ok(Some(Codec::Zstd)),
        "none" => Ok(None),
        _ => Err(format!("'{text}' is none of gzip, zstd and none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(options: &Options) -> Result<Image> {
        image(&"image".into(), options, Timestamp::default())
    }

    #[test]
    fn levels_go_with_a_compression() {
        for (compression, level, expected) in [
            ("gzip", Some("9"), Ok(Some(Codec::Gzip))),
            ("zstd", Some("22"), Ok(Some(Codec::Zstd))),
            ("none", None, Ok(None)),
            ("gzip", Some("22"), Err("image.compression_level")),
            ("none", Some("1"), Err("image.compression_level")),
            ("xz", None, Err("image.compression_type")),
        ] {
            let mut options = Options::default().with(COMPRESSION, compression);
            if let Some(level) = level {
                options.set(LEVEL, level);
            }
            let found = of(&options).map(|image| image.compression.map(Compression::codec));
            let found = found.map_err(|error| error.place().to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{compression}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_at_the_option() {
        for (name, value) in [
            (NAME, "App"),
            (PLATFORM, "a/b/c/d"),
            (ENTRYPOINT, "[sh]"),
            (CMD, "["),
            (ENV, "A"),
            (LABELS, "{"),
            (EXPOSE, "80,0"),
            (VOLUMES, "[1]"),
            (LEVEL, "high"),
        ] {
            let error = of(&Options::default().with(name, value)).unwrap_err();
            assert_eq!(error.place().to_string(), format!("image.{name}"));
        }
    }
}
