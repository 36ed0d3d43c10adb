//! The least that daprd takes for a service, and the least that reads its API: HTTP/1.1 over loopback, one request per
//! connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(5);

/// A service that says yes to everything and subscribes to nothing by itself.
pub(super) struct App {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl App {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound port has a number");
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let server = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                // A connection that breaks is the caller's affair.
                let _answered = stream.and_then(answer);
            }
        });
        Self {
            address,
            stopping,
            server: Some(server),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _woken = TcpStream::connect(self.address);
        if let Some(server) = self.server.take() {
            let _ended = server.join();
        }
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? <= 2 {
            break; // the empty line after the headers
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    let (status, body) = match request.split(' ').nth(1) {
        Some("/dapr/config") => ("404 Not Found", ""),
        Some("/dapr/subscribe") => ("200 OK", "[]"),
        _ => ("200 OK", "{}"),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Asks for a JSON document.
pub(super) fn get_json(address: &str, path: &str) -> Result<Value, String> {
    let answer = get(address, path).map_err(|error| format!("{path}: {error}"))?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| format!("{path}: no HTTP: {answer:?}"))?;
    if !head.starts_with("HTTP/1.0 200") && !head.starts_with("HTTP/1.1 200") {
        return Err(format!("{path}: {answer}"));
    }
    serde_json::from_str(body).map_err(|error| format!("{path}: {error}: {body}"))
}

/// HTTP/1.0: the answer comes whole and ends with the connection.
fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
