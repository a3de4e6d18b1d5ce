//! An answer of the server, and the questions that tests ask of it.

use std::io::Read;
use std::ops::Index;

use flate2::read::GzDecoder;
use serde_json::Value;
use ureq::http::{HeaderMap, Response};

use super::{ERROR, LIST_RESPONSE, strings};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as JSON; `null` when it is empty or something else.
    pub(crate) body: Value,
    pub(crate) text: String,
    sent: String,
}

impl Answer {
    pub(super) fn read(sent: String, response: Response<ureq::Body>) -> Result<Self, ureq::Error> {
        let (parts, mut body) = response.into_parts();
        let mut bytes = body.with_config().limit(64 << 20).read_to_vec()?;
        if parts.headers.get("content-encoding").is_some_and(|coding| coding == "gzip") {
            bytes = unpacked(&bytes)?;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Self { status: parts.status.as_u16(), headers: parts.headers, body, text, sent })
    }

    /// The answer, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.story());
        self
    }

    /// The answer, if its status is 200 or 204.
    #[track_caller]
    pub(crate) fn expect_done(self) -> Self {
        assert!(matches!(self.status, 200 | 204), "200 or 204 expected: {}", self.story());
        self
    }

    /// The answer, if it is a whole Error message (RFC 7644 section 3.12) with these members.
    #[track_caller]
    pub(crate) fn expect_error(self, status: u16, scim_type: Option<&str>) -> Self {
        let answer = self.expect(status);
        let story = answer.story();
        assert_eq!(answer["schemas"], serde_json::json!([ERROR]), "schemas: {story}");
        assert_eq!(answer["status"], status.to_string(), "status is a string: {story}");
        assert_eq!(answer["scimType"].as_str(), scim_type, "scimType: {story}");
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(!detail.trim().is_empty(), "an error explains itself: {story}");
        answer.expect_scim_content()
    }

    /// The answer, if it is a list of exactly these userNames, in any order.
    #[track_caller]
    pub(crate) fn expect_user_names(self, expected: &[&str]) -> Self {
        let answer = self.expect(200);
        let mut found = answer.user_names();
        let mut expected = expected.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", answer.story());
        assert_eq!(answer["totalResults"], expected.len(), "{}", answer.story());
        answer
    }

    /// The answer, if it is a list without results.
    #[track_caller]
    pub(crate) fn expect_empty_list(self) -> Self {
        let answer = self.expect(200);
        assert_eq!(answer["schemas"], serde_json::json!([LIST_RESPONSE]), "{}", answer.story());
        assert_eq!(answer["totalResults"], 0, "{}", answer.story());
        assert!(answer.resources().is_empty(), "{}", answer.story());
        answer
    }

    #[track_caller]
    pub(crate) fn expect_scim_content(self) -> Self {
        let found = self.header("content-type").unwrap_or_default();
        assert!(found.starts_with("application/scim+json"), "{found}: {}", self.story());
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The id of the resource in the answer.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        let id = self["id"].as_str();
        id.unwrap_or_else(|| panic!("a resource has an id: {}", self.story())).to_owned()
    }

    /// `meta.version` of the resource in the answer.
    #[track_caller]
    pub(crate) fn version(&self) -> String {
        let version = self["meta"]["version"].as_str();
        version.unwrap_or_else(|| panic!("a resource has a version: {}", self.story())).to_owned()
    }

    /// The resources of a list; none when the member is absent.
    pub(crate) fn resources(&self) -> &[Value] {
        self["Resources"].as_array().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn user_names(&self) -> Vec<&str> {
        strings(&self["Resources"], "userName")
    }

    /// Request and answer, for the message of a failed assertion.
    pub(crate) fn story(&self) -> String {
        format!("{}\n-> {} {}", self.sent, self.status, self.text)
    }
}

fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    // Nothing is sent for HEAD.
    if !bytes.is_empty() {
        GzDecoder::new(bytes).read_to_end(&mut unpacked)?;
    }
    Ok(unpacked)
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, member: &str) -> &Value {
        &self.body[member]
    }
}
