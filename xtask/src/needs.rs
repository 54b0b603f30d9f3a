//! What the tests need beyond a Rust toolchain, and why: the one list that `cargo xtask test` installs from.
//!
//! A test never skips because something is absent. It fails and names what is missing, so a row belongs here before
//! the test that needs it is committed.

/// How [`provision`](crate::provision) sees that a program is there.
pub enum Sign {
    /// A file of this name stands in one of the folders of `PATH`.
    Program(&'static str),
    /// This command ends well.
    Runs(&'static [&'static str]),
}

/// A program from the operating system.
pub struct Program {
    /// The Debian package that brings it.
    pub debian: &'static str,
    /// How to see that it is there, from whatever source.
    pub sign: Sign,
    /// The test that needs it, and what for.
    pub why: &'static str,
}

/// A package of the Python environment, at one version. Its own dependencies are rows too: nothing is resolved.
pub struct PythonPackage {
    pub name: &'static str,
    pub version: &'static str,
    pub why: &'static str,
}

/// Programs, in the order in which they are looked for.
pub const PROGRAMS: &[Program] = &[
    Program {
        debian: "gcc",
        sign: Sign::Program("cc"),
        why: "build: ring, SQLite and zstd are compiled from their C sources",
    },
    Program {
        debian: "curl",
        sign: Sign::Program("curl"),
        why: "clients: list, fetch, append, search over imaps",
    },
    Program {
        debian: "openssl",
        sign: Sign::Program("openssl"),
        why: "clients: a TLS handshake seen from outside",
    },
    Program {
        debian: "isync",
        sign: Sign::Program("mbsync"),
        why: "clients: two-way synchronisation of a Maildir",
    },
    Program {
        debian: "mutt",
        sign: Sign::Program("mutt"),
        why: "clients: reading, with header cache and QRESYNC",
    },
    Program {
        debian: "neomutt",
        sign: Sign::Program("neomutt"),
        why: "clients: reading, with header cache and QRESYNC",
    },
    Program {
        debian: "fetchmail",
        sign: Sign::Program("fetchmail"),
        why: "clients: fetching, kept and not kept",
    },
    Program {
        debian: "strace",
        sign: Sign::Program("strace"),
        why: "store: kills the process at its n-th fdatasync and lets single calls fail",
    },
    Program {
        debian: "python3-venv",
        sign: Sign::Runs(&["python3", "-c", "import venv, ensurepip"]),
        why: "clients: holds the Python packages below",
    },
    Program { debian: "nodejs", sign: Sign::Program("node"), why: "clients: runs imapflow" },
    Program {
        debian: "npm",
        sign: Sign::Program("npm"),
        why: "clients: installs imapflow from its lock file",
    },
];

/// Python packages, installed into an environment of their own; tests find its interpreter in `MANSIO_TEST_PYTHON`.
pub const PYTHON_PACKAGES: &[PythonPackage] = &[PythonPackage {
    name: "IMAPClient",
    version: "4.1.0",
    why: "clients: flags, IDLE, search, copy, move, special-use, names in UTF-8",
}];

/// The folder, from the repository's root, whose `package.json` and `package-lock.json` pin the Node packages; tests
/// find what was installed in `MANSIO_TEST_NODE_MODULES`. It holds imapflow: QRESYNC, CONDSTORE, IDLE, append, download.
pub const NODE_PACKAGES: &str = "testdata/clients/node";
