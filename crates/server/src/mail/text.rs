//! What mails say: short, plain text.

use accounts::Purpose;
use accounts::login::letters::Letter;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;

/// Why a mail cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum TextError {
    /// The address is none.
    #[error("an address is none that a mail can be sent to")]
    Address(#[from] lettre::address::AddressError),
    /// The mail is none.
    #[error("a mail cannot be put together")]
    Message(#[from] lettre::error::Error),
}

/// The mail with a link.
pub(super) fn message(from: &str, letter: &Letter, link: &str) -> Result<Message, TextError> {
    // In UTC: nobody knows where the person is.
    let until = letter.expires.strftime("%d %B %Y, %H:%M UTC");
    let tenant = &letter.tenant;
    let (subject, what) = match letter.purpose {
        Purpose::Activation => (
            format!("Your account at {tenant}"),
            format!(
                "an account was made for you at {tenant}. Choose a password to take it into use:"
            ),
        ),
        Purpose::Reset => (
            format!("Another password at {tenant}"),
            format!("choose another password for your account at {tenant}:"),
        ),
    };
    let body = format!(
        "Hello,\r\n\r\n{what}\r\n\r\n{link}\r\n\r\nThe link works once, until {until}. If you did \
         not expect this mail, you need not do anything.\r\n"
    );
    let message = Message::builder()
        .from(from.parse::<Mailbox>()?)
        .to(Mailbox::new(None, letter.to.parse()?))
        .subject(subject)
        .message_id(None)
        .header(ContentType::TEXT_PLAIN)
        .body(body)?;
    Ok(message)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn letter(purpose: Purpose, to: &str) -> Letter {
        let expires = Timestamp::from_second(1_800_000_000).unwrap();
        Letter { to: to.to_owned(), purpose, tenant: "Acme \u{dc}ber".to_owned(), expires }
    }

    #[test]
    fn a_mail_says_where_why_and_until_when() {
        let link = "https://x.example/activation/hci_1";
        let sent = message("H <h@x.example>", &letter(Purpose::Activation, "ada@x.example"), link);
        let sent = String::from_utf8(sent.unwrap().formatted()).unwrap();
        for part in ["To: ada@x.example", "From: ", "h@x.example", "Subject: ", "Message-ID: "] {
            assert!(sent.contains(part), "{part}: {sent}");
        }
        // Encoded lines are put together again.
        let text = sent.replace("=\r\n", "");
        assert!(text.contains(link), "{text}");
        assert!(text.contains("15 January 2027, 08:00 UTC"), "{text}");
    }

    #[test]
    fn an_address_that_is_none_is_no_mail() {
        for none in ["", "ada", "ada@x.example\r\nBcc: eve@x.example", "a@b, c@d"] {
            let sent = message("h@x.example", &letter(Purpose::Reset, none), "https://x.example");
            assert!(matches!(sent, Err(TextError::Address(_))), "{none}");
        }
    }
}
