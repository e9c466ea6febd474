//! Options of pvcreate, vgcreate and lvcreate: those that count here, those that change nothing, and all
//! others, which are refused.

use disklayout::Bytes;
use disklayout::volume::lvm::Stripes;

use crate::config::{Findings, Object, Place, nearest};
use crate::describe::dib::block::entry::string;

/// A program that is given options, by what it makes: pvcreate, vgcreate, lvcreate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Pv,
    Vg,
    Lv,
}

/// What is chosen by options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Bytes of an extent.
    pub(super) extent_size: Option<Bytes>,
    pub(super) stripes: Option<Stripes>,
    pub(super) tags: Vec<String>,
}

/// An option: its letter, if it has one, its name, and what it does.
type Known = (Option<char>, &'static str, Effect);

/// What an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Nothing here: questions, messages and locks are LVM's own.
    Nothing,
    /// Nothing here, whatever its value is.
    NothingOf,
    ExtentSize,
    Stripes,
    StripeSize,
    Tag,
}

use Effect::{ExtentSize, Nothing, NothingOf, StripeSize, Tag};

/// What all of them take.
const COMMON: [Known; 9] = [
    (Some('f'), "--force", Nothing),
    (Some('y'), "--yes", Nothing),
    (Some('q'), "--quiet", Nothing),
    (Some('v'), "--verbose", Nothing),
    (Some('d'), "--debug", Nothing),
    (None, "--nolocking", Nothing),
    (None, "--noudevsync", Nothing),
    (Some('A'), "--autobackup", NothingOf),
    // Whatever isn't written reads as zero.
    (Some('Z'), "--zero", NothingOf),
];

const OF_PVCREATE: [Known; 0] = [];
const OF_VGCREATE: [Known; 1] = [(Some('s'), "--physicalextentsize", ExtentSize)];
const OF_LVCREATE: [Known; 6] = [
    (Some('i'), "--stripes", Effect::Stripes),
    (Some('I'), "--stripesize", StripeSize),
    (None, "--addtag", Tag),
    (Some('a'), "--activate", NothingOf),
    (Some('W'), "--wipesignatures", NothingOf),
    (None, "--ignoremonitoring", Nothing),
];

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::Pv => "pvcreate",
            Self::Vg => "vgcreate",
            Self::Lv => "lvcreate",
        }
    }

    /// The options that it may be given.
    fn known(self) -> impl Iterator<Item = &'static Known> + Clone {
        let own: &[Known] = match self {
            Self::Pv => &OF_PVCREATE,
            Self::Vg => &OF_VGCREATE,
            Self::Lv => &OF_LVCREATE,
        };
        own.iter().chain(&COMMON)
    }

    /// Says that it isn't given `word`.
    fn refusal(self, word: &str) -> String {
        let name = self.name();
        let names: Vec<_> = self.known().map(|(_, name, _)| *name).collect();
        let near = nearest(word.split('=').next().unwrap_or(word), &names);
        match near.filter(|near| *near != word) {
            Some(near) => {
                format!("'{word}' is no option of {name} that counts here: did you mean '{near}'?")
            }
            None => format!(
                "'{word}' is no option of {name} that counts here: leave it out; there are {}",
                names.join(", ")
            ),
        }
    }
}

/// Reads the options of an object, which are words of a command line.
pub(super) fn read(
    program: Program,
    object: &Object<'_>,
    findings: &mut Findings,
) -> Option<Chosen> {
    let Some(list) = object.optional("options") else {
        return Some(Chosen::default());
    };
    let words = list.each("options", findings, |value, findings| {
        Some((string(value, findings)?, value.place().clone()))
    })?;
    match parse(program, &words) {
        Ok(chosen) => Some(chosen),
        Err((place, message)) => findings.refuse(&place, message),
    }
}

