//! Containers that are encrypted: `luks` of partitions and volumes.

use disklayout::Bytes;
use disklayout::layout::spec::{Encrypted, Holds};
use disklayout::volume::luks::{Kdf, Passphrase, Request, Secrets, Version};

use super::{keys, size, source, table};
use crate::config::{Findings, Object, Value};
use crate::describe::luks::Costs;
use crate::image::{Key, KeySource, Keys, Source};

/// Reads a container: what makes one of what it holds, and what opens it.
pub(super) fn read(
    value: &Value<'_>,
    f: &mut Findings,
) -> Option<(impl FnOnce(Holds) -> Holds + use<>, Keys)> {
    let object = value.object(&keys::LUKS, f)?;
    let version = object.optionally("version", f, version);
    let key_bits = object.optionally("key_bits", f, number);
    let sector_size = object.optionally("sector_size", f, table::sector_size);
    let label = object.optionally("label", f, Value::string);
    let subsystem = object.optionally("subsystem", f, Value::string);
    let uuid = object.optionally("uuid", f, table::guid);
    let allow_discards = object.optionally("allow_discards", f, Value::boolean);
    let offset = object.optionally("data_offset", f, bytes);
    let zeroes = object.optionally("zeroes", f, Value::boolean);
    let seed = object.optionally("seed", f, Value::string);
    let version = version?.unwrap_or_default();
    let each = object
        .required("keys", f)
        .and_then(|value| value.each("keys", f, |value, f| key(value, version, f)));
    let place = f.named(value.place());
    // No one knows it: whoever writes the image puts others into their place.
    let mut luks = Request::new(&place, version, Secrets::new([0; 32]));
    luks.key_bits = key_bits?.unwrap_or(luks.key_bits);
    luks.label = label?.map(str::to_owned);
    luks.subsystem = subsystem?.map(str::to_owned);
    luks.uuid = uuid?;
    luks.allow_discards = allow_discards?.unwrap_or_default();
    luks.data_offset = offset?;
    let sector_size = sector_size?;
    let encrypts_zeroes = zeroes?.unwrap_or_default();
    let keys = Keys {
        place,
        keys: each?,
        seed: seed?.map(str::to_owned),
    };
    if keys.seed.is_some() {
        let message = "whoever knows this seed and the description can open the container without \
                       its keys; use it for tests only";
        f.warn(&object.place_of("seed"), message);
    }
    let around = move |holds| {
        Holds::Encrypted(Box::new(Encrypted {
            luks,
            sector_size,
            encrypts_zeroes,
            holds,
        }))
    };
    Some((around, keys))
}

fn version(value: &Value<'_>, f: &mut Findings) -> Option<Version> {
    match value.unsigned(f)? {
        1 => Some(Version::Luks1),
        2 => Some(Version::Luks2),
        other => f.refuse(
            value.place(),
            format!("there is no version {other} of LUKS; give 1 or 2"),
        ),
    }
}

fn number(value: &Value<'_>, f: &mut Findings) -> Option<u32> {
    let number = value.unsigned(f)?;
    let message = |_| format!("{number} is too large");
    f.check(value.place(), u32::try_from(number).map_err(message))
}

fn bytes(value: &Value<'_>, f: &mut Findings) -> Option<Bytes> {
    let text = value.text(f)?;
    f.check(value.place(), size::parse_size(&text))
}

/// One key, by the only one of its sources.
fn key(value: &Value<'_>, version: Version, f: &mut Findings) -> Option<Key> {
    let object = value.object(&keys::LUKS_KEY, f)?;
    let sources = ["password", "source", "command"];
    let given: Vec<_> = sources
        .into_iter()
        .filter_map(|key| Some((key, object.optional(key)?)))
        .collect();
    let kdf = kdf(&object, version, f);
    let (word, source) = match given.as_slice() {
        [one] => *one,
        [] => {
            let message = "a key needs a 'password', a 'source' below uploads/, or a 'command' that \
                           says it";
            return f.refuse(value.place(), message);
        }
        [_, (_, other), ..] => {
            let message = "the key has another source already; one is enough";
            return f.refuse(other.place(), message);
        }
    };
    let text = source.string(f)?;
    let source = match word {
        "password" => KeySource::Text(Passphrase::new(text)),
        "command" => KeySource::Command(text.to_owned()),
        _ => match f.check(source.place(), source::parse_source(text))? {
            Source::File(path) => KeySource::Data(path),
            Source::Url(_) => {
                let message = "keys don't come from the network; put the file into uploads/";
                return f.refuse(source.place(), message);
            }
        },
    };
    Some(Key {
        place: f.named(value.place()),
        source,
        kdf: kdf?,
    })
}

/// What it costs to try a key.
fn kdf(object: &Object<'_>, version: Version, f: &mut Findings) -> Option<Kdf> {
    let iterations = object.optionally("iterations", f, number);
    let memory = object.optionally("memory", f, bytes);
    let lanes = object.optionally("lanes", f, number);
    let hash = object.optionally("hash", f, Value::string);
    let word = object.optionally("pbkdf", f, Value::string);
    let costs = Costs {
        word: word?,
        iterations: iterations?,
        memory: memory?,
        lanes: lanes?,
        hash: hash?,
    };
    f.check(object.place(), costs.of(version))
}
