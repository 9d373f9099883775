//! The pages in a real browser: they follow without being loaded anew, say the same with scripts off, complain of
//! nothing, and are fit to be looked at, light and dark, wide and on a phone.

mod daemon;
mod demo;
mod webdriver;