/// What the words choose.
fn parse(program: Program, words: &[(String, Place)]) -> Result<Chosen, (Place, String)> {
    let mut given = Given::default();
    let mut words = words.iter();
    while let Some((word, place)) = words.next() {
        let mut next = || words.next().map(|(word, _)| word.as_str());
        given
            .word(program, word, &mut next)
            .map_err(|message| (place.clone(), message))?;
    }
    Ok(given.chosen())
}

/// What is given so far.
#[derive(Debug, Default)]
struct Given {
    extent_size: Option<Bytes>,
    stripes: Option<u32>,
    stripe_size: Option<Bytes>,
    tags: Vec<String>,
}

impl Given {
    /// Takes a word: `--stripes=2`, `--stripes` before `2`, `-i2`, `-ff`.
    fn word<'w>(
        &mut self,
        program: Program,
        word: &'w str,
        next: &mut dyn FnMut() -> Option<&'w str>,
    ) -> Result<(), String> {
        if word.starts_with("--") {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            let effect = program.known().find(|known| known.1 == name);
            let (_, _, effect) = effect.ok_or_else(|| program.refusal(word))?;
            return match effect {
                Nothing if value.is_some() => Err(format!("'{name}' has no value: leave it out")),
                Nothing => Ok(()),
                effect => self.take(*effect, name, value.or_else(next)),
            };
        }
        let mut letters = match word.strip_prefix('-') {
            Some(letters) if !letters.is_empty() => letters.chars(),
            _ => return Err(program.refusal(word)),
        };
        while let Some(letter) = letters.next() {
            let effect = program.known().find(|known| known.0 == Some(letter));
            let (_, _, effect) = effect.ok_or_else(|| program.refusal(word))?;
            if *effect != Nothing {
                let rest = Some(letters.as_str()).filter(|rest| !rest.is_empty());
                return self.take(*effect, &format!("-{letter}"), rest.or_else(next));
            }
        }
        Ok(())
    }

    fn take(&mut self, effect: Effect, name: &str, value: Option<&str>) -> Result<(), String> {
        let value = value.ok_or_else(|| format!("'{name}' needs a value: give one behind it"))?;
        match effect {
            Nothing | NothingOf => {}
            ExtentSize => self.extent_size = Some(size(value, 'm')?),
            StripeSize => self.stripe_size = Some(size(value, 'k')?),
            Tag => self
                .tags
                .push(value.strip_prefix('@').unwrap_or(value).to_owned()),
            Effect::Stripes => {
                let count = value.parse().ok().filter(|count| *count > 0);
                let wrong = || format!("'{value}' is no number of stripes: give one like 2");
                self.stripes = Some(count.ok_or_else(wrong)?);
            }
        }
        Ok(())
    }

    fn chosen(self) -> Chosen {
        // A size of stripes alone means nothing to lvcreate either.
        let stripes = self.stripes.filter(|count| *count > 1).map(|count| {
            let usual = Stripes::new(count);
            Stripes {
                size: self.stripe_size.unwrap_or(usual.size),
                ..usual
            }
        });
        Chosen {
            extent_size: self.extent_size,
            stripes,
            tags: self.tags,
        }
    }
}

