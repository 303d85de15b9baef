//! How do bytes move between a process and its clients so that no client ever holds up anything else?
//!
//! One turn of `poll` at a time; every interest is computed from the state anew. Output goes to the log
//! first, then to clients: a lossless one makes the pump stop reading while its buffer is full, a viewer
//! misses. Deliberately elsewhere: requests other than bytes (`monitor::serve`), the process's end.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, read, write},
    net::sockopt::set_socket_send_buffer_size,
    pipe::fcntl_getpipe_size,
    termios::{Winsize, tcsetwinsize},
};

use super::{
    client::{Client, ClientId, Opener, Purpose, parse_request},
    protocol::{CHUNK, ExitNote, Kind, Reply, Request, parse},
    status_line::timespec,
};
use crate::engine::{
    backend::embedded::log_segments::LogWriter,
    domain::{AttachOptions, Flow, LogSource, Signal, TerminalSize, Timestamp},
};

/// Input that the process has not read yet, at most about so much.
const INPUT: usize = 64 << 10;
/// With so many clients attached or waiting, others may not come to stay.
const MOST_LASTING: usize = 64;
/// With so many, those who asked for the end of the process have it brought about and are not told of it.
const MOST_TOLD: usize = 4 * MOST_LASTING;
/// Of more connections than this on which nothing is asked the oldest is closed.
const MOST_GREETINGS: usize = 64;
/// A connection on which nothing is asked for so long is closed.
const GREETING: Duration = Duration::from_secs(5);
/// What the kernel may hold for a client when we leave.
const FAREWELL: usize = 1 << 20;

/// How long the last output of an ended process may take: a terminal delivers it a little later.
const LAST_BYTES: Duration = Duration::from_millis(100);
/// The kernel holds less than this of what is written to a terminal.
const TERMINAL_HOLDS: usize = 64 << 10;

/// Our ends of a process's input and output.
#[derive(Debug)]
pub(super) enum Stdio {
    Pipes {
        stdin: Option<OwnedFd>,
        stdout: OwnedFd,
        stderr: OwnedFd,
    },
    Terminal(OwnedFd),
    /// Nobody listens.
    Discarded,
}

/// What a poll entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Stdin,
    Output(LogSource),
    Client(ClientId),
}

/// What a client wants besides bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wish {
    Request(ClientId, Request),
    /// For the process, from somebody attached to it.
    Signal(Signal),
}

#[derive(Debug)]
pub(super) struct Pump {
    stdin: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    terminal: bool,
    input: Vec<u8>,
    input_closed: bool,
    clients: Vec<Client>,
    next_client: u64,
    log: Option<LogWriter>,
    wishes: Vec<Wish>,
    buffer: Vec<u8>,
}

impl Pump {
    pub(super) fn new(stdio: Stdio, log: Option<LogWriter>) -> std::io::Result<Self> {
        let (stdin, stdout, stderr, terminal) = match stdio {
            Stdio::Pipes { stdin, stdout, stderr } => (stdin, Some(stdout), Some(stderr), false),
            Stdio::Terminal(master) => (Some(master.try_clone()?), Some(master), None, true),
            Stdio::Discarded => (None, None, None, false),
        };
        for fd in [&stdin, &stdout, &stderr].into_iter().flatten() {
            fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?;
        }
        Ok(Self {
            stdin,
            stdout,
            stderr,
            terminal,
            input: Vec::new(),
            input_closed: false,
            clients: Vec::new(),
            next_client: 0,
            log,
            wishes: Vec::new(),
            buffer: Vec::new(),
        })
    }

    /// Takes a connection in. What it may ask for is decided when it has asked.
    pub(super) fn add_client(&mut self, socket: OwnedFd, opener: Opener, attached: Option<&AttachOptions>) {
        while let Some(oldest) = self.greeting_too_many() {
            // It may have asked by now.
            self.serve_client(oldest, PollFlags::IN);
            self.clients.retain(|client| client.id != oldest || client.purpose != Purpose::Greeting);
        }
        self.next_client += 1;
        let mut client = Client::new(ClientId(self.next_client), socket, opener, Purpose::Greeting);
        if let Some(options) = attached {
            client.attach(options);
            self.resize(options.terminal);
        }
        self.clients.push(client);
    }

