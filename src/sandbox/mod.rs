//! Where programs of others run: a tree of files and the processes that make it, kept apart from the
//! rest of the machine, and gone with their end.
//!
//! ```text
//! the command        plans, and waits
//!   guard            outside of the sandbox, but for its users: removes what would be left
//!     first          the first process of the sandbox: the command once more, with the same arguments
//!       in tree      a program with the tree as its root, with mounts of its own
//! ```
//!
//! All of them are this program, started with a mark as its first argument. The sandbox has users,
//! mounts, processes, System V's IPC and host names of its own (namespaces(7)), so that an ordinary
//! user is root in it, and nothing that is mounted there is seen elsewhere. When its first process
//! ends, the kernel ends all others, and the tree, which is in memory, is gone.
//!
//! Root needs no users of its own. Where the system allows no namespaces, as in most containers, root
//! has a plain chroot(2): programs see the processes of the machine, and have no /proc.

mod below;
mod bind;
mod devices;
mod emulation;
mod emulators;
mod enter;
mod first;
mod guard;
mod host;
pub mod ids;
mod in_tree;
mod mark;
mod overlay;
mod place;
mod private_root;
mod program;
mod terminal;
mod virtual_filesystems;

pub use below::Below;
pub use devices::DEVICES;
pub use emulation::Unrunnable;
pub use emulators::{Architecture, native_architecture};
pub use enter::{Request, enter};
pub use first::Inside;
pub use host::{Host, Obstacle, leave_network};
pub use in_tree::{InTree, PATH};
pub use mark::{Part, become_part};
pub use place::Place;
pub use program::{Ended, Output, run, run_with_input};
pub use terminal::run_on_terminal;
pub use virtual_filesystems::Run;

/// How a sandbox is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// With namespaces, one of users among them: for an ordinary user, and for root where programs
    /// of other architectures run.
    User,
    /// With namespaces, for root.
    Root,
    /// For root where namespaces aren't allowed.
    Chroot,
}

impl Kind {
    /// Whether mounts and processes are kept apart.
    pub const fn has_namespaces(self) -> bool {
        !matches!(self, Self::Chroot)
    }

    /// What it is called between the parts of this program.
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Root => "root",
            Self::Chroot => "chroot",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let all = [Self::User, Self::Root, Self::Chroot];
        all.into_iter().find(|kind| kind.as_str() == name)
    }
}
