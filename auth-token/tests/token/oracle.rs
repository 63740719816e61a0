//! Our tokens and those of another implementation are the same.

use auth_token::{AccessClaims, Algorithm};
use jsonwebtoken::{DecodingKey, Header, Validation};

use crate::fixtures::*;

#[test]
fn the_oracle_accepts_what_we_sign() {
    for algorithm in Algorithm::ALL {
        let key = signing_key(algorithm);
        let token = key.sign(&claims()).unwrap();
        let decoding_key = match key.verification_key().to_jwk() {
            Some(jwk) => {
                let jwk = serde_json::from_value(serde_json::to_value(jwk).unwrap()).unwrap();
                DecodingKey::from_jwk(&jwk).unwrap()
            }
            None => DecodingKey::from_secret(SECRET),
        };
        let mut validation = Validation::new(oracle_algorithm(algorithm));
        validation.validate_exp = false;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        let read = jsonwebtoken::decode::<AccessClaims>(&token, &decoding_key, &validation).unwrap();
        assert_eq!(read.claims, claims(), "{algorithm}");
        assert_eq!(read.header.kid.as_deref(), Some(key.kid()));
        assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));
    }
}

#[test]
fn we_accept_what_the_oracle_signs() {
    for algorithm in Algorithm::ALL {
        let key = signing_key(algorithm);
        let mut header = Header::new(oracle_algorithm(algorithm));
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(key.kid().to_owned());
        let token = jsonwebtoken::encode(&header, &claims(), &encoding_key(algorithm)).unwrap();
        let read = verifier(&key).verify(&token, NOW).unwrap();
        assert_eq!((&read.claims, &*read.kid), (&claims(), key.kid()), "{algorithm}");
    }
}

#[test]
fn key_ids_are_the_thumbprints_of_the_oracle() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let key = signing_key(algorithm);
        let jwk = serde_json::to_value(key.verification_key().to_jwk().unwrap()).unwrap();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk).unwrap();
        assert_eq!(jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), key.kid(), "{algorithm}");
    }
}
