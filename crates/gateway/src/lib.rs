//! The hot path: identify, admit, forward, trace.
