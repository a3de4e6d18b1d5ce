//! What a client sends and nobody reads.
//!
//! A body in chunks that is dropped before its end is waited for by actix, for ever: a stranger
//! could hold a connection by sending nothing. So what is left of a body is kept until the answer
//! is sent; then actix hangs up.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest};

/// What has not been read of a request's body.
struct Unread(Payload);

/// Puts a body where [`take`] finds it, and where it stays if nobody does.
pub(crate) fn set_aside(request: &mut ServiceRequest) {
    let payload = request.take_payload();
    request.extensions_mut().insert(Unread(payload));
}

/// The body of a request; nothing if it has been taken.
pub(crate) fn take(request: &HttpRequest) -> Payload {
    request.extensions_mut().remove::<Unread>().map_or(Payload::None, |unread| unread.0)
}

/// Keeps what is left of a body after reading it.
pub(crate) fn put_back(request: &HttpRequest, payload: Payload) {
    request.extensions_mut().insert(Unread(payload));
}

/// Keeps what is left until the answer is sent.
pub(crate) fn hold(answer: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let unread = answer.request().extensions_mut().remove::<Unread>();
    match unread {
        Some(unread) if !matches!(unread.0, Payload::None) => {
            answer.map_body(|_, body| BoxBody::new(Held { body, _unread: unread }))
        }
        _ => answer,
    }
}

/// The body of an answer, with what is left of the body of the request.
struct Held {
    body: BoxBody,
    _unread: Unread,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
