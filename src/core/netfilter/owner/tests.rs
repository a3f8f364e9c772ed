use super::*;
use crate::core::listener::Family;
use crate::core::netfilter::{Base, ChainType, End, Engine, Hook, Nat, NatKind, Pattern, To};
