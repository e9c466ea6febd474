//! Where a build stops for somebody to look at it: the variables `break`, `break_cmd` and
//! `break_outside_target`.

use std::fmt;

use super::environment::Environment;

/// Where a build stops.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaks {
    stages: Vec<String>,
    /// What is run there, a command of a shell.
    pub command: Option<String>,
    /// Whether it runs on the host where a script in the tree has failed.
    pub outside: bool,
}

/// A place in a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage<'a> {
    /// In front of a phase.
    Before(&'a str),
    /// Behind a phase.
    After(&'a str),
    /// Where a script has failed.
    AfterError,
}

impl fmt::Display for Stage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(phase) => write!(f, "before-{phase}"),
            Self::After(phase) => write!(f, "after-{phase}"),
            Self::AfterError => f.write_str("after-error"),
        }
    }
}

impl Breaks {
    /// Those that a user asks for.
    pub fn of(environment: &Environment) -> Self {
        let stages = environment.text("break").unwrap_or_default().split(',');
        Self {
            stages: stages.map(|it| it.trim().to_owned()).collect(),
            command: environment.text("break_cmd").map(str::to_owned),
            outside: environment.text("break_outside_target").is_some(),
        }
    }

    /// Whether a build stops at `stage`.
    pub fn has(&self, stage: Stage<'_>) -> bool {
        let name = stage.to_string();
        self.stages.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_a_list() {
        let mut environment = Environment::default();
        assert!(!Breaks::of(&environment).has(Stage::AfterError));
        environment.set("break", "before-install, after-error");
        environment.set("break_cmd", "id");
        let breaks = Breaks::of(&environment);
        assert!(breaks.has(Stage::Before("install")) && breaks.has(Stage::AfterError));
        assert!(!breaks.has(Stage::After("install")) && !breaks.has(Stage::Before("pre-install")));
        assert_eq!(breaks.command.as_deref(), Some("id"));
    }
}
