//! Connections that ask the same again and again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What is asked.
pub struct Load {
    pub address: SocketAddr,
    pub path: &'static str,
    /// Each with its line end.
    pub headers: String,
    /// The answer that is right; any other ends the run.
    pub status: u16,
}

impl Load {
    /// Asks over this many connections at once; how long each answer took.
    pub async fn run(&self, connections: usize, time: Duration) -> Vec<Duration> {
        let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", self.path, self.address, self.headers);
        let until = Instant::now() + time;
        let mut asking = JoinSet::new();
        for _ in 0..connections {
            asking.spawn(ask(self.address, request.clone(), self.status, until));
        }
        asking.join_all().await.into_iter().flatten().collect()
    }
}

/// Plain HTTP/1.1: a client that does more would be measured with the host, for both share the machine.
async fn ask(address: SocketAddr, request: String, expected: u16, until: Instant) -> Vec<Duration> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let mut stream = BufReader::new(stream);
    let (mut line, mut body, mut took) = (String::new(), Vec::new(), Vec::new());
    loop {
        let began = Instant::now();
        if began >= until {
            return took;
        }
        stream.write_all(request.as_bytes()).await.expect("a request");
        line.clear();
        stream.read_line(&mut line).await.expect("a status line");
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        assert_eq!(status, Some(expected), "{line}");
        let mut length = None;
        loop {
            line.clear();
            stream.read_line(&mut line).await.expect("a header");
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            }
        }
        body.resize(length.expect("an answer that says its length"), 0);
        stream.read_exact(&mut body).await.expect("a body");
        took.push(began.elapsed());
    }
}
