//! The token endpoint `POST /oauth/token`: the grant of client credentials (RFC 6749 section 4.4).
//!
//! A client proves itself with its secret, in the header or in the body (section 2.3.1), or with a JWT
//! of an issuer that its connection trusts (RFC 7523 section 2.2). It is given an access token for at
//! most an hour, and no other to renew that with: it proves itself again.

use accounts::Rights;
use accounts::credentials::{Client, Usage};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::{Value, json};

use crate::access_token::AccessToken;
use crate::authentication::{by_secret, is_client_id, user_and_password};
use crate::body::{self, BodyLimit};
use crate::error::{ApiError, RETRY_SECONDS};
use crate::jwt::{self, Believed};
use crate::telemetry::{Route, Routed};
use crate::{State, TOKEN_PATH, clock};

/// The largest form that is read, in bytes: a JWT and little else.
const MAX_FORM: usize = 32 * 1024;

/// The scope that means whatever the connection may do, as identity providers ask for it.
const EVERYTHING: &str = "scim";

/// The one assertion that is taken (RFC 7523 section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The path of the endpoint.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let limit = BodyLimit { bytes: MAX_FORM, name: "the largest form that is read" };
    config.service(
        web::resource(TOKEN_PATH)
            .app_data(limit)
            .app_data(Routed::new(Route([TOKEN_PATH, "", "", ""])))
            .route(web::post().to(token))
            .default_service(web::to(not_post)),
    );
}

async fn not_post() -> Result<HttpResponse, ApiError> {
    Err(ApiError::MethodNotAllowed("POST"))
}

async fn token(request: HttpRequest, state: Data<State>) -> HttpResponse {
    match grant(&request, &state).await {
        Ok(granted) => answer(HttpResponse::Ok(), &granted),
        Err(error) => refusal(&request, &error),
    }
}

/// Why no token is given (section 5.2).
enum OAuthError {
    /// The form is none, lacks something or says something twice.
    InvalidRequest(&'static str),
    /// The client has not proved who it is.
    InvalidClient,
    /// Another grant is asked for.
    UnsupportedGrantType,
    /// A scope is asked for that there is not, or that the client has not.
    InvalidScope,
    /// It is not the client's doing.
    Failed(ApiError),
}

impl From<ApiError> for OAuthError {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

/// What a client sends. What it sends besides is ignored (section 3.2).
#[derive(Default)]
struct Form {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion_type: Option<String>,
    client_assertion: Option<String>,
    scope: Option<String>,
}

impl Form {
    async fn of(request: &HttpRequest) -> Result<Self, OAuthError> {
        let is_form = request.headers().get(CONTENT_TYPE).is_some_and(|value| {
            let media_type = value.to_str().unwrap_or_default().split(';').next();
            let media_type = media_type.unwrap_or_default().trim();
            media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        if !is_form {
            return Err(OAuthError::InvalidRequest(
                "send the parameters as application/x-www-form-urlencoded",
            ));
        }
        let bytes = body::of_stranger(request).await?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| OAuthError::InvalidRequest("the form must be in UTF-8"))?;
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text)
            .map_err(|_| OAuthError::InvalidRequest("the form cannot be read"))?;
        let mut form = Self::default();
        for (name, value) in pairs.into_inner() {
            form.put(&name, value)?;
        }
        Ok(form)
    }

