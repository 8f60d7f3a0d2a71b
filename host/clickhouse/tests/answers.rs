//! What becomes of answers a healthy new server does not give: errors after data in the manner of each age, split
//! anywhere; pages of something else; broken connections. A canned server stands in for them.

// Helpers of tests are not tests themselves to the lint.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use chm_access::Secret;
use chm_clickhouse::{ErrorKind, Format, GuardedQuery, Host, HostConfig, Limits, ReadError, ReadOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const OPEN: &str = concat!(
    "{\"name\":\"readonly\",\"value\":\"0\",\"max\":\"\",\"pinned\":0}\n",
    "{\"name\":\"max_result_rows\",\"value\":\"0\",\"max\":\"\",\"pinned\":0}\n",
    "{\"name\":\"result_overflow_mode\",\"value\":\"throw\",\"max\":\"\",\"pinned\":0}\n"
);
const OLD: &str = concat!(
    "{\"name\":\"readonly\",\"value\":\"1\",\"max\":\"\",\"pinned\":1}\n",
    "{\"name\":\"http_write_exception_in_output_format\",\"value\":\"1\",\"max\":\"\",\"pinned\":1}\n"
);

/// Answers the host's first question with `profile`, and then with `chunks`; `whole` ends the answer in order.
async fn host(profile: &'static str, chunks: Vec<String>, whole: bool) -> Host {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            // The body comes with its length; both statements are told apart by their text.
            let asks_profile = loop {
                let n = socket.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..n]);
                let text = String::from_utf8_lossy(&request);
                if text.contains("system.settings WHERE name IN") && text.ends_with("format')") {
                    break true;
                }
                if text.contains("SELECT canned") || n == 0 {
                    break false;
                }
            };
            let canned = [profile.to_owned()];
            let answer = if asks_profile { &canned[..] } else { &chunks[..] };
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
            socket.write_all(head.as_bytes()).await.unwrap();
            for chunk in answer {
                socket.write_all(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes()).await.unwrap();
                socket.flush().await.unwrap();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            if whole || asks_profile {
                socket.write_all(b"0\r\n\r\n").await.unwrap();
            }
            let _ = socket.shutdown().await;
        }
    });
    let config = HostConfig::new(0, None, &format!("http://{address}"), "u", Secret::new("p")).unwrap();
    Host::new(config, Limits::default()).unwrap()
}

async fn read(host: &Host, format: Format) -> (usize, Result<bool, ReadError>) {
    let query = GuardedQuery::check("SELECT canned").unwrap();
    let options = ReadOptions { format, max_rows: 3, ..ReadOptions::default() };
    let mut rows = match host.read(&query, options).await {
        Ok(rows) => rows,
        Err(error) => return (0, Err(error)),
    };
    let mut count = 0;
    loop {
        match rows.next_row().await {
            Ok(Some(_)) => count += 1,
            Ok(None) => return (count, Ok(rows.truncated())),
            Err(error) => return (count, Err(error)),
        }
    }
}

/// The same in blocks, as rows are streamed.
async fn read_blocks(host: &Host, format: Format) -> (usize, Result<bool, ReadError>) {
    let query = GuardedQuery::check("SELECT canned").unwrap();
    let options = ReadOptions { format, max_rows: 3, ..ReadOptions::default() };
    let mut rows = match host.read(&query, options).await {
        Ok(rows) => rows,
        Err(error) => return (0, Err(error)),
    };
    let mut text = Vec::new();
    loop {
        match rows.next_block().await {
            Ok(Some(block)) => text.extend_from_slice(&block),
            Ok(None) => {
                assert_eq!(String::from_utf8_lossy(&text).lines().count() as u64, rows.rows());
                return (usize::try_from(rows.rows()).unwrap(), Ok(rows.truncated()));
            }
            Err(error) => return (usize::try_from(rows.rows()).unwrap(), Err(error)),
        }
    }
}

const NEW_ERROR: &str = "\r\n__exception__\r\nabcdefghijklmnop\r\nCode: 395. DB::Exception: stopped. (X) (version 26.7.2.1)\n55 abcdefghijklmnop\r\n__exception__\r\n";
const OLD_ERROR: &str = "Code: 395. DB::Exception: stopped. (X) (version 24.3.1)\n";