    /// Whether nobody else may come to stay.
    pub(super) fn is_full(&self) -> bool {
        self.lasting() >= MOST_LASTING
    }

    /// How long until [`Self::end_turn`] has something to do of itself.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let silent = self.clients.iter().filter(|client| client.purpose == Purpose::Greeting);
        silent.map(|client| (client.since + GREETING).saturating_duration_since(now)).min()
    }

    /// What to wait for now.
    pub(super) fn interests(&self) -> Vec<(Token, BorrowedFd<'_>, PollFlags)> {
        let mut interests = Vec::with_capacity(3 + self.clients.len());
        if let Some(stdin) = &self.stdin
            && !self.input.is_empty()
        {
            interests.push((Token::Stdin, stdin.as_fd(), PollFlags::OUT));
        }
        if !self.clients.iter().any(Client::holds_output) {
            for (source, fd) in [(LogSource::Stdout, &self.stdout), (LogSource::Stderr, &self.stderr)] {
                if let Some(fd) = fd {
                    interests.push((Token::Output(source), fd.as_fd(), PollFlags::IN));
                }
            }
        }
        for client in &self.clients {
            let mut events = PollFlags::empty();
            if client.may_read() && !(client.feeds_stdin() && self.input.len() >= INPUT) {
                events |= PollFlags::IN;
            }
            if client.unsent() > 0 {
                events |= PollFlags::OUT;
            }
            // A client whose input waits and who has nothing to get is left alone, hung up or not.
            if !events.is_empty() || !client.may_read() {
                interests.push((Token::Client(client.id), client.socket(), events));
            }
        }
        interests
    }

    /// Does what `events` allow.
    pub(super) fn ready(&mut self, token: Token, events: PollFlags) {
        match token {
            Token::Stdin => self.feed(),
            Token::Output(source) => {
                self.take_output(source); // The next turn sees whether there is more.
            }
            Token::Client(id) => self.serve_client(id, events),
        }
    }

    /// Ends a turn: sends, forgets who left, and hands out what clients want besides bytes.
    pub(super) fn end_turn(&mut self) -> Vec<Wish> {
        for client in &mut self.clients {
            client.flush();
            if client.purpose == Purpose::Greeting && client.since.elapsed() >= GREETING {
                client.mark_gone();
            }
        }
        let terminal = self.terminal;
        let mut owner_left = false;
        self.clients.retain(|client| {
            let keep = !client.is_gone();
            // As with a shell: when the one whose keyboard or pipe it was is gone, no more input comes.
            owner_left |= !keep && client.opener == Opener::Starter && client.feeds_stdin() && !terminal;
            keep
        });
        if owner_left {
            self.close_input();
        }
        std::mem::take(&mut self.wishes)
    }

    pub(super) fn reply(&mut self, id: ClientId, reply: &Reply, then: Purpose) {
        let then = if self.lasting() >= MOST_TOLD { Purpose::Answered } else { then };
        if let Some(client) = self.client(id) {
            client.put_message(Kind::Reply, reply);
            client.purpose = then;
        }
    }

    pub(super) fn attach(&mut self, id: ClientId, options: &AttachOptions) {
        self.reply(id, &Reply::done(), Purpose::Attached { flow: options.flow, stdin: options.stdin });
        self.resize(options.terminal);
    }

    /// Reads what the process left behind, and lets go of its output; called when it has ended. All that it wrote is in
    /// the pipe or the terminal by then, which holds only so much: no more is taken, whoever goes on writing, so that
    /// clients that are behind need not be waited for here and hold a bounded amount more. A descendant that keeps its
    /// output open is not waited for.
    pub(super) fn drain(&mut self) {
        let until = Instant::now() + LAST_BYTES;
        for source in [LogSource::Stdout, LogSource::Stderr] {
            self.drain_source(source, until);
        }
        (self.stdin, self.stdout, self.stderr) = (None, None, None);
        if let Some(log) = &mut self.log {
            log.end(Timestamp::now());
        }
        self.log = None;
    }

    /// Whatever is there is taken even after `until`.
    fn drain_source(&mut self, source: LogSource, until: Instant) {
        let mut left = self.source(source).map_or(0, |open| fcntl_getpipe_size(open).unwrap_or(TERMINAL_HOLDS));
        while left > 0 {
            if let Some(taken) = self.take_output(source) {
                left = left.saturating_sub(taken);
                self.clients.iter_mut().for_each(Client::flush);
                continue;
            }
            let Some(open) = self.source(source) else { return };
            let mut waiting = [PollFd::new(open, PollFlags::IN)];
            match poll(&mut waiting, Some(&timespec(until.saturating_duration_since(Instant::now())))) {
                Ok(1..) | Err(Errno::INTR) => {}
                Ok(0) | Err(_) => return,
            }
        }
    }

    /// Tells everybody who stayed for it, and no others, how it ended.
    pub(super) fn announce_exit(&mut self, note: &ExitNote) {
        self.clients.retain(|client| !matches!(client.purpose, Purpose::Greeting | Purpose::Asking));
        for client in &mut self.clients {
            match client.purpose {
                Purpose::Attached { .. } | Purpose::Waiting => client.put_message(Kind::Exit, note),
                Purpose::Greeting | Purpose::Asking | Purpose::Answered => {}
            }
            // Advice only: with less room we stay a little longer.
            let _ = set_socket_send_buffer_size(client.socket(), FAREWELL);
            client.flush();
        }
        // Whoever may miss does not keep us; whoever must not is waited for, and nothing else is.
        self.clients.retain(|client| {
            let lossless = matches!(client.purpose, Purpose::Attached { flow: Flow::Lossless, .. });
            !client.is_gone() && client.unsent() > 0 && lossless
        });
    }

    /// After [`Self::announce_exit`]: waits for the clients that must not miss anything; each leaves when
    /// it has everything or hangs up.
    pub(super) fn deliver(&mut self) {
        while !self.clients.is_empty() {
            let (tokens, events) = self.wait_for_clients();
            for (token, events) in tokens.into_iter().zip(events) {
                if !events.is_empty() {
                    self.ready(token, events);
                }
            }
            self.end_turn();
            self.clients.retain(|client| client.unsent() > 0);
        }
    }

    fn wait_for_clients(&self) -> (Vec<Token>, Vec<PollFlags>) {
        let interests = self.interests();
        let mut fds: Vec<_> = interests.iter().map(|(_, fd, events)| PollFd::from_borrowed_fd(*fd, *events)).collect();
        if poll(&mut fds, None).is_err() {
            // Interrupted, or out of kernel memory, and no event tells when there is some again.
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let events = fds.iter().map(PollFd::revents).collect();
        (interests.into_iter().map(|(token, ..)| token).collect(), events)
    }

    fn lasting(&self) -> usize {
        self.clients.iter().filter(|client| client.lasts()).count()
    }

    /// The connection that has been silent longest, if there are as many as may be.
    fn greeting_too_many(&self) -> Option<ClientId> {
        let mut silent = self.clients.iter().filter(|client| client.purpose == Purpose::Greeting);
        let oldest = silent.next()?.id;
        (silent.count() + 1 >= MOST_GREETINGS).then_some(oldest)
    }

    fn client(&mut self, id: ClientId) -> Option<&mut Client> {
        self.clients.iter_mut().find(|client| client.id == id)
    }

    fn serve_client(&mut self, id: ClientId, events: PollFlags) {
        let Some(client) = self.client(id) else { return };
        if events.contains(PollFlags::OUT) {
            client.flush();
        }
        if events.intersects(PollFlags::IN | PollFlags::HUP) && client.may_read() {
            match client.receive() {
                Ok(frames) => frames.into_iter().for_each(|(kind, payload)| self.take_frame(id, kind, &payload)),
                Err(_) => client.mark_gone(), // It does not speak our protocol; nothing it could read would help.
            }
        } else if events.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            client.mark_gone();
        }
    }

    fn take_frame(&mut self, id: ClientId, kind: Kind, payload: &[u8]) {
        let Some(client) = self.client(id) else { return };
        let opener = client.opener;
        match (client.purpose, kind) {
            (Purpose::Greeting, _) => match parse_request(kind, payload) {
                Ok(request) => {
                    client.purpose = Purpose::Asking;
                    self.wishes.push(Wish::Request(id, request));
                }
                Err(error) => self.reply(id, &Reply::failed(&error), Purpose::Answered),
            },
            (Purpose::Attached { stdin: true, .. }, Kind::Stdin) => self.take_input(payload),
            // Docker's StdinOnce: whoever joined later may leave without taking the input from everybody.
            (Purpose::Attached { stdin: true, .. }, Kind::Eof) => match opener {
                Opener::Starter => self.close_input(),
                Opener::Anyone => {}
            },
            (Purpose::Attached { .. }, Kind::Resize) => self.resize(parse::<TerminalSize>(payload).ok()), // Odd size: none.
            (Purpose::Attached { .. }, Kind::Signal) => {
                // A signal that does not exist is nobody's wish.
                self.wishes.extend(parse::<Signal>(payload).ok().map(Wish::Signal));
            }
            (Purpose::Asking | Purpose::Attached { .. } | Purpose::Waiting | Purpose::Answered, _) => {} // Nothing it may say now.
        }
    }

    fn take_input(&mut self, bytes: &[u8]) {
        if self.stdin.is_some() && !self.input_closed {
            self.input.extend_from_slice(bytes);
            self.feed();
        }
    }

    fn feed(&mut self) {
        while let (Some(stdin), false) = (&self.stdin, self.input.is_empty()) {
            match write(stdin, &self.input) {
                Ok(count) => drop(self.input.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    self.input.clear(); // The process closed its end: nobody will read this.
                    self.stdin = None;
                }
            }
        }
        if self.input_closed {
            self.stdin = None;
        }
    }

    /// No more input comes. A terminal stays open: it has no half-close.
    fn close_input(&mut self) {
        if !self.terminal {
            self.input_closed = true;
            if self.input.is_empty() {
                self.stdin = None;
            }
        }
    }

    /// Tells the process's terminal its size, if there are both.
    pub(super) fn resize(&self, size: Option<TerminalSize>) {
        if let (true, Some(master), Some(size)) = (self.terminal, &self.stdout, size) {
            let size = Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
            // A terminal that is just closing has no size; its end is noticed elsewhere.
            let _ = tcsetwinsize(master, size);
        }
    }

    fn source(&self, source: LogSource) -> Option<&OwnedFd> {
        match source {
            LogSource::Stdout => self.stdout.as_ref(),
            LogSource::Stderr => self.stderr.as_ref(),
        }
    }

    /// How many bytes there were; `None`: no more now.
    fn take_output(&mut self, source: LogSource) -> Option<usize> {
        let (fd, kind) = match source {
            LogSource::Stdout => (&mut self.stdout, Kind::Stdout),
            LogSource::Stderr => (&mut self.stderr, Kind::Stderr),
        };
        let open = fd.as_ref()?;
        self.buffer.resize(CHUNK, 0);
        let count = match read(open, &mut self.buffer) {
            Ok(0) => {
                *fd = None;
                return None;
            }
            Ok(count) => count,
            Err(Errno::INTR) => return Some(0),
            Err(Errno::AGAIN) => return None,
            Err(_) => {
                *fd = None; // EIO: the last process closed the terminal.
                return None;
            }
        };
        let bytes = self.buffer.get(..count).unwrap_or_default();
        if let Some(log) = &mut self.log {
            log.append(Timestamp::now(), source, bytes);
        }
        for client in &mut self.clients {
            client.put_output(kind, bytes);
        }
        Some(count)
    }
}
