//! Reads the truth from outside: SQL, Redis, HTTP; read-only.
