//! Runs the command and hands its status to the system.

use std::process::ExitCode;

fn main() -> ExitCode {
    createhdds::cli::main(std::env::args_os().collect())
}
