//! A service that answers what a test says, one request after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use simulators::http::Endpoint;

/// An answer: the status, the body, and a header that comes with it.
pub(crate) type Scripted = (u16, Value, Option<&'static str>);

/// The service, and what it was asked.
pub(crate) struct Fake {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// A service that answers a method and a path.
    pub(crate) fn start(script: impl Fn(&str, &str) -> Scripted + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (method, path) = read(&stream);
                kept.lock().unwrap().push(format!("{method} {path}"));
                answer(stream, script(&method, &path));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { base_url: format!("http://{}", self.address), token: "t".to_owned() }
    }

    /// How often something like this was asked.
    pub(crate) fn asked(&self, beginning: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.starts_with(beginning)).count()
    }
}

/// A list with these resources.
pub(crate) fn list(resources: &Value) -> Scripted {
    let number = resources.as_array().map_or(0, Vec::len);
    let body = json!({"totalResults": number, "startIndex": 1, "itemsPerPage": number,
        "Resources": resources});
    (200, body, None)
}

fn read(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let mut words = first.split_whitespace().map(ToOwned::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

fn answer(mut stream: TcpStream, (status, body, header): Scripted) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let header = header.map(|header| format!("{header}\r\n")).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{header}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
}
