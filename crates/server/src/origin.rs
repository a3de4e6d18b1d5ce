//! Where a request comes from, and under which URL its client sent it.
//!
//! What a proxy says of that - `Forwarded` (RFC 7239), or `X-Forwarded-For`, `-Proto` and `-Host` - is
//! believed of the proxies alone that the operator names: anybody else could say it too.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HOST, HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::answer::is_host;
use crate::tls::Protected;

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    /// Whether TLS protects it, as far as its client sees.
    pub(crate) is_protected: bool,
    /// The host that the client asked, with its port.
    pub(crate) host: Option<String>,
    /// The client's address.
    pub(crate) address: Option<IpAddr>,
}

impl Origin {
    /// The origin of a request.
    pub(crate) fn of(request: &HttpRequest, trusted: &[IpNet]) -> Self {
        let is_protected = request.conn_data::<Protected>().is_some();
        let address = request.peer_addr().map(|address| address.ip());
        Self::from(request.headers(), is_protected, address, trusted)
    }

    fn from(
        headers: &HeaderMap,
        is_protected: bool,
        address: Option<IpAddr>,
        trusted: &[IpNet],
    ) -> Self {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
        let direct = Self { is_protected, host, address };
        let is_trusted =
            |address: IpAddr| trusted.iter().any(|net| net.contains(&address.to_canonical()));
        if !address.is_some_and(is_trusted) {
            return direct;
        }
        let said = Said::by(headers, is_trusted);
        Self {
            is_protected: said.proto.map_or(is_protected, |proto| proto == "https"),
            host: said.host.filter(|host| is_host(host)).or(direct.host),
            address: said.address.or(address),
        }
    }
}

/// Whether TLS protects a request on its way.
pub(crate) fn is_protected(request: &HttpRequest, trusted: &[IpNet]) -> bool {
    match trusted {
        [] => request.conn_data::<Protected>().is_some(),
        _ => Origin::of(request, trusted).is_protected,
    }
}

/// The address of a request's client.
pub(crate) fn client(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    match trusted {
        [] => request.peer_addr().map(|address| address.ip()),
        _ => Origin::of(request, trusted).address,
    }
}

/// What the proxies say that are trusted, the nearest of which is the last.
#[derive(Default)]
struct Said {
    address: Option<IpAddr>,
    proto: Option<String>,
    host: Option<String>,
}

impl Said {
    fn by(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Self {
        if headers.contains_key(FORWARDED) {
            return Self::in_forwarded(headers, is_trusted);
        }
        let last = |name| values(headers, name).pop();
        let addresses = values(headers, &X_FORWARDED_FOR);
        let addresses = addresses.iter().rev().map_while(|text| address(text));
        let mut client = None;
        for address in addresses {
            client = Some(address);
            if !is_trusted(address) {
                break;
            }
        }
        Self { address: client, proto: last(&X_FORWARDED_PROTO), host: last(&X_FORWARDED_HOST) }
    }

    /// From the nearest proxy back to the first that is not trusted: what is before it anybody may
    /// have written.
    fn in_forwarded(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Self {
        let mut said = Self::default();
        for element in values(headers, &FORWARDED).iter().rev() {
            let mut from = None;
            for pair in element.split(';') {
                let Some((name, value)) = pair.split_once('=') else { continue };
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "for" => from = address(value),
                    "proto" => said.proto = Some(value.to_ascii_lowercase()),
                    "host" => said.host = Some(value.to_owned()),
                    _ => {}
                }
            }
            said.address = from.or(said.address);
            if !from.is_some_and(&is_trusted) {
                break;
            }
        }
        said
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The values of a header that is a list, in their order.
fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|value| value.trim().to_owned()).collect()
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let of = |text: &str| text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip());
    bare.and_then(of).or_else(|| of(text)).or_else(with_port)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn origin(peer: &str, headers: &[(&str, &str)]) -> Origin {
        let request = TestRequest::default().insert_header((HOST, "direct"));
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.append_header((*name, *value)));
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let request = request.to_http_request();
        Origin::from(request.headers(), false, peer.parse().ok(), &trusted)
    }

    fn of(is_protected: bool, host: &str, address: &str) -> Origin {
        Origin { is_protected, host: Some(host.to_owned()), address: address.parse().ok() }
    }

    #[test]
    fn a_stranger_says_nothing_of_itself() {
        let said = [
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil"),
            ("forwarded", "for=1.1.1.1;proto=https;host=evil"),
        ];
        assert_eq!(origin("192.0.2.1", &said), of(false, "direct", "192.0.2.1"));
    }

    #[test]
    fn a_trusted_proxy_says_who_its_client_is() {
        let said = [
            ("x-forwarded-for", "6.6.6.6, 192.0.2.9, 10.0.0.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "scim.example.com"),
        ];
        let expected = of(true, "scim.example.com", "192.0.2.9");
        assert_eq!(
            origin("10.0.0.1", &said),
            expected,
            "what the client itself wrote is passed over"
        );
        assert_eq!(origin("::ffff:10.0.0.1", &said), expected);
        assert_eq!(origin("10.0.0.1", &[]), of(false, "direct", "10.0.0.1"));
        let wrong = [("x-forwarded-host", "a/b"), ("x-forwarded-for", "unknown")];
        assert_eq!(origin("10.0.0.1", &wrong), of(false, "direct", "10.0.0.1"));
    }

    #[test]
    fn rfc7239_forwarded_is_read_from_its_end() {
        let said = "for=6.6.6.6;proto=http;host=evil, for=\"[2001:db8::1]:4711\";Proto=https;\
                    host=scim.example.com, for=10.0.0.7";
        let expected = of(true, "scim.example.com", "2001:db8::1");
        assert_eq!(origin("fd00::1", &[("Forwarded", said)]), expected);
    }
}
