//! `headcount`: the service and the commands that administer it.

mod arguments;
mod commands;
mod logging;
mod settings;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use arguments::{Arguments, Command, CredentialCommand, TenantCommand, TokenCommand};
use settings::Settings;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headcount: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let settings = Settings::load(&arguments)?;
    let _logging = logging::start(&settings)?;
    match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(_) => commands::serve::run(settings).await,
        Command::Backup(arguments) => commands::backup::back_up(&settings, &arguments),
        Command::Restore(arguments) => commands::backup::restore(&settings, &arguments),
        Command::Migrate => commands::migrate::run(&settings),
        Command::Trigrams { command } => commands::trigrams::run(&settings, &command),
        Command::Probe { url } => commands::probe::run(&url),
        Command::Simulate(arguments) => commands::simulate::run(arguments).await,
        Command::VerifyLog { .. } => commands::verify_log::run(&settings).await,
        Command::Tenant { command: TenantCommand::Create { name } } => {
            commands::tenant::create(&settings, name).await
        }
        Command::Tenant { command: TenantCommand::List } => commands::tenant::list(&settings).await,
        Command::Token { command: TokenCommand::Create(_) } => {
            commands::token::create(&settings).await
        }
        Command::Token { command: TokenCommand::List { .. } } => {
            commands::token::list(&settings).await
        }
        Command::Token { command: TokenCommand::Revoke { id } } => {
            commands::token::revoke(&settings, id).await
        }
        Command::Credential { command } => credential(&settings, command).await,
    }
}

async fn credential(settings: &Settings, command: CredentialCommand) -> anyhow::Result<()> {
    match command {
        CredentialCommand::Secret(_) => commands::credential::secret(settings).await,
        CredentialCommand::Issuer(issuer) => commands::credential::issuer(settings, &issuer).await,
        CredentialCommand::Certificate(certificate) => {
            commands::credential::certificate(settings, &certificate).await
        }
        CredentialCommand::List { .. } => commands::credential::list(settings).await,
        CredentialCommand::Revoke { id } => commands::credential::revoke(settings, id).await,
    }
}
