//! The skills of an account as one flat text: `Billing=4;Spanish[language]=5`.
//!
//! Some identity providers cannot send a custom attribute with several values, so `skillSet` says in
//! one string what `skills` says in a list:
//!
//! ```text
//! text  = [ entry *( ";" entry ) ]           ; spaces around each part mean nothing
//! entry = name [ "[" kind "]" ] [ "=" proficiency ]
//! kind  = "skill" / "language"               ; "skill" where it is left out
//! proficiency = "0" … "5", with one decimal  ; 0 where it is left out
//! ```
//!
//! In a name, a backslash stands before each `;`, `=`, `[`, `]` and `\`, and before a space that the
//! name begins or ends with. Names are compared without case ([`fold`]).

mod proficiency;

use std::fmt::{self, Write};
use std::iter::Peekable;

use scim_protocol::error::Error;
use scim_protocol::fold::fold;

use crate::MAX_NAME;

pub use proficiency::Proficiency;

/// The longest text, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;

/// Whether a skill is one of routing or a language: two lists with names of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkillKind {
    /// A routing skill.
    Skill,
    /// A language.
    Language,
}

impl SkillKind {
    /// As SCIM writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skill => "skill",
            Self::Language => "language",
        }
    }

    /// The kind of this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Skill, Self::Language]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }
}

/// One skill of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillText {
    /// Its name, as it is written.
    pub name: String,
    /// Its kind.
    pub kind: SkillKind,
    /// How well the person knows it.
    pub proficiency: Proficiency,
}

impl SkillText {
    /// What tells it from every other skill.
    pub fn key(&self) -> (SkillKind, String) {
        (self.kind, fold(&self.name))
    }
}

/// Reads the text. Empty entries mean nothing; the empty text is no skill at all.
///
/// # Errors
/// `invalidValue`: an entry that is none, a skill that is there twice, a text that is too long.
pub fn parse(text: &str) -> Result<Vec<SkillText>, Error> {
    if text.len() > MAX_TEXT {
        return Err(wrong(format!("must not be longer than {MAX_TEXT} bytes")));
    }
    let mut reader = Reader { characters: text.chars().peekable() };
    let mut skills = Vec::new();
    loop {
        skills.extend(reader.entry()?);
        match reader.characters.next() {
            Some(';') => {}
            Some(other) => return Err(wrong(format!("{other:?} is not expected there"))),
            None => break,
        }
    }
    let mut keys: Vec<_> = skills.iter().map(SkillText::key).collect();
    keys.sort();
    if let Some(twice) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(wrong(format!("{:?} is there twice", twice[0].1)));
    }
    Ok(skills)
}

/// The text of these skills, always the same for the same skills: skills before languages, each by
/// name.
pub fn render(skills: &[SkillText]) -> String {
    let mut sorted: Vec<_> = skills.iter().map(|skill| (skill.key(), skill)).collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut text = String::new();
    for (_, skill) in sorted {
        if !text.is_empty() {
            text.push(';');
        }
        escape(&skill.name, &mut text);
        if skill.kind == SkillKind::Language {
            text.push_str("[language]");
        }
        // Writing to a string does not fail.
        let _ = write!(text, "={}", skill.proficiency);
    }
    text
}

/// Whether a text says exactly these skills, in whatever order, case or spacing. Then a client that
/// sent it is answered with it, and sees nothing to correct. A text that cannot be read says nothing.
pub fn means(text: &str, skills: &[SkillText]) -> bool {
    let sorted = |skills: &[SkillText]| {
        let mut all: Vec<_> = skills.iter().map(|skill| (skill.key(), skill.proficiency)).collect();
        all.sort();
        all
    };
    parse(text).is_ok_and(|said| sorted(&said) == sorted(skills))
}

/// Whether two texts say the same skills.
pub fn same(a: &str, b: &str) -> bool {
    parse(b).is_ok_and(|skills| means(a, &skills))
}

fn wrong(what: impl fmt::Display) -> Error {
    Error::invalid_value(format!("skillSet, such as Billing=4;Spanish[language]=5: {what}"))
}

fn escape(name: &str, text: &mut String) {
    let begin = name.len() - name.trim_start().len();
    let end = name.trim_end().len();
    for (at, character) in name.char_indices() {
        let is_outer_space = at < begin || at >= end;
        if matches!(character, ';' | '=' | '[' | ']' | '\\') || is_outer_space {
            text.push('\\');
        }
        text.push(character);
    }
}

struct Reader<I: Iterator<Item = char>> {
    characters: Peekable<I>,
}

impl<I: Iterator<Item = char>> Reader<I> {
    /// One entry, up to the semicolon or whatever else cannot belong to it.
    fn entry(&mut self) -> Result<Option<SkillText>, Error> {
        let name = self.part()?;
        let kind = if self.take('[') { Some(self.kind()?) } else { None };
        let proficiency = if self.take('=') { Some(self.part()?.parse()?) } else { None };
        if name.is_empty() {
            let empty = kind.is_none() && proficiency.is_none();
            return if empty { Ok(None) } else { Err(wrong("a name is missing")) };
        }
        if name.chars().count() > MAX_NAME {
            return Err(wrong(format!("a name must not be longer than {MAX_NAME} characters")));
        }
        Ok(Some(SkillText {
            name,
            kind: kind.unwrap_or(SkillKind::Skill),
            proficiency: proficiency.unwrap_or_default(),
        }))
    }

