//! Places where a build stops, for somebody to look at it.

use std::fs::File;

use anyhow::Result;

use super::session::Session;
use crate::describe::dib::{Side, Stage};
use crate::sandbox;

impl Session<'_> {
    /// Lets somebody look at the build, where that is asked for.
    pub(super) fn stop_at(&self, stage: Stage<'_>, side: Side) -> Result<()> {
        let breaks = &self.build.breaks;
        if !breaks.has(stage) {
            return Ok(());
        }
        tracing::warn!("the build stops at {stage}; it goes on when the shell ends");
        let terminal = File::options().read(true).write(true).open("/dev/tty").ok();
        let asked = match (stage, side) {
            // There a shell is all that helps.
            (Stage::Before(_), Side::Inside) | (Stage::After(_), _) => None,
            _ => breaks.command.as_deref(),
        };
        let arguments = asked.map_or_else(Vec::new, |command| vec!["-c", command]);
        match side {
            Side::Outside => {
                let mut command = self.outside("bash");
                command
                    .args(&arguments)
                    .env("TARGET_ROOT", &self.inside.tree);
                match &terminal {
                    Some(terminal) => sandbox::run_on_terminal(&mut command, terminal).map(drop)?,
                    None => sandbox::run(&mut command, &mut self.output.borrow_mut()).map(drop)?,
                }
            }
            Side::Inside => self.with_hooks(|in_tree| {
                match &terminal {
                    Some(terminal) => {
                        in_tree
                            .run_on_terminal("bash", &arguments, terminal)
                            .map(drop)?;
                    }
                    None => {
                        let output = &mut self.output.borrow_mut();
                        in_tree.run("bash", &arguments, output).map(drop)?;
                    }
                }
                Ok(())
            })?,
        }
        tracing::warn!("the build goes on");
        Ok(())
    }
}
