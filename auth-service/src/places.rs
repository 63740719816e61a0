//! Where addresses are: the country and the city, as far as a database that the operator brings knows them.
//!
//! A place is looked up when it is shown, and kept nowhere: what is held on a person is the address alone.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use auth_sdk::Place;
use maxminddb::Reader;
use serde::Deserialize;
use service_kit::config::Env;

/// The database in memory, if there is one.
#[derive(Default)]
pub struct Places(Option<Reader<Vec<u8>>>);

/// What is read of a record: its form is that of GeoIP2 and GeoLite2, which others keep too.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    country: Option<Country<'a>>,
    #[serde(borrow)]
    city: Option<City<'a>>,
}

#[derive(Deserialize)]
struct Country<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Deserialize)]
struct City<'a> {
    #[serde(borrow)]
    names: Option<Names<'a>>,
}

#[derive(Deserialize)]
struct Names<'a> {
    en: Option<&'a str>,
}

/// Reads where the database is.
pub fn read_path(env: &mut Env) -> Option<PathBuf> {
    env.optional(
        "GEOIP_DB",
        "Path of a MaxMind database (.mmdb), such as GeoLite2 City: with it, lists of sessions and logins say where from.",
    )
}

impl Places {
    /// Reads the database at this path into memory; without a path nobody knows any place.
    ///
    /// # Errors
    /// One sentence that names the file.
    pub fn open(path: Option<&Path>) -> Result<Self, String> {
        let Some(path) = path else { return Ok(Self(None)) };
        let reader = Reader::open_readfile(path)
            .map_err(|cause| format!("GEOIP_DB: {} cannot be read as a MaxMind database: {cause}", path.display()))?;
        Ok(Self(Some(reader)))
    }

    /// The place of an address as it is stored; nothing where none is known.
    #[must_use]
    pub fn find(&self, address: Option<&str>) -> Option<Place> {
        let (reader, address) = (self.0.as_ref()?, address?.parse::<IpAddr>().ok()?);
        // A database of IPv4 alone answers an address of IPv6 with an error: it does not know it either.
        let record: Record<'_> = reader.lookup(address.to_canonical()).ok()?.decode().ok()??;
        Some(Place {
            country: record.country?.iso_code?.to_owned(),
            city: record.city.and_then(|city| city.names?.en).map(str::to_owned),
        })
    }
}
