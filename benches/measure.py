#!/usr/bin/env python3
"""Measures Wharf beside its peers, in one run, alternating: ratios hold where milliseconds do not.

usage: measure.py [--wharf PATH] [--registry HOST:PORT] [--docker URL] [--rounds N] WHAT...
  run    run --rm, no network, from start to end of the program: wharf, docker, runc     (ms, medians)
  ps     ps -a with 10 running and 100 created containers                                  (ms, median)
  pull   pull with unpacking into an empty store: wharf, docker with a store of its own    (s, medians)
  tui    the screen with those 110 containers, at 80x24 and 160x50: first paint, key to screen, idle cost, memory
Prints one JSON object per measurement. Needs root, the standard library and tests/lab; leaves nothing behind.
"""
import argparse, contextlib, fcntl, json, os, pty, re, select, shutil, signal, statistics, struct, subprocess, sys, tempfile, termios, time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


def timed(command, env, want=0):
    """Seconds from start to end of a command; stops the whole measurement when it does not do its work."""
    start = time.perf_counter()
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode != want:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
    return seconds


def alternating(rounds, commands):
    """Medians in seconds of named commands, one after the other, `rounds` times, after one round that does not count."""
    times = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            seconds = command()
            if number:
                times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}


def report(what, medians, unit=1e3, suffix="ms"):
    out = {"what": what, **{f"{name}_{suffix}": round(value * unit, 2) for name, value in medians.items()}}
    out |= {f"{name}_ratio": round(value / medians["wharf"], 1) for name, value in medians.items() if name != "wharf"}
    print(json.dumps(out), flush=True)


class Store:
    """A WHARF_ROOT of its own, emptied at the end."""

    def __init__(self, wharf):
        self.wharf, self.root = wharf, tempfile.mkdtemp(prefix="wharf-b")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("WHARF_", "XDG_"))} | {"WHARF_ROOT": self.root, "HOME": self.root}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ids = subprocess.run([self.wharf, "ps", "-aq"], env=self.env, capture_output=True, text=True).stdout.split()
        if ids:
            timed([self.wharf, "rm", "-f", *ids], self.env)
        shutil.rmtree(self.root, ignore_errors=True)

    def do(self, *args):
        return timed([self.wharf, *args], self.env)

    def fill(self, image):
        lines = [f"run -d --network none --name bench-run-{i} {image} sleep 100000" for i in range(10)]
        lines += [f"create --network none --name bench-{i:02d} {image} true" for i in range(100)]
        script = Path(self.root, "fill")
        script.write_text("\n".join(lines) + "\n")
        self.do("pull", image)
        self.do("script", "--jobs", "4", str(script))


@contextlib.contextmanager
def runc_bundle():
    """A bundle with nothing but busybox, as small as what the others run."""
    with tempfile.TemporaryDirectory(prefix="wharf-b") as folder:
        root = Path(folder, "rootfs")
        for name in ("bin", "proc", "sys", "dev"):
            (root / name).mkdir(parents=True)
        shutil.copy(shutil.which("busybox"), root / "bin/busybox")
        (root / "bin/true").symlink_to("busybox")
        subprocess.run(["runc", "spec", "--bundle", folder], check=True)
        config = json.loads(Path(folder, "config.json").read_text())
        config["process"].update(terminal=False, args=["/bin/true"])
        config["root"]["readonly"] = False
        Path(folder, "config.json").write_text(json.dumps(config))
        yield folder


def bench_run(options, image):
    docker = ["docker", "-H", options.docker]
    plain = ["run", "--rm", "--network", "none", image, "true"]
    subprocess.run([*docker, "pull", "-q", image], check=True, stdout=subprocess.DEVNULL)
    with Store(options.wharf) as store, runc_bundle() as bundle:
        store.do("pull", image)
        report("run", alternating(options.rounds, {
            "wharf": lambda: store.do(*plain),
            "docker": lambda: timed([*docker, *plain], os.environ),
            "runc": lambda: timed(["runc", "run", "--bundle", bundle, f"bench-{os.getpid()}"], os.environ),
        }))


def bench_ps(options, image):
    with Store(options.wharf) as store:
        store.fill(image)
        report("ps of 110", alternating(options.rounds, {"wharf": lambda: store.do("ps", "-a")}))


