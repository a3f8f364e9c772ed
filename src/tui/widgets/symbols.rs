//! Symbols beside the colours, so that neither is needed alone.

use crate::app::State;
use crate::core::checkup::Severity;
use crate::core::network::NetworkClass;
use crate::core::policy::Decision;
use crate::core::reach::{Admits, Fate, Reach, Who};
use crate::tui::theme::Token;

/// A full, half and empty circle, and a question mark.
pub const fn reach(reach: Reach) -> (char, Token) {
    match reach {
        Reach::ThisMachine => ('○', Token::Good),
        Reach::Trusted => ('◐', Token::Warn),
        Reach::Unknown => ('?', Token::Unknown),
        Reach::Everyone => ('●', Token::Bad),
    }
}

/// Who of those on a network gets in.
pub const fn admits(admits: Admits) -> (char, Token) {
    match admits {
        Admits::Nobody => ('○', Token::Good),
        Admits::Neighbours => ('◐', Token::Warn),
        Admits::Unknown => ('?', Token::Unknown),
        Admits::Everyone => ('●', Token::Bad),
    }
}

/// How somebody fares, in the colour of what that means for this machine.
pub const fn fate(fate: Fate, who: Who, class: NetworkClass) -> (char, Token, &'static str) {
    match (fate, who, class) {
        (Fate::Accepted, Who::ThisMachine, _) => ('✓', Token::Good, "gets in"),
        (Fate::Accepted, Who::Strangers, _) | (Fate::Accepted, _, NetworkClass::Public) => ('✓', Token::Bad, "gets in"),
        (Fate::Accepted, ..) => ('✓', Token::Warn, "gets in"),
        (Fate::Refused, ..) => ('✗', Token::Good, "refused"),
        (Fate::Dropped, ..) => ('✗', Token::Good, "dropped"),
        (Fate::Unknown { may_arrive: true }, ..) => ('?', Token::Unknown, "unknown"),
        (Fate::Unknown { may_arrive: false }, ..) => ('✗', Token::Good, "kept out"),
    }
}

/// The colour of who is let in.
pub const fn decision(decision: Decision) -> Token {
    match decision {
        Decision::Undecided => Token::Dim,
        Decision::Confine => Token::Good,
        Decision::Trusted => Token::Warn,
        Decision::Open => Token::Bad,
    }
}

/// A class lets in nobody, its neighbours, or guests.
pub const fn class(class: NetworkClass) -> (char, Token) {
    match class {
        NetworkClass::Public => ('○', Token::Good),
        NetworkClass::Trusted => ('◐', Token::Warn),
        NetworkClass::Guests => ('◌', Token::Unknown),
    }
}

/// Where fwtui stands.
pub const fn state(state: State) -> (char, Token) {
    match state {
        State::Confirmed => ('●', Token::Good),
        State::Off => ('○', Token::Warn),
        State::Trial => ('◷', Token::Warn),
        State::Drifted => ('▲', Token::Bad),
        State::Unknown => ('?', Token::Unknown),
    }
}

/// How bad a finding is: what is worst looks unlike the rest.
pub const fn severity(severity: Severity) -> (char, Token) {
    match severity {
        Severity::Harmful => ('▲', Token::Bad),
        Severity::Risky => ('!', Token::Warn),
        Severity::Redundant => ('=', Token::Accent),
        Severity::Missing => ('+', Token::Unknown),
        Severity::Info => ('i', Token::Dim),
    }
}
