//! By which way mails go: a mail server, or files for who tries things.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lettre::transport::file::FileTransport;
use lettre::transport::smtp::SmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Message, Transport as _};

/// How long a mail server may take for a step.
const PATIENCE: Duration = Duration::from_secs(30);

/// By which way mails go.
pub enum Transport {
    /// Over a mail server.
    Smtp(SmtpTransport),
    /// Into files of a folder, each a mail.
    Files(FileTransport),
}

/// What is known is the kind alone: the rest may be a password.
impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smtp(_) => "Smtp",
            Self::Files(_) => "Files",
        })
    }
}

/// Why mails cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The URL has another form.
    #[error(
        "give smtp://HOST:PORT, smtps://HOST:PORT or file:FOLDER, without a user or password in it"
    )]
    Url,
    /// The folder cannot be used.
    #[error("the folder for mails cannot be made: {0}")]
    Folder(#[source] std::io::Error),
    /// The mail server refuses, or cannot be reached. What it says may have an address in it.
    #[error("{}", told(.0))]
    Smtp(#[from] lettre::transport::smtp::Error),
    /// A file could not be written.
    #[error("a mail cannot be written to its folder: {0}")]
    File(#[from] lettre::transport::file::Error),
}

/// What a mail server answered, as a number; or why there was no answer.
fn told(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(status) => format!("it answered {status}"),
        None => error.to_string(),
    }
}

impl Transport {
    /// Reads where mails go. A mail server is talked to over TLS - with `smtps` from the beginning, with
    /// `smtp` after STARTTLS - unless it is on this machine.
    ///
    /// # Errors
    /// [`MailError::Url`], [`MailError::Folder`], and a host for which TLS cannot be prepared.
    pub fn of(
        url: &str,
        user: Option<String>,
        password: Option<String>,
    ) -> Result<Self, MailError> {
        if let Some(folder) = url.strip_prefix("file:") {
            let folder = PathBuf::from(folder.trim_start_matches("//"));
            std::fs::create_dir_all(&folder).map_err(MailError::Folder)?;
            return Ok(Self::Files(FileTransport::new(folder)));
        }
        let rest = url.strip_prefix("smtp://").or_else(|| url.strip_prefix("smtps://"));
        let host = rest.map(|rest| rest.trim_end_matches('/')).ok_or(MailError::Url)?;
        if host.is_empty() || host.contains(['@', '/', '?', '#']) {
            return Err(MailError::Url);
        }
        let needs_tls = url.starts_with("smtp://") && !is_local(host);
        let query = if needs_tls { "?tls=required" } else { "" };
        let mut builder =
            SmtpTransport::from_url(&format!("{}{query}", url.trim_end_matches('/')))?
                .timeout(Some(PATIENCE));
        if let Some(user) = user {
            builder = builder.credentials(Credentials::new(user, password.unwrap_or_default()));
        }
        Ok(Self::Smtp(builder.build()))
    }

    /// Whether mails leave the machine.
    pub fn is_smtp(&self) -> bool {
        matches!(self, Self::Smtp(_))
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// [`MailError::Smtp`], [`MailError::File`]
    pub(super) fn send(&self, message: &Message) -> Result<(), MailError> {
        match self {
            Self::Smtp(server) => drop(server.send(message)?),
            Self::Files(folder) => drop(folder.send(message)?),
        }
        Ok(())
    }
}

impl MailError {
    /// Whether trying again is in vain.
    pub(super) fn is_permanent(&self) -> bool {
        matches!(self, Self::Smtp(error) if error.is_permanent())
    }
}

/// Whether a host, with a port or not, is this machine.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_go_over_tls_or_stay_here() {
        for url in
            ["smtp://localhost:25", "smtp://mail.example.com", "smtps://mail.example.com:465/"]
        {
            assert!(
                Transport::of(url, None, None).is_ok_and(|transport| transport.is_smtp()),
                "{url}"
            );
        }
        let plain = Transport::of("smtp://localhost:25", None, None).unwrap();
        assert_eq!(format!("{plain:?}"), "Smtp");
        assert!(
            is_local("127.0.0.1:2525") && is_local("[::1]:25") && !is_local("localhost.example")
        );
        for wrong in
            ["", "mail.example.com", "smtp://", "smtp://u:p@h", "smtp://h?tls=none", "http://h"]
        {
            assert!(matches!(Transport::of(wrong, None, None), Err(MailError::Url)), "{wrong}");
        }
    }
}
