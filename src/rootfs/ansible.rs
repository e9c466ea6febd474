//! Playbooks of Ansible that are played on the tree.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::Assembly;
use crate::system::Playbook;

impl Assembly<'_> {
    /// Plays `playbook` by Ansible's connection to a tree, chroot.
    pub(super) fn ansible(&self, playbook: &Playbook) -> Result<()> {
        let inventory = self.inside.scratch.join("inventory");
        let tree = self.tree().display();
        let text = format!("[{}]\n{tree} ansible_connection=chroot\n", playbook.group);
        fs::write(&inventory, text)?;
        let mut command = Command::new("ansible-playbook");
        command.args(["-c", "chroot", "-i"]).arg(&inventory);
        command.arg("--tags").arg(&playbook.tags);
        command.arg("-e").arg(&playbook.extra_variables);
        command.arg(&playbook.path);
        command.env("ANSIBLE_NOCOWS", "1");
        // It keeps files in the home of whoever runs it.
        command.env("ANSIBLE_LOCAL_TEMP", self.inside.scratch.join("ansible"));
        if let Some(file) = &playbook.config_file {
            command.env("ANSIBLE_CONFIG", file);
        }
        self.run_beside_tree(command)
            .with_context(|| format!("the playbook '{}'", playbook.path.display()))
    }
}
