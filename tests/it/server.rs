//! A web server on this machine that behaves as well or badly as a test wants.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The lines of a request by lower-case name; the request line is called "".
pub(crate) type Request = BTreeMap<String, String>;

/// Answers one request on a connection that is closed afterwards.
type Handler = dyn Fn(&Request, &mut TcpStream) + Send + Sync;

pub(crate) struct Server {
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(
        handler: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        let handler: Arc<Handler> = Arc::new(handler);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                std::thread::spawn(move || serve(stream.unwrap(), &*handler, &log));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/dir/updates.img?version=1", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, handler: &Handler, log: &Mutex<Vec<Request>>) {
    let mut request = Request::new();
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let line = line.unwrap();
        match line.split_once(": ") {
            _ if line.is_empty() => break,
            Some((name, value)) => request.insert(name.to_lowercase(), value.to_owned()),
            None => request.insert(String::new(), line),
        };
    }
    log.lock().unwrap().push(request.clone());
    handler(&request, &mut stream);
}

/// Sends a response; `body` may be shorter than the length that `head` announces.
pub(crate) fn respond(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
    stream
        .write_all(head.replace('\n', "\r\n").replace("\r\r", "\r").as_bytes())
        .unwrap();
    // A client that has seen enough hangs up.
    let _ = stream.write_all(body);
}

pub(crate) fn ok(stream: &mut TcpStream, body: &[u8]) {
    respond(
        stream,
        &format!("200 OK\nContent-Length: {}", body.len()),
        body,
    );
}