#[tokio::test]
async fn an_error_after_rows_is_an_error_wherever_it_is_split() {
    for (format, row) in [(Format::JsonEachRow, "{\"a\":1}\n"), (Format::JsonCompactEachRow, "[1]\n")] {
        for error in [NEW_ERROR, OLD_ERROR] {
            let text = format!("{row}{error}");
            for split in (1..text.len()).step_by(7) {
                let chunks = vec![text[..split].to_owned(), text[split..].to_owned()];
                let (rows, result) = read(&host(OPEN, chunks.clone(), false).await, format).await;
                assert_eq!((rows <= 1, result.unwrap_err().code()), (true, Some(395)), "{format:?} {split} {error}");
                let (rows, result) = read_blocks(&host(OPEN, chunks, false).await, format).await;
                assert_eq!((rows <= 1, result.unwrap_err().code()), (true, Some(395)), "{format:?} {split} {error}");
            }
        }
    }
}

#[tokio::test]
async fn the_error_block_is_found_in_text_formats_too() {
    for (format, head) in [(Format::Csv, "\"a\"\n1\n"), (Format::Tsv, "a\n1\n")] {
        let text = format!("{head}{NEW_ERROR}");
        for split in (1..text.len()).step_by(7) {
            let chunks = vec![text[..split].to_owned(), text[split..].to_owned()];
            let (rows, result) = read(&host(OPEN, chunks.clone(), false).await, format).await;
            assert_eq!((rows <= 1, result.unwrap_err().code()), (true, Some(395)), "{format:?} {split}");
            let (rows, result) = read_blocks(&host(OPEN, chunks, false).await, format).await;
            assert_eq!((rows <= 1, result.unwrap_err().code()), (true, Some(395)), "{format:?} {split}");
        }
    }
}

#[tokio::test]
async fn the_last_row_of_an_old_server_may_be_an_error_and_others_are_data() {
    let row = "{\"exception\": \"Code: 241. DB::Exception: memory\"}\n".to_owned();
    let (rows, result) = read(&host(OLD, vec![row.clone(), row.clone()], true).await, Format::JsonEachRow).await;
    assert_eq!((rows, result.unwrap_err().code()), (1, Some(241)));
    let (rows, result) = read_blocks(&host(OLD, vec![row.clone() + &row], true).await, Format::JsonEachRow).await;
    assert_eq!((rows, result.unwrap_err().code()), (1, Some(241)));
    let (rows, result) = read(&host(OPEN, vec![row.clone(), row], true).await, Format::JsonEachRow).await;
    assert_eq!((rows, result), (2, Ok(false)));
}

#[tokio::test]
async fn who_does_not_wait_for_the_end_is_told_of_an_error_all_the_same() {
    let row = "{\"exception\": \"Code: 241. DB::Exception: memory\"}\n";
    let tail = format!("{{\"a\":1}}\n{OLD_ERROR}");
    for (profile, text, code) in [(OLD, row.repeat(2), 241), (OPEN, tail, 395)] {
        let host = host(profile, vec![text], true).await;
        let query = GuardedQuery::check("SELECT canned").unwrap();
        let mut rows = host.read(&query, ReadOptions::default()).await.unwrap();
        let error = loop {
            // Each future is polled once, and dropped.
            match futures::poll!(std::pin::pin!(rows.next_block())) {
                std::task::Poll::Ready(Ok(block)) => assert!(block.is_some(), "it looked complete"),
                std::task::Poll::Ready(Err(error)) => break error,
                std::task::Poll::Pending => tokio::task::yield_now().await,
            }
        };
        assert_eq!((rows.rows(), error.code()), (1, Some(code)));
    }
}

