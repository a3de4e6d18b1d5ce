//! An issuer of JWTs, whose keys are served on a loopback socket.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://login.example.com/tenant/v2.0";
pub(crate) const AUDIENCE: &str = "api://headcount";
pub(crate) const SUBJECT: &str = "5b2c1a3e-service-principal";

/// A key with which JWTs are signed.
pub(crate) struct Key {
    kid: String,
    key: PKey<Private>,
}

impl Key {
    pub(crate) fn rsa(kid: &str) -> Self {
        Self::rsa_of(kid, 2_048)
    }

    pub(crate) fn rsa_of(kid: &str, bits: u32) -> Self {
        let key = PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap();
        Self { kid: kid.to_owned(), key }
    }

    pub(crate) fn ec(kid: &str) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        Self { kid: kid.to_owned(), key }
    }

    /// The public half as a JSON Web Key (RFC 7517).
    pub(crate) fn jwk(&self) -> Value {
        if let Ok(rsa) = self.key.rsa() {
            let (n, e) = (base64(&rsa.n().to_vec()), base64(&rsa.e().to_vec()));
            return json!({"kty": "RSA", "use": "sig", "kid": self.kid, "n": n, "e": e});
        }
        let key = self.key.ec_key().unwrap();
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut context = BigNumContext::new().unwrap();
        key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context).unwrap();
        let (x, y) = (x.to_vec_padded(32).unwrap(), y.to_vec_padded(32).unwrap());
        json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "x": base64(&x), "y": base64(&y)})
    }

    /// A JWT with these claims, signed with this key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let is_rsa = self.key.rsa().is_ok();
        let algorithm = if is_rsa { "RS256" } else { "ES256" };
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": self.kid});
        let input = input(&header, claims);
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
        let mut signature = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
        if !is_rsa {
            let pair = EcdsaSig::from_der(&signature).unwrap();
            signature = pair.r().to_vec_padded(32).unwrap();
            signature.extend(pair.s().to_vec_padded(32).unwrap());
        }
        format!("{input}.{}", base64(&signature))
    }

    /// A JWT whose signature is an HMAC of the public key, as an attacker makes it.
    pub(crate) fn confuse(&self, claims: &Value) -> String {
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": self.kid});
        let input = input(&header, claims);
        let public = PKey::hmac(&self.key.public_key_to_pem().unwrap()).unwrap();
        let mut signer = Signer::new(MessageDigest::sha256(), &public).unwrap();
        format!("{input}.{}", base64(&signer.sign_oneshot_to_vec(input.as_bytes()).unwrap()))
    }
}

/// A JWT that nobody has signed.
pub(crate) fn unsigned(claims: &Value) -> String {
    format!("{}.", input(&json!({"alg": "none", "typ": "JWT"}), claims))
}

fn input(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    openssl::base64::encode_block(bytes).replace('+', "-").replace('/', "_").replace('=', "")
}

/// The seconds since 1970.
pub(crate) fn now() -> u64 {
    #[allow(clippy::disallowed_methods, reason = "a JWT is of now")]
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of a JWT that is right in all.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "azp": "some-app",
        "iat": now(), "nbf": now(), "exp": now() + 600,
    })
}

/// The claims, with one of them changed, or taken away if it is null.
pub(crate) fn claims_but(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    match value.into() {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

/// Keys that are served over HTTP.
pub(crate) struct Served {
    pub(crate) url: String,
    answer: Arc<Mutex<String>>,
    count: Arc<AtomicUsize>,
}

impl Served {
    pub(crate) fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new(String::new()));
        let count = Arc::new(AtomicUsize::new(0));
        let served = Self { url, answer: answer.clone(), count: count.clone() };
        served.rotate(keys);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(answer.lock().unwrap().as_bytes());
            }
        });
        served
    }

    /// From now on there are these keys.
    pub(crate) fn rotate(&self, keys: &[&Key]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.say("200 OK", "", &json!({"keys": keys}).to_string());
    }

    /// From now on this is answered.
    pub(crate) fn say(&self, status: &str, header: &str, body: &str) {
        let length = body.len();
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{header}Content-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
    }

    /// How often it was asked.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}
