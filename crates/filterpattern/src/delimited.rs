//! Patterns over messages of fields with blanks between them.

mod split;

use crate::comparison::Comparison;
use crate::cursor::Cursor;
use crate::error::PatternError;
use crate::expression::Expression;
use crate::needles::Needles;
use split::split;

/// Messages of at least so many fields, for which the fields' conditions hold. The last field takes all that is left of
/// the message unless an ellipsis does.
#[derive(Debug, Clone)]
pub struct Delimited {
    before: Vec<Field>,
    /// What comes after an ellipsis, if there is one.
    after: Option<Vec<Field>>,
}

#[derive(Debug, Clone, Default)]
struct Field {
    /// May be empty: a field that is only counted.
    name: String,
    condition: Option<Expression<Comparison>>,
}

impl Delimited {
    /// Reads `[ … ]` to the end of the text.
    pub fn parse(cursor: &mut Cursor<'_>) -> Result<Delimited, PatternError> {
        cursor.expect("[")?;
        let (mut before, mut after): (Vec<Field>, Option<Vec<Field>>) = (Vec::new(), None);
        loop {
            if cursor.eat_next("...") {
                if after.replace(Vec::new()).is_some() {
                    return Err(PatternError::Invalid);
                }
            } else {
                after.as_mut().unwrap_or(&mut before).push(Field::parse(cursor)?);
            }
            if cursor.eat_next("]") {
                break;
            }
            cursor.expect(",")?;
        }
        if !cursor.rest().trim().is_empty() {
            return Err(PatternError::Invalid);
        }
        Ok(Delimited { before, after })
    }

    pub fn takes(&self, message: &str) -> bool {
        let Some(values) = self.values(message) else { return false };
        values.iter().all(|(field, _, text)| field.is_none_or(|field| field.takes(text)))
    }

    /// Every field with its value: those without a name by their place.
    pub fn extract(&self, message: &str) -> Vec<(String, String)> {
        let values = self.values(message).unwrap_or_default();
        let name = |field: Option<&Field>, place: usize| match field.filter(|field| !field.name.is_empty()) {
            Some(field) => format!("${}", field.name),
            None => format!("${place}"),
        };
        values.into_iter().map(|(field, place, text)| (name(field, place), text.to_owned())).collect()
    }

    /// The value of a field by its name or its place.
    pub fn value<'m>(&self, name: &str, message: &'m str) -> Option<&'m str> {
        let values = self.values(message)?;
        let by_name = values.iter().find(|(field, ..)| field.is_some_and(|field| field.name == name));
        let by_place = || values.iter().find(|(_, place, _)| place.to_string() == name);
        by_name.or_else(by_place).map(|(.., text)| *text)
    }

    /// Is there such a field?
    pub fn has(&self, name: &str) -> bool {
        let named = self.before.iter().chain(self.after.iter().flatten());
        let is_place = || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        named.into_iter().any(|field| field.name == name) || is_place()
    }

    pub fn needles(&self) -> Needles {
        let fields = self.before.iter().chain(self.after.iter().flatten());
        let certain = fields.filter_map(|field| field.condition.as_ref()).flat_map(Expression::certain);
        Needles::plain(certain.filter_map(Comparison::needle).collect::<Vec<_>>(), [])
    }

    /// Each value with its field, if it has one, and its place from 1 on; `None` if there are too few.
    fn values<'m>(&self, message: &'m str) -> Option<Vec<(Option<&Field>, usize, &'m str)>> {
        let Some(after) = &self.after else {
            let texts = split(message, self.before.len());
            let numbered = self.before.iter().zip(&texts).enumerate();
            let values = numbered.map(|(place, (field, text))| (Some(field), place + 1, *text));
            return (texts.len() == self.before.len()).then(|| values.collect());
        };
        let texts = split(message, usize::MAX);
        let skipped = texts.len().checked_sub(self.before.len() + after.len())?;
        let fields = self.before.iter().map(Some);
        let fields = fields.chain(std::iter::repeat_n(None, skipped)).chain(after.iter().map(Some));
        let values = fields.zip(texts).enumerate();
        Some(values.map(|(place, (field, text))| (field, place + 1, text)).collect())
    }
}

impl Field {
    /// Reads a name and conditions that speak of it: `status = 4* && status != 404`.
    fn parse(cursor: &mut Cursor<'_>) -> Result<Field, PatternError> {
        cursor.skip_blanks();
        let mut ahead = Cursor::new(cursor.rest());
        // A condition may begin with a parenthesis.
        while ahead.eat_next("(") {}
        ahead.skip_blanks();
        let name = field_name(&mut ahead).to_owned();
        ahead.skip_blanks();
        if matches!(ahead.peek(), Some(',' | ']')) {
            field_name(cursor);
            cursor.skip_blanks();
            let is_bare = matches!(cursor.peek(), Some(',' | ']'));
            return if is_bare { Ok(Field { name, condition: None }) } else { Err(PatternError::Invalid) };
        }
        let condition = Expression::parse(cursor, &mut |cursor| {
            // Of another field's value nothing can be said here.
            if field_name(cursor) != name || name.is_empty() {
                return Err(PatternError::Invalid);
            }
            Comparison::parse(cursor)
        })?;
        Ok(Field { name, condition: Some(condition) })
    }

    fn takes(&self, text: &str) -> bool {
        let holds = |condition: &Expression<Comparison>| {
            condition.holds(&mut |comparison| comparison.takes_field(text))
        };
        self.condition.as_ref().is_none_or(holds)
    }
}

fn field_name<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    cursor.take_while(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
}
