//! Whether an attempt has installed a system. virt-install's word alone isn't enough: it reports
//! success whenever the machine is off, whatever has ended it.

use disklayout::Error;

use super::hypervisor::{State, Why};

/// How virt-install ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It reported success.
    Success,
    /// It failed.
    Failed(Error),
    /// It took longer than it may, as the text says.
    TooLong(String),
    /// The machine stood still because there was no room for its disk.
    NoRoom,
}

/// Why an attempt has failed, or nothing.
///
/// `state` is that of the machine when virt-install had ended, `is_written` whether its disk holds
/// a table or a filesystem.
pub(super) fn judge(
    ended: &Ended,
    state: Option<State>,
    is_written: impl FnOnce() -> anyhow::Result<bool>,
) -> Option<String> {
    match ended {
        Ended::Failed(error) => return Some(essence(error.message()).to_owned()),
        Ended::TooLong(limit) => return Some(format!("it isn't done after {limit}")),
        Ended::NoRoom => return Some("there is no room for its disk".to_owned()),
        Ended::Success => {}
    }
    match state {
        Some(State::Off(Why::Shutdown)) => {}
        Some(State::Off(why)) => return Some(format!("the virtual machine {why}")),
        Some(State::Running | State::NoRoom) => {
            return Some("the virtual machine still runs though virt-install has ended".to_owned());
        }
        None => return Some("the virtual machine has gone".to_owned()),
    }
    match is_written() {
        Ok(true) => None,
        Ok(false) => Some(
            "the virtual machine has shut down, but there is no partition table and no filesystem \
             on its disk: nothing was installed"
                .to_owned(),
        ),
        Err(error) => Some(format!("its disk can't be read: {error:#}")),
    }
}

/// What virt-install says without its advice, which is of no use here.
fn essence(message: &str) -> &str {
    let advice = message.find("Domain installation does not appear to have been successful");
    message[..advice.unwrap_or(message.len())].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFF: Option<State> = Some(State::Off(Why::Shutdown));

    #[test]
    fn success_is_a_shutdown_with_something_on_the_disk() {
        assert_eq!(judge(&Ended::Success, OFF, || Ok(true)), None);
    }

    #[test]
    fn all_else_is_a_failure_that_says_what_was_seen() {
        let said = "no such tree\nDomain installation does not appear to have been successful.";
        let failed = || Ended::Failed(Error::invalid("virtinstall[0]", said));
        let reason = judge(&failed(), OFF, || Ok(true));
        assert_eq!(reason.as_deref(), Some("no such tree"));
        let off = |why| Some(State::Off(why));
        for (ended, state, part) in [
            (failed(), OFF, "no such tree"),
            (
                Ended::TooLong("1 h".into()),
                Some(State::Running),
                "after 1 h",
            ),
            (Ended::NoRoom, Some(State::NoRoom), "no room"),
            (
                Ended::Success,
                off(Why::Destroyed),
                "destroyed from outside",
            ),
            (Ended::Success, off(Why::Crashed), "crashed"),
            (Ended::Success, off(Why::Unknown), "doesn't know"),
            (Ended::Success, Some(State::Running), "still runs"),
            (Ended::Success, None, "has gone"),
        ] {
            let reason = judge(&ended, state, || panic!("not asked")).unwrap();
            assert!(reason.contains(part), "{reason}");
        }
        let empty = judge(&Ended::Success, OFF, || Ok(false)).unwrap();
        assert!(empty.contains("nothing was installed"), "{empty}");
        let unread = judge(&Ended::Success, OFF, || anyhow::bail!("broken")).unwrap();
        assert!(unread.contains("broken"), "{unread}");
    }
}
