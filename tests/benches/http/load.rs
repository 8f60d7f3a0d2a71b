//! Connections that ask the same again and again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What is asked.
pub struct Load {
    pub address: SocketAddr,
    /// Method, path and version, headers with their line ends, and the body.
    pub request: String,
    /// The answer that is right; any other ends the run.
    pub status: u16,
}

impl Load {
    /// A request without a body.
    pub fn get(address: SocketAddr, path: &str, headers: &str, status: u16) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
        Self { address, request, status }
    }

    /// Asks over this many connections at once; how long each answer took.
    pub async fn run(&self, connections: usize, time: Duration) -> Vec<Duration> {
        let until = Instant::now() + time;
        let mut asking = JoinSet::new();
        for _ in 0..connections {
            asking.spawn(ask(self.address, self.request.clone(), self.status, until));
        }
        asking.join_all().await.into_iter().flatten().collect()
    }
}

/// Plain HTTP/1.1: a client that does more would be measured with the host, for both share the machine.
async fn ask(address: SocketAddr, request: String, expected: u16, until: Instant) -> Vec<Duration> {
    let mut stream = connect(address).await;
    let (mut line, mut body, mut took) = (String::new(), Vec::new(), Vec::new());
    loop {
        let began = Instant::now();
        if began >= until {
            return took;
        }
        stream.write_all(request.as_bytes()).await.expect("a request");
        line.clear();
        if stream.read_line(&mut line).await.expect("a status line") == 0 {
            // A server may close a connection that has served for long.
            stream = connect(address).await;
            continue;
        }
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        assert_eq!(status, Some(expected), "{line}");
        let mut length = None;
        loop {
            line.clear();
            stream.read_line(&mut line).await.expect("a header");
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse::<usize>().ok();
            }
        }
        match length {
            Some(length) => read(&mut stream, &mut body, length).await,
            // In chunks, each with its length before and a line end behind.
            None => loop {
                line.clear();
                stream.read_line(&mut line).await.expect("a length");
                let length = usize::from_str_radix(line.trim(), 16).expect("an answer that says its length");
                read(&mut stream, &mut body, length + 2).await;
                if length == 0 {
                    break;
                }
            },
        }
        took.push(began.elapsed());
    }
}

async fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    BufReader::new(stream)
}

async fn read(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>, length: usize) {
    body.resize(length, 0);
    stream.read_exact(body).await.expect("a body");
}
