//! Exit statuses: what commands answer and the command line hands to the system.

use std::process::ExitCode;

/// How the program ends. `check` answers with the first three; nothing else may be taken for an
/// answer, so that failures and wrong usage have statuses of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything was done, or every image is there and none is outdated.
    Success,
    /// `check`: every image is there, at least one is outdated.
    Outdated,
    /// `check`: at least one image is missing.
    Missing,
    /// The job could not be done, or not all of it.
    Failed,
    /// The command line makes no sense (`EX_USAGE` of sysexits).
    Usage,
}

impl Status {
    /// The number that the system gets.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Outdated => 1,
            Self::Missing => 2,
            Self::Failed => 3,
            Self::Usage => 64,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_failure_looks_like_an_answer() {
        let answers = [Status::Success, Status::Outdated, Status::Missing].map(Status::code);
        assert_eq!(answers, [0, 1, 2]);
        assert!(!answers.contains(&Status::Failed.code()));
        assert!(!answers.contains(&Status::Usage.code()));
    }
}
