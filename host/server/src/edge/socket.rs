//! Connections that are reset when an answer breaks off whose end nothing else would tell.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How far an answer is that ends with its connection. HTTP/1.0 has no other end for an answer of unknown length, and nginx asks in
/// HTTP/1.0 unless it is told otherwise: closed in order, a connection that broke off would pass for the whole answer.
#[derive(Debug, Clone, Default)]
pub struct Unfinished(Arc<AtomicU8>);

/// Nothing is missing.
const WHOLE: u8 = 0;
/// Not all of it is sent.
const UNDER_WAY: u8 = 1;
/// The rest never comes.
const BROKEN: u8 = 2;

impl Unfinished {
    /// It is being sent, until the connection is closed in order.
    pub fn begin(&self) {
        let _ = self.0.compare_exchange(WHOLE, UNDER_WAY, Ordering::AcqRel, Ordering::Acquire);
    }

    /// It has failed.
    pub fn fail(&self) {
        self.0.store(BROKEN, Ordering::Release);
    }
}

/// A connection; reset instead of closed when it is dropped while an answer is unfinished.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    unfinished: Unfinished,
}

impl Socket {
    /// With what its answers say.
    #[must_use]
    pub fn new(stream: TcpStream, unfinished: Unfinished) -> Self {
        Self { stream, unfinished }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.unfinished.0.load(Ordering::Acquire) != WHOLE {
            // It fails for connections that are gone, of which nothing is to be said.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unfinished.0.load(Ordering::Acquire) == BROKEN {
            return Poll::Ready(Ok(()));
        }
        // Who serves the connection closes it when all is written.
        self.unfinished.0.store(WHOLE, Ordering::Release);
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
