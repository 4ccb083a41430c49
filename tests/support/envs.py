"""Python environments, built once per lock file and kept by content.

Stdlib only: this is the first thing that runs on a fresh machine, before any of the
project's packages exist. `python3 -m tests.support.envs dev` prints the directory of the
environment of `requirements/dev.txt`, building it first when it is missing.

A directory is named after the digest of its lock file and interpreter, so a changed lock
never touches an environment that running pods have mounted.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ticks import repeatedly

ROOT = Path(__file__).resolve().parents[2]
# Pods mount these environments at the same path, over a base image with Debian's Python.
INTERPRETER = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
COMPLETE = ".complete"


def cache_root() -> Path:
    """The project's cache, `$FEEDBACKLOOP_CACHE` or a standard place for root and for users."""
    default = "/var/cache/feedbackloop" if os.geteuid() == 0 else "~/.cache/feedbackloop"
    return Path(os.environ.get("FEEDBACKLOOP_CACHE", default)).expanduser()


def say(message: str) -> None:
    print(f"[envs] {message}", file=sys.stderr, flush=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive file lock, so that two callers build one environment once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def ticking(what: str, every: float = 5.0) -> Iterator[None]:
    """Say every few seconds that a long step still runs."""
    start = time.monotonic()
    with repeatedly(lambda: say(f"{what}: {time.monotonic() - start:.0f} s"), every):
        yield


def lock_file(name: str) -> Path:
    path = ROOT / "requirements" / f"{name}.txt"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.txt")))
        raise SystemExit(f"no environment is called {name!r}; there are: {known}")
    return path


def directory(name: str) -> Path:
    """Where the environment `name` lives: its lock file and interpreter are its identity."""
    version = subprocess.run([INTERPRETER, "-V"], check=True, capture_output=True, text=True).stdout
    digest = hashlib.sha256(lock_file(name).read_bytes() + INTERPRETER.encode() + version.encode()).hexdigest()
    return cache_root() / "envs" / f"{name}-{digest[:12]}"


def run(*command: str | Path, log: Path) -> None:
    """Run a build step, its output in `log`; on failure show the end of it."""
    with log.open("ab") as out:
        done = subprocess.run(
            [str(c) for c in command], check=False, stdout=out, stderr=subprocess.STDOUT, env=build_environment()
        )
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise SystemExit(f"{tail}\n[envs] failed: {' '.join(map(str, command))}\n[envs] the whole log: {log}")


def build_environment() -> dict[str, str]:
    return {**os.environ, "UV_CACHE_DIR": str(cache_root() / "uv"), "UV_NO_PROGRESS": "1", "UV_HTTP_TIMEOUT": "300"}


def ensure_venv_module() -> None:
    """Debian splits `venv` off its Python; without it nothing else can start."""
    probe = subprocess.run([INTERPRETER, "-c", "import ensurepip, venv"], check=False, capture_output=True)
    if probe.returncode == 0:
        return
    say("installing python3-venv (Debian's Python comes without it)")
    log = cache_root() / "envs" / "apt.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    run("apt-get", "update", log=log)
    run("apt-get", "install", "-y", "--no-install-recommends", "python3-venv", log=log)


def bootstrap() -> Path:
    """The pinned `uv`, in an environment of its own made with plain pip."""
    home = directory("bootstrap")
    with locked(home.with_suffix(".lock")):
        if not (home / COMPLETE).exists():
            ensure_venv_module()
            shutil.rmtree(home, ignore_errors=True)
            log = home.with_suffix(".log")
            run(INTERPRETER, "-m", "venv", home, log=log)
            run(home / "bin/pip", "install", "-q", "--require-hashes", "-r", lock_file("bootstrap"), log=log)
            (home / COMPLETE).touch()
    return home / "bin" / "uv"


def ensure(name: str) -> Path:
    """Build the environment `name` unless it is there; return its directory."""
    home = directory(name)
    if (home / COMPLETE).exists():
        return home
    uv = bootstrap()
    with locked(home.with_suffix(".lock")):
        if (home / COMPLETE).exists():
            return home
        shutil.rmtree(home, ignore_errors=True)
        log, start = home.with_suffix(".log"), time.monotonic()
        with ticking(f"installing {lock_file(name).name}"):
            run(uv, "venv", "--quiet", "--python", INTERPRETER, home, log=log)
            run(
                uv,
                "pip",
                "install",
                "--quiet",
                "--python",
                home / "bin/python",
                "--require-hashes",
                "--no-deps",
                "--compile-bytecode",
                "-r",
                lock_file(name),
                log=log,
            )
        (home / COMPLETE).touch()
        say(f"{name}: ready in {time.monotonic() - start:.0f} s at {home}")
    return home


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("name", nargs="+", help="the stem of a file in requirements/")
    parser.add_argument("--link", action="store_true", help="point .venv of the checkout at the (last) environment")
    arguments = parser.parse_args()
    for name in arguments.name:
        home = ensure(name)
        print(home)
    if arguments.link:
        link = ROOT / ".venv"
        if link.is_symlink() or not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(home)


if __name__ == "__main__":
    main()
