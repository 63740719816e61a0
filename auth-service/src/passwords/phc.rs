//! The PHC string format: `$id[$v=version][$name=value,…]$salt$tag`, and passlib's dialect of it.

use data_encoding::BASE64_NOPAD;

/// A PHC string taken apart; salt and tag decoded.
pub(super) struct Phc<'a> {
    pub(super) id: &'a str,
    pub(super) version: Option<u32>,
    parameters: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl<'a> Phc<'a> {
    /// Takes a string apart; `None` unless it has an id, parameters, a salt and a tag.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut fields = text.strip_prefix('$')?.split('$').peekable();
        let id = fields.next()?;
        let version = match fields.next_if(|field| field.starts_with("v=")) {
            Some(field) => Some(field.strip_prefix("v=")?.parse().ok()?),
            None => None,
        };
        let parameters = fields.next()?;
        let salt = decode_base64(fields.next()?)?;
        let tag = decode_base64(fields.next()?)?;
        fields.next().is_none().then_some(Self { id, version, parameters, salt, tag })
    }

    /// The value of each named parameter, in the order asked; `None` if one is missing or others are there too.
    pub(super) fn parameters<const N: usize>(&self, names: [&str; N]) -> Option<[u32; N]> {
        let given: Vec<(&str, &str)> =
            self.parameters.split(',').map(|pair| pair.split_once('=')).collect::<Option<_>>()?;
        if given.len() != N {
            return None;
        }
        let mut values = [0; N];
        for (value, name) in values.iter_mut().zip(names) {
            *value = given.iter().find(|(given, _)| *given == name)?.1.parse().ok()?;
        }
        Some(values)
    }

    /// The bare number that passlib writes in place of parameters.
    pub(super) fn rounds(&self) -> Option<u32> {
        self.parameters.parse().ok()
    }
}

/// Decodes standard Base64, padded (Django) or not (PHC), and passlib's form with `.` for `+`.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    BASE64_NOPAD.decode(text.trim_end_matches('=').replace('.', "+").as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phc_string_is_taken_apart() {
        let phc = Phc::parse("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$dGFn").unwrap();
        assert_eq!((phc.id, phc.version), ("argon2id", Some(19)));
        assert_eq!(phc.parameters(["t", "m", "p"]), Some([2, 19456, 1]));
        assert_eq!((phc.salt, phc.tag), (b"salt".to_vec(), b"tag".to_vec()));
    }

    #[test]
    fn malformed_phc_string_is_none() {
        for text in ["", "$", "argon2id", "$argon2id", "$a$m=1$c2FsdA", "$a$m=1$c2FsdA$dGFn$", "$a$m=1$!!$dGFn"] {
            assert!(Phc::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn missing_unknown_repeated_or_overflowing_parameters_are_none() {
        for parameters in ["m=1,t=1", "m=1,t=1,p=1,data=x", "m=1,m=1,p=1", "m=4294967296,t=1,p=1", "m=-1,t=1,p=1", "m"]
        {
            let text = format!("$argon2id${parameters}$c2FsdA$dGFn");
            assert_eq!(Phc::parse(&text).unwrap().parameters(["m", "t", "p"]), None, "{text}");
        }
    }
}