    fn put(&mut self, name: &str, value: String) -> Result<(), OAuthError> {
        let place = match name {
            "grant_type" => &mut self.grant_type,
            "client_id" => &mut self.client_id,
            "client_secret" => &mut self.client_secret,
            "client_assertion_type" => &mut self.client_assertion_type,
            "client_assertion" => &mut self.client_assertion,
            "scope" => &mut self.scope,
            _ => return Ok(()),
        };
        // A parameter without a value counts as left out (section 3.2).
        if !value.is_empty() && place.replace(value).is_some() {
            return Err(OAuthError::InvalidRequest("a parameter is there twice"));
        }
        Ok(())
    }
}

async fn grant(request: &HttpRequest, state: &State) -> Result<Value, OAuthError> {
    let form = Form::of(request).await?;
    match form.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err(OAuthError::UnsupportedGrantType),
        None => return Err(OAuthError::InvalidRequest("grant_type is missing")),
    }
    let client = client(request, state, &form).await?;
    let Client { credential, connection } = &client;
    let wanted = wanted(form.scope.as_deref())?;
    let rights = connection.rights.narrowed_to(wanted);
    let is_had = wanted == Rights::ALL || rights == wanted;
    if !is_had {
        return Err(OAuthError::InvalidScope);
    }
    let now = clock::now();
    state.uses.note(credential.tenant, &credential.id, now);
    let token =
        AccessToken::new(credential.tenant, &credential.id, wanted, now, credential.expires);
    let text = state.access_token_key.seal(&token);
    let text = text.map_err(|_| ApiError::internal("the system gives no random numbers"))?;
    let names: Vec<_> = rights.names().collect();
    Ok(json!({
        "access_token": text,
        "token_type": "Bearer",
        "expires_in": (token.expires.as_second() - now.as_second()).max(0),
        "scope": names.join(" "),
    }))
}

/// The client that the request is of, proved in exactly one way (section 2.3).
async fn client(request: &HttpRequest, state: &State, form: &Form) -> Result<Client, OAuthError> {
    let header = request.headers().get(AUTHORIZATION);
    match (header, &form.client_secret, &form.client_assertion) {
        (Some(header), None, None) => {
            let basic = header.to_str().ok().and_then(|text| text.split_once(' '));
            let basic = basic.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Basic"));
            let pair = basic.and_then(|(_, text)| user_and_password(text.trim()));
            let (id, secret) = pair.ok_or(OAuthError::InvalidClient)?;
            let is_same = form.client_id.as_ref().is_none_or(|other| *other == id);
            let found = by_secret(state, &id, &secret).await?;
            found.filter(|_| is_same).ok_or(OAuthError::InvalidClient)
        }
        (None, Some(secret), None) => {
            let missing = OAuthError::InvalidRequest("client_id is missing");
            let id = form.client_id.as_ref().ok_or(missing)?;
            by_secret(state, id, secret).await?.ok_or(OAuthError::InvalidClient)
        }
        (None, None, Some(assertion)) => {
            if form.client_assertion_type.as_deref() != Some(JWT_BEARER) {
                return Err(OAuthError::InvalidRequest("client_assertion_type is another one"));
            }
            let is_meant = |client: &Client| {
                let id = form.client_id.as_ref();
                id.is_none_or(|id| is_client_id(id, client.connection.id))
            };
            let believed = jwt::believe(state, assertion, Usage::Assertion, is_meant).await;
            let believed = believed.map_err(ApiError::from)?;
            believed.map(|Believed { client, .. }| client).ok_or(OAuthError::InvalidClient)
        }
        (None, None, None) => Err(OAuthError::InvalidClient),
        _ => Err(OAuthError::InvalidRequest("prove the client in one way alone")),
    }
}

/// The rights that a scope asks for; all that the connection has, if it asks for none.
fn wanted(scope: Option<&str>) -> Result<Rights, OAuthError> {
    let names: Vec<&str> = scope.unwrap_or_default().split(' ').filter(|n| !n.is_empty()).collect();
    if names.is_empty() || names.contains(&EVERYTHING) {
        return Ok(Rights::ALL);
    }
    Rights::named(names).map_err(|_| OAuthError::InvalidScope)
}

fn refusal(request: &HttpRequest, error: &OAuthError) -> HttpResponse {
    let bad = || HttpResponse::BadRequest();
    let (mut builder, code, detail) = match error {
        OAuthError::InvalidRequest(detail) => (bad(), "invalid_request", (*detail).to_owned()),
        OAuthError::UnsupportedGrantType => {
            (bad(), "unsupported_grant_type", "grant_type must be client_credentials".to_owned())
        }
        OAuthError::InvalidScope => {
            let detail = "ask for scopes that the connection has, for scim, or for none";
            (bad(), "invalid_scope", detail.to_owned())
        }
        OAuthError::InvalidClient => {
            let mut builder = HttpResponse::Unauthorized();
            // Section 5.2: the scheme that the client has used.
            if request.headers().contains_key(AUTHORIZATION) {
                builder.insert_header((WWW_AUTHENTICATE, "Basic realm=\"headcount\""));
            }
            let detail = "the client is unknown, or what proves it is wrong, expired or revoked";
            (builder, "invalid_client", detail.to_owned())
        }
        OAuthError::Failed(error) => {
            let (status, body) = error.status_and_body();
            error.log();
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut builder = HttpResponse::build(status);
            if status == StatusCode::SERVICE_UNAVAILABLE {
                builder.insert_header((RETRY_AFTER, RETRY_SECONDS));
            }
            if error.ends_connection() {
                builder.force_close();
            }
            let code = if status.is_server_error() { "server_error" } else { "invalid_request" };
            (builder, code, body["detail"].as_str().unwrap_or_default().to_owned())
        }
    };
    builder.content_type("application/json");
    answer(builder, &json!({"error": code, "error_description": detail}))
}

/// An answer that nobody may keep (section 5.1).
fn answer(mut builder: HttpResponseBuilder, body: &Value) -> HttpResponse {
    builder
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((PRAGMA, "no-cache"))
        .content_type("application/json")
        .body(body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_3_a_scope_narrows_and_scim_does_not() {
        let of = |scope| wanted(scope).ok();
        assert_eq!(of(None), Some(Rights::ALL));
        assert_eq!(of(Some("")), Some(Rights::ALL));
        assert_eq!(of(Some("scim")), Some(Rights::ALL));
        let read = Rights::named(["scim.users.read", "scim.groups.read"]).ok();
        assert_eq!(of(Some("scim.users.read  scim.groups.read")), read);
        assert_eq!(of(Some("scim.everything")), None);
    }

    #[test]
    fn rfc6749_3_2_a_parameter_is_there_once() {
        let mut form = Form::default();
        assert!(form.put("scope", String::new()).is_ok());
        assert!(form.put("scope", "a".to_owned()).is_ok());
        assert!(form.put("baseAddress", "x".to_owned()).is_ok());
        assert!(form.put("baseAddress", "y".to_owned()).is_ok());
        assert!(form.put("scope", "b".to_owned()).is_err());
    }
}