#[tokio::test]
async fn a_row_more_than_the_cap_is_seen_and_not_passed_on() {
    for (given, expected) in [(2, (2, Ok(false))), (3, (3, Ok(false))), (4, (3, Ok(true)))] {
        let host = host(OPEN, vec!["{\"a\":1}\n".repeat(given)], true).await;
        assert_eq!(read(&host, Format::JsonEachRow).await, expected);
        assert_eq!(read_blocks(&host, Format::JsonEachRow).await, expected);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_end_of_the_result() {
    for chunks in [vec!["{\"a\":1}\n".to_owned()], vec!["{\"a\":1}\n{\"a\"".to_owned()]] {
        let (rows, result) = read(&host(OPEN, chunks, false).await, Format::JsonEachRow).await;
        assert!(rows <= 1);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Network);
    }
}

#[tokio::test]
async fn a_page_of_something_else_is_no_profile() {
    let error = read(&host("<html>sign in</html>", Vec::new(), true).await, Format::JsonEachRow).await.1.unwrap_err();
    assert!(matches!(error, ReadError::NotClickHouse { .. }), "{error}");
}

#[tokio::test]
async fn a_profile_that_pins_readonly_off_is_not_read_with() {
    let profile = "{\"name\":\"readonly\",\"value\":\"0\",\"max\":\"\",\"pinned\":1}\n";
    assert_eq!(
        read(&host(profile, Vec::new(), true).await, Format::JsonEachRow).await.1,
        Err(ReadError::ReadonlyPinned)
    );
}

#[tokio::test]
async fn a_password_is_never_shown() {
    let config = HostConfig::new(0, None, "http://me:hunter2@127.0.0.1:1", "", Secret::new("")).unwrap();
    let host = Host::new(config, Limits::default()).unwrap();
    let error = host.ping(Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(!format!("{host:?} {error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_result_that_was_cut_leaves_its_connection_to_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            tokio::spawn(async move {
                let mut request = Vec::new();
                let mut piece = [0; 4096];
                loop {
                    let n = socket.read(&mut piece).await.unwrap_or(0);
                    if n == 0 {
                        return;
                    }
                    request.extend_from_slice(&piece[..n]);
                    let text = String::from_utf8_lossy(&request);
                    let body = if text.contains("SELECT canned") {
                        "{\"a\":1}\n".repeat(4)
                    } else if text.contains("system.settings WHERE name IN") && text.ends_with("format')") {
                        OPEN.to_owned()
                    } else {
                        continue;
                    };
                    request.clear();
                    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                    let answer = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    let config = HostConfig::new(0, None, &format!("http://{address}"), "u", Secret::new("p")).unwrap();
    let host = Host::new(config, Limits::default()).unwrap();
    for _ in 0..20 {
        assert_eq!(read(&host, Format::JsonEachRow).await, (3, Ok(true)));
        assert_eq!(read_blocks(&host, Format::JsonEachRow).await, (3, Ok(true)));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A read that follows at once may come before the end of the last one was looked at.
    let made = connections.load(std::sync::atomic::Ordering::Relaxed);
    assert!(made < 20, "{made} connections for 40 reads");
}

#[tokio::test]
async fn a_request_names_one_database_and_a_reads_own_comes_before_the_hosts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (mut request, mut piece) = (String::new(), [0; 4096]);
            while !request.ends_with("format')") && !request.contains("SELECT canned") {
                let n = socket.read(&mut piece).await.unwrap();
                request.push_str(std::str::from_utf8(&piece[..n]).unwrap());
            }
            sender.send(request.lines().next().unwrap().to_owned()).unwrap();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", OPEN.len());
            socket.write_all((head + OPEN).as_bytes()).await.unwrap();
            let _ = socket.shutdown().await;
        }
    });
    let config = HostConfig::new(0, None, &format!("http://{address}?database=hosts"), "u", Secret::new("p")).unwrap();
    let host = Host::new(config, Limits::default()).unwrap();
    let query = GuardedQuery::check("SELECT canned").unwrap();
    for (own, expected) in [(None, "database=hosts"), (Some("reads"), "database=reads")] {
        let options = ReadOptions { database: own.map(str::to_owned), ..ReadOptions::default() };
        host.read(&query, options).await.unwrap().collect().await.unwrap();
        let mut line = lines.recv().await.unwrap();
        if !line.contains("readonly") {
            // The first question is about the profile.
            line = lines.recv().await.unwrap();
        }
        let named: Vec<&str> = line.split(['?', '&', ' ']).filter(|pair| pair.starts_with("database=")).collect();
        assert_eq!(named, [expected], "{line}");
    }
}
