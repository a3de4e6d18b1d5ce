//! The page behind a mailed link: one field for the password, and no script. Reading it changes
//! nothing, so that what looks at links in mails does not use them up.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType};

use super::unkept;
use crate::error::ApiError;

/// How an answer is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// For a program.
    Json,
    /// For a person.
    Page,
}

/// Nothing but the page itself, which nobody may frame.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;\
    padding:0 1rem;color:#1d2433;background:#fff}label,input,button{display:block;width:100%;\
    box-sizing:border-box;font:inherit}input{padding:.5rem;margin:.25rem 0 1rem;border:1px solid \
    #8a93a6;border-radius:4px}button{padding:.6rem;border:0;border-radius:4px;background:#1f5fbf;\
    color:#fff}";

const FORM: &str = "<form method=\"post\"><label for=\"password\">New password</label>\
    <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" \
    maxlength=\"400\" required autofocus><button>Save</button></form>";

/// `GET /activation/{secret}`
pub(super) async fn activation() -> HttpResponse {
    page(StatusCode::OK, "Choose a password", "It takes your account into use.", true)
}

/// `GET /password-reset/{secret}`
pub(super) async fn reset() -> HttpResponse {
    page(StatusCode::OK, "Choose another password", "The old one is void then.", true)
}

/// Tells how a password was received.
pub(super) fn answer(way: Way, done: Result<(), ApiError>) -> Result<HttpResponse, ApiError> {
    if way == Way::Json {
        return done.map(|()| unkept(HttpResponse::NoContent().finish()));
    }
    Ok(match done {
        Ok(()) => {
            page(StatusCode::OK, "Your password is saved", "You can log in with it now.", false)
        }
        Err(error) => {
            let status = error.status_and_body().0;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            let again = status == StatusCode::BAD_REQUEST;
            page(status, "That did not work", &capital(&error.to_string()), again)
        }
    })
}

fn page(status: StatusCode, title: &str, text: &str, has_form: bool) -> HttpResponse {
    let (title, text) = (escaped(title), escaped(text));
    let form = if has_form { FORM } else { "" };
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1><p>{text}</p>{form}</body></html>"
    );
    let mut answer = HttpResponse::build(status);
    answer.content_type(ContentType::html()).insert_header((CONTENT_SECURITY_POLICY, POLICY));
    unkept(answer.body(page))
}

/// A sentence begins with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).chain(['.']).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_text_and_no_markup() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
        assert_eq!(capital("the link"), "The link.");
    }
}
