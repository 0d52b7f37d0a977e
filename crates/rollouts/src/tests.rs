//! Rollouts on a store of their own, with scripted traffic and a clock that stands still while work is done.

mod aws;
mod bed;
mod drivers;
mod extras;
mod guardrails;
mod hands;
mod hooks;
mod judged;
mod measured;
mod model;
mod orders;
mod pairs;
mod restarts;
mod starts;
mod sticky;
mod stories;
mod together;
mod views;
