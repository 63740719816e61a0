//! What operators may write, and what they are told when it is wrong.

use super::*;
