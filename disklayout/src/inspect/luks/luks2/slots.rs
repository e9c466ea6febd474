//! Key slots of LUKS2.

use crate::inspect::luks::slot::{KeySlot, check_cipher, check_stripes, hash, key_len};
use crate::volume::luks::format::metadata::{Kdf as RawKdf, Keyslot};
use crate::volume::luks::{Argon2Cost, Kdf};

/// How a slot is shown.
pub(super) fn shown(slot: &Keyslot) -> String {
    match slot {
        Keyslot::Luks2 { kdf, .. } => match known(kdf) {
            Ok((kdf, _)) => kdf.to_string(),
            Err(why) => why,
        },
        Keyslot::Other => "not a key slot of type luks2".to_owned(),
    }
}

/// What a slot's key is made by, and its salt.
fn known(kdf: &RawKdf) -> Result<(Kdf, &[u8]), String> {
    let cost = |memory_kib, iterations, lanes| Argon2Cost {
        memory_kib,
        iterations,
        lanes,
    };
    Ok(match kdf {
        RawKdf::Pbkdf2 {
            hash: name,
            iterations,
            salt,
        } => {
            let (hash, iterations) = (hash(name)?, *iterations);
            (Kdf::Pbkdf2 { hash, iterations }, salt)
        }
        RawKdf::Argon2i {
            time,
            memory,
            cpus,
            salt,
        } => (Kdf::Argon2i(cost(*memory, *time, *cpus)), salt),
        RawKdf::Argon2id {
            time,
            memory,
            cpus,
            salt,
        } => (Kdf::Argon2id(cost(*memory, *time, *cpus)), salt),
        RawKdf::Other => return Err("how its key is made isn't known here".to_owned()),
    })
}

/// What it takes to open a slot.
pub(super) fn key(slot: &Keyslot) -> Result<KeySlot, String> {
    let Keyslot::Luks2 {
        key_size,
        af,
        area,
        kdf,
    } = slot
    else {
        return Err("it isn't of type luks2".to_owned());
    };
    check_stripes(af.stripes)?;
    check_cipher(&area.encryption)?;
    let (kdf, salt) = known(kdf)?;
    let key = KeySlot {
        kdf,
        salt: salt.to_vec(),
        offset: area.offset,
        key_len: key_len(*key_size)?,
        area_key_len: key_len(area.key_size)?,
        hash: hash(&af.hash)?,
    };
    key.checked()
}
