//! The invoke URLs: admit, choose, integrate, answer, record.
