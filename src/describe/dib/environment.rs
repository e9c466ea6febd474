//! The variables that a build is steered by: those of the user, and what the command line says of them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::request::Request;

/// What stays where nothing of the user's environment counts: without them no program is found, and
/// no cache.
const KEPT: [&str; 3] = ["HOME", "PATH", "TERM"];

/// Variables by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Those of the `user` that count for what is asked for, and those that it sets.
    pub fn of(request: &Request, user: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let user: BTreeMap<_, _> = user.into_iter().collect();
        let mut variables = user.clone();
        if request.clears_environment {
            variables.retain(|name, _| KEPT.iter().any(|kept| name == kept));
        }
        for (name, value) in &request.variables {
            let name = OsStr::new(name);
            let value = match value {
                Some(value) => Some(OsString::from(value)),
                None => user.get(name).cloned(),
            };
            if let Some(value) = value {
                variables.insert(name.to_owned(), value);
            }
        }
        Self(variables)
    }

    /// The value of a variable; one that is empty counts as none, and so does what isn't UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        let value = self.raw(name)?.to_str()?;
        Some(value).filter(|value| !value.is_empty())
    }

    /// The value of a variable, whatever it is.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Whether a variable is a number other than 0.
    pub fn is_set(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| value != "0")
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.insert(name.into(), value.into());
    }

    /// Sets a variable that isn't set, or is empty.
    pub fn set_default(&mut self, name: &str, value: impl Into<OsString>) {
        if self.raw(name).is_none_or(OsStr::is_empty) {
            self.set(name, value);
        }
    }

    /// Takes a variable away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(OsStr::new(name));
    }

    /// All variables, sorted by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let all = self.0.iter();
        all.map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> Vec<(OsString, OsString)> {
        let all = [("HOME", "/h"), ("DIB_X", "1"), ("LANG", "de"), ("E", "")];
        all.map(|(name, value)| (name.into(), value.into())).into()
    }

    #[test]
    fn what_is_cleared_is_gone_but_for_what_is_asked_for() {
        let names = |request: &Request| {
            let environment = Environment::of(request, user());
            let all = environment.iter();
            let all = all.map(|(name, value)| format!("{}={}", name.display(), value.display()));
            all.collect::<Vec<_>>().join(" ")
        };
        let mut request = Request::default();
        assert_eq!(names(&request), "DIB_X=1 E= HOME=/h LANG=de");
        request.variables = vec![
            ("DIB_X".to_owned(), Some("2".to_owned())),
            ("LANG".to_owned(), None),
            ("NONE".to_owned(), None),
        ];
        assert_eq!(names(&request), "DIB_X=2 E= HOME=/h LANG=de");
        request.clears_environment = true;
        assert_eq!(names(&request), "DIB_X=2 HOME=/h LANG=de");
    }

    #[test]
    fn what_is_empty_is_not_set() {
        let mut environment = Environment::of(&Request::default(), user());
        assert_eq!(environment.text("E"), None);
        environment.set_default("E", "x");
        environment.set_default("HOME", "x");
        assert_eq!(environment.text("E"), Some("x"));
        assert_eq!(environment.text("HOME"), Some("/h"));
        environment.set("DIB_X", "0");
        assert!(environment.is_set("E") && !environment.is_set("DIB_X"));
        environment.remove("E");
        assert!(!environment.is_set("E"));
    }
}
