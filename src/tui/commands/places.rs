//! Names for the user's file, and which commands are asked together.

use super::{Command, CommandId, Context};

impl CommandId {
    /// Its word in the user's file: `who-can`.
    pub fn name(self) -> String {
        hyphenated(&format!("{self:?}"))
    }
}

impl Context {
    /// Its word in the user's file: `services`.
    pub fn name(self) -> String {
        hyphenated(&format!("{self:?}"))
    }

    /// Whether a key may be looked for in both at the same time.
    pub fn is_beside(self, other: Self) -> bool {
        let is_everywhere = |context| matches!(context, Self::Always | Self::Moving);
        self == other
            || is_everywhere(self)
            || is_everywhere(other)
            || (self.has_palette() && other.has_palette() && !(self.is_one_screen() && other.is_one_screen()))
            || matches!((self, other), (Self::Setup, step) | (step, Self::Setup) if step.is_step())
            || matches!((self, other), (Self::Help, Self::Reading) | (Self::Reading, Self::Help))
            || matches!((self, other), (Self::Trial, question) | (question, Self::Trial) if question.is_over_a_trial())
    }

    /// Whether characters are typed there, so that none of them can be a key.
    pub const fn is_typed_into(self) -> bool {
        matches!(self, Self::Typing | Self::Palette)
    }

    /// Whether the palette can be opened there, which is a way to commands without a key.
    pub const fn has_palette(self) -> bool {
        self.is_one_screen() || matches!(self, Self::Screens | Self::Trial)
    }

    /// Whether the keys of a trial hold beside it: questions about a trial, and what is read of it.
    const fn is_over_a_trial(self) -> bool {
        matches!(self, Self::Asking | Self::Doubting | Self::Reading | Self::SetupTrial)
    }

    /// Whether it is one of the setup's steps, beside what holds at all of them.
    const fn is_step(self) -> bool {
        matches!(
            self,
            Self::SetupNetworks | Self::SetupChoice | Self::SetupServices | Self::SetupPreview
        )
    }

    const fn is_one_screen(self) -> bool {
        matches!(self, Self::Services | Self::Networks | Self::Preview | Self::Checkup)
    }
}

impl Command {
    /// Its name in the user's file: `services.confine`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.context.name(), self.id.name())
    }
}

/// `WhoCan` as `who-can`.
fn hyphenated(name: &str) -> String {
    let mut out = String::new();
    for (index, character) in name.chars().enumerate() {
        if character.is_uppercase() && index > 0 {
            out.push('-');
        }
        out.extend(character.to_lowercase());
    }
    out
}
