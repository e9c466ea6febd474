//! The data of files of an image, one after the other, as a stream.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use disklayout::Result;
use disklayout::inspect::fs::{Filesystem, Node};
use disklayout::tree::Stream;

/// How much is read at once.
const PIECE: u64 = 256 << 10;

/// How many pieces may wait to be taken.
const WAITING: usize = 16;

type Piece = io::Result<Vec<u8>>;

/// A file of which the data is wanted.
pub(super) type Wanted<'a> = (&'a Filesystem<'a>, Node);

/// The stream. What is sent can be taken once.
#[derive(Debug)]
pub(super) struct Feed(Mutex<Option<Receiver<Piece>>>);

impl Feed {
    /// A stream, and where what is in it has to be sent.
    pub(super) fn new() -> (Self, SyncSender<Piece>) {
        let (sender, receiver) = sync_channel(WAITING);
        (Self(Mutex::new(Some(receiver))), sender)
    }
}

impl Stream for Feed {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut receiver = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = receiver.take();
        let receiver = receiver.ok_or_else(|| io::Error::other("it can be read only once"))?;
        Ok(Box::new(Taker {
            receiver,
            piece: Vec::new(),
            taken: 0,
        }))
    }
}

/// Takes what is sent.
struct Taker {
    receiver: Receiver<Piece>,
    piece: Vec<u8>,
    taken: usize,
}

impl Read for Taker {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.piece.len() {
            let Ok(piece) = self.receiver.recv() else {
                return Ok(0);
            };
            self.piece = piece?;
            self.taken = 0;
        }
        let left = &self.piece[self.taken..];
        let count = left.len().min(buf.len());
        buf[..count].copy_from_slice(&left[..count]);
        self.taken += count;
        Ok(count)
    }
}

/// Sends what is stored of all `files` in their order, to its end or until nobody takes it. An error
/// is the last thing that is sent.
pub(super) fn send(files: &[Wanted<'_>], sender: SyncSender<Piece>) {
    for file in files {
        match send_one(file, &sender) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                // Whoever has taken nothing has an error of its own.
                let _ = sender.send(Err(io::Error::other(error)));
                return;
            }
        }
    }
}

/// Sends what is stored of a file; whether somebody takes it.
fn send_one((filesystem, node): &Wanted<'_>, sender: &SyncSender<Piece>) -> Result<bool> {
    let file = filesystem.open(node)?;
    for (mut at, len) in file.pieces() {
        let end = at + len;
        while at < end {
            let mut piece = vec![0; PIECE.min(end - at) as usize];
            file.read_at(&mut piece, at)?;
            at += piece.len() as u64;
            if sender.send(Ok(piece)).is_err() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_read_once() {
        let (feed, sender) = Feed::new();
        for piece in [&b"one"[..], b"", b"two"] {
            sender.send(Ok(piece.to_vec())).unwrap();
        }
        drop(sender);
        let mut read = String::new();
        feed.open().unwrap().read_to_string(&mut read).unwrap();
        assert_eq!(read, "onetwo");
        assert!(feed.open().is_err());
        let (feed, sender) = Feed::new();
        sender.send(Err(io::Error::other("damaged"))).unwrap();
        let error = feed.open().unwrap().read_to_string(&mut read).unwrap_err();
        assert_eq!(error.to_string(), "damaged");
    }
}