@contextlib.contextmanager
def empty_docker():
    """A dockerd with an empty store, away from the machine's own one and from its firewall."""
    folder = tempfile.mkdtemp(prefix="wharf-b")
    socket = f"unix://{folder}/s"
    daemon = subprocess.Popen(["dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/run", "-p", f"{folder}/pid", "-H", socket,
                               "--bridge", "none", "--iptables=false", "--ip-masq=false"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(150):
            if subprocess.run(["docker", "-H", socket, "info"], capture_output=True).returncode == 0:
                break
            time.sleep(0.2)
        yield socket
    finally:
        daemon.terminate()
        daemon.wait()
        for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
            if line.split()[4].startswith(folder):
                subprocess.run(["umount", "-l", line.split()[4]])
        shutil.rmtree(folder, ignore_errors=True)


def bench_pull(options, image):
    def wharf():
        os.sync()
        with Store(options.wharf) as store:
            return store.do("pull", "-q", image)

    def docker():
        os.sync()
        seconds = timed(["docker", "-H", socket, "pull", "-q", image], os.environ)
        timed(["docker", "-H", socket, "rmi", "-f", image], os.environ)
        return seconds

    with empty_docker() as socket:
        report(f"pull {image.split('/')[-1]}", alternating(min(options.rounds, 4), {"wharf": wharf, "docker": docker}), 1, "s")


SEQUENCE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-_])")


class Terminal:
    """A program on a pty; answers the questions a terminal must answer."""

    def __init__(self, command, env, columns, rows):
        self.start = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], command, env | {"TERM": "xterm-256color"})
        self.seen, self.count, self.last = b"", 0, self.start

    def read(self, seconds):
        """The time of the first output within so many seconds, None without any."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return None
        data = os.read(self.fd, 1 << 16)
        self.last = now = time.perf_counter()
        for question, answer in ((b"\x1b[6n", b"\x1b[1;1R"), (b"\x1b[c", b"\x1b[?62;22c")):
            if question in data:
                os.write(self.fd, answer)
        self.count += len(data)
        self.seen = (self.seen + data)[-200_000:]
        return now

    def until(self, enough, seconds=10):
        """Milliseconds from the start until what was seen, without sequences, is enough."""
        while time.perf_counter() - self.start < seconds:
            if enough(SEQUENCE.sub(b"", self.seen)):
                return (self.last - self.start) * 1e3
            self.read(0.5)
        sys.exit(f"the screen never showed what was awaited; it showed: {SEQUENCE.sub(b'', self.seen)[-400:]!r}")

    def quiet(self, seconds):
        while self.read(seconds):
            pass

    def processor(self):
        """Seconds on a processor, of all threads."""
        return sum(int(Path(task, "schedstat").read_text().split()[0]) for task in Path(f"/proc/{self.pid}/task").iterdir()) / 1e9

    def memory(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[1]) / 1024

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        with contextlib.suppress(OSError):
            while os.read(self.fd, 1 << 16):
                pass
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def bench_tui(options, image):
    with Store(options.wharf) as store:
        store.fill(image)
        for columns, rows in ((80, 24), (160, 50)):
            terminal = Terminal([options.wharf], store.env, columns, rows)
            first = terminal.until(lambda text: len(text.split()) > 0 and len(b"".join(text.split())) >= 40)
            ready = terminal.until(lambda text: b"bench-" in text)
            terminal.quiet(1.0)
            keys, missed = [], 0
            for number in range(options.presses):
                pressed = time.perf_counter()
                os.write(terminal.fd, b"\x1b[B" if number % 16 < 8 else b"\x1b[A")
                came = terminal.read(1.0)
                missed += came is None
                keys += [(came - pressed) * 1e3] if came else []
                terminal.quiet(0.05)
            processor, written, began = terminal.processor(), terminal.count, time.perf_counter()
            while time.perf_counter() - began < options.idle:
                terminal.read(0.2)
            spent = time.perf_counter() - began
            keys.sort()
            print(json.dumps({
                "what": f"tui {columns}x{rows}", "first_paint_ms": round(first, 1), "ready_ms": round(ready, 1),
                "key_p50_ms": round(keys[len(keys) // 2], 2), "key_p99_ms": round(keys[int(len(keys) * 0.99)], 2), "key_missed": missed,
                "idle_cpu_pct": round((terminal.processor() - processor) / spent * 100, 2),
                "idle_bytes_s": round((terminal.count - written) / spent), "rss_mib": round(terminal.memory(), 1),
            }), flush=True)
            terminal.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wharf", default=str(HERE / "target/release/wharf"))
    parser.add_argument("--registry", default=os.environ.get("WHARF_TEST_REGISTRY", "127.0.0.1:5000"))
    parser.add_argument("--docker", default=os.environ.get("WHARF_TEST_DOCKER", "unix:///var/run/docker.sock"))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--presses", type=int, default=200)
    parser.add_argument("--idle", type=float, default=20)
    parser.add_argument("--pull-image", default="mid:1")
    parser.add_argument("what", nargs="+", choices=["run", "ps", "pull", "tui"])
    options = parser.parse_args()
    for what in options.what:
        image = f"{options.registry}/{options.pull_image if what == 'pull' else 'bb:1'}"
        {"run": bench_run, "ps": bench_ps, "pull": bench_pull, "tui": bench_tui}[what](options, image)


main()
