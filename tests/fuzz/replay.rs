//! What happens to one target in a run? Every kept input, then changed ones; a failure is made short, saved and told
//! with the command that repeats it.
//!
//! Deliberately elsewhere: which inputs (`corpus`, `mutate`), what is checked (`targets`).

use std::{
    any::Any,
    cell::Cell,
    env, fs,
    io::Write as _,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Once, mpsc},
    thread,
    time::{Duration, Instant},
};

use super::{
    corpus,
    mutate::{Random, mutate},
    targets::Target,
};

/// How many changed inputs a target gets; slow ones a share of it. 0 replays the corpus alone.
const EXECUTIONS: &str = "WHARF_FUZZ_EXECUTIONS";
/// Changes the draw; every number gives other inputs, the same number the same.
const SEED: &str = "WHARF_FUZZ_SEED";
/// A file to run instead of all this: the one input of a failure.
const INPUT: &str = "WHARF_FUZZ_INPUT";
const USUAL: usize = 4000;
/// One input takes microseconds, a layer milliseconds; more than this, even on a busy machine, is a hang.
const HANG: Duration = Duration::from_secs(60);
/// Runs spent on making a failing input short.
const SHORTENING: usize = 5_000;
/// Kept of what was found to be readable, so that later changes build on earlier ones.
const POOL: usize = 256;

thread_local! {
    /// Whether panics of this thread are told: the thousands while shortening are not.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// An input that breaks a promise, and what was said then.
#[derive(Debug)]
pub struct Failure {
    pub input: Vec<u8>,
    pub message: String,
    /// Executions until it was found.
    pub after: usize,
}

/// Runs a target as the environment asks.
pub fn replay(target: &Target) {
    let began = Instant::now();
    let _watch = Watch::over(target.name);
    let check = |input: &[u8]| {
        Watch::current(input);
        (target.check)(input);
    };
    if let Some(path) = env::var_os(INPUT) {
        (target.check)(&fs::read(path).unwrap());
        return;
    }
    let inputs = corpus::inputs(target.name);
    for input in &inputs {
        if let Err(message) = run(&check, &input.bytes) {
            fail(target, &input.bytes, &message, &input.path);
        }
    }
    let executions = number(EXECUTIONS).unwrap_or(USUAL) / target.share;
    let seeds: Vec<Vec<u8>> = inputs.into_iter().map(|input| input.bytes).collect();
    if let Err(failure) = search(&check, &seeds, executions) {
        let path = save(target.name, &failure.input);
        fail(target, &failure.input, &format!("{} (execution {})", failure.message, failure.after), &path);
    }
    say(&format!(
        "fuzz: {}: {} inputs of the corpus, {executions} executions, {} ms",
        target.name,
        seeds.len(),
        began.elapsed().as_millis()
    ));
}

/// Tries changed inputs until one breaks a promise; that one is returned, made short.
pub fn search(check: &impl Fn(&[u8]), seeds: &[Vec<u8>], executions: usize) -> Result<(), Failure> {
    let mut random = Random::new(number(SEED).unwrap_or(1) as u64);
    let mut pool = seeds.to_vec();
    for execution in 0..executions {
        // The seeds as often as all that came of them, or these would drown them.
        let among = if random.below(2) == 0 { seeds.len() } else { pool.len() };
        let (input, other) = (&pool[random.below(among)], &pool[random.below(pool.len())]);
        let changed = mutate(&mut random, input, other);
        if let Err(message) = run(check, &changed) {
            let (input, message) = shortened(check, changed, message);
            return Err(Failure { input, message, after: execution + 1 });
        }
        // Some of them take part in what follows.
        if random.below(4) == 0 {
            if pool.len() < seeds.len() + POOL {
                pool.push(changed);
            } else {
                let place = seeds.len() + random.below(POOL);
                pool[place] = changed;
            }
        }
    }
    Ok(())
}

/// Leaves out pieces, large ones first, as long as it still fails.
fn shortened(check: &impl Fn(&[u8]), mut input: Vec<u8>, mut message: String) -> (Vec<u8>, String) {
    let mut runs = 0;
    let mut piece = input.len().div_ceil(2);
    while piece > 0 && runs < SHORTENING {
        let mut at = 0;
        while at < input.len() && runs < SHORTENING {
            let mut shorter = input.clone();
            shorter.drain(at..(at + piece).min(input.len()));
            runs += 1;
            match run(check, &shorter) {
                Err(why) => (input, message) = (shorter, why),
                Ok(()) => at += piece,
            }
        }
        piece /= 2;
    }
    (input, message)
}

/// Runs the check; a panic is an error with its message.
fn run(check: &impl Fn(&[u8]), input: &[u8]) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                usual(info);
            }
        }));
    });
    QUIET.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| check(input)));
    QUIET.set(false);
    outcome.map_err(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

fn fail(target: &Target, input: &[u8], message: &str, path: &Path) -> ! {
    let name = target.name;
    panic!(
        "{name}: {message}\n  input ({} bytes): {}\n  replay: {INPUT}={} cargo test --features fuzzing --test fuzz {name}\n  \
         once mended, keep it: mv it to tests/fuzz/corpus/{name}/ under a name that says what it is",
        input.len(),
        input.get(..400).unwrap_or(input).escape_ascii(),
        path.display()
    )
}

fn save(target: &str, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    fs::create_dir_all(&folder).unwrap();
    // A name that follows from the content: the same failure is the same file.
    let sum = input
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let path = folder.join(format!("{target}-{sum:016x}"));
    fs::write(&path, input).unwrap();
    path
}

fn number(variable: &str) -> Option<usize> {
    env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}

/// One line on the real stderr: the test harness swallows what a passing test prints through the macros.
fn say(line: &str) {
    // A closed stderr must not fail a run that went well.
    let _ = writeln!(std::io::stderr(), "{line}");
}

type Running = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

thread_local! {
    static RUNNING: Running = Running::default();
}

/// Looks whether an input hangs, which no test can catch from inside: saves it and ends the run.
struct Watch {
    over: Option<mpsc::Sender<()>>,
}

impl Watch {
    fn over(target: &'static str) -> Self {
        let (over, ended) = mpsc::channel::<()>();
        let running = RUNNING.with(Arc::clone);
        thread::spawn(move || {
            while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(HANG / 4) {
                let hung = running.lock().unwrap().take_if(|(since, _)| since.elapsed() > HANG);
                if let Some((_, input)) = hung {
                    let path = save(target, &input);
                    say(&format!("{target}: an input takes more than {} s: {}", HANG.as_secs(), path.display()));
                    std::process::abort();
                }
            }
        });
        Self { over: Some(over) }
    }

    fn current(input: &[u8]) {
        RUNNING.with(|running| *running.lock().unwrap() = Some((Instant::now(), input.to_vec())));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        RUNNING.with(|running| *running.lock().unwrap() = None);
        drop(self.over.take());
    }
}
