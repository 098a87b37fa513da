//! The operations: one function per thing that a person or a program can do.
