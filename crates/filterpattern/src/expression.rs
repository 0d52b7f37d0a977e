//! Conditions joined by `&&` and `||`, the first binding more tightly, with parentheses.

use crate::cursor::Cursor;
use crate::error::PatternError;

/// Parentheses within each other. AWS names no bound; this one keeps the stack small.
const NESTING_MAX: usize = 64;

#[derive(Debug, Clone)]
pub enum Expression<C> {
    Condition(C),
    All(Vec<Expression<C>>),
    Any(Vec<Expression<C>>),
}

impl<C> Expression<C> {
    /// Reads an expression; `condition` reads one of its conditions.
    pub fn parse<'a>(
        cursor: &mut Cursor<'a>,
        condition: &mut impl FnMut(&mut Cursor<'a>) -> Result<C, PatternError>,
    ) -> Result<Expression<C>, PatternError> {
        any(cursor, condition, 0)
    }

    pub fn holds(&self, condition: &mut impl FnMut(&C) -> bool) -> bool {
        match self {
            Expression::Condition(one) => condition(one),
            Expression::All(parts) => parts.iter().all(|part| part.holds(condition)),
            Expression::Any(parts) => parts.iter().any(|part| part.holds(condition)),
        }
    }

    /// The conditions without which it can't hold.
    pub fn certain(&self) -> Vec<&C> {
        match self {
            Expression::Condition(one) => vec![one],
            Expression::All(parts) => parts.iter().flat_map(Expression::certain).collect(),
            Expression::Any(_) => Vec::new(),
        }
    }
}

fn any<'a, C>(
    cursor: &mut Cursor<'a>,
    condition: &mut impl FnMut(&mut Cursor<'a>) -> Result<C, PatternError>,
    depth: usize,
) -> Result<Expression<C>, PatternError> {
    let mut parts = vec![all(cursor, condition, depth)?];
    while cursor.eat_next("||") {
        parts.push(all(cursor, condition, depth)?);
    }
    Ok(join(parts, Expression::Any))
}

fn all<'a, C>(
    cursor: &mut Cursor<'a>,
    condition: &mut impl FnMut(&mut Cursor<'a>) -> Result<C, PatternError>,
    depth: usize,
) -> Result<Expression<C>, PatternError> {
    let mut parts = vec![one(cursor, condition, depth)?];
    while cursor.eat_next("&&") {
        parts.push(one(cursor, condition, depth)?);
    }
    Ok(join(parts, Expression::All))
}

fn one<'a, C>(
    cursor: &mut Cursor<'a>,
    condition: &mut impl FnMut(&mut Cursor<'a>) -> Result<C, PatternError>,
    depth: usize,
) -> Result<Expression<C>, PatternError> {
    if !cursor.eat_next("(") {
        cursor.skip_blanks();
        return condition(cursor).map(Expression::Condition);
    }
    if depth == NESTING_MAX {
        return Err(PatternError::Invalid);
    }
    let inner = any(cursor, condition, depth + 1)?;
    cursor.expect(")")?;
    Ok(inner)
}

fn join<C>(
    mut parts: Vec<Expression<C>>,
    many: impl FnOnce(Vec<Expression<C>>) -> Expression<C>,
) -> Expression<C> {
    if parts.len() > 1 {
        return many(parts);
    }
    parts.pop().expect("a list is made with its first part")
}
