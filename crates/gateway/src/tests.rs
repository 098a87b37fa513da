//! The gateway from outside: raw sockets in front, a small upstream behind, states made by hand.

mod forwarding;
mod rig;
mod rights;
mod wire;
