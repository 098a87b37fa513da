//! Octroi: decides who may use restricted data, and enforces it on every call.

mod admin;
mod cli;
mod clock;
mod config;
mod demo;
mod directory;
mod feed;
mod host;
mod look;
mod mail;
mod master_key;
mod outgoing;
mod ports;
mod run;
mod sign_on;
mod traces;
mod try_it;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let command = cli::Cli::parse();
    match cli::execute(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("octroi: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}