/// A size as LVM takes it: a number and one letter of a unit, capital or not, all powers of 1024 but
/// sectors of 512 bytes; without it, those of `usual`.
fn size(text: &str, usual: char) -> Result<Bytes, String> {
    let wrong = || {
        format!(
            "'{text}' is no size: give a number and a letter, b, s (sectors), k, m, g or t, like 64k"
        )
    };
    let unit = text.chars().last().filter(char::is_ascii_alphabetic);
    let number = match unit {
        Some(unit) => &text[..text.len() - unit.len_utf8()],
        None => text,
    };
    let is_decimal = |c: char| c.is_ascii_digit() || c == '.';
    let number: f64 = match number.chars().all(is_decimal) {
        true => number.parse().map_err(|_| wrong())?,
        false => return Err(wrong()),
    };
    let factor = match unit.unwrap_or(usual).to_ascii_lowercase() {
        'b' => 1,
        's' => 512,
        'k' => Bytes::KIB,
        'm' => Bytes::MIB,
        'g' => Bytes::GIB,
        't' => Bytes::TIB,
        _ => return Err(wrong()),
    };
    let bytes = number * factor as f64;
    match bytes.fract() == 0.0 && bytes < i64::MAX as f64 {
        true => Ok(Bytes::new(bytes as u64)),
        false => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            file: "f".into(),
            path: "p".into(),
            position: None,
        }
    }

    fn parsed(program: Program, words: &str) -> Result<Chosen, String> {
        let words = words.split_whitespace();
        let words: Vec<_> = words.map(|word| (word.to_owned(), place())).collect();
        parse(program, &words).map_err(|(_, message)| message)
    }

    #[test]
    fn what_changes_nothing_is_taken() {
        for words in [
            "", "--force", "-ff -y", "-yf", "-Zn", "-Z y", "--zero=y", "-A n -qq",
        ] {
            for program in [Program::Pv, Program::Vg, Program::Lv] {
                assert_eq!(parsed(program, words), Ok(Chosen::default()), "{words}");
            }
        }
        let plain = "-ay -Wn --activate y -i 1 -I 128";
        assert_eq!(parsed(Program::Lv, plain), Ok(Chosen::default()));
    }

    #[test]
    fn what_counts_is_chosen() {
        let extent = |bytes| Chosen {
            extent_size: Some(Bytes::new(bytes)),
            ..Chosen::default()
        };
        for (words, bytes) in [
            ("-s 8", 8 << 20),
            ("-s8M", 8 << 20),
            ("-fs 0.5m", 512 << 10),
            ("--physicalextentsize=64k", 64 << 10),
            ("--physicalextentsize 8192s", 4 << 20),
            ("-s 1 -s 1g", 1 << 30),
        ] {
            assert_eq!(parsed(Program::Vg, words), Ok(extent(bytes)), "{words}");
        }
        let striped = |count, size| Chosen {
            stripes: Some(Stripes {
                count,
                size: Bytes::new(size),
            }),
            ..Chosen::default()
        };
        for (words, count, size) in [
            ("-i2", 2, 64 << 10),
            ("--stripes 3 -I 128", 3, 128 << 10),
            ("-I 1m --stripes=2", 2, 1 << 20),
        ] {
            let found = parsed(Program::Lv, words);
            assert_eq!(found, Ok(striped(count, size)), "{words}");
        }
        let tags = parsed(Program::Lv, "--addtag a --addtag=@b").unwrap().tags;
        assert_eq!(tags, ["a", "b"]);
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        for (program, words, said) in [
            (
                Program::Pv,
                "--dataalignment 8m",
                "'--dataalignment' is no option of pvcreate that counts here: leave it out; there are \
                 --force, --yes,",
            ),
            (Program::Pv, "-s 8m", "'-s' is no option of pvcreate"),
            (
                Program::Vg,
                "--physicalextentsise=8m",
                "did you mean '--physicalextentsize'?",
            ),
            (Program::Vg, "--force=yes", "'--force' has no value"),
            (Program::Vg, "-s", "'-s' needs a value"),
            (Program::Vg, "-fs", "'-s' needs a value"),
            (Program::Vg, "-s 3x", "'3x' is no size"),
            (Program::Vg, "-s -1m", "'-1m' is no size"),
            (Program::Vg, "-s m", "'m' is no size"),
            (Program::Vg, "-s 0.3b", "'0.3b' is no size"),
            (Program::Lv, "-i 0", "'0' is no number of stripes"),
            (Program::Lv, "-i two", "'two' is no number of stripes"),
            (
                Program::Lv,
                "--mirrors 1",
                "'--mirrors' is no option of lvcreate",
            ),
            (Program::Lv, "-fT pool", "'-fT' is no option of lvcreate"),
            (Program::Lv, "pool", "'pool' is no option of lvcreate"),
            (Program::Lv, "-", "'-' is no option of lvcreate"),
        ] {
            let error = parsed(program, words).unwrap_err();
            assert!(error.contains(said), "{words}: {error}");
        }
    }
}
