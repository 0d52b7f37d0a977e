//! Drives a release on AWS itself: the alias of a function or the stage of a REST API gets its canary, and the planner that decides
//! for a server of our own decides here too.
//!
//! | module | what |
//! |---|---|
//! | [`order`] | what is wanted, and what of it can't be had on AWS |
//! | [`target`], [`marker`] | what stands on AWS, what it should be, and the calls between the two |
//! | [`minutes`] | sums of minutes to evidence: which minute counts, when, and under which weight |
//! | [`turn`] | one look: evidence and orders in, the planner's word out |
//! | [`run`] | a rollout as it is written down; [`journal`] is where |
//! | [`cloud`] | the rim: the calls themselves, by the official SDK |
//! | [`hooks`] | functions and URLs that are asked whether it may go on, beside the loop |
//! | [`notices`] | URLs that are told of its changes, beside the loop as well |
//! | [`begin`], [`drive`] | begin or take up, then look, write down, act, until the end |
//!
//! All but the last five rows are pure. Nothing here serves anything, and nothing is decided here that the planner decides.

pub mod begin;
pub mod cloud;
pub mod drive;
pub mod hooks;
pub mod journal;
pub mod marker;
pub mod minutes;
pub mod notices;
pub mod order;
pub mod run;
pub mod target;
pub mod turn;