    fn kind(&mut self) -> Result<SkillKind, Error> {
        let kind = SkillKind::named(&self.part()?);
        let is_closed = self.take(']');
        self.skip_spaces();
        kind.filter(|_| is_closed).ok_or_else(|| wrong("in brackets stands skill or language"))
    }

    /// Text up to the next character with a meaning of its own, without the spaces around it.
    fn part(&mut self) -> Result<String, Error> {
        self.skip_spaces();
        let mut part = String::new();
        // The end of what is not a space, or is one that was escaped.
        let mut end = 0;
        while let Some(&character) = self.characters.peek() {
            if matches!(character, ';' | '=' | '[' | ']') {
                break;
            }
            self.characters.next();
            let (character, is_escaped) = match character {
                '\\' => (self.characters.next().ok_or_else(|| wrong("it ends in \\"))?, true),
                other => (other, false),
            };
            part.push(character);
            if is_escaped || !character.is_whitespace() {
                end = part.len();
            }
        }
        part.truncate(end);
        Ok(part)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.characters.next_if_eq(&wanted).is_some()
    }

    fn skip_spaces(&mut self) {
        while self.characters.next_if(|character| character.is_whitespace()).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn skill(name: &str, kind: SkillKind, tenths: u8) -> SkillText {
        let proficiency = Proficiency::of_tenths(tenths).unwrap();
        SkillText { name: name.to_owned(), kind, proficiency }
    }

    #[test]
    fn the_text_says_name_kind_and_proficiency() {
        let expected =
            [skill("Billing", SkillKind::Skill, 40), skill("Spanish", SkillKind::Language, 50)];
        for text in [
            "Billing=4;Spanish[language]=5",
            " Billing = 4.0 ; Spanish [ Language ] = 5 ; ",
            ";;Billing[skill]=4;;Spanish[LANGUAGE]=5.0;",
            "\\Billing=4;Spanis\\h[language]=5",
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        assert_eq!(parse(" ; "), Ok(Vec::new()));
        assert_eq!(parse("Sales").unwrap(), [skill("Sales", SkillKind::Skill, 0)]);
        assert_eq!(
            parse("a\\=b\\;c\\[d\\]\\\\\\ =1").unwrap(),
            [skill("a=b;c[d]\\ ", SkillKind::Skill, 10)]
        );
    }

    #[test]
    fn what_is_no_skill_set_is_refused() {
        for text in [
            "=4",
            "[language]=4",
            "Billing=",
            "Billing=6",
            "Billing=4=5",
            "Billing[dialect]=4",
            "Billing[language=4",
            "Billing[language]x=4",
            "Billing]=4",
            "Billing\\",
            "Billing=4;billing=4",
            "Billing=4;BILLING[skill]=5",
            &"x".repeat(MAX_NAME + 1),
            &"x=1;".repeat(MAX_TEXT),
        ] {
            assert!(parse(text).is_err(), "{}", &text[..text.len().min(40)]);
        }
        assert!(parse("Billing=4;billing[language]=4").is_ok());
        assert!(parse(&"x".repeat(MAX_NAME)).is_ok());
    }

    #[test]
    fn two_texts_are_equal_if_they_say_the_same() {
        assert!(same("Billing=4;Spanish[language]=5", "spanish[Language]=5.0; BILLING = 4"));
        assert!(same("", " ;"));
        for other in
            ["Billing=4", "Billing=4;Spanish=5", "Billing=4.5;Spanish[language]=5", "=", ""]
        {
            assert!(!same("Billing=4;Spanish[language]=5", other), "{other}");
            assert!(!same(other, "Billing=4;Spanish[language]=5"), "{other}");
        }
        assert!(means("b;a=1", &parse("a=1;b=0").unwrap()));
    }

    #[test]
    fn the_rendering_does_not_depend_on_the_order() {
        let skills = parse("zeta=1;Spanish[language]=5;Alpha=4.5;Alpha[language]").unwrap();
        let text = "Alpha=4.5;zeta=1;Alpha[language]=0;Spanish[language]=5";
        assert_eq!(render(&skills), text);
        let reversed: Vec<_> = skills.into_iter().rev().collect();
        assert_eq!(render(&reversed), text);
    }

    prop_compose! {
        fn any_skill()(name in "[ -~äßＡ\u{a0}\n]{1,12}|[;=\\[\\]\\\\ ab]{1,6}", language: bool,
                       tenths in 0_u8..=50) -> SkillText {
            let kind = if language { SkillKind::Language } else { SkillKind::Skill };
            skill(&name, kind, tenths)
        }
    }

    proptest! {
        #[test]
        fn what_is_rendered_is_read_again(skills in prop::collection::vec(any_skill(), 0..8)) {
            let mut skills = skills;
            skills.sort_by_key(SkillText::key);
            skills.dedup_by_key(|skill| skill.key());
            let text = render(&skills);
            prop_assert_eq!(parse(&text), Ok(skills.clone()));
            prop_assert!(means(&text, &skills));
        }

        #[test]
        fn no_text_causes_a_panic(text in "(\\PC|[;=\\[\\]\\\\ 4.]){0,40}") {
            if let Ok(skills) = parse(&text) {
                prop_assert!(same(&render(&skills), &text));
            }
        }
    }
}
