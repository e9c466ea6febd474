//! The options of `make-fs` about what is between the partition and the filesystem.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use disklayout::fs::options;
use disklayout::layout::spec::DiskTable;
use disklayout::table::types::PartitionType;
use disklayout::volume::luks::{Request, Secrets, Version};
use disklayout::{Bytes, SectorSize};

use super::refusal;
use crate::cli::values::{all, option, value};
use crate::command::make_fs::{Encryption, luks_place};
use crate::describe::hdds::size;
use crate::describe::luks::Costs;

/// The heading of these options.
const HEADING: &str = "Encryption and hash trees";

/// What encrypts; all others need it.
const KEY_FILE: &str = "luks-key-file";

/// The options.
pub(super) fn arguments() -> Vec<Arg> {
    let luks = luks_arguments().into_iter();
    let all = luks.map(|argument| match argument.get_id() == KEY_FILE {
        true => argument,
        false => argument.requires(KEY_FILE),
    });
    all.chain([
        Arg::new("verity")
            .long("verity")
            .action(ArgAction::SetTrue)
            .conflicts_with_all([KEY_FILE, "bootloader"])
            .requires("part-type")
            .help("Put its hash tree for dm-verity into a second partition of a GPT"),
        option("verity-salt", "HEX", "What is hashed before each block")
            .requires("verity")
            .value_parser(hexadecimal),
    ])
    .map(|argument| argument.help_heading(HEADING))
    .collect()
}

fn luks_arguments() -> Vec<Arg> {
    vec![
        option(
            KEY_FILE,
            "FILE",
            "Encrypt it with LUKS; all bytes of FILE open it; may be repeated",
        )
        .value_parser(value_parser!(PathBuf))
        .action(ArgAction::Append)
        .conflicts_with("bootloader"),
        option("luks-version", "VERSION", "The version of LUKS")
            .value_parser(["1", "2"])
            .default_value("2"),
        option(
            "luks-sector-size",
            "BYTES",
            "What is encrypted at once [default: 4096 where it can be]",
        )
        .value_parser(["512", "4096"]),
        option(
            "luks-key-bits",
            "BITS",
            "Bits of the volume key, two keys of AES",
        )
        .value_parser(["256", "512"])
        .default_value("512"),
        option("luks-label", "LABEL", "The label of the container"),
        option("luks-uuid", "UUID", "The UUID of the container").value_parser(options::uuid),
        option(
            "luks-pbkdf",
            "FUNCTION",
            "What makes a key of a passphrase [default: argon2id, pbkdf2 in LUKS1]",
        )
        .value_parser(["argon2id", "argon2i", "pbkdf2"]),
        option("luks-iterations", "N", "How often that is repeated")
            .value_parser(value_parser!(u32)),
        option(
            "luks-memory",
            "SIZE",
            "The memory that it takes [default: 64M]",
        )
        .value_parser(size::parse_size),
        option("luks-lanes", "N", "How many threads it is made for")
            .value_parser(value_parser!(u32)),
        Arg::new("luks-allow-discards")
            .long("luks-allow-discards")
            .action(ArgAction::SetTrue)
            .help("Have the container say that discards go through"),
        Arg::new("luks-zeroes")
            .long("luks-zeroes")
            .action(ArgAction::SetTrue)
            .help("Encrypt what nothing is written to as well: nobody sees how much there is"),
        option(
            "luks-seed",
            "TEXT",
            "What the volume key derives from, for tests only [default: random]",
        ),
    ]
}

fn hexadecimal(text: &str) -> Result<Vec<u8>, String> {
    crate::describe::hexadecimal(text)
}

/// What encrypts the filesystem, if anything does.
pub(super) fn encryption(matches: &ArgMatches) -> Result<Option<Encryption>, clap::Error> {
    let files: Vec<PathBuf> = all(matches, KEY_FILE);
    if files.is_empty() {
        return Ok(None);
    }
    let version = match value::<String>(matches, "luks-version").as_deref() {
        Some("1") => Version::Luks1,
        _ => Version::Luks2,
    };
    let place = luks_place();
    let costs = Costs {
        word: matches.get_one::<String>("luks-pbkdf").map(String::as_str),
        iterations: value(matches, "luks-iterations"),
        memory: value::<Bytes>(matches, "luks-memory"),
        lanes: value(matches, "luks-lanes"),
        hash: None,
    };
    let kdf = costs.of(version).map_err(|error| refusal(&error))?;
    let sector = value::<String>(matches, "luks-sector-size");
    let sector = sector.and_then(|text| SectorSize::of(text.parse().ok()?));
    let bits = value::<String>(matches, "luks-key-bits");
    // No one knows it: whoever writes the image puts others into their place.
    let mut luks = Request::new(&place, version, Secrets::new([0; 32]));
    luks.key_bits = bits
        .and_then(|text| text.parse().ok())
        .unwrap_or(luks.key_bits);
    luks.label = value(matches, "luks-label");
    luks.uuid = value(matches, "luks-uuid");
    luks.allow_discards = matches.get_flag("luks-allow-discards");
    Ok(Some(Encryption {
        luks,
        sector_size: sector,
        key_files: files,
        kdf,
        seed: value(matches, "luks-seed"),
        encrypts_zeroes: matches.get_flag("luks-zeroes"),
    }))
}

/// Whether there is a hash tree, and its salt where it is given.
pub(super) fn verity(
    matches: &ArgMatches,
    table: &DiskTable,
) -> Result<Option<Option<Vec<u8>>>, clap::Error> {
    if !matches.get_flag("verity") {
        return Ok(None);
    }
    if !matches!(table, DiskTable::Gpt { .. }) {
        return Err(refusal(
            "a hash tree goes into a partition of a GPT: give --partition=gpt",
        ));
    }
    let kind = value::<PartitionType>(matches, "part-type");
    if kind.and_then(PartitionType::verity).is_none() {
        return Err(refusal(
            "systemd finds hash trees by the type of the partition, and this one has no counterpart \
             for them: give --part-type root-x86-64 or another root or usr",
        ));
    }
    Ok(Some(value(matches, "verity-salt")))
}
