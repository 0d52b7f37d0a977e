//! Turns an HTTP exchange into a Lambda proxy event and its answer back into HTTP.
